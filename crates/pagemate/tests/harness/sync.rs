//! The commands of actors for sync objects.
//!
//! An actor forgets its guards, and keeps a mutex locked until the command `unlock`. Its objects
//! are leaked, so that its threads can wait for them; `drop NAME` closes an object nevertheless.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use std::{mem, thread};

use pagemate::sync::{
    Event, EventOptions, Mutex, MutexGuard, MutexOptions, Permit, Reset, Semaphore,
    SemaphoreOptions, SharedMutex, Waitable, wait_all_for, wait_any_for,
};
use pagemate::typed::{SeqLock, SeqWriter};
use pagemate::{Result, Section, Shareable, Shared, View, inventory};

use super::locks::Locks;

/// The sync objects that an actor holds.
#[derive(Clone, Default)]
pub(super) struct Desk {
    mutexes: HashMap<String, Arc<Mutex>>,
    events: HashMap<String, Arc<Event>>,
    semaphores: HashMap<String, Arc<Semaphore>>,
    shared: HashMap<String, Arc<SharedMutex<u64>>>,
    typed: HashMap<String, Arc<Typed>>,
    locks: Locks,
    /// The views that the command `turn` writes to.
    views: HashMap<String, Arc<View>>,
}

/// Typed memory.
#[derive(Shareable)]
#[repr(C)]
struct Board {
    numbers: SeqLock<[u64; 8]>,
    started: AtomicU64,
    done: AtomicU64,
}

/// Typed memory, and its writer.
type Typed = (Shared<Board>, SeqWriter<[u64; 8]>);

/// Initialises typed memory in several steps, and asserts that it begins with zeros.
fn init_board(board: &Shared<Board>) -> Result<()> {
    assert_eq!((board.started.load(SeqCst), board.numbers.read()), (0, [0; 8]));
    board.started.store(7, SeqCst);
    board.numbers.writer(board)?.write(&[7; 8])?;
    board.done.store(7, SeqCst);
    Ok(())
}

fn ms(text: &str) -> Duration {
    Duration::from_millis(text.parse().unwrap())
}

fn reset(text: &str) -> Reset {
    match text {
        "auto" => Reset::Auto,
        "manual" => Reset::Manual,
        _ => panic!("an event resets auto or manual, not {text}"),
    }
}

#[allow(clippy::unnecessary_wraps, reason = "all functions for replies have this type")]
fn made(created: bool) -> Result<String> {
    Ok(if created { "created" } else { "opened" }.to_owned())
}

#[allow(clippy::unnecessary_wraps, reason = "all functions for replies have this type")]
fn yes(yes: bool, or: &str) -> Result<String> {
    Ok(if yes { "ok" } else { or }.to_owned())
}

fn told(abandoned: bool) -> &'static str {
    if abandoned { "abandoned" } else { "ok" }
}

impl Desk {
    /// Executes one command; `None` if it does not concern sync objects.
    pub(super) fn play(
        &mut self,
        words: &[&str],
        sections: &HashMap<String, Section>,
    ) -> Option<Result<String>> {
        Some(match *words {
            ["thread", ..] => {
                // Executes the rest of the command in a new thread, which then ends.
                let (mut desk, words) = (self.clone(), words[1..].join(" "));
                let does = move || {
                    let words: Vec<_> = words.split(' ').collect();
                    desk.play(&words, &HashMap::new()).expect("a thread knows sync objects alone")
                };
                thread::spawn(does).join().unwrap()
            }
            // `COMMAND / COMMAND ...`: executes several commands with a single reply.
            ["row", ref rest @ ..] => {
                let replies = rest.split(|word| *word == "/").map(|words| {
                    self.play(words, sections).expect("a row is of sync objects alone")
                });
                replies.collect::<Result<Vec<_>>>().map(|replies| replies.join(" "))
            }
            [word, name, ..] if word.starts_with("typed-") => self.play_typed(words, name),
            [word, name, ..]
                if ["rw-", "once-", "cond-"].iter().any(|kind| word.starts_with(kind)) =>
            {
                self.locks.play(words, sections.get(name))
            }
            [word, name, ..] if word.starts_with("shared-") => {
                self.play_shared(words, sections.get(name))
            }
            ["mutex" | "event" | "semaphore", ..] => self.make(words),
            ["within", name, kind, time] if kind != "section" => {
                self.open_within(name, kind, ms(time))
            }
            ["lock", name] => self.lock(name, None),
            ["try-lock", name] => self.lock(name, Some(Duration::ZERO)),
            ["lock-for", name, time] => self.lock(name, Some(ms(time))),
            ["unlock", name] => self.mutexes[name].unlock_forgotten().map(|()| "ok".to_owned()),
            ["turn", name] => self.turn(name, sections),
            ["set", name] => self.events[name].set().map(|()| "ok".to_owned()),
            ["reset", name] => self.events[name].reset().map(|()| "ok".to_owned()),
            ["pulse", name] => self.events[name].pulse().map(|()| "ok".to_owned()),
            ["wait", name, time] => {
                self.events[name].wait_for(ms(time)).and_then(|ok| yes(ok, "timeout"))
            }
            ["acquire", name, time] => {
                let permit = self.semaphores[name].try_acquire_for(ms(time));
                permit.and_then(|permit| yes(permit.map(Permit::forget).is_some(), "timeout"))
            }
            ["release", name, by] => {
                self.semaphores[name].release(by.parse().unwrap()).map(|before| before.to_string())
            }
            ["any", time, ref names @ ..] => self.any(ms(time), names),
            ["all", time, ref names @ ..] => self.all(ms(time), names),
            // Replies with the number of waiters.
            ["waiting", name] => {
                inventory::find(name).map(|found| found.waiting.unwrap_or(0).to_string())
            }
            ["drop", name] => {
                self.mutexes.remove(name);
                self.events.remove(name);
                self.semaphores.remove(name);
                self.shared.remove(name);
                Ok("ok".to_owned())
            }
            _ => return None,
        })
    }

    /// `KIND VERB NAME ...`, where the verb is `create`, `share` or `open`.
    fn make(&mut self, words: &[&str]) -> Result<String> {
        let parse = |text: &str| text.parse().unwrap();
        let name = words[1];
        let created = match *words {
            ["mutex", _, verb] => {
                let mut options = MutexOptions::new();
                let mutex = match verb {
                    "create" => options.create_new(name),
                    "share" => options.open_or_create(name),
                    "locked" => options.locked(true).open_or_create(name),
                    _ => Mutex::open(name),
                }?;
                let created = mutex.was_created();
                self.mutexes.insert(name.to_owned(), Arc::new(mutex));
                created
            }
            ["event", _, verb, ref rest @ ..] => {
                let event = match (verb, rest) {
                    ("create", [mode]) => EventOptions::new(reset(mode)).create_new(name),
                    ("share", [mode]) => EventOptions::new(reset(mode)).open_or_create(name),
                    ("signaled", [mode]) => {
                        EventOptions::new(reset(mode)).signaled(true).create_new(name)
                    }
                    _ => Event::open(name),
                }?;
                let created = event.was_created();
                self.events.insert(name.to_owned(), Arc::new(event));
                created
            }
            ["semaphore", _, verb, ref rest @ ..] => {
                let semaphore = match (verb, rest) {
                    ("create", [count, max]) => {
                        SemaphoreOptions::new(parse(count), parse(max)).create_new(name)
                    }
                    ("share", [count, max]) => {
                        SemaphoreOptions::new(parse(count), parse(max)).open_or_create(name)
                    }
                    _ => Semaphore::open(name),
                }?;
                let created = semaphore.was_created();
                self.semaphores.insert(name.to_owned(), Arc::new(semaphore));
                created
            }
            _ => panic!("an actor does not know {words:?}"),
        };
        made(created)
    }

    /// `within NAME KIND TIME`
    fn open_within(&mut self, name: &str, kind: &str, time: Duration) -> Result<String> {
        match kind {
            "mutex" => {
                let mutex = Mutex::open_within(name, time)?;
                self.mutexes.insert(name.to_owned(), Arc::new(mutex));
            }
            "event" => {
                let event = Event::open_within(name, time)?;
                self.events.insert(name.to_owned(), Arc::new(event));
            }
            "semaphore" => {
                let semaphore = Semaphore::open_within(name, time)?;
                self.semaphores.insert(name.to_owned(), Arc::new(semaphore));
            }
            _ => panic!("there is no kind {kind}"),
        }
        Ok("ok".to_owned())
    }

    fn lock(&self, name: &str, time: Option<Duration>) -> Result<String> {
        let mutex = &self.mutexes[name];
        let guard = match time {
            None => Some(mutex.lock()?),
            Some(Duration::ZERO) => mutex.try_lock()?,
            Some(time) => mutex.try_lock_for(time)?,
        };
        let Some(guard) = guard else { return Ok("busy".to_owned()) };
        let reply = told(guard.was_abandoned());
        mem::forget(guard);
        Ok(reply.to_owned())
    }

    /// Locks the mutex, runs a critical section on the section `NAME-data`, and unlocks the mutex.
    /// Reports a violation if another process is in the critical section and the lock did not
    /// report an abandonment.
    fn turn(&mut self, name: &str, sections: &HashMap<String, Section>) -> Result<String> {
        let data = format!("{name}-data");
        if let Some(section) = sections.get(&data) {
            self.views.insert(data.clone(), Arc::new(section.map()?));
        }
        let view = &self.views[&data];
        let guard = self.mutexes[name].lock()?;
        let abandoned = guard.was_abandoned();
        let own = u64::from(std::process::id());
        if view.read::<u64>(0)? != 0 && !abandoned {
            return Ok("two have it".to_owned());
        }
        view.write(0, &own)?;
        let count = view.read::<u64>(8)?;
        thread::yield_now();
        view.write(8, &(count + 1))?;
        if view.read::<u64>(0)? != own {
            return Ok("two have it".to_owned());
        }
        view.write(0, &0_u64)?;
        drop(guard);
        Ok(told(abandoned).to_owned())
    }

    fn waitable(&self, name: &str) -> Waitable<'_> {
        let mutex = self.mutexes.get(name).map(|mutex| Waitable::from(&**mutex));
        let event = self.events.get(name).map(|event| Waitable::from(&**event));
        let semaphore = self.semaphores.get(name).map(|semaphore| Waitable::from(&**semaphore));
        mutex.or(event).or(semaphore).unwrap_or_else(|| panic!("there is no {name}"))
    }

    fn any(&self, time: Duration, names: &[&str]) -> Result<String> {
        let list: Vec<_> = names.iter().map(|name| self.waitable(name)).collect();
        let Some(had) = wait_any_for(&list, time)? else { return Ok("timeout".to_owned()) };
        let abandoned = had.guard.as_ref().is_some_and(MutexGuard::was_abandoned);
        let reply = format!("{} {}", told(abandoned), had.index);
        mem::forget(had);
        Ok(reply)
    }

    fn all(&self, time: Duration, names: &[&str]) -> Result<String> {
        let list: Vec<_> = names.iter().map(|name| self.waitable(name)).collect();
        let Some(had) = wait_all_for(&list, time)? else { return Ok("timeout".to_owned()) };
        let guards = had.iter().filter_map(|had| had.guard.as_ref());
        let abandoned = guards.filter(|guard| guard.was_abandoned()).count();
        mem::forget(had);
        Ok(told(abandoned != 0).to_owned())
    }

    /// `typed-VERB NAME`: typed memory of this name.
    fn play_typed(&mut self, words: &[&str], name: &str) -> Result<String> {
        if words[0] == "typed-open" {
            let board = Shared::open_or_create_with(name, init_board)?;
            let writer = board.numbers.writer(&board)?;
            self.typed.insert(name.to_owned(), Arc::new((board, writer)));
            return Ok("ok".to_owned());
        }
        let (board, writer) = &*self.typed[name];
        match *words {
            ["typed-write", _, number] => {
                writer.write(&[number.parse().unwrap(); 8])?;
                Ok("ok".to_owned())
            }
            ["typed-read", _] => {
                let (numbers, marks) = (board.numbers.read(), [&board.started, &board.done]);
                assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
                assert!(marks.iter().all(|mark| mark.load(SeqCst) == 7), "{marks:?}");
                Ok(numbers[0].to_string())
            }
            _ => panic!("{words:?}"),
        }
    }

    /// `shared-VERB NAME`: a counter with its mutex, at the beginning of the section of this name.
    fn play_shared(&mut self, words: &[&str], section: Option<&Section>) -> Result<String> {
        match *words {
            ["shared-init", name] => {
                let shared = SharedMutex::open_or_init(section.expect("a section"), 0, || 7)?;
                self.shared.insert(name.to_owned(), Arc::new(shared));
                Ok("ok".to_owned())
            }
            ["shared-open", name] => {
                let shared = SharedMutex::open(section.expect("a section"), 0)?;
                self.shared.insert(name.to_owned(), Arc::new(shared));
                Ok("ok".to_owned())
            }
            ["shared-add", name] => {
                let mut guard = self.shared[name].lock()?;
                let value = guard.update(|count| *count += 1);
                Ok(format!("{} {value}", told(guard.was_abandoned())))
            }
            // This keeps the mutex locked until its thread or process ends, or until the object is
            // dropped.
            ["shared-lock", name] => {
                let guard = self.shared[name].lock()?;
                let reply = format!("{} {}", told(guard.was_abandoned()), guard.get());
                mem::forget(guard);
                Ok(reply)
            }
            _ => panic!("an actor does not know {words:?}"),
        }
    }
}
