//! A worker: acts at random, and checks each result against the board.
#![allow(unsafe_code, reason = "fork(2)")]
#![allow(clippy::exit, reason = "the test also exits without releasing its objects")]

mod content;
mod family;

use std::os::fd::BorrowedFd;
use std::process::ExitCode;
use std::sync::atomic::Ordering::SeqCst;

use pagemate::{ErrorKind, Section, SectionOptions, inventory};

use crate::board::{Board, Count, NAMES, Phase, SLOTS, Word};
use crate::locks::Sync;
use crate::random::Random;
use content::Content;

/// The length of each section in bytes.
const LEN: u64 = 8192;

pub(crate) fn run(board: i32, slot: usize, seed: u64) -> ExitCode {
    // SAFETY: the judge starts its workers with the descriptor of the board open under this number.
    let fd = unsafe { BorrowedFd::borrow_raw(board) };
    let Ok(shared) = Board::map(fd) else { return ExitCode::from(4) };
    // If this worker was started by `exec` in a former worker, that worker's objects are released
    // now.
    let own = &shared.slots[slot];
    for claim in own.claims.iter().filter(|claim| claim.word().phase() != Phase::Idle) {
        claim.set(Phase::Idle, 0);
    }
    let sync = match Sync::open() {
        Ok(sync) => sync,
        Err(error) => {
            shared.fail(0, slot, error);
            return ExitCode::from(3);
        }
    };
    let mut worker = Worker {
        board: shared,
        slot,
        held: Default::default(),
        sync,
        random: Random::new(seed),
        words: [board.to_string(), slot.to_string()],
    };
    while shared.stop.load(SeqCst) == 0 && shared.anomaly.load(SeqCst) == 0 {
        worker.act();
        own.steps.fetch_add(1, SeqCst);
    }
    worker.end();
    if shared.anomaly.load(SeqCst) == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) }
}

/// A section that this process holds, and its content.
struct Held {
    content: Content,
    section: Section,
}

struct Worker {
    board: &'static Board,
    slot: usize,
    held: [Option<Held>; NAMES.len()],
    sync: Sync,
    random: Random,
    /// The arguments for the number of the board's descriptor and for the slot, which `exec` passes
    /// on.
    words: [String; 2],
}

/// The call that creates or opens a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    CreateNew,
    Open,
    Either,
}

impl Way {
    fn take(self, name: &str) -> pagemate::Result<Section> {
        match self {
            Way::CreateNew => SectionOptions::new().len(LEN).create_new(name),
            Way::Open => Section::open(name),
            Way::Either => SectionOptions::new().len(LEN).open_or_create(name),
        }
    }
}

impl Worker {
    fn act(&mut self) {
        let name = self.random.below(NAMES.len());
        match self.random.below(100) {
            0..10 => self.take(name, Way::CreateNew),
            10..20 => self.take(name, Way::Open),
            20..30 => self.take(name, Way::Either),
            30..60 => self.release(name),
            60..75 => self.check(name),
            75..84 => self.sync.lock(self.board, self.slot, &mut self.random),
            84..92 => self.sync.signal_or_wait(self.board, self.slot, &mut self.random),
            92..94 => self.list_or_sweep(),
            94..97 => self.fork(),
            97 => self.exec(),
            98 if self.random.below(4) == 0 => self.exit(),
            _ => self.reap(),
        }
    }

    fn fail(&self, name: usize, what: impl std::fmt::Display) {
        self.board.fail(name, self.slot, what);
    }

    /// Creates or opens a section. Checks that the result agrees with the claims of all processes
    /// that did not change during the call.
    fn take(&mut self, name: usize, way: Way) {
        let own = &self.board.slots[self.slot].claims[name];
        let first = self.held[name].is_none();
        if first {
            own.set(Phase::Acquiring, 0);
        }
        let before = self.board.words(name);
        let taken = way.take(NAMES[name]);
        // A process that died during the call is recognized by `doomed` or by a changed claim. At
        // its end, `clear` changes the claims before it resets `doomed`. So load `doomed` first.
        let doomed = self.board.doomed();
        let after = self.board.words(name);
        let truth = Truth::of(self.slot, doomed, &before, &after);
        match taken {
            Ok(section) => self.taken(name, way, section, truth),
            Err(error) => {
                if !truth.allows(way, error.kind()) {
                    self.fail(name, format!("{way:?}: {error}, though {truth:?}"));
                }
                self.board.note(name, self.slot, "refused", error.kind() as u64);
                if first {
                    own.set(Phase::Idle, 0);
                }
            }
        }
    }

    fn taken(&mut self, name: usize, way: Way, section: Section, truth: Truth) {
        let created = section.was_created();
        if let (true, Truth::Held(id)) = (created, truth) {
            self.fail(name, format!("{way:?} created an object beside the live object {id}"));
        }
        if let (Way::Open, Truth::Unheld) = (way, truth) {
            self.fail(name, "Open found an object that no process holds");
        }
        let content = match Content::enter(self.board, self.slot, &section) {
            Ok(content) => content,
            Err(what) => return self.fail(name, what),
        };
        if let Truth::Held(id) = truth
            && id != content.id()
        {
            self.fail(name, format!("{way:?} found object {}, but {id} is alive", content.id()));
        }
        self.board.count(if created { Count::Creations } else { Count::Openings });
        self.board.note(name, self.slot, if created { "created" } else { "opened" }, content.id());
        if self.held[name].is_none() {
            let id = content.id();
            self.board.slots[self.slot].claims[name].set(Phase::Holding, id);
            self.held[name] = Some(Held { content, section });
            self.no_other(name, id);
        }
    }

    /// Checks that no other process holds another object of this name.
    fn no_other(&self, name: usize, id: u64) {
        for (slot, claims) in self.board.slots.iter().enumerate() {
            let word = claims.claims[name].word();
            let other = word.phase() == Phase::Holding && word.id() != id;
            // The judge sets `doomed` before it kills a process.
            if other && claims.doomed.load(SeqCst) == 0 && claims.claims[name].word() == word {
                self.fail(
                    name,
                    format!("object {id} and {} of slot {slot} live at once", word.id()),
                );
            }
        }
    }

    fn release(&mut self, name: usize) {
        let Some(Held { content, section }) = self.held[name].take() else { return };
        let own = &self.board.slots[self.slot].claims[name];
        own.set(Phase::Releasing, content.id());
        drop((content, section));
        own.set(Phase::Idle, 0);
        self.board.count(Count::Closings);
        self.board.note(name, self.slot, "closed", 0);
    }

    fn check(&mut self, name: usize) {
        let Some(held) = &mut self.held[name] else { return };
        self.board.count(Count::Checks);
        if let Err(what) = held.content.check_and_write(self.random.next()) {
            self.fail(name, what);
        }
    }

    fn list_or_sweep(&mut self) {
        self.board.count(Count::Sweeps);
        let done = if self.random.below(2) == 0 {
            inventory::list().map(drop)
        } else {
            inventory::prune().map(drop)
        };
        if let Err(error) = done {
            self.fail(0, error);
        }
    }
}

/// The facts about a name that were true during all of a call, as far as the board shows them.
#[derive(Clone, Copy, Debug)]
enum Truth {
    /// A process held this object during all of the call.
    Held(u64),
    /// No process held the object or called pagemate for this name, apart from the caller.
    Unheld,
    Unknown,
}

impl Truth {
    fn of(
        own: usize,
        doomed: [bool; SLOTS],
        before: &[Word; SLOTS],
        after: &[Word; SLOTS],
    ) -> Truth {
        let same = |slot: &usize| before[*slot] == after[*slot];
        let holder = (0..SLOTS).filter(same).find(|slot| {
            let holds = after[*slot].phase() == Phase::Holding;
            holds && !doomed[*slot]
        });
        if let Some(holder) = holder {
            return Truth::Held(after[holder].id());
        }
        let idle = |slot: usize| {
            let idle = after[slot].phase() == Phase::Idle;
            same(&slot) && (idle || slot == own && after[slot].phase() == Phase::Acquiring)
        };
        if (0..SLOTS).all(idle) { Truth::Unheld } else { Truth::Unknown }
    }

    /// Returns whether a call may fail with this error.
    fn allows(self, way: Way, error: ErrorKind) -> bool {
        match (way, error) {
            (Way::CreateNew, ErrorKind::AlreadyExists) => !matches!(self, Truth::Unheld),
            // While a process that sweeps a dead object is stopped, other processes time out on its
            // name.
            (Way::Open, ErrorKind::NotFound) | (_, ErrorKind::TimedOut) => {
                !matches!(self, Truth::Held(_))
            }
            _ => false,
        }
    }
}
