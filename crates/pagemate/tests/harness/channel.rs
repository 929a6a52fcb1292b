//! Victims that use a channel, and the board on which they note how far they have come.
#![allow(unsafe_code, reason = "changes the environment")]

use std::env;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pagemate::{Shareable, Shared};
use rustix::process::{Pid, Signal, kill_process};

use super::Place;

/// The variable that makes a process a victim: the role and the name of the channel.
const ROLE: &str = "PAGEMATE_TEST_CHANNEL";

pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A survivor is blocked for at most one test interval of 100 ms. The rest is for a busy machine.
pub(crate) const SURVIVOR_LIMIT: Duration = Duration::from_secs(5);

/// The notes of the victims.
#[derive(Shareable)]
#[repr(C)]
pub(crate) struct Board {
    /// The number of victims that have opened their endpoint.
    pub(crate) lives: AtomicU64,
    /// The number of messages that the present victim has sent or received.
    pub(crate) done: AtomicU64,
    /// A number that the roles use in different ways.
    pub(crate) note: AtomicU64,
}

/// Returns the role of this process and the name of the channel, if it is a victim.
pub(crate) fn role() -> Option<(String, String)> {
    let role = env::var(ROLE).ok()?;
    let (role, name) = role.split_once(' ').unwrap();
    Some((role.to_owned(), name.to_owned()))
}

/// A message of `WORDS` words with a checksum: the life of its sender, and its number.
pub(crate) fn message<const WORDS: usize>(life: u64, number: u64) -> [u64; WORDS] {
    let mut message = [0; WORDS];
    (message[0], message[1]) = (life, number);
    for i in 2..WORDS {
        message[i] =
            (message[i - 1] ^ message[i - 2]).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i as u64;
    }
    message
}

/// Returns the life and the number of a message that is whole.
pub(crate) fn checked<const WORDS: usize>(found: &[u64; WORDS]) -> (u64, u64) {
    assert_eq!(found, &message::<WORDS>(found[0], found[1]), "a torn message");
    (found[0], found[1])
}

pub(crate) fn board(name: &str) -> Shared<Board> {
    Shared::open_or_create(format!("{name}-board")).unwrap()
}

/// A channel and its victims.
pub(crate) struct Scene {
    place: Place,
    pub(crate) name: String,
    pub(crate) board: Shared<Board>,
    /// The number of victims that were started.
    pub(crate) started: u64,
}

impl Scene {
    pub(crate) fn new(what: &str) -> Scene {
        let place = Place::new(what);
        // SAFETY: no test of this program reads the environment at the same time: all use this place.
        unsafe { env::set_var("PAGEMATE_DIR", place.path()) };
        let name = super::unique(what);
        let board = board(&name);
        Scene { place, name, board, started: 0 }
    }

    /// Starts a victim, and waits until it has its endpoint, or does not wait if it dies at a fault point.
    pub(crate) fn start(&mut self, role: &str, fault: Option<&str>) -> Child {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["victim", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(ROLE, format!("{role} {}", self.name));
        command.env("PAGEMATE_DIR", self.place.path());
        command.envs(fault.map(|fault| ("PAGEMATE_FAULT", fault)));
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        self.started += 1;
        let end = Instant::now() + LONG;
        while self.board.lives.load(Ordering::Relaxed) < self.started && fault.is_none() {
            assert!(Instant::now() < end, "the victim has no endpoint");
            assert_eq!(child.try_wait().unwrap(), None, "the victim has ended");
            std::thread::sleep(Duration::from_micros(200));
        }
        child
    }

    pub(crate) fn done(&self) -> u64 {
        self.board.done.load(Ordering::Acquire)
    }

    /// Waits until the victim has noted at least `count` messages.
    pub(crate) fn wait_until_done(&self, count: u64) {
        let end = Instant::now() + LONG;
        while self.done() < count {
            assert!(Instant::now() < end, "{} of {count}", self.done());
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Kills a victim without reaping it, so that it is a zombie.
pub(crate) fn kill(child: &Child) {
    signal(child, Signal::KILL);
    wait_for_state(child, 'Z');
    // The first thread is a zombie. The kernel frees the locks when the last one has ended.
    let end = Instant::now() + LONG;
    let tasks = format!("/proc/{}/task", child.id());
    while std::fs::read_dir(&tasks).unwrap().count() > 1 {
        assert!(Instant::now() < end, "the victim has live threads");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Waits until the process has this state in `/proc`.
pub(crate) fn wait_for_state(child: &Child, state: char) {
    let end = Instant::now() + LONG;
    let stat = format!("/proc/{}/stat", child.id());
    while !std::fs::read_to_string(&stat).unwrap().contains(&format!(") {state} ")) {
        assert!(Instant::now() < end, "the victim is not in state {state}");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Waits until the victim has ended at its point. Returns false if it has its endpoint and has not come to the
/// point within half a second.
#[cfg(pagemate_fault)]
pub(crate) fn ended(scene: &Scene, victim: &mut Child) -> bool {
    let has_ended = |victim: &mut Child, end: Instant, is_over: &dyn Fn() -> bool| {
        while Instant::now() < end && !is_over() {
            if victim.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    };
    let is_open = || scene.board.lives.load(Ordering::Relaxed) >= scene.started;
    has_ended(victim, Instant::now() + LONG, &is_open)
        || has_ended(victim, Instant::now() + Duration::from_millis(500), &|| false)
}

/// The number of kills at random moments. `cargo xtask channels` makes more of them.
pub(crate) const ROUNDS: u64 = 40;

/// Waits for a moment that differs from round to round.
pub(crate) fn random_pause(round: u64) {
    let random = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52;
    std::thread::sleep(Duration::from_micros(random));
}
