//! Kills and stops processes that send and receive on one mpmc channel.
//!
//! Several senders number their messages in each round, and several receivers note every message on a board
//! before they finish it. So the tests find messages that are lost, repeated, reordered or torn.
//! `cargo xtask faults` also kills a process at every fault point, and `cargo xtask channels` kills and stops
//! processes in many more rounds.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "sets a variable of the environment, and fork(2)")]
#![allow(clippy::print_stdout, reason = "measured delays")]

mod harness;

use std::env;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::Place;
use pagemate::channel::mpmc::{Receiver, Sender};
use pagemate::channel::{Options, RecvError, SendError};
use pagemate::{Shareable, Shared};
use rustix::process::{Pid, Signal, kill_process};

/// The variable that makes this process a victim: its role, its number and the name of the channel.
const ROLE: &str = "PAGEMATE_TEST_CHANNEL_MPMC";

const LONG: Duration = Duration::from_secs(30);

/// A survivor is blocked for at most one test interval of 100 ms. The rest is for a busy machine.
const SURVIVOR_LIMIT: Duration = Duration::from_secs(5);

/// A receiver that finds nothing for so long has looked for messages of dead receivers.
const IDLE: Duration = Duration::from_millis(250);

const CAPACITY: usize = 16;

/// The number of senders, and of receivers.
const SIDE: usize = 3;

/// The number of messages of a sender in one round.
const NUMBERS: usize = 3000;

const BATCH: usize = 3;

type Message = [u64; 8];

/// The note of a victim that takes part in a round.
const BUSY: u64 = u64::MAX;

/// A delivery of a message that is not marked as delivered again. Marked ones are counted above it.
const FIRST: u32 = 1;
const AGAIN: u32 = 1 << 16;

/// The notes of the victims.
#[derive(Shareable)]
#[repr(C)]
struct Board {
    /// The number of the round, and 0 while the senders and receivers rest.
    round: AtomicU64,
    /// The number of the round in which receivers rest when the channel is empty.
    rest: AtomicU64,
    /// The round after which a victim rests, or `BUSY`. Senders come before receivers.
    resting: [AtomicU64; 2 * SIDE],
    /// The numbers of messages for which `send` has returned in this round, by sender.
    done: [AtomicU64; SIDE],
    /// The deliveries of each message of this round.
    counts: [[AtomicU32; NUMBERS]; SIDE],
}

fn message(sender: usize, round: u64, number: u64) -> Message {
    let mut message = [sender as u64, round, number, 0, 0, 0, 0, 0];
    for i in 3..8 {
        message[i] =
            (message[i - 1] ^ message[i - 2]).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i as u64;
    }
    message
}

/// Returns sender, round and number of a message that is whole.
fn checked(found: Message) -> (usize, u64, u64) {
    let sender = usize::try_from(found[0]).unwrap();
    assert_eq!(found, message(sender, found[1], found[2]), "a torn message");
    (sender, found[1], found[2])
}

/// The main function of a victim. The test harness of each process runs it.
#[test]
fn victim() {
    let Ok(role) = env::var(ROLE) else { return };
    let mut words = role.splitn(3, ' ');
    let mut next = || words.next().unwrap();
    let (role, number, name) = (next(), next().parse().unwrap(), next());
    let board = Shared::<Board>::open(format!("{name}-board")).unwrap();
    match role {
        "send" => send(&board, number, name, 1),
        "send-batch" => send(&board, number, name, BATCH),
        "sample" => receive(&board, number, name, false),
        _ => receive(&board, number, name, true),
    }
}

/// Waits for the next round, and returns its number.
fn next_round(board: &Board, victim: usize, after: u64) -> u64 {
    board.resting[victim].store(after, Ordering::Release);
    loop {
        let round = board.round.load(Ordering::Acquire);
        if round > after {
            board.resting[victim].store(BUSY, Ordering::Release);
            return round;
        }
        thread::sleep(Duration::from_micros(200));
    }
}

fn send(board: &Board, sender: usize, name: &str, batch: usize) {
    let mut endpoint = Sender::<Message>::open(name).unwrap();
    let mut round = board.resting[sender].load(Ordering::Relaxed);
    loop {
        round = next_round(board, sender, round);
        for first in (0..NUMBERS - BATCH).step_by(batch) {
            if board.round.load(Ordering::Relaxed) != round {
                break;
            }
            let messages: Vec<Message> = (first..first + batch)
                .map(|number| message(sender, round, number as u64))
                .collect();
            match &messages[..] {
                [message] if first % 5 == 0 => {
                    drop(endpoint.loan().unwrap());
                    let mut loan = endpoint.loan().unwrap();
                    loan.write(message);
                    loan.send().unwrap();
                }
                [message] => endpoint.send(message).unwrap(),
                batch => endpoint.send_all(batch).unwrap(),
            }
            board.done[sender].store((first + batch) as u64, Ordering::Release);
        }
    }
}

fn receive(board: &Board, victim: usize, name: &str, in_batches: bool) {
    let mut endpoint = Receiver::<Message>::open(name).unwrap();
    let mut round = board.resting[victim].load(Ordering::Relaxed);
    let mut batch = Vec::new();
    loop {
        round = next_round(board, victim, round);
        let mut last = [None; SIDE];
        let mut note = |found, again: bool| {
            let (sender, of_round, number) = checked(found);
            assert_eq!(of_round, round, "a message of an old round");
            if !again {
                assert!(Some(number) > last[sender], "{number} of {sender} after {last:?}");
                last[sender] = Some(number);
            }
            let count = &board.counts[sender][usize::try_from(number).unwrap()];
            count.fetch_add(if again { AGAIN } else { FIRST }, Ordering::Release);
        };
        loop {
            if in_batches {
                match endpoint.try_recv_many(&mut batch, BATCH + 1) {
                    Ok(_) => {
                        let again = endpoint.redelivered();
                        batch.drain(..).for_each(|found| note(found, again));
                        continue;
                    }
                    Err(RecvError::Empty) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            match endpoint.sample_timeout(IDLE) {
                Ok(sample) => note(sample.read(), sample.redelivered()),
                Err(RecvError::TimedOut) if board.rest.load(Ordering::Acquire) == round => break,
                Err(RecvError::TimedOut) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

struct Scene {
    place: Place,
    name: String,
    board: Shared<Board>,
    /// Endpoints of this process, which take no part in the rounds.
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    victims: Vec<Option<Child>>,
    roles: [&'static str; 2 * SIDE],
    round: u64,
    longest: Duration,
}

impl Scene {
    fn new(what: &str, roles: [&'static str; 2 * SIDE]) -> Scene {
        let place = Place::new(what);
        // SAFETY: no test of this program reads the environment at the same time: all use this place.
        unsafe { env::set_var("PAGEMATE_DIR", place.path()) };
        let name = harness::unique(what);
        let board = Shared::open_or_create(format!("{name}-board")).unwrap();
        let sender = Options::new().capacity(CAPACITY).create_new(&name).unwrap();
        let receiver = Receiver::open(&name).unwrap();
        let victims = (0..2 * SIDE).map(|_| None).collect();
        let longest = Duration::ZERO;
        Scene { place, name, board, sender, receiver, victims, roles, round: 0, longest }
    }

    /// Starts a victim, which takes part in the first round after round `after`.
    fn start(&mut self, victim: usize, fault: Option<&str>, after: u64) {
        self.board.resting[victim].store(after, Ordering::Relaxed);
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["victim", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(ROLE, format!("{} {victim} {}", self.roles[victim], self.name));
        command.env("PAGEMATE_DIR", self.place.path());
        command.env_remove("PAGEMATE_FAULT");
        command.envs(fault.map(|fault| ("PAGEMATE_FAULT", fault)));
        self.victims[victim] = Some(command.stdout(Stdio::null()).spawn().unwrap());
    }

    fn start_missing(&mut self) {
        for victim in 0..2 * SIDE {
            if self.victims[victim].is_none() {
                self.start(victim, None, self.round);
            }
        }
    }

    /// Lets the senders and receivers begin a round.
    fn begin(&mut self) {
        self.board.counts.iter().flatten().for_each(|count| count.store(0, Ordering::Relaxed));
        self.board.done.iter().for_each(|done| done.store(0, Ordering::Relaxed));
        self.round += 1;
        self.board.round.store(self.round, Ordering::Release);
        self.wait_until_busy();
    }

    /// Waits until all victims take part in the round.
    fn wait_until_busy(&mut self) {
        let rests = |victim: usize| self.board.resting[victim].load(Ordering::Acquire) < self.round;
        let end = Instant::now() + LONG;
        for (victim, child) in self.victims.iter_mut().enumerate() {
            while let Some(child) = child
                && rests(victim)
                && child.try_wait().unwrap().is_none()
            {
                assert!(Instant::now() < end, "victim {victim} does not begin");
                thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Waits until some messages of this round have arrived.
    fn wait_for_traffic(&self) {
        let end = Instant::now() + LONG;
        let arrived = || self.board.counts.iter().flatten().any(|c| c.load(Ordering::Acquire) > 0);
        while !arrived() {
            assert!(Instant::now() < end, "no message arrives");
            thread::sleep(Duration::from_micros(100));
        }
    }

    /// Kills a victim without reaping it, waits until it is a zombie, and returns it.
    fn kill(&mut self, victim: usize) -> Child {
        let child = self.victims[victim].take().unwrap();
        signal(&child, Signal::KILL);
        wait_for_zombie(&child);
        child
    }

    /// Ends the round: waits until all messages have arrived and the victims rest, and checks the
    /// deliveries. `dead` receivers were killed, and with them at most `lost` messages that they had
    /// received in batches and not noted.
    fn end(&mut self, dead_receivers: u32, lost: usize) {
        let start = Instant::now();
        self.board.round.store(0, Ordering::Release);
        self.wait_for_rest(0..SIDE);
        let missing = || -> usize {
            let of_sender = |sender: usize| {
                let done =
                    usize::try_from(self.board.done[sender].load(Ordering::Acquire)).unwrap();
                let counts = &self.board.counts[sender][..done];
                counts.iter().filter(|count| count.load(Ordering::Acquire) == 0).count()
            };
            (0..SIDE).map(of_sender).sum()
        };
        while missing() > lost {
            assert!(start.elapsed() < LONG, "{} messages are lost", missing());
            thread::sleep(Duration::from_micros(100));
        }
        self.longest = self.longest.max(start.elapsed());
        self.board.rest.store(self.round, Ordering::Release);
        self.wait_for_rest(SIDE..2 * SIDE);
        self.check(dead_receivers);
        self.fill();
    }

    fn wait_for_rest(&mut self, victims: std::ops::Range<usize>) {
        let end = Instant::now() + LONG;
        for victim in victims {
            while let Some(child) = &mut self.victims[victim]
                && self.board.resting[victim].load(Ordering::Acquire) != self.round
            {
                assert_eq!(child.try_wait().unwrap(), None, "victim {victim} has failed");
                assert!(Instant::now() < end, "victim {victim} does not rest");
                thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Checks that each message was delivered once, and once more at most if it is marked.
    fn check(&self, dead_receivers: u32) {
        let mut again = 0;
        for sender in 0..SIDE {
            let done = self.board.done[sender].load(Ordering::Acquire);
            let mut later = Vec::new();
            for (number, count) in (0..).zip(&self.board.counts[sender]) {
                let count = count.load(Ordering::Acquire);
                assert!(count % AGAIN <= FIRST, "message {number} of {sender} came twice");
                again += count / AGAIN;
                if number >= done && count > 0 {
                    later.push(number - done);
                }
            }
            // The sender died before it noted its last call.
            let is_call = later.len() <= BATCH && later.iter().copied().eq(0..later.len() as u64);
            assert!(is_call, "{later:?} of {sender}");
        }
        let most = dead_receivers * (u32::try_from(BATCH).unwrap() + 1);
        assert!(again <= most, "{again} deliveries again");
    }

    /// Checks that every slot is usable.
    fn fill(&mut self) {
        for lap in 0..2 {
            for number in 0..CAPACITY {
                let sent = self.sender.try_send(&message(9, lap, number as u64));
                assert_eq!(sent, Ok(()), "slot {number} did not come back");
            }
            assert_eq!(self.sender.try_send(&message(9, 0, 0)), Err(SendError::Full));
            for number in 0..CAPACITY {
                assert_eq!(checked(self.receiver.try_recv().unwrap()), (9, lap, number as u64));
                assert!(!self.receiver.redelivered());
            }
            assert_eq!(self.receiver.try_recv(), Err(RecvError::Empty));
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for mut victim in self.victims.drain(..).flatten() {
            _ = victim.kill();
            _ = victim.wait();
        }
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn wait_for_zombie(child: &Child) {
    let end = Instant::now() + LONG;
    let stat = format!("/proc/{}/stat", child.id());
    while !std::fs::read_to_string(&stat).unwrap().contains(") Z ") {
        assert!(Instant::now() < end, "the victim is not dead");
        thread::sleep(Duration::from_micros(100));
    }
}

fn reap(mut child: Child) {
    child.wait().unwrap();
}

/// The number of kills at random moments. `cargo xtask channels` makes more of them.
const ROUNDS: u64 = 30;

/// Returns a number that differs from round to round.
fn random(round: u64) -> u64 {
    round.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

const ROLES: [&str; 2 * SIDE] = ["send", "send-batch", "send", "sample", "batch", "sample"];

/// The number of messages that a killed receiver may have received without a note.
fn lost_by(victim: usize) -> usize {
    if ROLES[victim] == "batch" { BATCH + 1 } else { 0 }
}

#[test]
fn processes_killed_at_random_lose_and_repeat_nothing() {
    if env::var(ROLE).is_err() {
        random_kills();
        a_stopped_process_is_alive();
        a_forked_child_has_no_endpoint();
        an_exit_without_drop_is_a_death();
        a_new_receiver_takes_the_messages_of_dead_ones_first();
        foreign_bytes_are_reported_or_survived_and_no_call_hangs();
        #[cfg(pagemate_fault)]
        faults::every_point_leaves_a_state_that_others_repair();
    }
}

fn random_kills() {
    let mut scene = Scene::new("mpmc-kills", ROLES);
    scene.start_missing();
    for round in 0..ROUNDS {
        let random = random(round);
        scene.begin();
        scene.wait_for_traffic();
        thread::sleep(Duration::from_micros(random % 4096));
        // One victim, or two.
        let mut dead = vec![usize::try_from(random >> 12).unwrap() % (2 * SIDE)];
        if round % 4 == 3 {
            dead.push((dead[0] + 1 + usize::try_from(random >> 20).unwrap() % 5) % (2 * SIDE));
        }
        let zombies: Vec<Child> = dead.iter().map(|victim| scene.kill(*victim)).collect();
        let receivers = dead.iter().filter(|victim| **victim >= SIDE).count();
        scene.end(receivers.try_into().unwrap(), dead.iter().map(|victim| lost_by(*victim)).sum());
        zombies.into_iter().for_each(reap);
        scene.start_missing();
    }
    println!("all messages arrived at most {:?} after a death", scene.longest);
    assert!(scene.longest < SURVIVOR_LIMIT, "{:?}", scene.longest);
}

/// The others go on as far as the order permits, and everything goes on when the process does.
fn a_stopped_process_is_alive() {
    let mut scene = Scene::new("mpmc-stop", ROLES);
    scene.start_missing();
    for victim in 0..2 * SIDE {
        scene.begin();
        scene.wait_for_traffic();
        let child = scene.victims[victim].as_ref().unwrap();
        signal(child, Signal::STOP);
        thread::sleep(Duration::from_millis(150));
        signal(child, Signal::CONT);
        scene.end(0, 0);
    }
}

fn a_forked_child_has_no_endpoint() {
    let mut scene = Scene::new("mpmc-fork", ROLES);
    let Scene { sender, receiver, .. } = &mut scene;
    sender.send(&message(1, 1, 1)).unwrap();
    let sample = receiver.sample().unwrap();
    // SAFETY: the child only calls functions of pagemate that allocate nothing, and ends itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let refused = sender.try_send(&message(0, 0, 0)) == Err(SendError::Forked);
        // SAFETY: _exit ends this process.
        unsafe { libc::_exit(i32::from(!refused)) };
    }
    let mut status = 0;
    // SAFETY: the child is this process's, and `status` is a local.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child used its parent's endpoint");
    assert_eq!(checked(sample.read()), (1, 1, 1));
    drop(sample);
    scene.fill();
}

fn an_exit_without_drop_is_a_death() {
    let mut scene = Scene::new("mpmc-exit", ROLES);
    scene.sender.send(&message(1, 1, 1)).unwrap();
    // SAFETY: the child has one thread, opens endpoints of its own, and ends itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut receiver = Receiver::<Message>::open(&scene.name).unwrap();
        let mut sender = Sender::<Message>::open(&scene.name).unwrap();
        std::mem::forget(receiver.sample().unwrap());
        std::mem::forget(sender.loan().unwrap());
        // SAFETY: _exit ends this process.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: the child is this process's, and `status` is a local.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    scene.sender.send(&message(1, 1, 2)).unwrap();
    // The second message is behind the slot of the dead sender.
    let mut found: Vec<(u64, bool)> = (0..2)
        .map(|_| {
            let found = checked(scene.receiver.recv_timeout(LONG).unwrap()).2;
            (found, scene.receiver.redelivered())
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, [(1, true), (2, false)]);
    scene.fill();
}

/// The first receiver that opens after a death gets the message of the dead receiver before newer ones.
fn a_new_receiver_takes_the_messages_of_dead_ones_first() {
    let mut scene = Scene::new("mpmc-new", ROLES);
    for number in 1..=2 {
        scene.sender.send(&message(1, 1, number)).unwrap();
    }
    // SAFETY: the child has one thread, opens an endpoint of its own, and ends itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut receiver = Receiver::<Message>::open(&scene.name).unwrap();
        let mut batch = Vec::new();
        receiver.recv_many(&mut batch, 1).unwrap();
        std::mem::forget(receiver.sample().unwrap());
        // SAFETY: _exit ends this process.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: the child is this process's, and `status` is a local.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    scene.sender.send(&message(1, 1, 3)).unwrap();
    let mut receiver = Receiver::<Message>::open(&scene.name).unwrap();
    for expected in [(2, true), (3, false)] {
        let found = checked(receiver.try_recv().unwrap()).2;
        assert_eq!((found, receiver.redelivered()), expected);
    }
    drop(receiver);
    scene.fill();
}

/// Another program writes random bytes while senders and receivers use the channel.
fn foreign_bytes_are_reported_or_survived_and_no_call_hangs() {
    let scene = Scene::new("mpmc-foreign", ROLES);
    let name = &harness::unique("mpmc-foreign-channel");
    let mut options = Options::new();
    options.capacity(8).await_successor(true);
    let mut first: Sender<u64> = options.create_new(name).unwrap();
    let files = scene.place.files();
    let path = files.iter().find(|path| path.to_str().unwrap().contains(name)).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    let end = Instant::now() + Duration::from_millis(1500);
    let stop = &AtomicBool::new(false);
    thread::scope(|scope| {
        let options = &options;
        for _ in 0..2 {
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let Ok(mut sender) = options.open::<Sender<u64>>(name) else { continue };
                    for _ in 0..100 {
                        _ = sender.try_send(&1);
                        _ = sender.try_send_many(&[1, 2, 3]);
                        _ = sender.send_timeout(&1, Duration::from_millis(1));
                        drop(sender.try_loan());
                    }
                }
            });
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let Ok(mut receiver) = options.open::<Receiver<u64>>(name) else { continue };
                    let mut into = Vec::new();
                    for _ in 0..100 {
                        _ = receiver.try_recv();
                        _ = receiver.try_recv_many(&mut into, 5);
                        _ = receiver.recv_timeout(Duration::from_millis(1));
                        into.clear();
                    }
                }
            });
        }
        let mut random = 1_u64;
        while Instant::now() < end {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // Everything behind the fields that the creator wrote: flags, hints, places and slots.
            let at = 128 + (random >> 33) % 2700;
            let byte = random.to_le_bytes()[3];
            // Small values are more often valid in part.
            let byte = if random & 1 == 0 { byte } else { byte & 3 };
            file.write_all_at(&[byte], at).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    _ = first.try_send(&1);
}

#[cfg(pagemate_fault)]
mod faults {
    use super::*;

    pub(super) fn every_point_leaves_a_state_that_others_repair() {
        let mut points = harness::fault_points("src/channel/mpmc");
        points.extend(
            ["channel-after-claim", "channel-before-sleep", "channel-before-wake"]
                .map(str::to_owned),
        );
        assert!(points.len() >= 12, "{points:?}");
        for point in points {
            let hits: u32 = (0..2 * SIDE).map(|victim| u32::from(kill_at(victim, &point))).sum();
            assert!(hits > 0, "{point}: no process came here");
        }
    }

    /// Lets a victim die at the point while the others go on, and returns whether it did.
    fn kill_at(victim: usize, point: &str) -> bool {
        let mut scene = Scene::new("mpmc-point", ROLES);
        let fault = format!("{point}:kill");
        // The victim repairs the slot of a receiver that dies before, and no other process is there.
        let repairs = ["mpmc-in-repair", "mpmc-before-return"].contains(&point);
        let mut died = 0;
        if repairs {
            let first = if victim == 3 { 5 } else { 3 };
            scene.start(first, Some("mpmc-before-finish:kill"), 0);
            scene.begin();
            let sender = (victim + 1) % SIDE;
            scene.sender.send(&message(sender, scene.round, 0)).unwrap();
            scene.board.done[sender].store(1, Ordering::Release);
            let child = scene.victims[first].take().unwrap();
            wait_for_zombie(&child);
            reap(child);
            died += 1;
        }
        scene.start(victim, Some(&fault), 0);
        if !repairs {
            scene.start_missing();
            scene.begin();
        }
        let end = Instant::now() + Duration::from_millis(600);
        let mut hit = false;
        while Instant::now() < end && !hit {
            for number in 0..2 * SIDE {
                let Some(child) = &mut scene.victims[number] else { continue };
                if child.try_wait().unwrap().is_some() {
                    scene.victims[number] = None;
                    died += u32::from(number >= SIDE);
                    hit |= number == victim;
                }
            }
            thread::sleep(Duration::from_millis(1));
        }
        if !hit && let Some(mut child) = scene.victims[victim].take() {
            // On a slow machine it could come to the point later.
            child.kill().unwrap();
            reap(child);
            died += u32::from(victim >= SIDE);
        }
        // New receivers take the messages of this round. New senders would repeat numbers.
        for receiver in SIDE..2 * SIDE {
            if scene.victims[receiver].is_none() {
                scene.start(receiver, None, scene.round - 1);
            }
        }
        scene.start_missing();
        scene.wait_until_busy();
        scene.end(died, if victim >= SIDE { lost_by(victim) } else { 0 });
        hit
    }
}
