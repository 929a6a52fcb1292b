//! Forks, executes the program again, and exits.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::{self, Command};
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use super::Worker;
use crate::board::{Count, NAMES, Phase, SLOTS, Slot, WORKERS};

impl Worker {
    fn child_slot(&self) -> &'static Slot {
        &self.board.slots[WORKERS + self.slot]
    }

    /// Forks a child, which shares all objects of this process for a few milliseconds.
    pub(super) fn fork(&mut self) {
        self.reap();
        let slot = self.child_slot();
        let is_idle = |name: usize| slot.claims[name].word().phase() == Phase::Idle;
        // The claims of the child reserve its slot before the child has written its pid. So fork
        // only if there is a claim to write.
        let holds = self.held.iter().any(Option::is_some);
        if !holds || slot.pid.load(SeqCst) != 0 || !(0..NAMES.len()).all(is_idle) {
            return;
        }
        for (claim, _) in slot.claims.iter().zip(&self.held).filter(|(_, held)| held.is_some()) {
            claim.set(Phase::Acquiring, 0);
        }
        self.board.count(Count::Forks);
        let number = self.random.next();
        // SAFETY: this process has one thread, so that no lock is held by another thread.
        match unsafe { libc::fork() } {
            -1 => self.fail(0, format!("fork: {}", std::io::Error::last_os_error())),
            0 => self.run_child(number),
            _ => {}
        }
    }

    /// Runs the child, and ends it.
    fn run_child(&mut self, number: u64) -> ! {
        let slot = self.child_slot();
        slot.life.fetch_add(1, SeqCst);
        slot.pid.store(process::id(), SeqCst);
        for (claim, held) in slot.claims.iter().zip(&self.held) {
            if let Some(held) = held {
                claim.set(Phase::Holding, held.content.id());
            }
        }
        if number.is_multiple_of(3) {
            slot.doomed.store(1, SeqCst);
            die_within(number % 10_000 + 1);
        }
        for round in 0..number % 20 {
            thread::sleep(Duration::from_micros(
                number.rotate_left(u32::try_from(round).unwrap_or(0)) % 1000,
            ));
            for name in 0..NAMES.len() {
                if let Some(Err(what)) = self.held[name].as_mut().map(|held| held.content.check()) {
                    self.board.fail(name, WORKERS + self.slot, what);
                }
            }
        }
        for (name, claim) in slot.claims.iter().enumerate() {
            if self.held[name].is_some() {
                claim.set(Phase::Releasing, 0);
                if number.is_multiple_of(2) {
                    self.held[name] = None;
                }
            }
        }
        // SAFETY: `_exit` accesses no memory of this process.
        unsafe { libc::_exit(0) }
    }

    /// Reaps the child if it has ended, and clears its slot for the next child.
    pub(super) fn reap(&mut self) {
        let slot = self.child_slot();
        let pid = slot.pid.load(SeqCst).cast_signed();
        // SAFETY: waitpid(2) writes no status if the pointer is null.
        if pid != 0 && unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::WNOHANG) } == pid {
            slot.clear();
        }
    }

    /// Executes this program again in this process. The new program holds no object.
    pub(super) fn exec(&mut self) {
        self.board.count(Count::Execs);
        let own = &self.board.slots[self.slot];
        for claim in own.claims.iter().filter(|claim| claim.word().phase() == Phase::Holding) {
            claim.set(Phase::Releasing, 0);
        }
        let seed = self.random.next().to_string();
        let program = env::current_exe().expect("the program has a path");
        let error = Command::new(program).arg("worker").args(&self.words).arg(seed).exec();
        self.fail(0, format!("exec: {error}"));
    }

    /// Exits without releasing the objects.
    pub(super) fn exit(&mut self) {
        self.board.count(Count::Exits);
        self.board.slots[self.slot].doomed.store(1, SeqCst);
        process::exit(0);
    }

    /// Releases all objects at the end of the storm, and waits for the child.
    pub(super) fn end(mut self) {
        for name in 0..NAMES.len() {
            self.release(name);
        }
        let pid = self.child_slot().pid.load(SeqCst);
        for _ in 0..10_000 {
            if pid == 0 || self.child_slot().pid.load(SeqCst) != pid {
                return;
            }
            self.reap();
            thread::sleep(Duration::from_millis(1));
        }
        self.fail(0, format!("child {pid} does not end"));
    }
}

impl Slot {
    /// Frees the slot of a process that has ended. Clears `doomed` last: until then, the other
    /// processes ignore its claims.
    pub(crate) fn clear(&self) {
        debug_assert!(self.claims.len() < SLOTS);
        self.pid.store(0, SeqCst);
        for claim in &self.claims {
            claim.set(Phase::Idle, 0);
        }
        self.doomed.store(0, SeqCst);
    }
}

/// Arranges that SIGALRM kills this process after this time.
fn die_within(micros: u64) {
    let none = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let after = libc::timeval { tv_sec: 0, tv_usec: micros.cast_signed() };
    let timer = libc::itimerval { it_interval: none, it_value: after };
    // SAFETY: setitimer(2) reads one `itimerval`, and writes none if the pointer is null.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
}
