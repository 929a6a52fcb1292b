//! The board: shared memory in which each process writes the objects that it holds.
//!
//! Each claim has one writer at a time: the process of the slot, and after the death of this
//! process the judge.
#![allow(unsafe_code, reason = "maps memory that processes share")]

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use rustix::fs::MemfdFlags;
use rustix::mm::{MapFlags, ProtFlags};
use rustix::time::{ClockId, clock_gettime};

/// The number of processes that the judge starts.
pub(crate) const WORKERS: usize = 8;

/// The number of slots: one for each worker, and one for the child that the worker forks.
pub(crate) const SLOTS: usize = 2 * WORKERS;

/// The names of the sections.
pub(crate) const NAMES: [&str; 6] = ["a", "b", r"Global\a", r"Global\b", "ü/1", "c"];

/// The number of locks: two named mutexes, and one mutex in a section.
pub(crate) const LOCKS: usize = 3;

/// The number of steps of each name that the board keeps.
const KEPT: usize = 64;

/// The actions that the board counts, in the order of [`Count`].
pub(crate) const COUNTED: [&str; 14] = [
    "creations",
    "openings",
    "closings",
    "checks of content",
    "locks",
    "abandoned locks",
    "sets",
    "waits",
    "lists and sweeps",
    "forks",
    "execs",
    "exits",
    "stops",
    "kills",
];

#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    Creations,
    Openings,
    Closings,
    Checks,
    Locks,
    Abandoned,
    Sets,
    Waits,
    Sweeps,
    Forks,
    Execs,
    Exits,
    Stops,
    Kills,
}

/// The state of a process towards an object. In the state `Holding` the process certainly has a
/// handle. In `Acquiring` and `Releasing` it may have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Acquiring,
    Holding,
    Releasing,
}

/// The value of a claim at one moment. Each change of a claim increments a serial number in it. So
/// if two values that were read at different times are equal, the claim did not change in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    pub(crate) fn phase(self) -> Phase {
        match self.0 & 3 {
            0 => Phase::Idle,
            1 => Phase::Acquiring,
            2 => Phase::Holding,
            _ => Phase::Releasing,
        }
    }

    /// Returns the number of the object that the process holds.
    pub(crate) fn id(self) -> u64 {
        self.0 >> 2 & u64::from(u32::MAX)
    }
}

#[repr(C)]
pub(crate) struct Claim(AtomicU64);

impl Claim {
    pub(crate) fn word(&self) -> Word {
        Word(self.0.load(SeqCst))
    }

    pub(crate) fn set(&self, phase: Phase, id: u64) {
        let serial = (self.0.load(SeqCst) >> 34) + 1;
        self.0.store(serial << 34 | id << 2 | phase as u64, SeqCst);
    }
}

/// The entries of one process on the board.
#[repr(C)]
pub(crate) struct Slot {
    /// The pid of the process; zero if no process uses the slot.
    pub(crate) pid: AtomicU32,
    /// The number of processes that have used the slot so far, including the current one.
    pub(crate) life: AtomicU32,
    /// Nonzero if the process may die without releasing its objects. It is set before the process
    /// can die.
    pub(crate) doomed: AtomicU32,
    /// The number of actions of the process.
    pub(crate) steps: AtomicU64,
    pub(crate) claims: [Claim; NAMES.len()],
    pub(crate) locks: [AtomicU32; LOCKS],
}

impl Slot {
    /// Returns whether the process with this value of `life` is alive and is not about to die.
    pub(crate) fn lives(&self, life: u64) -> bool {
        let same = || u64::from(self.life.load(SeqCst)) == life;
        // Load in this order: at the end of a process, `clear` clears `pid` before `doomed`, and at
        // the start of the next one the judge changes `life` before it sets `pid`.
        same() && self.doomed.load(SeqCst) == 0 && self.pid.load(SeqCst) != 0 && same()
    }
}

/// The owner of a lock and its data, as the owners write them.
#[repr(C)]
pub(crate) struct Lock {
    /// The life and the slot of the owner; zero if the lock has no owner.
    pub(crate) owner: AtomicU64,
    /// Two values that each owner makes equal before it releases the lock. They differ only while
    /// the lock has an owner, or if the owner died.
    pub(crate) values: [AtomicU64; 2],
    /// The time at which the judge killed the last owner.
    pub(crate) killed_at: AtomicU64,
    /// The number of processes that died while they were close to acquiring or releasing the lock.
    /// They may have been its owner although the board does not say so.
    pub(crate) near_deaths: AtomicU64,
    /// The number of owners that found the mutex abandoned although the board had no owner.
    pub(crate) abandoned_without_owner: AtomicU64,
    /// The longest time for which a waiter waited after the death of the owner.
    pub(crate) longest: AtomicU64,
}

#[repr(C)]
struct Step([AtomicU64; 4]);

#[repr(C)]
struct History {
    next: AtomicU64,
    steps: [Step; KEPT],
}

#[repr(C)]
pub(crate) struct Board {
    pub(crate) stop: AtomicU32,
    /// The index of the name for which a check failed, plus one; zero if none failed.
    pub(crate) anomaly: AtomicU32,
    next_id: AtomicU64,
    pub(crate) sets: AtomicU64,
    pub(crate) waits: AtomicU64,
    counts: [AtomicU64; COUNTED.len()],
    pub(crate) slots: [Slot; SLOTS],
    pub(crate) locks: [Lock; LOCKS],
    history: [History; NAMES.len()],
}

/// Returns the time in nanoseconds, by a clock that all processes share.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec)
        .expect("the clock counts from its start")
}

impl Board {
    /// Creates an empty board. Its descriptor stays open across `exec`.
    pub(crate) fn create() -> rustix::io::Result<(OwnedFd, &'static Board)> {
        let fd = rustix::fs::memfd_create("storm", MemfdFlags::empty())?;
        rustix::fs::ftruncate(&fd, size_of::<Board>() as u64)?;
        let board = Board::map(fd.as_fd())?;
        Ok((fd, board))
    }

    pub(crate) fn map(fd: BorrowedFd<'_>) -> rustix::io::Result<&'static Board> {
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses the address, so that nothing mapped is replaced.
        let at = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                size_of::<Board>(),
                prot,
                MapFlags::SHARED,
                fd,
                0,
            )
        }?;
        // SAFETY: the mapping has the size of a board, is page-aligned and is never unmapped. A board
        // consists of atomics, for which all bytes are valid.
        Ok(unsafe { &*at.cast::<Board>() })
    }

    pub(crate) fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, SeqCst) + 1
    }

    pub(crate) fn count(&self, what: Count) {
        self.counts[what as usize].fetch_add(1, SeqCst);
    }

    pub(crate) fn counts(&self) -> String {
        let counts = COUNTED.iter().zip(&self.counts);
        counts.map(|(name, n)| format!("{} {name}", n.load(SeqCst))).collect::<Vec<_>>().join(", ")
    }

    /// Returns the claims of all processes on a name.
    pub(crate) fn words(&self, name: usize) -> [Word; SLOTS] {
        std::array::from_fn(|slot| self.slots[slot].claims[name].word())
    }

    /// Returns for each slot whether its process may be dead or about to die.
    pub(crate) fn doomed(&self) -> [bool; SLOTS] {
        std::array::from_fn(|slot| self.slots[slot].doomed.load(SeqCst) != 0)
    }

    /// Adds a step to the history of a name. At most eight bytes of `what` are stored.
    pub(crate) fn note(&self, name: usize, slot: usize, what: &str, id: u64) {
        let history = &self.history[name];
        let number = history.next.fetch_add(1, SeqCst);
        let mut text = [0; 8];
        let len = what.len().min(8);
        text[..len].copy_from_slice(&what.as_bytes()[..len]);
        let step = &history.steps[usize::try_from(number).expect("64 bits") % KEPT].0;
        step[0].store(now(), SeqCst);
        step[1].store(slot as u64, SeqCst);
        step[2].store(u64::from_ne_bytes(text), SeqCst);
        step[3].store(id, SeqCst);
    }

    /// Reports that a check failed for a name, and makes the program end.
    pub(crate) fn fail(&self, name: usize, slot: usize, what: impl fmt::Display) {
        eprintln!("storm: ANOMALY: {} in slot {slot}: {what}", NAMES[name]);
        self.note(name, slot, "ANOMALY", 0);
        let number = u32::try_from(name + 1).expect("names are few");
        _ = self.anomaly.compare_exchange(0, number, SeqCst, SeqCst);
    }

    /// Prints the last steps of a name.
    pub(crate) fn print_history(&self, name: usize) {
        let mut lines = Vec::new();
        for step in &self.history[name].steps {
            let [at, slot, what, id] = [0, 1, 2, 3].map(|i| step.0[i].load(SeqCst));
            let text = what.to_ne_bytes();
            let text = String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned();
            lines.push((at, format!("{at:>18} ns  slot {slot:2}  {text:8}  object {id}")));
        }
        lines.sort();
        println!("the last steps of {}:", NAMES[name]);
        for (_, line) in lines.iter().filter(|(at, _)| *at != 0) {
            println!("  {line}");
        }
        for (slot, word) in self.words(name).iter().enumerate() {
            println!("  slot {slot:2} has {:?} object {}", word.phase(), word.id());
        }
    }
}
