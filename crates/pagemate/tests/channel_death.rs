//! Kills, stops and forks processes that send and receive on a channel.
//!
//! Each message has a number and a checksum, and each process stores its progress in memory that
//! the test reads. The tests therefore find messages that are lost, repeated, reordered or torn.
//! `cargo xtask faults` also kills a process at every fault point, and `cargo xtask channels` kills and stops
//! processes in many more rounds.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "fork(2)")]
#![allow(clippy::print_stdout, reason = "measured delays")]

mod harness;

use std::env;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::Place;
use pagemate::channel::spsc::{Receiver, Sender};
use pagemate::channel::{Options, RecvError, SendError};
use pagemate::{ErrorKind, Shareable, Shared};
use rustix::process::{Pid, Signal, kill_process};

/// The variable that makes this process a victim: the role and the name of the channel.
const ROLE: &str = "PAGEMATE_TEST_CHANNEL";

const LONG: Duration = Duration::from_secs(30);

/// The time between two tests of an endpoint whether its peers are alive.
const LIVENESS_INTERVAL: Duration = Duration::from_millis(100);

/// The limit for the time in which a survivor is blocked. A survivor tests the liveness of its peer
/// every 100 ms; the rest is a margin for a busy machine.
const SURVIVOR_LIMIT: Duration = Duration::from_secs(5);

const CAPACITY: usize = 8;

type Message = [u64; 8];

/// The progress of the victims.
#[derive(Shareable)]
#[repr(C)]
struct Board {
    /// The number of victims that have opened their endpoint.
    lives: AtomicU64,
    /// The number of messages that the present victim has sent or received.
    done: AtomicU64,
}

fn message(life: u64, number: u64) -> Message {
    let mut message = [life, number, 0, 0, 0, 0, 0, 0];
    for i in 2..8 {
        message[i] =
            (message[i - 1] ^ message[i - 2]).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i as u64;
    }
    message
}

/// Checks the checksum of a message, and returns the number of the victim that sent it and its own
/// number.
fn checked(found: Message) -> (u64, u64) {
    assert_eq!(found, message(found[0], found[1]), "a torn message");
    (found[0], found[1])
}

/// The main function of a victim. The test harness of each process runs it.
#[test]
fn victim() {
    let Ok(role) = env::var(ROLE) else { return };
    let (role, name) = role.split_once(' ').unwrap();
    let board = Shared::<Board>::open(format!("{name}-board")).unwrap();
    board.done.store(0, Ordering::Relaxed);
    if role == "receive" {
        let mut receiver = Receiver::<Message>::open(name).unwrap();
        board.lives.fetch_add(1, Ordering::Relaxed);
        while let Ok(found) = receiver.recv() {
            board.done.store(checked(found).1 + 1, Ordering::Release);
        }
        return;
    }
    let mut sender = Sender::<Message>::open(name).unwrap();
    let life = board.lives.fetch_add(1, Ordering::Relaxed) + 1;
    let len = if role == "batch" { 3 } else { 1 };
    for number in (0..).step_by(len) {
        let messages: Vec<Message> =
            (number..number + len as u64).map(|number| message(life, number)).collect();
        let sent = match &messages[..] {
            [message] => sender.send(message),
            batch => sender.send_all(batch),
        };
        if sent.is_err() {
            return;
        }
        board.done.store(number + len as u64, Ordering::Release);
    }
}

struct Scene {
    place: Place,
    name: String,
    board: Shared<Board>,
    /// The number of victims that were started.
    started: u64,
}

impl Scene {
    fn new(what: &str) -> Scene {
        let place = Place::new(what);
        // SAFETY: no other thread reads the environment at the same time, and all tests of this
        // program set the same value.
        unsafe { env::set_var("PAGEMATE_DIR", place.path()) };
        let name = harness::unique(what);
        let board = Shared::open_or_create(format!("{name}-board")).unwrap();
        Scene { place, name, board, started: 0 }
    }

    /// Starts a victim, and waits until it has opened its endpoint or has ended.
    fn start(&mut self, role: &str, fault: Option<&str>) -> Child {
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

    fn done(&self) -> u64 {
        self.board.done.load(Ordering::Acquire)
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Kills a victim without reaping it, so that it is a zombie.
fn kill(child: &Child) {
    signal(child, Signal::KILL);
    let end = Instant::now() + LONG;
    let stat = format!("/proc/{}/stat", child.id());
    while !std::fs::read_to_string(&stat).unwrap().contains(") Z ") {
        assert!(Instant::now() < end, "the victim is not dead");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// The number of kills at random moments. `cargo xtask channels` makes more of them.
const ROUNDS: u64 = 40;

/// Waits for a time that differs from round to round.
fn random_pause(round: u64) {
    let random = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52;
    std::thread::sleep(Duration::from_micros(random));
}

/// Receives all messages that a dead sender has sent, and returns their number.
fn drain_life(receiver: &mut Receiver<Message>, life: u64, mut next: u64) -> u64 {
    loop {
        match receiver.recv_timeout(LONG) {
            Ok(found) => {
                assert_eq!(checked(found), (life, next), "lost, repeated or reordered");
                next += 1;
            }
            Err(RecvError::Disconnected) => return next,
            Err(error) => panic!("{error}"),
        }
    }
}

fn senders_die() {
    let mut scene = Scene::new("channel-senders");
    let mut options = Options::new();
    let mut receiver: Receiver<Message> =
        options.capacity(CAPACITY).create_new(&scene.name).unwrap();
    let mut longest = Duration::ZERO;
    for round in 0..ROUNDS {
        let victim = scene.start("send", None);
        let life = scene.started;
        let mut next = 0;
        if round % 2 == 0 {
            // In most rounds the sender is killed while messages flow, and in the others while it
            // waits for a free slot.
            for _ in 0..round % 50 {
                assert_eq!(checked(receiver.recv_timeout(LONG).unwrap()), (life, next));
                next += 1;
            }
        }
        random_pause(round);
        assert!(receiver.has_sender().unwrap());
        kill(&victim);
        let start = Instant::now();
        let sent = drain_life(&mut receiver, life, next);
        longest = longest.max(start.elapsed());
        let done = scene.done();
        assert!(sent == done || sent == done + 1, "{sent} received of {done} sent");
        assert!(!receiver.has_sender().unwrap(), "a zombie counts as alive");
        reap(victim);
    }
    assert!(longest < SURVIVOR_LIMIT, "{longest:?}");
    println!("a receiver waited for a dead sender for at most {longest:?}");
}

fn reap(mut victim: Child) {
    victim.wait().unwrap();
}

fn receivers_die() {
    let mut scene = Scene::new("channel-receivers");
    let mut options = Options::new();
    let mut sender: Sender<Message> = options.capacity(CAPACITY).create_new(&scene.name).unwrap();
    let mut number = 0;
    let mut received = 0;
    let mut longest = Duration::ZERO;
    for round in 0..ROUNDS {
        let victim = scene.start("receive", None);
        for _ in 0..round % 50 {
            sender.send_timeout(&message(0, number), LONG).unwrap();
            number += 1;
        }
        random_pause(round);
        kill(&victim);
        let start = Instant::now();
        // Every slot can be used: without a receiver the channel stores as many messages as it has
        // slots.
        while let Ok(()) = sender.send(&message(0, number)) {
            number += 1;
        }
        longest = longest.max(start.elapsed());
        assert_eq!(sender.send(&message(0, number)), Err(SendError::Disconnected));
        let done = scene.done().max(received);
        let pending = sender.len() as u64;
        assert_eq!(pending, CAPACITY as u64);
        let finished = number - pending;
        assert!(finished == done || finished == done + 1, "{finished} finished of {done} received");
        received = finished;
        reap(victim);
    }
    assert!(longest < SURVIVOR_LIMIT, "{longest:?}");
    println!("a sender waited for a dead receiver for at most {longest:?}");
}

#[test]
fn processes_killed_at_random_lose_and_repeat_nothing() {
    if env::var(ROLE).is_err() {
        senders_die();
        receivers_die();
        rare_polls_find_a_dead_peer();
        stopped_processes_are_alive();
        a_forked_child_has_no_endpoint();
        a_forked_child_leaves_the_loan_and_the_sample_of_its_parent_alone();
        #[cfg(pagemate_fault)]
        faults::every_point_leaves_a_state_that_a_successor_continues();
    }
}

/// A program that polls rarely asks the kernel in each call, although frequent polls read the clock only now and
/// then.
fn rare_polls_find_a_dead_peer() {
    let mut scene = Scene::new("channel-rare");
    let mut options = Options::new();
    let mut sender: Sender<Message> = options.capacity(CAPACITY).create_new(&scene.name).unwrap();
    let victim = scene.start("receive", None);
    kill(&victim);
    reap(victim);
    while sender.try_send(&message(0, 0)).is_ok() {}
    let polls = (0..20).find(|_| {
        std::thread::sleep(LIVENESS_INTERVAL);
        sender.try_send(&message(0, 0)) == Err(SendError::Disconnected)
    });
    assert!(polls.is_some(), "a sender does not find that its receiver is dead");
    drop(sender);
    let mut receiver: Receiver<Message> = options.create_new(&scene.name).unwrap();
    let victim = scene.start("send", None);
    kill(&victim);
    reap(victim);
    while receiver.try_recv().is_ok() {}
    let polls = (0..20).find(|_| {
        std::thread::sleep(LIVENESS_INTERVAL);
        receiver.try_recv() == Err(RecvError::Disconnected)
    });
    assert!(polls.is_some(), "a receiver does not find that its sender is dead");
}

fn stopped_processes_are_alive() {
    let mut scene = Scene::new("channel-stop");
    let mut receiver = Receiver::<Message>::create_new(&scene.name).unwrap();
    let victim = scene.start("send", None);
    signal(&victim, Signal::STOP);
    let life = scene.started;
    let mut next = 0;
    while let Ok(found) = receiver.recv_timeout(Duration::from_millis(300)) {
        assert_eq!(checked(found), (life, next));
        next += 1;
    }
    assert_eq!(receiver.recv_timeout(Duration::from_millis(300)), Err(RecvError::TimedOut));
    assert!(receiver.has_sender().unwrap());
    let second = Sender::<Message>::open(&scene.name).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::AlreadyExists);
    signal(&victim, Signal::CONT);
    assert_eq!(checked(receiver.recv_timeout(LONG).unwrap()), (life, next));
    kill(&victim);
    drain_life(&mut receiver, life, next + 1);
    reap(victim);
    // The next sender continues.
    let mut sender = Sender::<Message>::open(&scene.name).unwrap();
    sender.send(&message(7, 7)).unwrap();
    assert_eq!(checked(receiver.recv().unwrap()), (7, 7));
}

fn a_forked_child_has_no_endpoint() {
    let scene = Scene::new("channel-fork");
    let mut sender = Sender::<Message>::create_new(&scene.name).unwrap();
    let mut receiver = Receiver::<Message>::open(&scene.name).unwrap();
    // SAFETY: the child only calls functions of pagemate that allocate nothing, and ends itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let refused = sender.try_send(&message(0, 0)) == Err(SendError::Forked)
            && receiver.try_recv() == Err(RecvError::Forked);
        drop((sender, receiver));
        // SAFETY: _exit ends this process.
        unsafe { libc::_exit(i32::from(!refused)) };
    }
    let mut status = 0;
    // SAFETY: `child` is a child of this process, and `status` is a local variable.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child used its parent's endpoint");
    assert!(sender.has_receiver().unwrap() && receiver.has_sender().unwrap());
    sender.send(&message(1, 1)).unwrap();
    assert_eq!(checked(receiver.recv().unwrap()), (1, 1));
}

fn a_forked_child_leaves_the_loan_and_the_sample_of_its_parent_alone() {
    let scene = Scene::new("channel-fork-loan");
    let mut sender = Sender::<Message>::create_new(&scene.name).unwrap();
    let mut receiver = Receiver::<Message>::open(&scene.name).unwrap();
    sender.send(&message(1, 1)).unwrap();
    let mut loan = sender.loan().unwrap();
    loan.write(&message(2, 2));
    let sample = receiver.sample().unwrap();
    // SAFETY: the child only calls functions of pagemate that allocate nothing, and ends itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let refused =
            loan.send() == Err(SendError::Forked) && sample.finish() == Err(RecvError::Forked);
        // SAFETY: _exit ends this process.
        unsafe { libc::_exit(i32::from(!refused)) };
    }
    let mut status = 0;
    // SAFETY: `child` is a child of this process, and `status` is a local variable.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child sent its parent's loan, or finished its parent's sample");
    assert_eq!(checked(sample.read()), (1, 1));
    assert_eq!(sample.finish(), Ok(()));
    assert_eq!(receiver.try_recv().map(checked), Err(RecvError::Empty), "the child sent the loan");
    assert_eq!(loan.send(), Ok(()));
    assert_eq!(checked(receiver.recv().unwrap()), (2, 2));
}

#[cfg(pagemate_fault)]
mod faults {
    use super::*;

    pub(super) fn every_point_leaves_a_state_that_a_successor_continues() {
        let mut points = harness::fault_points("src/channel");
        // The others belong to other kinds of channels.
        points.retain(|point| point.starts_with("channel-"));
        assert!(points.len() >= 7, "{points:?}");
        for point in points {
            let mut hits = 0;
            for role in ["send", "batch", "receive"] {
                hits += u32::from(kill_at(role, &point));
            }
            assert!(hits > 0, "{point}: no process came here");
        }
    }

    /// Kills a victim at the point, and returns whether it reached the point. The next process then
    /// continues.
    fn kill_at(role: &str, point: &str) -> bool {
        let mut scene = Scene::new("channel-point");
        let fault = format!("{point}:kill");
        if role != "receive" {
            let mut receiver: Receiver<Message> =
                Options::new().capacity(CAPACITY).create_new(&scene.name).unwrap();
            let mut victim = scene.start(role, Some(&fault));
            // The receiver sleeps when the first message arrives. Later it does not receive, so
            // that the sender sleeps.
            let mut next = 0;
            let mut waited = Duration::ZERO;
            while next < 3 * CAPACITY as u64 && victim.try_wait().unwrap().is_none() {
                let start = Instant::now();
                if let Ok(found) = receiver.recv_timeout(Duration::from_millis(50)) {
                    assert_eq!(checked(found), (1, next));
                    next += 1;
                }
                waited = waited.max(start.elapsed());
            }
            let hit = ended(&mut victim);
            if !hit {
                kill(&victim);
            }
            let sent = drain_life(&mut receiver, 1, next);
            assert!(sent.abs_diff(scene.done()) <= 3);
            reap(victim);
            scene.board.lives.store(scene.started, Ordering::Relaxed);
            let successor = scene.start(role, None);
            for number in 0..20 {
                let found = receiver.recv_timeout(LONG).unwrap();
                assert_eq!(checked(found), (scene.started, number));
            }
            kill(&successor);
            reap(successor);
            return hit;
        }
        let mut sender: Sender<Message> =
            Options::new().capacity(CAPACITY).create_new(&scene.name).unwrap();
        let mut victim = scene.start(role, Some(&fault));
        let mut number = 0;
        while number < 5 * CAPACITY as u64
            && sender.send_timeout(&message(0, number), Duration::from_secs(2)).is_ok()
        {
            number += 1;
        }
        let hit = ended(&mut victim);
        if !hit {
            kill(&victim);
        }
        while sender.send(&message(0, number)).is_ok() {
            number += 1;
        }
        reap(victim);
        let finished = number - sender.len() as u64;
        assert!(finished.abs_diff(scene.done()) <= 1, "{finished} of {}", scene.done());
        let mut receiver = Receiver::<Message>::open(&scene.name).unwrap();
        for expected in finished..number {
            assert_eq!(checked(receiver.recv_timeout(LONG).unwrap()), (0, expected));
        }
        hit
    }

    /// Waits until the victim has ended at its point. Returns false if it does not reach the point.
    fn ended(victim: &mut Child) -> bool {
        let end = Instant::now() + Duration::from_millis(500);
        while Instant::now() < end {
            if victim.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }
}
