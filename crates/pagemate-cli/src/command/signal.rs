use clap::Args;
use pagemate::ErrorKind;
use pagemate::sync::{Event, Semaphore};

use crate::arguments::ObjectName;
use crate::failure::{Failure, Outcome};

/// Set an event, or release a semaphore.
///
/// This wakes processes that already wait, and affects later ones as long as a process holds the object.
/// If no process holds it, there is nothing to signal, and the exit code is 1.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate signal ready                             # set the event: its waiters continue
  pagemate signal ready --reset                     # reset the event: later waiters block
  pagemate signal jobs --count 3                    # add 3 to the count of a semaphore
  until pagemate signal ready; do sleep 1; done     # repeat until a process waits for the event")]
pub(crate) struct Signal {
    #[command(flatten)]
    object: ObjectName,
    /// Reset the event instead of setting it.
    #[arg(long)]
    reset: bool,
    /// Wake the processes that wait for the event now, and leave it reset.
    #[arg(long, conflicts_with = "reset")]
    pulse: bool,
    /// Add this number to the semaphore's count instead of 1.
    #[arg(long, value_name = "N", conflicts_with_all = ["reset", "pulse"])]
    count: Option<u32>,
}

impl Signal {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?.to_string();
        let refused = |why: &str| Err(Failure::new(format!("signal \"{name}\": {why}")));
        match Event::open(&name) {
            Ok(_) if self.count.is_some() => {
                return refused("it is an event, which has no count; omit --count");
            }
            Ok(event) if self.reset => return Ok(event.reset()?),
            Ok(event) if self.pulse => return Ok(event.pulse()?),
            Ok(event) => return Ok(event.set()?),
            Err(error) if error.kind() == ErrorKind::WrongKind => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let why = "no process holds it; start a process that waits for it and signal again";
                return Err(Failure::No(format!("signal \"{name}\": {why}")));
            }
            Err(error) => return Err(error.into()),
        }
        match Semaphore::open(&name) {
            Ok(_) if self.reset || self.pulse => refused(
                "it is a semaphore, which cannot be reset or pulsed; omit --reset and --pulse",
            ),
            Ok(semaphore) => Ok(semaphore.release(self.count.unwrap_or(1)).map(drop)?),
            Err(error) if error.kind() == ErrorKind::WrongKind => {
                refused("it is neither an event nor a semaphore")
            }
            Err(error) => Err(error.into()),
        }
    }
}
