use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use pagemate::sync::{Event, EventOptions, Mutex, MutexGuard, Reset, Semaphore};
use pagemate::{ErrorKind, Name};

use super::lock::abandoned;
use crate::failure::{Failure, Outcome, complain};
use crate::seconds::seconds;
use crate::target::Target;

/// Wait until an event is set, a semaphore can be acquired, or a mutex is free.
///
/// If no process holds the name, the command first waits until one does. It looks for the name every
/// 50 milliseconds, and creates nothing unless --create is given. It acquires a semaphore once. It
/// acquires a mutex and releases it at once.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate wait ready --create manual && echo go    in one shell or in several
  pagemate signal ready                             in another
  pagemate wait ready --timeout 2.5                 exit code 1 if it does not happen in time")]
pub(crate) struct Wait {
    #[command(flatten)]
    target: Target,
    /// Give up after so many seconds, with exit code 1.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    timeout: Option<Duration>,
    /// If no process holds the name, create an event. It lives until the last process that waits for
    /// it ends.
    #[arg(long, value_name = "RESET")]
    create: Option<Create>,
}

/// Which event to create.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Create {
    /// A signal releases all processes that wait.
    Manual,
    /// A signal releases one of the processes that wait.
    Auto,
}

/// How long the command sleeps between two looks for a name that no process holds.
const PAUSE: Duration = Duration::from_millis(50);

impl Wait {
    pub(crate) fn run(self) -> Outcome {
        let name = self.target.name()?;
        let time = self.timeout.unwrap_or(Duration::MAX);
        // `None` is a time that never comes.
        let deadline = Instant::now().checked_add(time);
        let Some(object) = self.find(&name, deadline)? else {
            return Err(too_late(&name, "no process created it", time));
        };
        let left =
            deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
        if object.wait(&name, left)? {
            return Ok(());
        }
        Err(too_late(&name, "it did not happen", time))
    }

    /// Opens the object once a process holds the name; `None` if no process does in time.
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

fn too_late(name: &Name, cause: &str, time: Duration) -> Failure {
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
            Err(error) if error.kind() == ErrorKind::WrongKind => Object::open_no_event(name),
            event => event.map(Object::Event),
        }
    }

    fn open_or_create(name: &Name, create: Create) -> pagemate::Result<Object> {
        let reset = match create {
            Create::Manual => Reset::Manual,
            Create::Auto => Reset::Auto,
        };
        match EventOptions::new(reset).open_or_create(name.to_string()) {
            Err(error) if error.kind() == ErrorKind::WrongKind => Object::open_no_event(name),
            event => event.map(Object::Event),
        }
    }

    fn open_no_event(name: &Name) -> pagemate::Result<Object> {
        match Semaphore::open(name.to_string()) {
            Err(error) if error.kind() == ErrorKind::WrongKind => {
                Mutex::open(name.to_string()).map(Object::Mutex)
            }
            semaphore => semaphore.map(Object::Semaphore),
        }
    }

    /// Waits for it; false if it did not happen in time.
    fn wait(&self, name: &Name, time: Duration) -> Outcome<bool> {
        match self {
            Object::Event(event) => Ok(event.wait_timeout(time)?),
            Object::Semaphore(semaphore) => Ok(semaphore.try_acquire_for(time)?),
            Object::Mutex(mutex) => {
                let guard = mutex.try_lock_for(time)?;
                if guard.as_ref().is_some_and(MutexGuard::was_abandoned) {
                    complain(&abandoned(name));
                }
                Ok(guard.is_some())
            }
        }
    }
}
