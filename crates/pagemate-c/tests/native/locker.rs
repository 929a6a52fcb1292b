//! Lockers: processes in C, C++ and Rust that execute commands about sync objects.
//!
//! A locker opens or creates a mutex, an event that is reset manually, a semaphore, and a number that a mutex
//! in a section protects. Commands and replies:
//!
//! - `lock` and `try` acquire the mutex, `hold` acquires the mutex of the number. Replies: `had`,
//!   `abandoned` or `busy`
//! - `unlock`, `set`, `reset`, `release`: `ok` or the kind of error
//! - `any` waits for the event, the semaphore or the mutex. Reply: the index of the object, and
//!   `abandoned` if the object is a mutex that was abandoned
//! - `all` waits for all of them. Replies as for `lock`
//! - `add` increments the number. Reply: the new number, and `abandoned` if its mutex was abandoned
#![allow(clippy::print_stdout, reason = "replies go over standard output")]
#![allow(clippy::exit, reason = "exit is one of the ways to end that the tests cover")]

use std::process::Command;
use std::time::Duration;
use std::{env, mem, process};

use pagemate::sync::{
    Event, EventOptions, Mutex, MutexGuard, MutexOptions, Reset, Semaphore, SemaphoreOptions,
    SharedGuard, SharedMutex, wait_all_for, wait_any_for,
};
use pagemate::{Section, SectionOptions, Shareable};

use super::build::Linked;
use super::harness::{Actor, Place};
use super::program;

const NAME: &str = "ledger";

/// The environment variable that makes a test process a locker.
const ROLE: &str = "PAGEMATE_TEST_LOCKER";

/// The longest wait, after which the test fails.
const LONG: Duration = Duration::from_secs(30);

/// Starts a locker. Returns whether it created the mutex as well.
pub(crate) fn start(place: &Place, language: &str) -> (Actor, bool) {
    let mut command = if language == "rust" {
        let mut test = Command::new(env::current_exe().unwrap());
        test.args(["locker::locker", "--exact", "--nocapture", "--test-threads=1"]);
        test.env(ROLE, NAME);
        test
    } else {
        let mut other = match language {
            "c" => program("locker.c", "c11", Linked::Shared),
            _ => program("locker.cpp", "c++17", Linked::Static),
        };
        other.arg(NAME);
        if language == "c" {
            other.arg(u64::FINGERPRINT.to_string());
        }
        other
    };
    command.env("PAGEMATE_DIR", place.path());
    let mut actor = Actor::start(command);
    let first = actor.reply();
    let created = first.as_deref() == Some("created");
    assert!(created || first.as_deref() == Some("opened"), "{language}: {first:?}");
    (actor, created)
}

struct Locker {
    mutex: Mutex,
    event: Event,
    semaphore: Semaphore,
    _section: Section,
    value: SharedMutex<u64>,
}

#[test]
fn locker() {
    if let Ok(name) = env::var(ROLE) {
        run(&name).unwrap();
        process::exit(0);
    }
}

/// Executes commands until the end of input.
fn run(name: &str) -> pagemate::Result<()> {
    let section = SectionOptions::new().len(4096).open_or_create(format!("{name}-value"))?;
    let locker = Locker {
        mutex: MutexOptions::new().open_or_create(name)?,
        event: EventOptions::new(Reset::Manual).open_or_create(format!("{name}-event"))?,
        semaphore: SemaphoreOptions::new(0, 9).open_or_create(format!("{name}-semaphore"))?,
        value: SharedMutex::open_or_init(&section, 0, || 0)?,
        _section: section,
    };
    println!("@{}", if locker.mutex.was_created() { "created" } else { "opened" });
    for line in std::io::stdin().lines() {
        let reply = locker.execute(&line.unwrap());
        println!("@{}", reply.unwrap_or_else(|error| format!("{:?}", error.kind())));
    }
    Ok(())
}

impl Locker {
    /// Executes one command.
    fn execute(&self, verb: &str) -> pagemate::Result<String> {
        let list = [(&self.event).into(), (&self.semaphore).into(), (&self.mutex).into()];
        let in_time = "the wait ends in time";
        Ok(match verb {
            "lock" => keep(self.mutex.try_lock_for(LONG)?),
            "try" => keep(self.mutex.try_lock()?),
            "any" => {
                let acquired = wait_any_for(&list, LONG)?.expect(in_time);
                let index = acquired.index;
                let was_abandoned = acquired.guard.as_ref().is_some_and(MutexGuard::was_abandoned);
                mem::forget(acquired);
                format!("{index}{}", if was_abandoned { " abandoned" } else { "" })
            }
            "all" => {
                let mut acquired = wait_all_for(&list, LONG)?.expect(in_time);
                let guard = acquired.pop().unwrap().guard;
                mem::forget(acquired);
                keep(guard)
            }
            "add" => {
                let mut guard = self.value.try_lock_for(LONG)?.expect(in_time);
                let number = guard.update(|number| *number += 1);
                format!("{number}{}", if guard.was_abandoned() { " abandoned" } else { "" })
            }
            "hold" => {
                let guard = self.value.try_lock()?;
                let had = had(guard.as_ref().map(SharedGuard::was_abandoned));
                mem::forget(guard);
                had
            }
            "exit" => process::exit(0),
            _ => {
                match verb {
                    "unlock" => self.mutex.unlock_forgotten()?,
                    "set" => self.event.set()?,
                    "reset" => self.event.reset()?,
                    "release" => _ = self.semaphore.release(1)?,
                    _ => panic!("unknown command {verb:?}"),
                }
                "ok".to_owned()
            }
        })
    }
}

/// Keeps the mutex locked, and returns the reply.
fn keep(guard: Option<MutexGuard<'_>>) -> String {
    let had = had(guard.as_ref().map(MutexGuard::was_abandoned));
    mem::forget(guard);
    had
}

/// Returns the reply about a mutex.
fn had(abandoned: Option<bool>) -> String {
    match abandoned {
        None => "busy",
        Some(false) => "had",
        Some(true) => "abandoned",
    }
    .to_owned()
}
