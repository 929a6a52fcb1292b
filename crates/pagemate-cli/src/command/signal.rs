use std::io;
use std::time::Duration;

use clap::Args;
use pagemate::sync::{Event, Semaphore};
use pagemate::{ErrorKind, Name};
use serde::Serialize;

use crate::arguments::{ObjectName, WaitForName};
use crate::failure::{Failure, Outcome};
use crate::json::print_json;

/// Set an event, or release a semaphore.
///
/// The signal wakes processes that wait for the object. Processes that wait later find it too, as long as a
/// process holds the object. If no process holds the object, the exit code is 1. With --wait, the command
/// waits until a process holds it. 'pagemate wait NAME --create manual' creates an event, and waits for it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate signal ready            # set the event: its waiters continue
  pagemate signal ready --reset    # reset the event: later waiters block
  pagemate signal jobs --count 3   # add 3 to the count of a semaphore
  pagemate signal ready --wait     # first wait until a process holds it

The JSON object has the fields name and kind, and for a semaphore the count before the signal.

Exit status:
  0    the object was signaled
  1    no process holds the name, or the timeout of --wait expired
  2    failure")]
pub(crate) struct Signal {
    #[command(flatten)]
    pub(super) object: ObjectName,
    /// Reset the event instead of setting it.
    #[arg(long)]
    reset: bool,
    /// Wake the processes that wait for the event now, and leave it reset.
    #[arg(long, conflicts_with = "reset")]
    pulse: bool,
    /// Add this number to the semaphore's count instead of 1.
    #[arg(long, value_name = "N", conflicts_with_all = ["reset", "pulse"])]
    count: Option<u32>,
    #[command(flatten)]
    waiting: WaitForName,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

/// The result as `--json` prints it.
#[derive(Serialize)]
struct Signaled {
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
}

/// An object whose state the command can change.
enum Object {
    Event(Event),
    Semaphore(Semaphore),
}

impl Object {
    fn open_within(name: &Name, time: Duration) -> pagemate::Result<Object> {
        match Event::open_within(name, time) {
            Err(error) if error.kind() == ErrorKind::WrongKind => {
                Semaphore::open(name).map(Object::Semaphore)
            }
            event => event.map(Object::Event),
        }
    }
}

impl Signal {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        let object = self.waiting.open(&name, |time| Object::open_within(&name, time));
        let refused = |why: &str| Failure::new(format!("signal \"{name}\": {why}"));
        let object = object.map_err(|failure| match failure {
            Failure::WrongKind(_) => {
                let why = "it is neither an event nor a semaphore";
                Failure::WrongKind(format!("signal \"{name}\": {why}"))
            }
            Failure::Missing(_) if !self.waiting.is_given() => Failure::Missing(format!(
                "signal \"{name}\": no process holds it; --wait waits until one does"
            )),
            failure => failure,
        })?;
        let (kind, count) = match object {
            Object::Event(_) if self.count.is_some() => {
                return Err(refused("it is an event, which has no count; omit --count"));
            }
            Object::Event(event) => {
                self.signal(&event)?;
                ("event", None)
            }
            Object::Semaphore(_) if self.reset || self.pulse => {
                let why =
                    "it is a semaphore, which cannot be reset or pulsed; omit --reset and --pulse";
                return Err(refused(why));
            }
            Object::Semaphore(semaphore) => {
                ("semaphore", Some(semaphore.release(self.count.unwrap_or(1))?))
            }
        };
        if self.json {
            print_json(&Signaled { name: name.to_string(), kind, count }, io::stdout())?;
        }
        Ok(())
    }

    fn signal(&self, event: &Event) -> pagemate::Result<()> {
        if self.reset {
            event.reset()
        } else if self.pulse {
            event.pulse()
        } else {
            event.set()
        }
    }
}
