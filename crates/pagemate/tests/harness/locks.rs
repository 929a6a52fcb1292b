//! The commands of actors for read-write locks, once-cells and condition variables. Each lies at
//! the beginning of a section.

use std::collections::HashMap;
use std::sync::Arc;
use std::{mem, thread};

use pagemate::sync::{
    SharedCondvar, SharedMutex, SharedOnceCell, SharedReadGuard, SharedRwLock, SharedWriteGuard,
};
use pagemate::typed::{Racy, ReadOnly};
use pagemate::{Result, Section};

/// The type of the values: two numbers that are equal while no thread writes.
pub(crate) type Pair = [u64; 2];

/// The locks that an actor holds.
#[derive(Clone, Default)]
pub(super) struct Locks {
    rw: HashMap<String, Arc<SharedRwLock<Pair>>>,
    once: HashMap<String, Arc<SharedOnceCell<Pair>>>,
    cond: HashMap<String, Arc<(SharedMutex<u64>, SharedCondvar)>>,
}

/// Returns the value, and "abandoned" if it was.
fn read(guard: &SharedReadGuard<'_, Pair>) -> String {
    let [one, other] = guard.get();
    match (guard.was_abandoned(), one == other) {
        (true, _) => "abandoned".to_owned(),
        (false, true) => one.to_string(),
        (false, false) => "torn".to_owned(),
    }
}

/// Increments the numbers one after the other. Returns the value, and "abandoned" before it if it was.
pub(crate) fn add_one(guard: &SharedWriteGuard<'_, Pair>) -> String {
    let [one, other] = guard.get();
    if !guard.was_abandoned() && one != other {
        return "torn".to_owned();
    }
    let next = one.max(other) + 1;
    guard.as_array()[0].set(&next);
    guard.as_array()[1].set(&next);
    if guard.was_abandoned() { format!("abandoned {next}") } else { next.to_string() }
}

/// Returns the value of a once-cell.
fn whole(cell: &ReadOnly<Racy<Pair>>) -> String {
    let [one, other] = cell.get();
    if one == other { one.to_string() } else { "torn".to_owned() }
}

impl Locks {
    /// Executes one command.
    pub(super) fn play(&mut self, words: &[&str], section: Option<&Section>) -> Result<String> {
        let busy = || "busy".to_owned();
        Ok(match *words {
            ["rw-open", name] => {
                let lock = SharedRwLock::open_or_init(section.expect("a section"), 0, || [0; 2])?;
                self.rw.insert(name.to_owned(), Arc::new(lock));
                "ok".to_owned()
            }
            ["rw-read", name] => read(&self.rw[name].read()?),
            ["rw-try-read", name] => {
                self.rw[name].try_read()?.map_or_else(busy, |held| read(&held))
            }
            ["rw-add", name] => add_one(&self.rw[name].write()?),
            ["rw-try-add", name] => {
                self.rw[name].try_write()?.map_or_else(busy, |held| add_one(&held))
            }
            ["rw-hold-read", name] => {
                let guard = self.rw[name].read()?;
                let reply = read(&guard);
                mem::forget(guard);
                reply
            }
            ["rw-hold-write", name] => {
                let guard = self.rw[name].write()?;
                let reply = add_one(&guard);
                guard.as_array()[0].set(&0);
                mem::forget(guard);
                reply
            }
            // The words of the lock: the gate, and the number of readers.
            ["rw-words", _] => {
                let view = section.expect("a section").map()?;
                let readers = view.read::<[u32; 64]>(128)?;
                let count = readers.iter().filter(|seat| **seat != 0).count();
                format!("gate {}, {count} readers", view.read::<u32>(64)?)
            }
            // Reads until a writer waits.
            ["rw-read-until-busy", name] => {
                let guard = self.rw[name].read()?;
                while self.rw[name].try_read()?.is_some() {
                    thread::yield_now();
                }
                read(&guard)
            }
            ["once-open", name] => {
                let cell = SharedOnceCell::open_or_create(section.expect("a section"), 0)?;
                self.once.insert(name.to_owned(), Arc::new(cell));
                "ok".to_owned()
            }
            ["once-get", name] => self.once[name].get().map_or_else(|| "none".to_owned(), whole),
            ["once-init", name, number] => {
                whole(self.once[name].get_or_init(|| [number.parse().unwrap(); 2])?)
            }
            // Stores half of a value, and never returns.
            ["once-hang", name, number] => {
                let hang = |value: &Racy<Pair>| {
                    value.as_array()[0].set(&number.parse().unwrap());
                    loop {
                        thread::park();
                    }
                };
                whole(self.once[name].get_or_init_with(hang)?)
            }
            ["once-wait", name] => whole(self.once[name].wait()?),
            ["cond-open", name] => {
                let section = section.expect("a section");
                let mutex = SharedMutex::open_or_init(section, 0, || 0)?;
                let condvar = SharedCondvar::open_or_create(section, 128)?;
                self.cond.insert(name.to_owned(), Arc::new((mutex, condvar)));
                "ok".to_owned()
            }
            // Waits for an item and takes it. Returns without one if the mutex is abandoned.
            ["cond-take", name] => {
                let (mutex, given) = &*self.cond[name];
                let guard = mutex.lock()?;
                if guard.was_abandoned() {
                    return Ok("abandoned".to_owned());
                }
                let mut guard = given.wait_while(guard, |items| items.get() == 0)?;
                if guard.was_abandoned() {
                    return Ok("abandoned".to_owned());
                }
                guard.update(|items| *items -= 1);
                "taken".to_owned()
            }
            ["cond-give", name] => {
                let (mutex, given) = &*self.cond[name];
                mutex.lock()?.update(|items| *items += 1);
                given.notify_one();
                "ok".to_owned()
            }
            ["cond-hold", name] => {
                mem::forget(self.cond[name].0.lock()?);
                "ok".to_owned()
            }
            _ => panic!("an actor does not know {words:?}"),
        })
    }
}
