use std::ffi::OsString;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use clap::Args;
use pagemate::Name;
use pagemate::sync::MutexOptions;

use crate::ending;
use crate::failure::{Failure, Outcome, complain};
use crate::seconds::seconds;
use crate::target::Target;

/// Run a command while holding a mutex, so that of those who ask for it one runs at a time.
///
/// The exit code is the command's; 128 and a signal's number if that ended it; 1 if the mutex could
/// not be had in time, and 2 if the command could not be run. A request to end goes to the command.
/// If this process is killed, the command runs on, the mutex is abandoned, and the next who takes it
/// is told.
#[derive(Args, Debug)]
#[command(override_usage = "pagemate lock <NAME> [OPTIONS] -- <COMMAND>...")]
#[command(after_help = "\
Examples:
  pagemate lock deploy -- make install
  pagemate lock deploy --timeout 0 -- make install        not if somebody is at it")]
pub(crate) struct Lock {
    #[command(flatten)]
    target: Target,
    /// Give up after so many seconds, with exit code 1.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    timeout: Option<Duration>,
    /// What to run, with its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// What is said of a mutex whose last holder is gone.
pub(super) fn abandoned(name: &Name) -> String {
    format!(
        "pagemate: lock \"{name}\": abandoned: its last holder ended without freeing it, perhaps half-way"
    )
}

impl Lock {
    pub(crate) fn run(self) -> Outcome {
        let name = self.target.name()?;
        let mutex = MutexOptions::new().open_or_create(name.to_string())?;
        let guard = mutex.try_lock_for(self.timeout.unwrap_or(Duration::MAX))?;
        let Some(guard) = guard else {
            return Err(Failure::No(format!("lock \"{name}\": another process has it")));
        };
        if guard.was_abandoned() {
            complain(&abandoned(&name));
        }
        let (program, arguments) = self.command.split_first().expect("clap wants one at least");
        let failed = |error| Failure::new(format!("run {}: {error}", program.to_string_lossy()));
        let mut command = Command::new(program);
        let mut child = ending::hand_on(command.args(arguments)).map_err(failed)?;
        let status = child.wait().map_err(failed)?;
        drop(guard);
        match code(status) {
            0 => Ok(()),
            code => Err(Failure::Theirs(code)),
        }
    }
}

/// The exit code that stands for how a command ended.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| ending::signal(status).map(|signal| 128 + signal));
    // Windows' are wider; what does not fit is a failure all the same.
    code.map_or(2, |code| u8::try_from(code).unwrap_or(2))
}
