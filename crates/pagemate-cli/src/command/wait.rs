use std::time::Duration;

use clap::Args;
use pagemate::sync::{EventOptions, Mutex, MutexGuard, Reset, Semaphore};
use pagemate::{ErrorKind, Name};

use super::lock::abandoned;
use crate::failure::{Failure, Outcome, complain};
use crate::seconds::seconds;
use crate::target::Target;

/// Wait until an event has happened, a semaphore can be taken from, or a mutex is free.
///
/// If nobody holds the name, it becomes an event, and 'pagemate signal' in another shell lets all go
/// who wait for it. The event lives as long as somebody waits: a signal that comes before is not kept,
/// and says so. From a semaphore one is taken; a mutex is taken and given back at once.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate wait ready && echo go          in one shell or in several
  pagemate signal ready                   in another
  pagemate wait ready --timeout 2.5       exit code 1 if it does not happen in time")]
pub(crate) struct Wait {
    #[command(flatten)]
    target: Target,
    /// Give up after so many seconds, with exit code 1.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    timeout: Option<Duration>,
    /// If nobody holds the name, make an event that lets one go at a time.
    #[arg(long)]
    one: bool,
}

impl Wait {
    pub(crate) fn run(self) -> Outcome {
        let name = self.target.name()?;
        let reset = if self.one { Reset::Auto } else { Reset::Manual };
        let time = self.timeout.unwrap_or(Duration::MAX);
        let had = match EventOptions::new(reset).open_or_create(name.to_string()) {
            Ok(event) => event.wait_timeout(time)?,
            Err(error) if error.kind() == ErrorKind::WrongKind => wait_for_another(&name, time)?,
            Err(error) => return Err(error.into()),
        };
        if had {
            return Ok(());
        }
        let why = format!("it did not happen within {} seconds", time.as_secs_f64());
        Err(Failure::No(format!("wait for \"{name}\": {why}")))
    }
}

/// Waits for what is no event; false if there was nothing to be had in time.
fn wait_for_another(name: &Name, time: Duration) -> Outcome<bool> {
    match Semaphore::open(name.to_string()) {
        Ok(semaphore) => Ok(semaphore.try_acquire_for(time)?),
        Err(error) if error.kind() == ErrorKind::WrongKind => {
            let mutex = Mutex::open(name.to_string())?;
            let guard = mutex.try_lock_for(time)?;
            if guard.as_ref().is_some_and(MutexGuard::was_abandoned) {
                complain(&abandoned(name));
            }
            Ok(guard.is_some())
        }
        Err(error) => Err(error.into()),
    }
}
