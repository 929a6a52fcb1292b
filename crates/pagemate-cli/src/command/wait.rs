use std::io;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use pagemate::sync::{Event, EventOptions, Mutex, MutexGuard, Permit, Reset, Semaphore};
use pagemate::{ErrorKind, Kind, Name, Section, inventory};
use serde::Serialize;

use crate::arguments::ObjectName;
use crate::description::kind;
use crate::failure::{Failure, Outcome, warn_abandoned};
use crate::json::print_json;
use crate::opening;
use crate::time::{duration, format_duration};

/// Wait until an event is set, a semaphore can be acquired, or a mutex is free.
///
/// If no process holds the name, the command first waits until one does. It creates an event only with
/// --create. It takes 1 from the count of a semaphore. It acquires a mutex and releases it at once. A
/// section has no state to wait for. With --open, the command waits only until the name exists, for every
/// kind of object.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate wait ready --create manual && echo go   # in one or more shells
  pagemate signal ready                            # in another shell
  pagemate wait ready --timeout 2.5s               # exit code 1 after 2.5 s
  pagemate wait frames --open && ./consumer        # once the name exists

The JSON object has the fields name, kind, and abandoned (true if the last owner of a \
mutex ended without releasing it).

Exit status:
  0    the wait succeeded
  1    the timeout expired
  2    failure")]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(super) object: ObjectName,
    /// Wait for at most this time, such as 2s or 500ms, then exit with code 1.
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    timeout: Option<Duration>,
    /// Wait only until a process holds the name.
    #[arg(long, conflicts_with = "create")]
    open: bool,
    /// If no process holds the name, create an event. It exists until the last process that waits for it
    /// ends.
    #[arg(long, value_name = "RESET")]
    create: Option<Create>,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

/// The kind of event to create.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Create {
    /// Each signal wakes all waiters.
    Manual,
    /// Each signal wakes one waiter.
    Auto,
}

/// The result as `--json` prints it.
#[derive(Serialize)]
struct Waited {
    name: String,
    kind: &'static str,
    abandoned: bool,
}

impl Wait {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        let time = self.timeout.unwrap_or(Duration::MAX);
        let waited = if self.open {
            let found = opening::wait_for(&name, time, |time| kind_within(&name, time))?;
            let kind = found.ok_or_else(|| opening::timed_out(&name, time))?;
            Waited { name: name.to_string(), kind, abandoned: false }
        } else {
            self.wait(&name, time)?
        };
        if waited.abandoned {
            warn_abandoned(&name);
        }
        if self.json { print_json(&waited, io::stdout()) } else { Ok(()) }
    }

    /// Waits for the name and then for the object.
    fn wait(&self, name: &Name, time: Duration) -> Outcome<Waited> {
        let start = Instant::now();
        let found = opening::wait_for(name, time, |time| match self.create {
            None => Object::open_within(name, time),
            Some(create) => Object::open_or_create(name, create),
        });
        let found = found.map_err(|failure| match failure {
            Failure::WrongKind(_) => {
                let why = "it has no state to wait for; --open waits until the name exists";
                Failure::WrongKind(format!("wait for \"{name}\": {why}"))
            }
            failure => failure,
        })?;
        let object = found.ok_or_else(|| opening::timed_out(name, time))?;
        let abandoned = object.wait(time.saturating_sub(start.elapsed()))?.ok_or_else(|| {
            let why = format!("it did not become available within {}", format_duration(time));
            Failure::No(format!("wait for \"{name}\": {why}"))
        })?;
        Ok(Waited { name: name.to_string(), kind: object.kind(), abandoned })
    }
}

/// Waits until a process holds the name. Returns the kind of the object.
fn kind_within(name: &Name, time: Duration) -> pagemate::Result<&'static str> {
    match Section::open_within(name, time) {
        Ok(_) => Ok(kind(Kind::Section)),
        Err(error) if error.kind() == ErrorKind::WrongKind => {
            inventory::find(name).map(|entry| kind(entry.kind))
        }
        Err(error) => Err(error),
    }
}

/// An object with a state for which a process can wait.
enum Object {
    Event(Event),
    Semaphore(Semaphore),
    Mutex(Mutex),
}

impl Object {
    fn open_within(name: &Name, time: Duration) -> pagemate::Result<Object> {
        match Event::open_within(name, time) {
            Err(error) if error.kind() == ErrorKind::WrongKind => Object::open_other_kind(name),
            event => event.map(Object::Event),
        }
    }

    fn open_or_create(name: &Name, create: Create) -> pagemate::Result<Object> {
        let reset = match create {
            Create::Manual => Reset::Manual,
            Create::Auto => Reset::Auto,
        };
        match EventOptions::new(reset).open_or_create(name) {
            Err(error) if error.kind() == ErrorKind::WrongKind => Object::open_other_kind(name),
            event => event.map(Object::Event),
        }
    }

    /// Opens a semaphore or a mutex with this name.
    fn open_other_kind(name: &Name) -> pagemate::Result<Object> {
        match Semaphore::open(name) {
            Err(error) if error.kind() == ErrorKind::WrongKind => {
                Mutex::open(name).map(Object::Mutex)
            }
            semaphore => semaphore.map(Object::Semaphore),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Object::Event(_) => "event",
            Object::Semaphore(_) => "semaphore",
            Object::Mutex(_) => "mutex",
        }
    }

    /// Waits for the object. Returns whether it was an abandoned mutex, or `None` if the timeout
    /// expired.
    fn wait(&self, time: Duration) -> Outcome<Option<bool>> {
        Ok(match self {
            Object::Event(event) => event.wait_for(time)?.then_some(false),
            Object::Semaphore(semaphore) => {
                semaphore.try_acquire_for(time)?.map(Permit::forget).map(|()| false)
            }
            Object::Mutex(mutex) => {
                mutex.try_lock_for(time)?.as_ref().map(MutexGuard::was_abandoned)
            }
        })
    }
}
