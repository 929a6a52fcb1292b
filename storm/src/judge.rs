//! The judge: starts the workers, stops and kills them at random, and checks at the end that no
//! object is left.
#![allow(unsafe_code, reason = "waitpid(2) and kill(2)")]

use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use crate::board::{Board, Count, LOCKS, Phase, WORKERS, now};
use crate::locks::{AWAY, OWNER, Sync};
use crate::random::Random;

/// If a worker makes no step for this time, it counts as hanging.
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest time for which a process is stopped, in milliseconds.
const STOP: u64 = 40;

pub(crate) fn run(time: Duration, seed: u64) -> ExitCode {
    println!("storm: {WORKERS} processes for {} seconds, seed {seed}", time.as_secs());
    let mut judge = match Judge::start(seed) {
        Ok(judge) => judge,
        Err(error) => {
            eprintln!("storm: {error}");
            return ExitCode::from(2);
        }
    };
    let end = Instant::now() + time;
    let mut reported = Instant::now();
    while Instant::now() < end && judge.board.anomaly.load(SeqCst) == 0 {
        judge.tick();
        if reported.elapsed() > Duration::from_mins(1) {
            reported = Instant::now();
            println!("storm: {}", judge.board.counts());
        }
    }
    judge.finish()
}

/// The judge's data about a worker.
struct Worker {
    pid: i32,
    /// The time at which the judge continues the worker; `None` if the worker is not stopped.
    resume: Option<Instant>,
    /// The number of steps of the worker, and the time at which this number last changed.
    progress: (u64, Instant),
}

struct Judge {
    board: &'static Board,
    fd: OwnedFd,
    random: Random,
    place: PathBuf,
    /// Handles by which the judge keeps the sync objects alive. The judge is never killed.
    sync: Option<Sync>,
    workers: Vec<Option<Worker>>,
}

impl Judge {
    fn start(seed: u64) -> Result<Judge, String> {
        let place = PathBuf::from(format!("/dev/shm/pagemate-storm-{}", process::id()));
        let failed = |e: std::io::Error| format!("{}: {e}", place.display());
        fs::create_dir(&place).map_err(failed)?;
        fs::set_permissions(&place, fs::Permissions::from_mode(0o1777)).map_err(failed)?;
        // SAFETY: this process has one thread, so that nothing reads the environment.
        unsafe { env::set_var("PAGEMATE_DIR", &place) };
        // SAFETY: this prctl(2) accesses no memory. Children of killed workers become children of the judge.
        if unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) } != 0 {
            return Err(format!("prctl: {}", std::io::Error::last_os_error()));
        }
        let (fd, board) = Board::create().map_err(|e| format!("the board: {e}"))?;
        let sync = Some(Sync::open().map_err(|e| e.to_string())?);
        let workers = (0..WORKERS).map(|_| None).collect();
        Ok(Judge { board, fd, random: Random::new(seed), place, sync, workers })
    }

    fn fail(&self, slot: usize, what: impl std::fmt::Display) {
        self.board.fail(0, slot, what);
    }

    /// Does one random action, and then sleeps for a short random time.
    fn tick(&mut self) {
        self.reap();
        for slot in 0..WORKERS {
            self.supervise(slot);
        }
        let slot = self.random.below(WORKERS);
        match self.random.below(10) {
            0..4 => self.kill(slot),
            4..7 => self.stop(slot),
            _ => {}
        }
        thread::sleep(Duration::from_micros(self.random.next() % 4000));
    }

    /// Starts a worker if the slot has none. Continues a stopped worker when its time has come.
    /// Reports a worker that hangs.
    fn supervise(&mut self, slot: usize) {
        let steps = self.board.slots[slot].steps.load(SeqCst);
        let Some(worker) = &mut self.workers[slot] else { return self.spawn(slot) };
        if worker.resume.is_some_and(|resume| resume <= Instant::now()) {
            worker.resume = None;
            send(worker.pid, libc::SIGCONT);
        }
        if worker.progress.0 != steps {
            worker.progress = (steps, Instant::now());
        } else if worker.progress.1.elapsed() > PATIENCE {
            let pid = worker.pid;
            let place = fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
            self.fail(slot, format!("process {pid} hangs in {place}"));
        }
    }

    fn spawn(&mut self, slot: usize) {
        let shared = &self.board.slots[slot];
        if !self.is_settled(slot) {
            return;
        }
        shared.life.fetch_add(1, SeqCst);
        let program = env::current_exe().expect("the program has a path");
        let mut command = Command::new(program);
        command.args(["worker", &self.fd.as_raw_fd().to_string(), &slot.to_string()]);
        command.arg(self.random.next().to_string()).stdin(Stdio::null());
        match command.spawn() {
            Ok(child) => {
                shared.pid.store(child.id(), SeqCst);
                let pid = child.id().cast_signed();
                let progress = (shared.steps.load(SeqCst), Instant::now());
                self.workers[slot] = Some(Worker { pid, resume: None, progress });
            }
            Err(error) => self.fail(slot, format!("start a process: {error}")),
        }
    }

    /// Returns whether the slot of the forked child can be used again, so that a new worker can
    /// start. Clears the slot if its process is gone.
    ///
    /// The former worker of this slot may have been killed during its fork. The child's slot can
    /// then have claims and no pid: the fork did not happen, or the child has not written its pid
    /// yet.
    fn is_settled(&self, slot: usize) -> bool {
        let child = &self.board.slots[WORKERS + slot];
        let claimed = child.claims.iter().any(|claim| claim.word().phase() != Phase::Idle);
        let pid = child.pid.load(SeqCst);
        if pid != 0 {
            // The children of a dead worker become children of the judge. If this process is not
            // the judge's child, the former worker reaped it, and was killed before it cleared the
            // slot.
            if parent_of(pid) != Some(process::id()) {
                child.clear();
            }
            return true;
        }
        if !claimed {
            return true;
        }
        if self.has_unknown_child() {
            return false;
        }
        if child.pid.load(SeqCst) == 0 {
            child.clear();
        }
        true
    }

    fn has_unknown_child(&self) -> bool {
        let known = |pid: u32| self.board.slots.iter().any(|slot| slot.pid.load(SeqCst) == pid);
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.any(|pid| parent_of(pid) == Some(process::id()) && !known(pid))
    }

    fn stop(&mut self, slot: usize) {
        let time = Duration::from_millis(self.random.next() % STOP);
        if let Some(worker) = self.workers[slot].as_mut().filter(|worker| worker.resume.is_none()) {
            self.board.count(Count::Stops);
            worker.resume = Some(Instant::now() + time);
            send(worker.pid, libc::SIGSTOP);
        }
    }

    fn kill(&mut self, slot: usize) {
        let Some(worker) = &self.workers[slot] else { return };
        let shared = &self.board.slots[slot];
        self.board.count(Count::Kills);
        shared.doomed.store(1, SeqCst);
        for (lock, step) in self.board.locks.iter().zip(&shared.locks) {
            if step.load(SeqCst) == OWNER {
                lock.killed_at.store(now(), SeqCst);
            }
        }
        send(worker.pid, libc::SIGKILL);
    }

    /// Reaps all processes that have ended.
    fn reap(&mut self) {
        loop {
            let mut status = 0;
            // SAFETY: waitpid(2) writes one number, and `status` is a local.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
            if pid <= 0 {
                return;
            }
            let known =
                self.board.slots.iter().position(|slot| slot.pid.load(SeqCst).cast_signed() == pid);
            if let Some(slot) = known {
                self.ended(slot, status);
            }
        }
    }

    fn ended(&mut self, slot: usize, status: i32) {
        let shared = &self.board.slots[slot];
        let by = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
        let expected = match by {
            Some(libc::SIGKILL | libc::SIGALRM) => shared.doomed.load(SeqCst) == 1,
            Some(_) => false,
            None => libc::WEXITSTATUS(status) == 0,
        };
        if !expected && self.board.anomaly.load(SeqCst) == 0 {
            self.fail(slot, format!("a process ends by signal {by:?}, status {status:#x}"));
        }
        for (lock, step) in self.board.locks.iter().zip(&shared.locks) {
            if step.swap(AWAY, SeqCst) != AWAY {
                lock.near_deaths.fetch_add(1, SeqCst);
            }
        }
        for name in 0..shared.claims.len() {
            self.board.note(name, slot, "ended", 0);
        }
        shared.clear();
        if slot < WORKERS {
            self.workers[slot] = None;
        }
    }

    /// Ends all processes, checks that no object is left, and reports the outcome.
    fn finish(mut self) -> ExitCode {
        self.board.stop.store(1, SeqCst);
        for worker in self.workers.iter().flatten() {
            send(worker.pid, libc::SIGCONT);
        }
        let end = Instant::now() + PATIENCE;
        while has_children() && Instant::now() < end {
            self.reap();
            thread::sleep(Duration::from_millis(1));
        }
        if has_children() {
            self.fail(0, "processes do not end");
        }
        self.check_locks();
        self.sync = None;
        if let Err(error) = pagemate::inventory::prune() {
            self.fail(0, error);
        }
        let left = files(&self.place);
        if !left.is_empty() {
            self.fail(0, format!("objects are left: {left:?}"));
        }
        for worker in self.workers.iter().flatten() {
            send(worker.pid, libc::SIGKILL);
        }
        _ = fs::remove_dir_all(&self.place);
        println!("storm: {}", self.board.counts());
        match self.board.anomaly.load(SeqCst) {
            0 => {
                println!("storm: no anomaly");
                ExitCode::SUCCESS
            }
            name => {
                self.board.print_history(usize::try_from(name - 1).expect("names are few"));
                ExitCode::FAILURE
            }
        }
    }

    /// Checks that no more owners found a mutex abandoned than processes died close to it.
    fn check_locks(&self) {
        for which in 0..LOCKS {
            let lock = &self.board.locks[which];
            let (found, deaths) =
                (lock.abandoned_without_owner.load(SeqCst), lock.near_deaths.load(SeqCst));
            if found > deaths {
                self.fail(
                    0,
                    format!("lock {which}: it was abandoned {found} times, after {deaths} deaths"),
                );
            }
            let longest = Duration::from_nanos(lock.longest.load(SeqCst));
            println!("storm: lock {which}: the longest wait after a death took {longest:?}");
        }
    }
}

/// Sends a signal to a child. The child is not reaped yet, so no other process can have its pid.
fn send(pid: i32, signal: i32) {
    // SAFETY: kill(2) accesses no memory.
    unsafe { libc::kill(pid, signal) };
}

/// Returns the parent of a process, from the fields after the name in `/proc/PID/stat`.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
}

/// Returns whether this process has a child that is running or not reaped.
fn has_children() -> bool {
    // SAFETY: `siginfo_t` is a plain C struct, for which all zeros are valid.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: waitid(2) writes one `siginfo_t`, and `info` is a local of this type.
    unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, options) == 0 }
}

/// Returns the files of all objects in the object directory.
fn files(place: &Path) -> Vec<PathBuf> {
    let entries = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    let (dirs, mut files): (Vec<_>, Vec<_>) = entries(place).partition(|path| path.is_dir());
    files.extend(dirs.iter().flat_map(|dir| entries(dir)));
    files
}
