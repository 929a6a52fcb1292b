//! The board: shared memory in which each process lists the objects that it holds.
//!
//! Each claim has one writer at a time: the process of the slot, and after its death the judge.
#![allow(unsafe_code, reason = "maps memory that processes share")]

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use rustix::fs::MemfdFlags;
use rustix::mm::{MapFlags, ProtFlags};
use rustix::time::{ClockId, clock_gettime};

/// How many processes the judge starts.
pub(crate) const WORKERS: usize = 8;

/// Each worker has a slot, and its forked child has another.
pub(crate) const SLOTS: usize = 2 * WORKERS;

/// The names of the sections.
pub(crate) const NAMES: [&str; 6] = ["a", "b", r"Global\a", r"Global\b", "ü/1", "c"];

/// How many locks there are: two named mutexes, and one in a section.
pub(crate) const LOCKS: usize = 3;

/// How many of the last steps of each name are kept.
const KEPT: usize = 64;

/// The actions that are counted.
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

/// The claim of a process on an object. Only `Holding` is a promise: from its beginning to its end the
/// process has a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Acquiring,
    Holding,
    Releasing,
}

/// A claim at one moment. Each change has another serial number, so that equal words mean that nothing
/// changed in between.
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

    /// The number of the object that is held.
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

/// A process at its place on the board.
#[repr(C)]
pub(crate) struct Slot {
    /// Zero if no process has the slot.
    pub(crate) pid: AtomicU32,
    /// How many processes have had it.
    pub(crate) life: AtomicU32,
    /// Set before its process may end without releasing anything.
    pub(crate) doomed: AtomicU32,
    /// Counts its actions.
    pub(crate) steps: AtomicU64,
    pub(crate) claims: [Claim; NAMES.len()],
    pub(crate) locks: [AtomicU32; LOCKS],
}

impl Slot {
    /// Whether the process of this life lives, and will go on to.
    pub(crate) fn lives(&self, life: u64) -> bool {
        let same = || u64::from(self.life.load(SeqCst)) == life;
        // In this order: an end clears the pid before the doom, and a start changes the life before it
        // sets a pid.
        same() && self.doomed.load(SeqCst) == 0 && self.pid.load(SeqCst) != 0 && same()
    }
}

/// The truth about a lock, written by its owners.
#[repr(C)]
pub(crate) struct Lock {
    /// The life and the slot of the owner; zero if there is none.
    pub(crate) owner: AtomicU64,
    /// Two values that are equal whenever nobody owns the lock, unless an owner died.
    pub(crate) values: [AtomicU64; 2],
    /// When the judge killed the last owner.
    pub(crate) killed_at: AtomicU64,
    /// How many processes died while they were about to acquire or to release it.
    pub(crate) near_deaths: AtomicU64,
    /// How many owners learned of a death that left no owner on the board.
    pub(crate) quietly_told: AtomicU64,
    /// The longest that a waiter waited after a death.
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
    /// One more than the name that an anomaly was found about.
    pub(crate) anomaly: AtomicU32,
    next_id: AtomicU64,
    pub(crate) sets: AtomicU64,
    pub(crate) waits: AtomicU64,
    counts: [AtomicU64; COUNTED.len()],
    pub(crate) slots: [Slot; SLOTS],
    pub(crate) locks: [Lock; LOCKS],
    history: [History; NAMES.len()],
}

/// Nanoseconds of a clock that all processes share.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec)
        .expect("the clock counts from its start")
}

impl Board {
    /// Creates an empty board, whose descriptor survives exec.
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

    /// Every claim of a name.
    pub(crate) fn words(&self, name: usize) -> [Word; SLOTS] {
        std::array::from_fn(|slot| self.slots[slot].claims[name].word())
    }

    /// Which processes may be dead or about to die.
    pub(crate) fn doomed(&self) -> [bool; SLOTS] {
        std::array::from_fn(|slot| self.slots[slot].doomed.load(SeqCst) != 0)
    }

    /// Adds a step to the history of a name. `what` is at most eight bytes.
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

    /// Reports an anomaly about a name, and ends the storm.
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
