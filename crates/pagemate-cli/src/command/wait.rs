use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use pagemate::sync::{Event, EventOptions, Mutex, MutexGuard, Reset, Semaphore};
use pagemate::{ErrorKind, Name};

use crate::arguments::{ObjectName, seconds};
use crate::failure::{Failure, Outcome, warn_abandoned};

/// Wait until an event is set, a semaphore can be acquired, or a mutex is free.
///
/// If no process holds the name, the command first waits until one does. It looks for the name every 50
/// milliseconds, and creates nothing unless --create is given. Of a semaphore it takes 1 from the count; a
/// mutex is acquired and released at once.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate wait ready --create manual && echo go    # in one or several shells
  pagemate signal ready                             # in another shell
  pagemate wait ready --timeout 2.5                 # exit code 1 if the timeout expires")]
pub(crate) struct Wait {
    #[command(flatten)]
    object: ObjectName,
    /// Wait for at most this many seconds, then exit with code 1.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    timeout: Option<Duration>,
    /// If no process holds the name, create an event. It exists until the last process that waits for it
    /// ends.
    #[arg(long, value_name = "RESET")]
    create: Option<Create>,
}

/// The kind of event to create.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Create {
    /// Each signal wakes all waiters.
    Manual,
    /// Each signal wakes one waiter.
    Auto,
}

/// The time between two attempts to open a name that no process holds.
const PAUSE: Duration = Duration::from_millis(50);

impl Wait {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        let time = self.timeout.unwrap_or(Duration::MAX);
        // `None` if the time is too far in the future to represent: no deadline.
        let deadline = Instant::now().checked_add(time);
        let Some(object) = self.find(&name, deadline)? else {
            return Err(timed_out(&name, "no process created it", time));
        };
        let left =
            deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
        if object.wait(&name, left)? {
            return Ok(());
        }
        Err(timed_out(&name, "it did not become available", time))
    }

    /// Opens the object as soon as a process holds the name. Returns `None` if the deadline passes first.
    fn find(&self, name: &Name, deadline: Option<Instant>) -> Outcome<Option<Object>> {
        loop {
            let found = match self.create {
                None => Object::open(name),
                Some(create) => Object::open_or_create(name, create),
            };
            match found {
                Ok(object) => return Ok(Some(object)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
            let now = Instant::now();
            let left = deadline.map_or(PAUSE, |at| at.saturating_duration_since(now));
            if left.is_zero() {
                return Ok(None);
            }
            thread::sleep(left.min(PAUSE));
        }
    }
}

/// Returns the failure of a wait that took longer than `time`.
fn timed_out(name: &Name, cause: &str, time: Duration) -> Failure {
    let seconds = time.as_secs_f64();
    Failure::No(format!("wait for \"{name}\": {cause} within {seconds} seconds"))
}

/// An object that can be waited for.
enum Object {
    Event(Event),
    Semaphore(Semaphore),
    Mutex(Mutex),
}

impl Object {
    fn open(name: &Name) -> pagemate::Result<Object> {
        match Event::open(name.to_string()) {
            Err(error) if error.kind() == ErrorKind::WrongKind => Object::open_other_kind(name),
            event => event.map(Object::Event),
        }
    }

    fn open_or_create(name: &Name, create: Create) -> pagemate::Result<Object> {
        let reset = match create {
            Create::Manual => Reset::Manual,
            Create::Auto => Reset::Auto,
        };
        match EventOptions::new(reset).open_or_create(name.to_string()) {
            Err(error) if error.kind() == ErrorKind::WrongKind => Object::open_other_kind(name),
            event => event.map(Object::Event),
        }
    }

    /// Opens a semaphore or a mutex.
    fn open_other_kind(name: &Name) -> pagemate::Result<Object> {
        match Semaphore::open(name.to_string()) {
            Err(error) if error.kind() == ErrorKind::WrongKind => {
                Mutex::open(name.to_string()).map(Object::Mutex)
            }
            semaphore => semaphore.map(Object::Semaphore),
        }
    }

    /// Waits for the object. Returns `false` if the timeout expired.
    fn wait(&self, name: &Name, time: Duration) -> Outcome<bool> {
        match self {
            Object::Event(event) => Ok(event.wait_timeout(time)?),
            Object::Semaphore(semaphore) => Ok(semaphore.try_acquire_for(time)?),
            Object::Mutex(mutex) => {
                let guard = mutex.try_lock_for(time)?;
                if guard.as_ref().is_some_and(MutexGuard::was_abandoned) {
                    warn_abandoned(name);
                }
                Ok(guard.is_some())
            }
        }
    }
}
