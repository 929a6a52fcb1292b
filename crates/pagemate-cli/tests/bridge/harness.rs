//! The processes of the tests of `pagemate bridge`: the bridge, and Windows programs that execute commands.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use serde_json::Value;

/// The time limit of each wait, after which the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Returns whether `cargo xtask bridge` runs the tests, which need its programs and its Wine prefix. Prints
/// the reason if not.
pub(crate) fn is_prepared() -> bool {
    let prepared = env::var_os("PAGEMATE_WINE_ACTOR").is_some();
    if !prepared {
        eprintln!("skipped: 'cargo xtask bridge' runs this test");
    }
    prepared
}

/// Returns a name that no other test uses.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", process::id())
}

/// Waits until a condition holds.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Reads the lines of a stream in a thread, each with the time of its arrival.
fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<(Instant, String)> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            if sender.send((Instant::now(), line)).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A Windows program that executes commands. Dropping it kills the program.
pub(crate) struct Actor {
    child: Child,
    input: ChildStdin,
    output: Receiver<(Instant, String)>,
}

impl Actor {
    pub(crate) fn start() -> Actor {
        Actor::start_in(Path::new(&env::var_os("WINEPREFIX").unwrap()))
    }

    /// Starts the program in this Wine prefix.
    pub(crate) fn start_in(prefix: &Path) -> Actor {
        let mut command = Command::new("wine");
        command.arg(env::var_os("PAGEMATE_WINE_ACTOR").unwrap()).env("WINEPREFIX", prefix);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = lines(child.stdout.take().unwrap());
        let actor = Actor { child, input, output };
        assert_eq!(actor.line(), "ready");
        actor
    }

    fn line(&self) -> String {
        let (_, line) = self.output.recv_timeout(PATIENCE).expect("the program answers");
        line.trim().to_owned()
    }

    /// Sends a command without waiting for its answer.
    pub(crate) fn tell(&mut self, words: &[&str]) {
        self.input.write_all(format!("{}\n", words.join("\t")).as_bytes()).unwrap();
    }

    pub(crate) fn answer(&self) -> i32 {
        self.line().parse().unwrap()
    }

    pub(crate) fn ask(&mut self, words: &[&str]) -> i32 {
        self.tell(words);
        self.answer()
    }

    pub(crate) fn expect(&mut self, words: &[&str], answer: i32) {
        assert_eq!(self.ask(words), answer, "{words:?}");
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A running `pagemate bridge`. Dropping it ends the process.
pub(crate) struct Bridge {
    child: Child,
    changes: Receiver<(Instant, String)>,
}

/// Returns the command with these arguments.
pub(crate) fn pagemate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pagemate"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Bridge {
    pub(crate) fn start(arguments: &[&str]) -> Bridge {
        let mut command = pagemate(&["bridge", "--json"]);
        let mut child = command.args(arguments).stderr(Stdio::inherit()).spawn().unwrap();
        let changes = lines(child.stdout.take().unwrap());
        Bridge { child, changes }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a change of this name, and returns when it was printed. Skips changes of other names.
    pub(crate) fn expect(&self, change: &str, name: &str) -> (Instant, Value) {
        loop {
            let (at, line) = self.changes.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                panic!("the bridge did not print {change} {name}");
            });
            let line: Value = serde_json::from_str(&line).unwrap();
            if name.is_empty() || line["name"] == *name {
                assert_eq!(line["change"], *change, "{line}");
                return (at, line);
            }
        }
    }

    /// Waits for the last of the changes of this name that are `change`, ignoring others before it.
    pub(crate) fn wait_for(&self, change: &str) {
        loop {
            let (_, line) =
                self.changes.recv_timeout(PATIENCE).expect("the bridge prints a change");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["change"] == *change {
                return;
            }
        }
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn ended(mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the bridge ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end_by(&mut self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
        self.child.wait().unwrap();
    }

    /// Returns the pids of its helpers.
    pub(crate) fn helpers(&self) -> Vec<u32> {
        helpers_of(self.pid())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let pid = rustix::process::Pid::from_child(&self.child);
            _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let end = Instant::now() + Duration::from_secs(10);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
                thread::sleep(Duration::from_millis(5));
            }
            _ = self.child.kill();
        }
        _ = self.child.wait();
    }
}

/// Returns the pids of the helpers of a bridge, by the word with its pid in their command lines.
pub(crate) fn helpers_of(bridge: u32) -> Vec<u32> {
    let word = format!("--bridge={bridge}-");
    let is_helper = |pid: &u32| {
        let mut line = Vec::new();
        let file = std::fs::File::open(format!("/proc/{pid}/cmdline"));
        file.is_ok_and(|mut file| file.read_to_end(&mut line).is_ok())
            && String::from_utf8_lossy(&line).contains(&word)
    };
    pids().filter(is_helper).collect()
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Returns the time that a process has spent on a processor.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let of_task = |path: PathBuf| {
        let stat = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        stat.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0)
    };
    let nanoseconds: u64 = tasks.map(|task| of_task(task.path())).sum();
    assert!(!stat.is_empty(), "process {pid} has ended");
    Duration::from_nanos(nanoseconds)
}

/// Returns the pid of the wineserver of the prefix of the tests.
pub(crate) fn wineserver() -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    let prefix = std::fs::metadata(env::var_os("WINEPREFIX").unwrap()).unwrap();
    let wanted = format!("server-{:x}-{:x}", prefix.dev(), prefix.ino());
    let works_there = |pid: &u32| {
        let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let dir = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        comm.starts_with("wineserver") && dir.to_string_lossy().contains(&wanted)
    };
    pids().find(works_there).expect("the wineserver runs")
}

/// Ends all programs of a Wine prefix.
pub(crate) fn end_prefix(prefix: &Path) {
    let mut command = Command::new("wineserver");
    command.arg("-k").env("WINEPREFIX", prefix).stderr(Stdio::null());
    _ = command.status();
    let mut command = Command::new("wineserver");
    command.arg("-w").env("WINEPREFIX", prefix).stderr(Stdio::null());
    _ = command.status();
}
