use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use clap::Args;
use pagemate::Name;
use pagemate::inventory::{self, State};
use pagemate::sync::MutexOptions;

use crate::arguments::ObjectName;
use crate::failure::{Failure, Outcome, warn, warn_abandoned};
use crate::hints;
use crate::signals;
use crate::time::{duration, format_duration};

/// Run a command while holding a mutex, so that only one such command runs at a time.
///
/// The mutex is created if no process holds the name. The exit code is that of the command. SIGTERM and
/// SIGHUP are forwarded to the command; so is SIGINT, unless a terminal sends it to the command as well.
///
/// If this process is killed, the command continues, but the mutex is abandoned: the next owner acquires
/// it at once and gets a warning.
#[derive(Args, Debug)]
#[command(override_usage = "pagemate lock [OPTIONS] <NAME> [--] <COMMAND>...")]
#[command(after_help = "\
Examples:
  pagemate lock deploy -- make install
  pagemate lock deploy --timeout 0 -- make install   # do not wait for it
  pagemate lock log -- sh -c 'date >> log.txt'       # redirect under it

Exit status:
  124    the timeout expired; the command was not run
  125    failure of pagemate itself; the command was not run
  126    the command was found, but could not be run
  127    the command was not found
  128+N  signal N ended the command
  other  the exit code of the command; 2 also for wrong arguments")]
pub(crate) struct Lock {
    #[command(flatten)]
    pub(super) object: ObjectName,
    /// Wait for at most this time, such as 2s or 500ms, then exit with code 124.
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    timeout: Option<Duration>,
    /// The command to run, with its arguments. Options of 'pagemate lock' come before it.
    #[arg(trailing_var_arg = true, required = true)]
    command: Vec<OsString>,
}

/// Exit codes for failures of pagemate. They are those of timeout(1) and env(1), because commands
/// rarely use them.
const TIMED_OUT: u8 = 124;
const FAILED: u8 = 125;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

impl Lock {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse().ok();
        self.run_locked().map_err(|failure| match failure {
            Failure::Failed(text) => Failure::Other(FAILED, text),
            Failure::WrongKind(text) => {
                Failure::Other(FAILED, hints::with_kind(text, name.as_ref()))
            }
            other => other,
        })
    }

    fn run_locked(self) -> Outcome {
        let name = self.object.parse()?;
        // A new mutex is owned before another process can find it. macOS cannot create one so.
        let owned = !cfg!(target_os = "macos");
        let mutex = MutexOptions::new().locked(owned).open_or_create(&name)?;
        if !mutex.is_mine() {
            let time = self.timeout.unwrap_or(Duration::MAX);
            let Some(guard) = mutex.try_lock_for(time)? else {
                return Err(Failure::Other(TIMED_OUT, busy(&name, time)));
            };
            if guard.was_abandoned() {
                warn_abandoned(&name);
            }
            std::mem::forget(guard);
        }
        let ended = self.run_command();
        mutex.unlock_forgotten()?;
        let status = ended?;
        if let Err(error) = mutex.check_name() {
            warn(&format!("{error:#}; another command may have run at the same time"));
        }
        match code(status) {
            0 => Ok(()),
            code => Err(Failure::ExitCode(code)),
        }
    }

    /// Runs the command to its end.
    fn run_command(&self) -> Outcome<ExitStatus> {
        let (program, arguments) =
            self.command.split_first().expect("the argument parser requires one word");
        let mut command = Command::new(program);
        signals::run_with_signals(command.args(arguments)).map_err(|error| {
            let code = match error.kind() {
                io::ErrorKind::NotFound => NOT_FOUND,
                _ => NOT_EXECUTABLE,
            };
            Failure::Other(code, format!("run {}: {error}", program.to_string_lossy()))
        })
    }
}

/// Returns the message for a mutex that did not become free within `time`. The message names the
/// owner if it is known.
fn busy(name: &Name, time: Duration) -> String {
    let state = inventory::find(name).ok().and_then(|entry| entry.state);
    let owner = match state {
        Some(State::Mutex { owner: Some(pid), .. }) => format!("process {pid}"),
        _ => "another process".to_owned(),
    };
    match time {
        Duration::ZERO => format!("lock \"{name}\": {owner} holds it"),
        _ => format!("lock \"{name}\": {owner} still holds it after {}", format_duration(time)),
    }
}

/// Returns the exit code that corresponds to the exit status of the command.
fn code(status: ExitStatus) -> u8 {
    let code =
        status.code().or_else(|| signals::terminating_signal(status).map(|signal| 128 + signal));
    // Exit codes on Windows have 32 bits; one that does not fit into 8 becomes 125.
    code.map_or(FAILED, |code| u8::try_from(code).unwrap_or(FAILED))
}
