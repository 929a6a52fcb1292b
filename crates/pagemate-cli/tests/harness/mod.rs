//! Runs the executable in a directory that each test has for itself. All waits have a time limit.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// The time limit for a process or its output, after which the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A directory for the objects and files of one test. Dropping it removes the directory with its
/// contents.
pub(crate) struct Place {
    path: PathBuf,
    id: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = format!("cli-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let base = if cfg!(target_os = "linux") { "/dev/shm".into() } else { env::temp_dir() };
        let path = base.join(format!("pagemate-test-{id}"));
        fs::create_dir(&path).unwrap();
        Place { path, id }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns an object name that no other test and no other run uses. It is unique on the whole
    /// machine, because `PAGEMATE_DIR` has no effect on Windows.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{name}-{}", self.id)
    }

    /// Creates a file with these bytes and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path.join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pagemate"));
        command.args(args).env("PAGEMATE_DIR", &self.path);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the command, and waits until it has ended.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args), b"")
    }

    /// Runs the command with `input` on its standard input, and waits until it has ended.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        Ran::of(self.command(args).stdin(Stdio::piped()), input)
    }

    /// Starts a command that holds an object, and waits for its first line.
    pub(crate) fn hold(&self, args: &[&str]) -> Held {
        Held::start(&mut self.command(args))
    }

    /// Returns the files of all objects. Returns none on systems on which objects are not files.
    pub(crate) fn objects(&self) -> Vec<PathBuf> {
        let entries = |dir: &Path| fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let (dirs, mut files): (Vec<_>, Vec<_>) =
            entries(&self.path).partition(|path| path.is_dir());
        // The directory also contains files that tests create.
        files.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("pagemate:"));
        files.extend(dirs.iter().flat_map(|dir| entries(dir)));
        files
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.path);
    }
}

/// The exit code and the output of a command that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) errors: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command, input: &[u8]) -> Ran {
        let mut child = Guard(start(command));
        if let Some(mut stdin) = child.0.stdin.take() {
            // The command may end without reading all of its input, so ignore the error.
            _ = stdin.write_all(input);
        }
        let out = child.0.stdout.take().map(collect);
        let errors = child.0.stderr.take().map(collect);
        let code = child.wait().code();
        let bytes = |from: Option<Receiver<Vec<u8>>>| {
            from.map(|from| from.recv_timeout(PATIENCE).unwrap()).unwrap_or_default()
        };
        Ran { code, bytes: bytes(out), errors: String::from_utf8(bytes(errors)).unwrap() }
    }

    /// Returns standard output; fails unless the exit code is 0 and standard error is empty.
    #[track_caller]
    pub(crate) fn text(self) -> String {
        assert_eq!((self.code, &*self.errors), (Some(0), ""));
        String::from_utf8(self.bytes).unwrap()
    }

    /// Returns the message of the argument parser; fails unless the exit code is 2 and standard output is
    /// empty.
    #[track_caller]
    pub(crate) fn usage_error(self) -> String {
        assert_eq!((self.code, &*self.bytes), (Some(2), &b""[..]), "{}", self.errors);
        assert!(self.errors.starts_with("error: "), "{}", self.errors);
        self.errors
    }

    /// Returns the only line of standard error; fails unless the exit code is `code` and standard output is
    /// empty.
    #[track_caller]
    pub(crate) fn error_line(self, code: i32) -> String {
        assert_eq!((self.code, &*self.bytes), (Some(code), &b""[..]), "{}", self.errors);
        let line = self.errors.strip_suffix('\n').unwrap();
        assert!(line.starts_with("pagemate: ") && !line.contains('\n'), "{line}");
        line.to_owned()
    }
}

/// A running command that holds an object. Dropping it kills and reaps the process.
pub(crate) struct Held {
    child: Guard,
    /// The first line of its standard output.
    pub(crate) line: String,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Held {
    pub(crate) fn start(command: &mut Command) -> Held {
        let mut child = Guard(start(command));
        let lines = lines(child.0.stdout.take().unwrap());
        let errors = lines_of_errors(&mut child);
        let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            panic!("no line, but: {:?}", errors.recv_timeout(Duration::from_secs(1)))
        });
        Held { child, line, lines, errors }
    }

    /// Starts a command that prints nothing.
    pub(crate) fn start_silent(command: &mut Command) -> Held {
        let mut child = Guard(start(command));
        let errors = lines_of_errors(&mut child);
        Held { child, line: String::new(), lines: channel().1, errors }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Waits for the next line on standard error.
    pub(crate) fn error_line(&self) -> String {
        self.errors.recv_timeout(PATIENCE).unwrap()
    }

    /// Waits for the next line on standard output.
    pub(crate) fn next_line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    pub(crate) fn write(&mut self, input: &[u8]) {
        self.child.0.stdin.as_mut().unwrap().write_all(input).unwrap();
    }

    pub(crate) fn close_input(&mut self) {
        self.child.0.stdin = None;
    }

    pub(crate) fn kill(mut self) {
        self.child.0.kill().unwrap();
        self.child.wait();
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child.0);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the process to end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait()
    }
}

/// Starts a program. Under Wine, the start of a program on a busy machine occasionally fails with
/// an internal error. In that case, tries again.
fn start(command: &mut Command) -> Child {
    const INTERNAL_ERROR: i32 = 1359;
    for _ in 0..10 {
        match command.spawn() {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(INTERNAL_ERROR) => {}
            started => return started.unwrap(),
        }
    }
    panic!("Wine failed to start the program 10 times");
}

/// A child that is killed and reaped when dropped.
struct Guard(Child);

impl Guard {
    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "process {} hangs", self.0.id());
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn collect(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, all) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        sender.send(bytes)
    });
    all
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        let mut all = BufReader::new(from).lines().map_while(Result::ok);
        all.try_for_each(|line| sender.send(line))
    });
    lines
}

fn lines_of_errors(child: &mut Guard) -> Receiver<String> {
    child.0.stderr.take().map_or_else(|| channel().1, lines)
}
