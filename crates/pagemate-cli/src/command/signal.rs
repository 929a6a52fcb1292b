use clap::Args;
use pagemate::ErrorKind;
use pagemate::sync::{Event, Semaphore};

use crate::failure::{Failure, Outcome};
use crate::target::Target;

/// Set an event, or add to a semaphore.
///
/// It reaches those who wait already, and those who come while somebody still holds the name. If nobody
/// does, there is nothing to signal, and the exit code is 1.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate signal ready                   whoever waits for it goes on
  pagemate signal ready --reset           it has not happened, for those who come
  pagemate signal jobs --count 3          three of those who wait for a semaphore may go on
  until pagemate signal ready; do sleep 1; done           until somebody waits for it")]
pub(crate) struct Signal {
    #[command(flatten)]
    target: Target,
    /// Of an event: say that it has not happened.
    #[arg(long)]
    reset: bool,
    /// Of an event: let those go who wait at this moment, and leave it not set.
    #[arg(long, conflicts_with = "reset")]
    pulse: bool,
    /// Of a semaphore: add so many, instead of one.
    #[arg(long, value_name = "N", conflicts_with_all = ["reset", "pulse"])]
    count: Option<u32>,
}

impl Signal {
    pub(crate) fn run(self) -> Outcome {
        let name = self.target.name()?.to_string();
        let refused = |why: &str| Err(Failure::new(format!("signal \"{name}\": {why}")));
        match Event::open(&name) {
            Ok(_) if self.count.is_some() => return refused("it is an event, which has no count"),
            Ok(event) if self.reset => return Ok(event.reset()?),
            Ok(event) if self.pulse => return Ok(event.pulse()?),
            Ok(event) => return Ok(event.set()?),
            Err(error) if error.kind() == ErrorKind::WrongKind => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let why = "no process holds it: a signal reaches only those who wait already";
                return Err(Failure::No(format!("signal \"{name}\": {why}")));
            }
            Err(error) => return Err(error.into()),
        }
        match Semaphore::open(&name) {
            Ok(_) if self.reset || self.pulse => {
                refused("it is a semaphore, which is neither set nor reset")
            }
            Ok(semaphore) => Ok(semaphore.release(self.count.unwrap_or(1)).map(drop)?),
            Err(error) if error.kind() == ErrorKind::WrongKind => {
                refused("it is neither an event nor a semaphore")
            }
            Err(error) => Err(error.into()),
        }
    }
}
