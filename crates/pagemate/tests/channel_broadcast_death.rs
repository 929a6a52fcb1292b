//! Kills, stops and forks processes that send and receive on a broadcast channel.
//!
//! Messages have numbers and checksums, and each victim notes on a board how far it has come. So the tests
//! find messages that are lost, repeated, reordered, torn or counted wrong.
//! `cargo xtask faults` also kills a process at every fault point, and `cargo xtask channels` kills and stops
//! processes in many more rounds.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "fork(2)")]
#![allow(clippy::print_stdout, reason = "measured delays")]
#![allow(clippy::exit, reason = "a victim that exits without a drop")]

mod harness;

use std::process::Child;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use harness::channel::{
    LONG, ROUNDS, SURVIVOR_LIMIT, Scene, board, checked, kill, message, random_pause, role, signal,
    wait_for_state,
};
use pagemate::ErrorKind;
use pagemate::channel::broadcast::{Receiver, Sender};
use pagemate::channel::{Options, RecvError, SendError};
use rustix::process::Signal;

const CAPACITY: usize = 8;

/// A message beside its word, and one that lies in a chunk.
const SHORT: usize = 8;
const LONG_WORDS: usize = 600;

/// The main function of a victim. The test harness of each process runs it.
#[test]
fn victim() {
    let Some((role, name)) = role() else { return };
    let (role, words) = role.split_once('-').unwrap();
    match words {
        "short" => be::<SHORT>(role, &name),
        _ => be::<LONG_WORDS>(role, &name),
    }
}

fn be<const WORDS: usize>(role: &str, name: &str) {
    let board = board(name);
    board.done.store(0, Ordering::Relaxed);
    if matches!(role, "receive" | "sample") {
        let mut receiver: Receiver<[u64; WORDS]> =
            Options::new().take_over(true).await_successor(true).open(name).unwrap();
        board.lives.fetch_add(1, Ordering::Relaxed);
        loop {
            let number = if role == "sample" {
                let Ok(sample) = receiver.sample() else { return };
                checked(&sample.read()).1
            } else {
                let Ok(found) = receiver.recv() else { return };
                checked(&found).1
            };
            // The number of the next message, and how many this life has missed.
            board.note.store(receiver.missed(), Ordering::Relaxed);
            board.done.store(number + 1, Ordering::Release);
        }
    }
    let mut sender = Sender::<[u64; WORDS]>::open(name).unwrap();
    let life = board.lives.fetch_add(1, Ordering::Relaxed) + 1;
    let len = if role == "batch" { 3 } else { 1 };
    for number in (0..).step_by(len) {
        let messages: Vec<[u64; WORDS]> =
            (number..number + len as u64).map(|number| message(life, number)).collect();
        if role == "exit" && number == 5 {
            std::process::exit(0);
        }
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

#[test]
fn killed_processes_lose_and_repeat_nothing() {
    if role().is_some() {
        return;
    }
    for lossy in [false, true] {
        senders_die::<SHORT>("short", lossy);
        senders_die::<LONG_WORDS>("long", lossy);
        receivers_die::<SHORT>("short", lossy);
        receivers_die::<LONG_WORDS>("long", lossy);
    }
    a_sender_goes_on_without_dead_receivers();
    a_sender_that_awaits_a_successor_loses_nothing();
    stopped_processes_are_alive();
    a_forked_child_has_no_endpoint();
    a_sender_that_exits_without_a_drop_leaves_its_place();
    #[cfg(pagemate_fault)]
    faults::every_point_leaves_a_state_that_a_successor_continues();
}

/// The rounds of each of the four combinations of short and long messages, lossless and lossy.
fn rounds_each() -> u64 {
    ROUNDS.div_ceil(4)
}

fn create<E: pagemate::channel::Endpoint>(scene: &Scene, lossy: bool) -> E {
    Options::new().capacity(CAPACITY).lossy(lossy).receivers(4).create_new(&scene.name).unwrap()
}

fn reap(mut victim: Child) {
    victim.wait().unwrap();
}

/// The receiver of a test, and the number of the next message that it expects.
struct Survivor<const WORDS: usize> {
    receiver: Receiver<[u64; WORDS]>,
    life: u64,
    next: u64,
    missed: u64,
}

impl<const WORDS: usize> Survivor<WORDS> {
    fn new(receiver: Receiver<[u64; WORDS]>) -> Survivor<WORDS> {
        Survivor { receiver, life: 0, next: 0, missed: 0 }
    }

    /// Checks a message of the sender with this life.
    fn check(&mut self, found: &[u64; WORDS]) {
        let (life, number) = checked(found);
        assert_eq!(life, self.life);
        let missed = self.receiver.missed() - self.missed;
        self.missed += missed;
        assert_eq!(number, self.next + missed, "lost, repeated, reordered or counted wrong");
        self.next = number + 1;
    }

    /// Receives everything that the sender of this life sent.
    fn drain(&mut self) {
        loop {
            match self.receiver.recv_timeout(LONG) {
                Ok(found) => self.check(&found),
                Err(RecvError::Disconnected) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn senders_die<const WORDS: usize>(words: &str, lossy: bool) {
    let mut scene = Scene::new("broadcast-senders");
    let first: Receiver<[u64; WORDS]> = create(&scene, lossy);
    let second = Receiver::open(&scene.name).unwrap();
    let mut survivors = [Survivor::new(first), Survivor::new(second)];
    let mut longest = Duration::ZERO;
    for round in 0..rounds_each() {
        let role = if round % 3 == 2 { "batch" } else { "send" };
        let victim = scene.start(&format!("{role}-{words}"), None);
        for survivor in &mut survivors {
            (survivor.life, survivor.next) = (scene.started, 0);
        }
        if round % 2 == 0 {
            for _ in 0..round % 50 {
                for survivor in &mut survivors {
                    let found = survivor.receiver.recv_timeout(LONG).unwrap();
                    survivor.check(&found);
                }
            }
        }
        random_pause(round);
        kill(&victim);
        let start = Instant::now();
        let done = scene.done();
        for survivor in &mut survivors {
            survivor.drain();
            let sent = survivor.next;
            // A lossless channel delivers a batch whole or not at all.
            let possible: &[u64] = match (role, lossy, words) {
                ("send", ..) => &[0, 1],
                (_, false, "short") => &[0, 3],
                _ => &[0, 1, 2, 3],
            };
            // A batch may begin with the messages that had room.
            let is_possible = possible.contains(&(sent.wrapping_sub(done))) || role == "batch";
            assert!(is_possible && sent.wrapping_sub(done) <= 3, "{sent} of {done}");
        }
        assert_eq!(survivors[0].next, survivors[1].next, "the receivers do not agree");
        longest = longest.max(start.elapsed());
        assert!(!survivors[0].receiver.has_sender().unwrap(), "a zombie counts as alive");
        reap(victim);
    }
    assert!(longest < 2 * SURVIVOR_LIMIT, "{longest:?}");
    println!("two receivers waited for a dead sender for at most {longest:?}");
}

fn receivers_die<const WORDS: usize>(words: &str, lossy: bool) {
    let mut scene = Scene::new("broadcast-receivers");
    let mut sender: Sender<[u64; WORDS]> = create(&scene, lossy);
    let mut other = Survivor::<WORDS>::new(Receiver::open(&scene.name).unwrap());
    let mut number = 0;
    // The number of the next message of the victims, which take each other's place.
    let mut next = 0;
    for round in 0..rounds_each() {
        let role = if round % 2 == 0 { "receive" } else { "sample" };
        let victim = scene.start(&format!("{role}-{words}"), None);
        for _ in 0..round % 50 {
            if lossy {
                sender.send(&message(0, number)).unwrap();
            } else {
                sender.send_timeout(&message(0, number), LONG).unwrap();
            }
            number += 1;
            while let Ok(found) = other.receiver.try_recv() {
                other.check(&found);
            }
        }
        random_pause(round);
        kill(&victim);
        let done = scene.done().max(next);
        assert!(done <= number);
        next = done;
        // The place of the dead receiver comes back to the next one, in the state that it left.
        let mut heir: Receiver<[u64; WORDS]> =
            Options::new().take_over(true).open(&scene.name).unwrap();
        let mut before = 0;
        let mut first = true;
        while let Ok(found) = heir.try_recv() {
            let found = checked(&found).1;
            let missed = heir.missed() - before;
            before = heir.missed();
            if first {
                // The victim may have finished one message that it did not note, and not more. Messages
                // that it missed before that are not in the heir's count.
                let expected = next + missed;
                let is_next = found == expected || found == expected + 1;
                assert!(
                    is_next || (lossy && found > expected),
                    "{found} after {next} and {missed}"
                );
                first = false;
            } else {
                assert_eq!(found, next + missed);
            }
            next = found + 1;
        }
        assert!(
            next == number || (first && next + 1 == number) || (lossy && first),
            "{next} of {number}"
        );
        let places = Receiver::<[u64; WORDS]>::open(&scene.name).unwrap();
        drop((heir, places));
        while let Ok(found) = other.receiver.try_recv() {
            other.check(&found);
        }
        // Every slot is free again.
        for _ in 0..CAPACITY {
            sender.try_send(&message(0, number)).unwrap();
            number += 1;
        }
        for _ in 0..CAPACITY {
            let found = other.receiver.try_recv().unwrap();
            other.check(&found);
        }
        next = number;
        if !lossy {
            assert!(sender.is_empty());
        }
        reap(victim);
    }
}

fn a_sender_goes_on_without_dead_receivers() {
    let mut scene = Scene::new("broadcast-dead");
    let mut sender: Sender<[u64; SHORT]> = create(&scene, false);
    for round in 0..3 {
        let victims: Vec<Child> = (0..3).map(|_| scene.start("receive-short", None)).collect();
        for victim in &victims {
            signal(victim, Signal::STOP);
        }
        for victim in &victims {
            wait_for_state(victim, 'T');
        }
        let mut number = 0;
        while sender.try_send(&message(round, number)).is_ok() {
            number += 1;
        }
        let full = sender.send_timeout(&message(round, number), Duration::from_millis(300));
        assert_eq!(full, Err(SendError::TimedOut), "a stopped receiver is alive");
        victims.iter().for_each(kill);
        let start = Instant::now();
        for _ in 0..3 * CAPACITY {
            sender.send(&message(round, number)).unwrap();
        }
        assert!(start.elapsed() < SURVIVOR_LIMIT, "{:?}", start.elapsed());
        println!("a sender waited for dead receivers for {:?}", start.elapsed());
        // All places are free.
        let places: Vec<Receiver<[u64; SHORT]>> =
            (0..4).map(|_| Receiver::open(&scene.name).unwrap()).collect();
        let fifth = Receiver::<[u64; SHORT]>::open(&scene.name).unwrap_err();
        assert_eq!(fifth.kind(), ErrorKind::AlreadyExists);
        drop(places);
        victims.into_iter().for_each(reap);
    }
}

fn a_sender_that_awaits_a_successor_loses_nothing() {
    let mut scene = Scene::new("broadcast-await");
    let mut options = Options::new();
    options.capacity(CAPACITY).await_successor(true);
    let mut sender: Sender<[u64; SHORT]> = options.create_new(&scene.name).unwrap();
    let victim = scene.start("receive-short", None);
    for number in 0..20 {
        sender.send_timeout(&message(0, number), LONG).unwrap();
    }
    scene.wait_until_done(20);
    kill(&victim);
    for number in 20..20 + CAPACITY as u64 {
        sender.try_send(&message(0, number)).unwrap();
    }
    let full = sender.send_timeout(&message(0, 99), Duration::from_millis(300));
    assert_eq!(full, Err(SendError::TimedOut));
    // The last message may have been received and not been finished.
    let mut newcomer = Receiver::<[u64; SHORT]>::open(&scene.name).unwrap();
    let mut heir: Receiver<[u64; SHORT]> =
        Options::new().take_over(true).open(&scene.name).unwrap();
    let numbers: Vec<u64> = heir.try_iter().map(|found| checked(&found).1).collect();
    let first = numbers[0];
    assert!(first == 19 || first == 20);
    assert_eq!(numbers, (first..20 + CAPACITY as u64).collect::<Vec<_>>());
    assert_eq!((heir.missed(), newcomer.try_recv()), (0, Err(RecvError::Empty)));
    sender.try_send(&message(0, 100)).unwrap();
    for receiver in [&mut heir, &mut newcomer] {
        assert_eq!(checked(&receiver.recv().unwrap()), (0, 100));
    }
    reap(victim);
}

fn stopped_processes_are_alive() {
    let mut scene = Scene::new("broadcast-stop");
    let mut receiver: Receiver<[u64; SHORT]> = create(&scene, false);
    let victim = scene.start("send-short", None);
    signal(&victim, Signal::STOP);
    wait_for_state(&victim, 'T');
    let mut next = 0;
    while let Ok(found) = receiver.recv_timeout(Duration::from_millis(300)) {
        assert_eq!(checked(&found), (1, next));
        next += 1;
    }
    assert_eq!(receiver.recv_timeout(Duration::from_millis(300)), Err(RecvError::TimedOut));
    assert!(receiver.has_sender().unwrap());
    let second = Sender::<[u64; SHORT]>::open(&scene.name).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::AlreadyExists);
    signal(&victim, Signal::CONT);
    assert_eq!(checked(&receiver.recv_timeout(LONG).unwrap()), (1, next));
    kill(&victim);
    reap(victim);
}

fn a_forked_child_has_no_endpoint() {
    let scene = Scene::new("broadcast-fork");
    let mut sender: Sender<[u64; SHORT]> = create(&scene, false);
    let mut receiver = Receiver::<[u64; SHORT]>::open(&scene.name).unwrap();
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
    // SAFETY: the child is this process's, and `status` is a local.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child used its parent's endpoint");
    assert!(sender.has_receiver().unwrap() && receiver.has_sender().unwrap());
    sender.send(&message(1, 1)).unwrap();
    assert_eq!(checked(&receiver.recv().unwrap()), (1, 1));
}

fn a_sender_that_exits_without_a_drop_leaves_its_place() {
    let mut scene = Scene::new("broadcast-exit");
    let receiver: Receiver<[u64; SHORT]> = create(&scene, false);
    let mut survivor = Survivor::new(receiver);
    survivor.life = 1;
    let mut victim = scene.start("exit-short", None);
    assert!(victim.wait().unwrap().success());
    survivor.drain();
    assert_eq!(survivor.next, 5);
    Sender::<[u64; SHORT]>::open(&scene.name).unwrap();
}

#[cfg(pagemate_fault)]
mod faults {
    use super::*;
    use harness::channel::ended;

    pub(super) fn every_point_leaves_a_state_that_a_successor_continues() {
        let points = harness::fault_points("src/channel/broadcast");
        assert!(points.len() >= 6, "{points:?}");
        for point in points {
            let mut hits = 0;
            for lossy in [false, true] {
                for role in ["send", "batch"] {
                    hits += u32::from(kill_sender_at::<SHORT>("short", role, lossy, &point));
                    hits += u32::from(kill_sender_at::<LONG_WORDS>("long", role, lossy, &point));
                }
                for role in ["receive", "sample"] {
                    hits += u32::from(kill_receiver_at::<SHORT>("short", role, lossy, &point));
                    hits += u32::from(kill_receiver_at::<LONG_WORDS>("long", role, lossy, &point));
                }
            }
            assert!(hits > 0, "{point}: no process came here");
        }
    }

    /// Lets a sender die at the point, and returns whether it did. A successor then continues.
    fn kill_sender_at<const WORDS: usize>(
        words: &str,
        role: &str,
        lossy: bool,
        point: &str,
    ) -> bool {
        let mut scene = Scene::new("broadcast-point");
        let mut survivor = Survivor::<WORDS>::new(create(&scene, lossy));
        survivor.life = 1;
        let role = format!("{role}-{words}");
        let mut victim = scene.start(&role, Some(&format!("{point}:kill")));
        let hit = ended(&scene, &mut victim);
        if !hit {
            kill(&victim);
        }
        reap(victim);
        survivor.drain();
        assert!(survivor.next.abs_diff(scene.done()) <= 3);
        scene.board.lives.store(scene.started, Ordering::Relaxed);
        let successor = scene.start(&role, None);
        (survivor.life, survivor.next) = (scene.started, 0);
        for _ in 0..20 {
            let found = survivor.receiver.recv_timeout(LONG).unwrap();
            survivor.check(&found);
        }
        kill(&successor);
        reap(successor);
        survivor.drain();
        hit
    }

    /// Lets a receiver die at the point, and returns whether it did. A successor then continues.
    fn kill_receiver_at<const WORDS: usize>(
        words: &str,
        role: &str,
        lossy: bool,
        point: &str,
    ) -> bool {
        let mut scene = Scene::new("broadcast-point");
        let mut sender: Sender<[u64; WORDS]> = create(&scene, lossy);
        if point == "broadcast-after-take-over" {
            let dead = scene.start(&format!("{role}-{words}"), None);
            kill(&dead);
            reap(dead);
        }
        let mut victim = scene.start(&format!("{role}-{words}"), Some(&format!("{point}:kill")));
        let end = Instant::now() + LONG;
        while !sender.has_receiver().unwrap() && victim.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end);
            std::thread::sleep(Duration::from_millis(1));
        }
        for number in 0..CAPACITY as u64 {
            sender.send_timeout(&message(0, number), LONG).unwrap();
        }
        let hit = ended(&scene, &mut victim);
        if !hit {
            kill(&victim);
        }
        reap(victim);
        let done = scene.done();
        let mut heir: Receiver<[u64; WORDS]> =
            Options::new().take_over(true).open(&scene.name).unwrap();
        let numbers: Vec<u64> = heir.try_iter().map(|found| checked(&found).1).collect();
        if let Some(first) = numbers.first() {
            assert!(*first == done || *first == done + 1, "{first} of {done}");
            assert_eq!(numbers, (*first..CAPACITY as u64).collect::<Vec<_>>());
        } else {
            // It had finished all messages, or it had not joined, so that its heir is a newcomer.
            assert!(done == 0 || done + 1 >= CAPACITY as u64, "{done}");
        }
        for lap in 0..3 {
            for number in 0..CAPACITY as u64 {
                sender.send_timeout(&message(lap, number), LONG).unwrap();
            }
            for number in 0..CAPACITY as u64 {
                assert_eq!(checked(&heir.recv().unwrap()), (lap, number));
            }
        }
        hit
    }
}
