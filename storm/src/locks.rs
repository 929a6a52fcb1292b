//! The sync objects of the storm. The judge holds handles to all of them, so that they outlive
//! every worker.

use std::thread;
use std::time::Duration;

use pagemate::sync::{Event, EventOptions, Mutex, MutexOptions, Reset, SharedMutex};
use pagemate::{Section, SectionOptions};
use std::sync::atomic::Ordering::SeqCst;

use crate::board::{Board, Count, LOCKS, now};
use crate::random::Random;

/// The timeout for a lock. Owners hold a lock for a few milliseconds, or longer while the judge has
/// stopped them, so a lock call that times out is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// The maximum time in nanoseconds from the death of an owner until the next owner acquires the
/// lock. It is long, because the machine may be busy.
const TOO_LATE: u64 = 10_000_000_000;

/// The position of a process relative to a lock: it does not use the lock, it may be about to
/// acquire or has just released it, or it is the owner. The judge reads the position when the
/// process dies.
pub(crate) const AWAY: u32 = 0;
pub(crate) const NEAR: u32 = 1;
pub(crate) const OWNER: u32 = 2;

/// Handles to all sync objects.
pub(crate) struct Sync {
    mutexes: [Mutex; LOCKS - 1],
    shared: SharedMutex<[u64; 2]>,
    auto: Event,
    manual: Event,
    _section: Section,
}

impl Sync {
    pub(crate) fn open() -> pagemate::Result<Sync> {
        let mutex = |name| MutexOptions::new().open_or_create(name);
        let event = |reset, name| EventOptions::new(reset).open_or_create(name);
        let section = SectionOptions::new().len(4096).open_or_create("shared")?;
        Ok(Sync {
            mutexes: [mutex("mutex")?, mutex(r"Global\mutex")?],
            shared: SharedMutex::open_or_init(&section, 64, || [0; 2])?,
            auto: event(Reset::Auto, "auto")?,
            manual: event(Reset::Manual, "manual")?,
            _section: section,
        })
    }

    /// Sets or resets an event, or waits for one for a short time.
    pub(crate) fn signal_or_wait(&self, board: &Board, slot: usize, random: &mut Random) {
        let time = Duration::from_micros(random.next() % 5000);
        let done = match random.below(5) {
            0 => {
                board.count(Count::Sets);
                board.sets.fetch_add(1, SeqCst);
                self.auto.set()
            }
            1 => self.manual.set(),
            2 => self.manual.reset(),
            3 => self.manual.wait_for(time).map(drop),
            _ => self.auto.wait_for(time).map(|happened| {
                if happened {
                    board.count(Count::Waits);
                    let waits = board.waits.fetch_add(1, SeqCst) + 1;
                    let sets = board.sets.load(SeqCst);
                    if waits > sets {
                        board.fail(0, slot, format!("{sets} sets ended {waits} waits"));
                    }
                }
            }),
        };
        if let Err(error) = done {
            board.fail(0, slot, error);
        }
    }

    /// Acquires a random lock, changes the data that it protects, and releases it.
    pub(crate) fn lock(&self, board: &Board, slot: usize, random: &mut Random) {
        let which = random.below(LOCKS);
        let place = &board.slots[slot].locks[which];
        place.store(NEAR, SeqCst);
        let start = now();
        let visit = Visit { board, slot, which, start };
        let done = match self.mutexes.get(which) {
            Some(mutex) => mutex.try_lock_for(PATIENCE).map(|guard| {
                let guard = guard?;
                visit.own(guard.was_abandoned(), random);
                drop(guard);
                Some(())
            }),
            None => self.shared.try_lock_for(PATIENCE).map(|guard| {
                let mut guard = guard?;
                visit.own_value(&mut guard, random);
                drop(guard);
                Some(())
            }),
        };
        match done {
            Ok(Some(())) => board.count(Count::Locks),
            Ok(None) => {
                let owner = board.locks[which].owner.load(SeqCst);
                let words =
                    format!("lock {which} is not granted within {PATIENCE:?}; owner {owner:x}");
                board.fail(0, slot, words);
            }
            Err(error) => board.fail(0, slot, format!("lock {which}: {error}")),
        }
        place.store(AWAY, SeqCst);
    }
}

/// One process that uses one lock.
struct Visit<'a> {
    board: &'a Board,
    slot: usize,
    which: usize,
    start: u64,
}

impl Visit<'_> {
    /// Checks as the owner of the lock that there is no other owner. Makes the two values different
    /// for a short time, and then equal again.
    fn own(&self, abandoned: bool, random: &mut Random) {
        let lock = &self.board.locks[self.which];
        let own = self.enter(abandoned);
        let [first, second] = &lock.values;
        let (a, b) = (first.load(SeqCst), second.load(SeqCst));
        if !abandoned && a != b {
            self.fail(format!("the values are {a} and {b}, but the lock was not abandoned"));
        }
        first.store(a + 1, SeqCst);
        linger(random);
        second.store(a + 1, SeqCst);
        self.leave(own);
    }

    /// Does the same as [`Visit::own`] with the value inside the `SharedMutex`.
    fn own_value(
        &self,
        guard: &mut pagemate::sync::SharedGuard<'_, [u64; 2]>,
        random: &mut Random,
    ) {
        let abandoned = guard.was_abandoned();
        let own = self.enter(abandoned);
        let [a, b] = guard.get();
        if !abandoned && a != b {
            self.fail(format!("the values are {a} and {b}, but the lock was not abandoned"));
        }
        guard.set(&[a + 1, a]);
        linger(random);
        guard.set(&[a + 1, a + 1]);
        self.leave(own);
    }

    fn enter(&self, abandoned: bool) -> u64 {
        let lock = &self.board.locks[self.which];
        let owner = lock.owner.load(SeqCst);
        let slot = &self.board.slots[self.slot];
        slot.locks[self.which].store(OWNER, SeqCst);
        match (owner, abandoned) {
            (0, false) => {}
            (0, true) => _ = lock.abandoned_without_owner.fetch_add(1, SeqCst),
            (owner, false) => {
                self.fail(format!("owner {owner:x} has not released it, but it was not abandoned"));
            }
            (owner, true) => {
                let late = now().saturating_sub(lock.killed_at.load(SeqCst).max(self.start));
                lock.longest.fetch_max(late, SeqCst);
                if late > TOO_LATE {
                    self.fail(format!("the next owner acquired it {late} ns after a death"));
                }
                let former = &self.board.slots[usize::try_from(owner & 0xff).expect("a slot")];
                if former.lives(owner >> 8) {
                    self.fail(format!("it was abandoned, but its owner {owner:x} is alive"));
                }
            }
        }
        if abandoned {
            self.board.count(Count::Abandoned);
        }
        let own = u64::from(slot.life.load(SeqCst)) << 8 | self.slot as u64;
        lock.owner.store(own, SeqCst);
        own
    }

    fn leave(&self, own: u64) {
        let owner = self.board.locks[self.which].owner.compare_exchange(own, 0, SeqCst, SeqCst);
        if let Err(other) = owner {
            self.fail(format!("{other:x} owns it at the same time"));
        }
        self.board.slots[self.slot].locks[self.which].store(NEAR, SeqCst);
    }

    fn fail(&self, what: impl std::fmt::Display) {
        self.board.fail(0, self.slot, format!("lock {}: {what}", self.which));
    }
}

fn linger(random: &mut Random) {
    match random.below(4) {
        0 => thread::sleep(Duration::from_micros(random.next() % 1000)),
        1 => thread::yield_now(),
        _ => {}
    }
}
