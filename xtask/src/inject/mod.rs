//! `cargo xtask inject`: tests the command with failing system calls.
//!
//! strace(1) counts the system calls of a command. Then the command runs once for each of these
//! calls, and strace makes that call fail. Each run must end in time, with success or with one line
//! of error. It must not panic, and after `pagemate prune` no object may be left.

mod trace;
mod verbs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::cross;
use crate::task::{Outcome, run};

use trace::Call;
use verbs::{VERBS, Verb};

/// The errors that a failing call returns. The long mode tries all of them, the short mode the
/// first one.
const ERRORS: [&str; 5] = ["EIO", "ENOSPC", "EMFILE", "EACCES", "EINTR"];

/// The maximum time of a run. A command that takes longer counts as hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes each system call of each command line fail with EIO; with the argument `long`, also with
/// other errors.
pub(crate) fn inject() -> Outcome {
    cross::install(&["strace"])?;
    run(Command::new("cargo").args(["build", "-p", "pagemate-cli"]).current_dir(cross::root()))?;
    let command = cross::target_dir()?.join("debug/pagemate");
    let long = std::env::args().nth(2).is_some_and(|word| word == "long");
    let errors = if long { &ERRORS[..] } else { &ERRORS[..1] };
    let (mut runs, mut faults) = (0, Vec::new());
    for verb in VERBS {
        let place = Place::new()?;
        let calls = place.calls(&command, verb)?;
        println!("==> pagemate {}: {} calls", verb.words.join(" "), calls.len());
        for (call, error) in calls.iter().flat_map(|call| errors.iter().map(move |e| (call, *e))) {
            runs += 1;
            if let Err(fault) = place.try_with(&command, verb, Some((call, error))) {
                let fault = format!(
                    "pagemate {}: {call} fails with {error}: {fault}",
                    verb.words.join(" ")
                );
                println!("{fault}");
                faults.push(fault);
            }
        }
    }
    println!("{runs} calls were made to fail, {} times with a fault", faults.len());
    if faults.is_empty() { Ok(()) } else { Err(format!("{} faults", faults.len())) }
}

/// A directory for the objects of the commands, removed when dropped.
struct Place(PathBuf);

impl Place {
    fn new() -> Result<Place, String> {
        let path = PathBuf::from(format!("/dev/shm/pagemate-inject-{}", std::process::id()));
        fs::create_dir(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Place(path))
    }

    fn log(&self) -> PathBuf {
        self.0.join("calls")
    }

    /// Returns the system calls of a command line in a run without failures.
    fn calls(&self, command: &Path, verb: &Verb) -> Result<Vec<Call>, String> {
        self.try_with(command, verb, None)?;
        let log = fs::read_to_string(self.log()).map_err(|e| format!("strace's log: {e}"))?;
        fs::remove_file(self.log()).map_err(|e| format!("strace's log: {e}"))?;
        let calls = trace::calls(&log);
        if calls.len() < 5 { Err(format!("strace shows no calls: {log}")) } else { Ok(calls) }
    }

    /// Runs a command line with one failing call. Without `failure`, logs all calls.
    fn try_with(&self, command: &Path, verb: &Verb, failure: Option<(&Call, &str)>) -> Outcome {
        let mut peers = Vec::new();
        for words in verb.peers {
            peers.push(Peer::start(self.command(command, words), &self.0, words)?);
        }
        let mut strace = Command::new("strace");
        match failure {
            None => strace.args(["-f", "-o"]).arg(self.log()),
            Some((call, error)) => strace.args(["-f", "-o", "/dev/null"]).args(call.options(error)),
        };
        strace.arg(command).args(verb.words).env("PAGEMATE_DIR", &self.0);
        let ended = End::of(&mut strace)?;
        drop(peers);
        ended.judge(failure.is_some())?;
        self.check_empty(command)
    }

    fn command(&self, command: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(command);
        command.args(words).env("PAGEMATE_DIR", &self.0);
        command
    }

    /// Checks that no object is left after a sweep.
    fn check_empty(&self, command: &Path) -> Outcome {
        End::of(&mut self.command(command, &["prune"]))?.judge(false)?;
        let mut left = Vec::new();
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            match fs::read_dir(entry.path()) {
                Ok(inside) => left.extend(inside.flatten().map(|entry| entry.path())),
                Err(_) if entry.path() == self.log() => {}
                Err(_) => left.push(entry.path()),
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        for path in &left {
            _ = fs::remove_file(path);
        }
        Err(format!("objects are left: {left:?}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that holds the object that a command line uses. Dropping it kills and reaps the
/// process.
struct Peer(Child);

impl Peer {
    /// Starts the process, and waits until the object exists.
    fn start(mut command: Command, place: &Path, words: &[&str]) -> Result<Peer, String> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let peer = Peer(command.spawn().map_err(|e| format!("{words:?}: {e}"))?);
        let end = Instant::now() + PATIENCE;
        while !has_file(place, words[1]) {
            if Instant::now() > end {
                return Err(format!("{words:?} creates no object"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(peer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Returns whether a subdirectory of `place` has a file `name`.
fn has_file(place: &Path, name: &str) -> bool {
    let dirs = fs::read_dir(place).into_iter().flatten().flatten();
    dirs.map(|dir| dir.path().join(name)).any(|file| file.exists())
}

/// The status and the standard error of a command that has ended.
struct End {
    /// `None` if the command hung and was killed.
    status: Option<ExitStatus>,
    errors: String,
}

impl End {
    fn of(command: &mut Command) -> Result<End, String> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
        let mut pipe = child.stderr.take().expect("the pipe was requested");
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            _ = std::io::Read::read_to_end(&mut pipe, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Err(error) => return Err(format!("{command:?}: {error}")),
                Ok(None) if Instant::now() > end => break None,
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        if status.is_none() {
            // Send SIGTERM, at which strace also ends the traced process. After SIGKILL of strace,
            // that process would continue.
            let pid = child.id().to_string();
            _ = Command::new("kill").arg(pid).status();
            _ = child.wait();
        }
        Ok(End { status, errors: errors.join().unwrap_or_default() })
    }

    /// Checks the exit code, and that a failed command has printed the reason.
    fn judge(&self, may_fail: bool) -> Outcome {
        let errors = self.errors.trim_end();
        let code = self.status.ok_or_else(|| format!("it hangs: {errors}"))?.code();
        let explained =
            errors.lines().all(|line| line.starts_with("pagemate: ") || verbs::is_note(line));
        match code {
            Some(0) if explained => Ok(()),
            // Exit code 1 is not a failure: no process holds the name, or a timeout expired.
            Some(1) if explained && errors.contains("pagemate: ") => Ok(()),
            // `lock` uses the exit codes 125 to 127 of env(1).
            Some(2 | 125..=127) if may_fail && explained && errors.contains("pagemate: ") => Ok(()),
            code => Err(format!("it ends with {code:?}: {errors}")),
        }
    }
}
