//! Rounds of an spsc channel: the sender dies, the receiver dies, or both do.

use std::time::Instant;

use pagemate::ErrorKind;
use pagemate::channel::spsc::{Receiver, Sender};
use pagemate::channel::{Options, RecvError, SendError};

use super::Rounds;
use super::message::{checked, message};
use super::process::{Process, idle, start};
use super::scene::{LONG, MOMENT, Role, Scene, Victim};
use std::sync::atomic::Ordering::SeqCst;

const CAPACITY: usize = 8;

/// The largest number of messages in one call.
const BATCH: u64 = 3;

type Message = [u64; 8];

pub(crate) struct Spsc {
    sender: Option<Sender<Message>>,
    receiver: Option<Receiver<Message>>,
    /// Keeps the name while this process has no endpoint.
    _keeper: Process,
}

/// Sends until its end comes.
fn send(mut role: Role, name: &str) {
    if !role.step() {
        return;
    }
    let mut sender: Sender<Message> =
        Options::new().await_successor(true).open(name).expect("the place of the sender is free");
    role.is_ready();
    let mut number = 0;
    while role.step() {
        let life = role.life;
        let batch = [number, number + 1, number + 2].map(|number| message(life, number));
        let count = match role.mode % 4 {
            0 | 1 => sender.send(&batch[0]).map(|()| 1),
            2 => sender.send_all(&batch).map(|()| BATCH),
            _ => {
                drop(sender.loan().expect("a loan"));
                let mut loan = sender.loan().expect("a loan");
                loan.write(&batch[0]);
                loan.send().expect("the slot");
                Ok(1)
            }
        };
        number += count.expect("the receiver has a successor");
        role.note_done(number);
    }
}

/// Receives until its end comes. Checks the order, beginning with the first message that it finds.
fn receive(mut role: Role, name: &str) {
    if !role.step() {
        return;
    }
    let mut receiver: Receiver<Message> =
        Options::new().await_successor(true).open(name).expect("the place of the receiver is free");
    role.is_ready();
    let mut next = None;
    let mut batch = Vec::new();
    while role.step() {
        match role.mode % 3 {
            0 => batch.push(receiver.recv().expect("the sender has a successor")),
            1 => _ = receiver.recv_many(&mut batch, 3).expect("the sender has a successor"),
            _ => batch.push(receiver.sample().expect("the sender has a successor").read()),
        }
        for found in batch.drain(..) {
            let (_, number) = checked(&found);
            let expected = next.unwrap_or(number);
            assert_eq!(number, expected, "lost, repeated or reordered");
            if next.is_none() {
                role.board.note[role.index].store(number, SeqCst);
            }
            next = Some(number + 1);
        }
        role.note_done(next.expect("a message"));
    }
}

/// The messages that the judge received from each life.
#[derive(Default)]
struct Stream {
    life: u64,
    next: u64,
}

impl Stream {
    fn check(&mut self, found: &Message) {
        let (life, number) = checked(found);
        assert_eq!((life, number), (self.life, self.next), "lost, repeated or reordered");
        self.next += 1;
    }

    fn drain(&mut self, receiver: &mut Receiver<Message>) {
        while let Ok(found) = receiver.try_recv() {
            self.check(&found);
        }
    }
}

/// Checks the number of messages that have arrived against the number that the sender noted. It may have died
/// within its last call.
fn check_sent(sent: u64, done: u64) {
    assert!((done..=done + BATCH).contains(&sent), "{sent} received of {done} sent");
}

impl Spsc {
    pub(crate) fn new(scene: &Scene) -> Spsc {
        let mut options = Options::new();
        let sender = options.capacity(CAPACITY).create_new(&scene.name).expect("a new channel");
        let receiver = Receiver::open(&scene.name).expect("the channel");
        Spsc { sender: Some(sender), receiver: Some(receiver), _keeper: start(|| idle(|| false)) }
    }

    fn sender_dies(&mut self, scene: &mut Scene) {
        self.sender = None;
        let receiver = self.receiver.as_mut().expect("it is open");
        let mut dead: Vec<Victim> = Vec::new();
        for _ in 0..=scene.random.below(2) {
            let (fate, name) = (scene.fate(), scene.name.clone());
            let victim = scene.start(0, fate, |role| send(role, &name));
            let mut stream = Stream { life: victim.life, next: 0 };
            // In some rounds the sender is blocked.
            let is_blocked = scene.random.below(3) == 0;
            scene.end(
                &victim,
                &mut (&mut *receiver, &mut stream),
                |scene, (receiver, stream)| {
                    if is_blocked {
                        std::thread::sleep(MOMENT);
                    } else if let Ok(found) = receiver.recv_timeout(MOMENT) {
                        stream.check(&found);
                        scene.totals.messages.fetch_add(1, SeqCst);
                    }
                },
                |scene, (receiver, _)| {
                    assert!(receiver.has_sender().expect("an answer"), "a live sender is dead");
                    let second = Sender::<Message>::open(&scene.name).expect_err("a second sender");
                    assert_eq!(second.kind(), ErrorKind::AlreadyExists);
                },
            );
            let began = Instant::now();
            if scene.random.below(4) == 0 {
                loop {
                    match receiver.recv_timeout(LONG) {
                        Ok(found) => stream.check(&found),
                        Err(RecvError::Disconnected) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
                scene.note_wait(began);
            } else {
                stream.drain(receiver);
            }
            check_sent(stream.next, scene.done(0));
            assert!(!receiver.has_sender().expect("an answer"), "a dead sender is alive");
            dead.push(victim);
        }
    }

    fn receiver_dies(&mut self, scene: &mut Scene) {
        self.receiver = None;
        let sender = self.sender.as_mut().expect("it is open");
        let mut dead: Vec<Victim> = Vec::new();
        let (mut sent, mut finished) = (0, 0);
        for _ in 0..=scene.random.below(2) {
            let (fate, name) = (scene.fate(), scene.name.clone());
            let victim = scene.start(0, fate, |role| receive(role, &name));
            let sends = scene.random.below(5) > 0;
            scene.end(
                &victim,
                &mut (&mut *sender, &mut sent),
                |scene, (sender, sent)| {
                    if sends {
                        let result = sender.send_timeout(&message(0, **sent), MOMENT);
                        **sent += u64::from(result.is_ok());
                        scene.totals.messages.fetch_add(u64::from(result.is_ok()), SeqCst);
                    } else {
                        std::thread::sleep(MOMENT);
                    }
                },
                |_, (sender, _)| {
                    assert!(sender.has_receiver().expect("an answer"), "a live receiver is dead");
                },
            );
            let began = Instant::now();
            if scene.random.below(4) == 0 {
                let lost = loop {
                    match sender.send_timeout(&message(0, sent), LONG) {
                        Ok(()) => sent += 1,
                        Err(error) => break error,
                    }
                };
                assert_eq!((lost, sender.len()), (SendError::Disconnected, CAPACITY));
                scene.note_wait(began);
            }
            assert!(!sender.has_receiver().expect("an answer"), "a dead receiver is alive");
            let first = scene.board.note[0].load(SeqCst);
            assert!(first == finished || first == u64::MAX, "it began at {first}, not {finished}");
            let done = scene.done(0).max(finished);
            finished = sent - sender.len() as u64;
            assert!((done..=done + BATCH).contains(&finished), "{finished} finished, {done} noted");
            dead.push(victim);
        }
        let mut receiver = Receiver::<Message>::open(&scene.name).expect("the place is free");
        let mut stream = Stream { life: 0, next: finished };
        stream.drain(&mut receiver);
        assert_eq!(stream.next, sent, "messages are lost");
        self.receiver = Some(receiver);
    }

    fn both_die(&mut self, scene: &mut Scene) {
        (self.sender, self.receiver) = (None, None);
        let name = scene.name.clone();
        let fates = [scene.fate(), scene.fate()];
        let first = scene.random.below(2);
        let mut victims = [first, 1 - first].map(|index| {
            let name = &name;
            scene.start(index, fates[index], |role| match index {
                0 => send(role, name),
                _ => receive(role, name),
            })
        });
        if scene.random.below(2) == 0 {
            victims.reverse();
        }
        for victim in &victims {
            scene.end(victim, &mut (), |_, ()| std::thread::sleep(MOMENT), |_, ()| {});
        }
        let (sent, received) = (scene.done(0), scene.done(1));
        scene.totals.messages.fetch_add(received, SeqCst);
        let mut successor = Receiver::<Message>::open(&name).expect("the place is free");
        let mut found = successor.try_iter().map(|found| checked(&found).1);
        if let Some(first) = found.next() {
            let mut next = first;
            found.for_each(|number| {
                next += 1;
                assert_eq!(number, next, "lost, repeated or reordered");
            });
            check_sent(next + 1, sent);
            assert!((received..=received + BATCH).contains(&first), "{first} after {received}");
        } else {
            assert!(received <= sent + BATCH && sent <= received + BATCH, "{received} of {sent}");
        }
        self.receiver = Some(successor);
    }

    /// Checks that both places and every slot came back.
    fn fill(&mut self, scene: &mut Scene) {
        let open = |error| panic!("the place of a dead endpoint did not come back: {error}");
        let Spsc { sender, receiver, .. } = self;
        let sender = sender.get_or_insert_with(|| Sender::open(&scene.name).unwrap_or_else(open));
        let open = |error| panic!("the place of a dead endpoint did not come back: {error}");
        let receiver =
            receiver.get_or_insert_with(|| Receiver::open(&scene.name).unwrap_or_else(open));
        for lap in 0..2 {
            for number in 0..CAPACITY as u64 {
                assert_eq!(sender.try_send(&message(lap, number)), Ok(()), "a slot is lost");
            }
            assert_eq!(sender.try_send(&message(0, 0)), Err(SendError::Full));
            for number in 0..CAPACITY as u64 {
                assert_eq!(checked(&receiver.try_recv().expect("a message")), (lap, number));
            }
            assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
        }
        scene.check_sleepers();
    }
}

impl Rounds for Spsc {
    fn round(&mut self, scene: &mut Scene) {
        match scene.random.below(3) {
            0 => self.sender_dies(scene),
            1 => self.receiver_dies(scene),
            _ => self.both_die(scene),
        }
        self.fill(scene);
    }
}
