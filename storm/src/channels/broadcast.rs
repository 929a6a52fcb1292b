//! Rounds of a broadcast channel, lossless or lossy: the sender dies, or receivers do.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Instant;

use pagemate::ErrorKind;
use pagemate::channel::broadcast::{Receiver, Sender};
use pagemate::channel::{Options, RecvError, SendError};

use super::Rounds;
use super::message::{checked, message};
use super::scene::{LONG, MOMENT, Role, Scene, Victim};

const CAPACITY: usize = 8;

/// The places of receivers.
const PLACES: usize = 4;

/// The largest number of messages in one call.
const BATCH: u64 = 3;

/// A message beside its word, and one that lies in a chunk.
const SHORT: usize = 8;
const LARGE: usize = 600;

/// Returns rounds with short messages for one half of the scenes, and with large ones for the other.
pub(crate) fn rounds(scene: &mut Scene, lossy: bool) -> Box<dyn Rounds> {
    if scene.random.below(2) == 0 {
        Box::new(Broadcast::<SHORT>::new(scene, lossy))
    } else {
        Box::new(Broadcast::<LARGE>::new(scene, lossy))
    }
}

struct Broadcast<const WORDS: usize> {
    lossy: bool,
    sender: Option<Sender<[u64; WORDS]>>,
    others: [Survivor<WORDS>; 2],
}

/// A receiver of the judge, and the message that it expects.
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

    /// Checks that the message follows the last one and those that this receiver was told to have missed.
    fn check(&mut self, scene: &Scene, found: &[u64; WORDS]) {
        let (life, number) = checked(found);
        assert_eq!(life, self.life, "a message of an old sender");
        let missed = self.receiver.missed() - self.missed;
        self.missed += missed;
        assert_eq!(number, self.next + missed, "lost, repeated, reordered or counted wrong");
        self.next = number + 1;
        scene.totals.messages.fetch_add(1, SeqCst);
        scene.totals.missed.fetch_add(missed, SeqCst);
    }

    fn take(&mut self, scene: &Scene) {
        if let Ok(found) = self.receiver.try_recv() {
            self.check(scene, &found);
        }
    }

    fn drain(&mut self, scene: &Scene) {
        while let Ok(found) = self.receiver.try_recv() {
            self.check(scene, &found);
        }
    }

    /// Receives until the sender counts as dead.
    fn drain_blocked(&mut self, scene: &Scene) {
        loop {
            match self.receiver.recv_timeout(LONG) {
                Ok(found) => self.check(scene, &found),
                Err(RecvError::Disconnected) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn send<const WORDS: usize>(mut role: Role, name: &str) {
    if !role.step() {
        return;
    }
    let mut sender: Sender<[u64; WORDS]> =
        Options::new().await_successor(true).open(name).expect("the place of the sender is free");
    role.is_ready();
    let mut number = 0;
    while role.step() {
        if number % 64 == 0 {
            // A lossy sender would otherwise use a whole processor.
            thread::sleep(MOMENT);
        }
        let batch: [[u64; WORDS]; 3] =
            std::array::from_fn(|i| message(role.life, number + i as u64));
        number += match role.mode % 3 {
            0 => sender.send(&batch[0]).map(|()| 1),
            1 => sender.send_all(&batch).map(|()| BATCH),
            _ => {
                drop(sender.loan().expect("a loan"));
                let mut loan = sender.loan().expect("a loan");
                loan.write(&batch[0]);
                loan.send().expect("the slot");
                Ok(1)
            }
        }
        .expect("a sender waits for receivers");
        role.note_done(number);
    }
}

fn receive<const WORDS: usize>(mut role: Role, name: &str, takes_over: bool) {
    if !role.step() {
        return;
    }
    let mut options = Options::new();
    options.take_over(takes_over).await_successor(true);
    let mut receiver: Receiver<[u64; WORDS]> = options.open(name).expect("a place is free");
    role.is_ready();
    let mut next = None;
    let mut missed = 0;
    let mut batch = Vec::new();
    while role.step() {
        match role.mode % 3 {
            0 => batch.push(receiver.recv().expect("the sender has a successor")),
            1 => _ = receiver.recv_many(&mut batch, 3).expect("the sender has a successor"),
            _ => batch.push(receiver.sample().expect("the sender has a successor").read()),
        }
        let mut skipped = receiver.missed() - missed;
        missed += skipped;
        for found in batch.drain(..) {
            let (_, number) = checked(&found);
            if let Some(next) = next {
                let is_right = number == next || number == next + skipped;
                assert!(is_right, "{number} after {next} and {skipped}");
                skipped -= number - next;
            } else {
                skipped = 0;
            }
            next = Some(number + 1);
        }
        assert_eq!(skipped, 0, "missed messages were counted that arrived");
        role.note_done(next.expect("a message"));
    }
}

impl<const WORDS: usize> Broadcast<WORDS> {
    fn new(scene: &Scene, lossy: bool) -> Broadcast<WORDS> {
        let mut options = Options::new();
        options.capacity(CAPACITY).lossy(lossy).receivers(PLACES);
        // Without a first sender receivers would wait for one, and not be disconnected.
        let sender = options.create_new(&scene.name).expect("a new channel");
        let [first, second] = [(); 2].map(|()| Receiver::open(&scene.name).expect("the channel"));
        let others = [Survivor::new(first), Survivor::new(second)];
        Broadcast { lossy, sender: Some(sender), others }
    }

    fn sender_dies(&mut self, scene: &mut Scene) {
        self.sender = None;
        let (mut fate, name) = (scene.fate(), scene.name.clone());
        if scene.random.below(8) == 0 {
            fate = scene.fate_at("broadcast-in-batch").unwrap_or(fate);
        }
        let victim = scene.start(0, fate, |role| send::<WORDS>(role, &name));
        for other in &mut self.others {
            (other.life, other.next) = (victim.life, 0);
        }
        // In some rounds the receivers are slow, so that a lossless sender is blocked.
        let takes = scene.random.below(4);
        scene.end(
            &victim,
            &mut self.others,
            |scene, others| {
                if takes == 0 {
                    thread::sleep(MOMENT);
                } else if let Ok(found) = others[0].receiver.recv_timeout(MOMENT) {
                    others[0].check(scene, &found);
                    (0..takes).for_each(|_| others[1].take(scene));
                }
            },
            |scene, others| {
                let other = &others[0].receiver;
                assert!(other.has_sender().expect("an answer"), "a live sender is dead");
                let second = Sender::<[u64; WORDS]>::open(&scene.name).expect_err("a second");
                assert_eq!(second.kind(), ErrorKind::AlreadyExists);
            },
        );
        let began = Instant::now();
        let [first, second] = &mut self.others;
        if scene.random.below(4) == 0 {
            first.drain_blocked(scene);
            scene.note_wait(began);
        } else {
            first.drain(scene);
        }
        second.drain(scene);
        assert_eq!(first.next, second.next, "the receivers do not agree");
        let (sent, done) = (first.next, scene.done(0));
        // A sender may die within its last call. In a lossy channel it may die while it overwrites the last
        // messages that its receivers did not take.
        assert!((done..=done + BATCH).contains(&sent), "{sent} received of {done} sent");
        assert!(!first.receiver.has_sender().expect("an answer"), "a dead sender is alive");
        self.open_sender(scene, false);
    }

    /// Opens a sender of the judge. Its first message has the number 0.
    fn open_sender(&mut self, scene: &mut Scene, await_successor: bool) {
        drop(self.sender.take());
        let mut options = Options::new();
        let opened = options.await_successor(await_successor).open(&scene.name);
        self.sender = Some(opened.expect("the place of the sender did not come back"));
        scene.lives += 1;
        for other in &mut self.others {
            other.drain(scene);
            (other.life, other.next) = (scene.lives, 0);
        }
    }

    /// Sends one message for a moment, and lets one of the other receivers take one.
    fn send_one(&mut self, scene: &Scene, number: &mut u64) {
        let sender = self.sender.as_mut().expect("it is open");
        let sent = sender.send_timeout(&message(self.others[0].life, *number), MOMENT);
        *number += u64::from(sent.is_ok());
        let is_slow = self.lossy && (*number).is_multiple_of(3);
        let count = if is_slow { 1 } else { self.others.len() };
        self.others.iter_mut().take(count).for_each(|other| other.take(scene));
    }

    /// A receiver dies, and another one takes its place over and dies too. The next one continues.
    fn receiver_has_an_heir(&mut self, scene: &mut Scene) {
        self.open_sender(scene, true);
        let mut sent = 0;
        let mut dead: Vec<Victim> = Vec::new();
        for index in 0..2 {
            let (fate, name) = (scene.fate(), scene.name.clone());
            let victim = scene.start(index, fate, |role| receive::<WORDS>(role, &name, index > 0));
            scene.end(
                &victim,
                &mut (&mut *self, &mut sent),
                |scene, (rounds, sent)| rounds.send_one(scene, sent),
                |_, (rounds, _)| {
                    let sender = rounds.sender.as_ref().expect("it is open");
                    assert!(sender.has_receiver().expect("an answer"), "a live receiver is dead");
                },
            );
            dead.push(victim);
        }
        // Otherwise the next receiver is a new one.
        let is_heir = dead.iter().all(|victim| victim.is_ready(scene) && !victim.has_left());
        let done = dead.iter().map(|victim| scene.done(victim.index)).max().unwrap_or(0);
        let mut options = Options::new();
        let mut heir: Receiver<[u64; WORDS]> =
            options.take_over(true).open(&scene.name).expect("a place is free");
        let mut next = None;
        let mut missed = 0;
        while let Ok(found) = heir.try_recv() {
            let (_, number) = checked(&found);
            let skipped = heir.missed() - missed;
            missed += skipped;
            if let Some(next) = next {
                assert_eq!(number, next + skipped, "lost, repeated or counted wrong");
            } else if is_heir {
                // The dead receivers may have received, or skipped, messages that they did not note.
                let began = number - skipped;
                let most = if self.lossy { number } else { done + 2 * BATCH };
                assert!((done..=most).contains(&began), "{began} after {done}, {skipped} missed");
                assert!(self.lossy || skipped == 0, "a lossless receiver missed messages");
            }
            next = Some(number + 1);
        }
        match next {
            Some(next) => assert_eq!(next, sent, "messages are lost"),
            // The dead receivers had finished all messages.
            None => assert!(!is_heir || self.lossy || done + 2 * BATCH >= sent, "{done} of {sent}"),
        }
    }

    /// Receivers die, and the sender goes on without them.
    fn receivers_have_no_heir(&mut self, scene: &mut Scene) {
        self.open_sender(scene, false);
        let mut sent = 0;
        let name = scene.name.clone();
        let victims = [0, 1].map(|index| {
            let fate = scene.fate();
            scene.start(index, fate, |role| receive::<WORDS>(role, &name, false))
        });
        for victim in &victims {
            scene.end(
                victim,
                &mut (&mut *self, &mut sent),
                |scene, (rounds, sent)| rounds.send_one(scene, sent),
                |_, _| {},
            );
        }
        let began = Instant::now();
        for _ in 0..2 * CAPACITY {
            self.others.iter_mut().for_each(|other| other.drain(scene));
            let sender = self.sender.as_mut().expect("it is open");
            let result = sender.send_timeout(&message(self.others[0].life, sent), LONG);
            assert_eq!(result, Ok(()), "a dead receiver blocks the sender");
            sent += 1;
        }
        scene.note_wait(began);
    }

    /// Checks that every slot and every place came back.
    fn fill(&mut self, scene: &mut Scene) {
        self.open_sender(scene, false);
        let open = |_| Receiver::<[u64; WORDS]>::open(&scene.name).expect("a place is lost");
        let places: Vec<_> = (0..PLACES - self.others.len()).map(open).collect();
        let fifth = Receiver::<[u64; WORDS]>::open(&scene.name).expect_err("a receiver too many");
        assert_eq!(fifth.kind(), ErrorKind::AlreadyExists);
        drop(places);
        let sender = self.sender.as_mut().expect("it is open");
        let life = self.others[0].life;
        for lap in 0..2 {
            for number in 0..CAPACITY as u64 {
                let sent = sender.try_send(&message(life, lap * CAPACITY as u64 + number));
                assert_eq!(sent, Ok(()), "slot {number} is lost");
            }
            if !self.lossy {
                assert_eq!(sender.try_send(&message(0, 0)), Err(SendError::Full));
            }
            for other in &mut self.others {
                for _ in 0..CAPACITY {
                    let found = other.receiver.try_recv().expect("a message");
                    other.check(scene, &found);
                }
                assert_eq!(other.receiver.try_recv(), Err(RecvError::Empty));
            }
        }
        scene.check_sleepers();
    }
}

impl<const WORDS: usize> Rounds for Broadcast<WORDS> {
    fn round(&mut self, scene: &mut Scene) {
        match scene.random.below(4) {
            0 | 1 => self.sender_dies(scene),
            2 => self.receiver_has_an_heir(scene),
            _ => self.receivers_have_no_heir(scene),
        }
        self.fill(scene);
    }
}
