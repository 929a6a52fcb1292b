use std::ffi::OsString;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use clap::Args;
use pagemate::sync::MutexOptions;

use crate::arguments::{ObjectName, seconds};
use crate::failure::{Failure, Outcome, print_error, warn_abandoned};
use crate::signals;

/// Run a command while holding a mutex, so that only one such command runs at a time.
///
/// The mutex is created if no process holds the name. The exit code is that of the command; 128 plus the
/// signal's number if a signal ended the command; 1 if the timeout expired; 2 if the command could not
/// be run. SIGTERM is forwarded to the command.
///
/// If this process is killed, the command continues, but the mutex is abandoned: the next owner acquires
/// it at once and gets a warning.
#[derive(Args, Debug)]
#[command(override_usage = "pagemate lock <NAME> [OPTIONS] -- <COMMAND>...")]
#[command(after_help = "\
Examples:
  pagemate lock deploy -- make install
  pagemate lock deploy --timeout 0 -- make install    # fail at once if the mutex is held")]
pub(crate) struct Lock {
    #[command(flatten)]
    object: ObjectName,
    /// Wait for at most this many seconds, then exit with code 1.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    timeout: Option<Duration>,
    /// The command to run, with its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl Lock {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        let mutex = MutexOptions::new().open_or_create(name.to_string())?;
        let guard = mutex.try_lock_for(self.timeout.unwrap_or(Duration::MAX))?;
        let Some(guard) = guard else {
            return Err(Failure::No(format!("lock \"{name}\": another process holds it")));
        };
        if guard.was_abandoned() {
            warn_abandoned(&name);
        }
        let (program, arguments) =
            self.command.split_first().expect("the argument parser requires one word");
        let failed = |error| Failure::new(format!("run {}: {error}", program.to_string_lossy()));
        let mut command = Command::new(program);
        let mut child = signals::spawn_with_signals(command.args(arguments)).map_err(failed)?;
        let status = child.wait().map_err(failed)?;
        drop(guard);
        if let Err(error) = mutex.check_name() {
            print_error(&format!(
                "pagemate: {error}; another command may have run at the same time"
            ));
        }
        match code(status) {
            0 => Ok(()),
            code => Err(Failure::ExitCode(code)),
        }
    }
}

/// Returns the exit code for the status that a command ended with.
fn code(status: ExitStatus) -> u8 {
    let code =
        status.code().or_else(|| signals::terminating_signal(status).map(|signal| 128 + signal));
    // Exit codes on Windows have 32 bits; one that does not fit into 8 becomes 2.
    code.map_or(2, |code| u8::try_from(code).unwrap_or(2))
}
