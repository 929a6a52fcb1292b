//! Rounds of an mpmc channel: senders and receivers die while others go on.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use pagemate::channel::mpmc::{Receiver, Sender};
use pagemate::channel::{Options, RecvError, SendError};

use super::Rounds;
use super::message::{checked, message};
use super::scene::{Fate, LONG, MOMENT, Role, Scene, Victim};
use super::shared::{Board, NUMBERS};

const CAPACITY: usize = 16;

/// The number of senders, and of receivers. Victims with smaller indexes are senders.
const SIDE: usize = 2;

/// The largest number of messages in one call.
const BATCH: usize = 4;

/// A receiver that finds nothing for this time tests whether the round is over.
const IDLE: Duration = Duration::from_millis(2);

/// A delivery of a message that is not marked as delivered again. Marked ones are counted above it.
const FIRST: u32 = 1;
const AGAIN: u32 = 1 << 16;

type Message = [u64; 8];

pub(crate) struct Mpmc {
    /// Endpoints that take no part while victims live.
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

/// A victim whose death is not planned.
const LIVES: Fate = Fate::Kill;

/// Sends the numbers of a round, and then waits for its end.
fn send(mut role: Role, name: &str, round: u64) {
    if !role.step() {
        return;
    }
    let mut sender: Sender<Message> =
        Options::new().await_successor(true).open(name).expect("a place of a sender is free");
    role.is_ready();
    let count = if role.mode.is_multiple_of(2) { 1 } else { 3 };
    let mut numbers = (0..NUMBERS - BATCH).step_by(count);
    // The end of a victim may come while it is idle.
    while role.board.ends[0].load(SeqCst) == 0 && role.step() {
        let Some(number) = numbers.next() else {
            thread::sleep(MOMENT);
            continue;
        };
        let batch: [Message; 3] =
            std::array::from_fn(|i| message(role.index as u64 | round << 8, (number + i) as u64));
        match role.mode % 6 {
            0 => {
                drop(sender.loan().expect("a loan"));
                let mut loan = sender.loan().expect("a loan");
                loan.write(&batch[0]);
                loan.send().expect("the slot");
            }
            2 | 4 => sender.send(&batch[0]).expect("the receivers have successors"),
            _ => sender.send_all(&batch).expect("the receivers have successors"),
        }
        role.note_done((number + count) as u64);
    }
    role.board.note[role.index].store(0, SeqCst);
}

/// Notes a delivery of a message of this round, and returns its sender and its number.
fn note(board: &Board, found: &Message, again: bool, round: u64) -> (usize, u64) {
    let (life, number) = checked(found);
    assert_eq!(life >> 8, round, "a message of an old round");
    let sender = usize::try_from(life & 255).expect("a sender");
    let number_at = usize::try_from(number).expect("a number");
    board.counts[sender][number_at].fetch_add(if again { AGAIN } else { FIRST }, SeqCst);
    (sender, number)
}

/// Receives until the channel is empty at the end of the round.
fn receive(mut role: Role, name: &str, round: u64) {
    if !role.step() {
        return;
    }
    let mut receiver: Receiver<Message> =
        Options::new().await_successor(true).open(name).expect("a place of a receiver is free");
    role.is_ready();
    let mut last = [None; SIDE];
    let mut batch = Vec::new();
    while role.step() {
        let again;
        if role.mode.is_multiple_of(3) {
            match receiver.try_recv_many(&mut batch, BATCH) {
                Ok(_) => {}
                Err(RecvError::Empty) => match receiver.recv_timeout(IDLE) {
                    Ok(found) => batch.push(found),
                    Err(error) => assert_eq!(error, RecvError::TimedOut),
                },
                Err(error) => panic!("{error}"),
            }
            again = receiver.redelivered();
            let found = batch.drain(..).map(|found| note(role.board, &found, again, round));
            check_order(found, &mut last, again);
        } else {
            match receiver.sample_timeout(IDLE) {
                // A receiver that dies before the sample is finished has noted its message.
                Ok(sample) => {
                    again = sample.redelivered();
                    let found = note(role.board, &sample.read(), again, round);
                    check_order([found].into_iter(), &mut last, again);
                    continue;
                }
                Err(error) => assert_eq!(error, RecvError::TimedOut),
            }
        }
        if role.board.ends[1].load(SeqCst) != 0 {
            return;
        }
    }
}

/// Checks that the messages of each sender come in order.
fn check_order(
    found: impl Iterator<Item = (usize, u64)>,
    last: &mut [Option<u64>; SIDE],
    again: bool,
) {
    for (sender, number) in found {
        if !again {
            assert!(Some(number) > last[sender], "{number} of {sender} after {last:?}");
            last[sender] = Some(number);
        }
    }
}

impl Mpmc {
    pub(crate) fn new(scene: &Scene) -> Mpmc {
        let mut options = Options::new();
        let sender = options.capacity(CAPACITY).create_new(&scene.name).expect("a new channel");
        let receiver = Receiver::open(&scene.name).expect("the channel");
        Mpmc { sender, receiver }
    }

    fn start(scene: &mut Scene, index: usize, fate: Fate) -> Victim {
        let round = scene.board.round.load(SeqCst);
        let name = scene.name.clone();
        scene.start(index, fate, |role| match index {
            0..SIDE => send(role, &name, round),
            _ => receive(role, &name, round),
        })
    }

    /// Selects the victims that die, and how.
    fn doomed(scene: &mut Scene) -> Vec<(usize, Fate)> {
        let victims = 2 * SIDE;
        let first = scene.random.below(victims);
        let fate = scene.fate();
        if is_repair(scene, fate) {
            // The next receiver repairs the slots of this one.
            let before = scene.fate_at("mpmc-before-finish").expect("the build has points");
            return vec![(SIDE + first % SIDE, before), (SIDE + first % SIDE, fate)];
        }
        if scene.random.below(3) > 0 {
            return vec![(first, fate)];
        }
        let second = (first + 1 + scene.random.below(victims - 1)) % victims;
        vec![(first, fate), (second, scene.fate())]
    }

    fn victims_die(scene: &mut Scene) {
        let round = scene.board.round.load(SeqCst);
        scene.board.ends.iter().for_each(|end| end.store(0, SeqCst));
        scene.board.counts.iter().flatten().for_each(|count| count.store(0, SeqCst));
        let doomed = Mpmc::doomed(scene);
        let fate = |index| doomed.iter().find(|(at, _)| *at == index).map_or(LIVES, |(_, f)| *f);
        let mut victims: Vec<Option<Victim>> =
            (0..2 * SIDE).rev().map(|index| Some(Mpmc::start(scene, index, fate(index)))).collect();
        victims.reverse();
        let mut dead = Vec::new();
        for (at, (index, _)) in doomed.iter().enumerate() {
            let victim = victims[*index].take().expect("it was started");
            scene.end(&victim, &mut (), |_, ()| thread::sleep(MOMENT), |_, ()| {});
            dead.push(victim);
            if *index >= SIDE {
                // Without a successor the senders could wait for ever.
                let next = doomed[at + 1..].iter().find(|(next, _)| next == index);
                victims[*index] =
                    Some(Mpmc::start(scene, *index, next.map_or(LIVES, |next| next.1)));
            }
        }
        let began = Instant::now();
        let dead_receivers = doomed.iter().filter(|(index, _)| *index >= SIDE).count();
        scene.board.ends[0].store(1, SeqCst);
        victims.drain(..SIDE).flatten().for_each(Victim::join);
        // A dead receiver may not have noted the messages of its last call.
        while missing(scene) > dead_receivers * BATCH {
            assert!(began.elapsed() < LONG, "{} messages are lost", missing(scene));
            thread::sleep(MOMENT);
        }
        scene.note_wait(began);
        scene.board.ends[1].store(1, SeqCst);
        victims.into_iter().flatten().for_each(Victim::join);
        Mpmc::take_the_rest(scene, round);
        check(scene, dead_receivers);
    }

    /// Receives the messages of dead receivers that no receiver has looked for.
    fn take_the_rest(scene: &Scene, round: u64) {
        let mut newcomer = Receiver::<Message>::open(&scene.name).expect("a place is free");
        while let Ok(found) = newcomer.try_recv() {
            note(scene.board, &found, newcomer.redelivered(), round);
        }
    }

    /// Checks that every slot, and now and then that every place, came back.
    fn fill(&mut self, scene: &mut Scene) {
        for lap in 0..2 {
            for number in 0..CAPACITY as u64 {
                // A slot that a dead sender was writing comes back within one liveness test.
                let time = if lap == 0 { LONG } else { Duration::ZERO };
                let sent = self.sender.send_timeout(&message(lap, number), time);
                assert_eq!(sent, Ok(()), "slot {number} is lost");
            }
            assert_eq!(self.sender.try_send(&message(0, 0)), Err(SendError::Full));
            for number in 0..CAPACITY as u64 {
                let found = self.receiver.try_recv().expect("a message");
                assert_eq!(checked(&found), (lap, number));
                assert!(!self.receiver.redelivered());
            }
            assert_eq!(self.receiver.try_recv(), Err(RecvError::Empty));
        }
        scene.check_sleepers();
        if scene.random.below(64) == 0 {
            let open = |_| Receiver::<Message>::open(&scene.name).expect("a place is lost");
            let all: Vec<_> = (0..127).map(open).collect();
            Receiver::<Message>::open(&scene.name).expect_err("a receiver too many");
            drop(all);
        }
    }
}

/// Returns whether the victim ends while it repairs the slots of a dead one.
fn is_repair(scene: &Scene, fate: Fate) -> bool {
    let Fate::Point { index, .. } = fate else { return false };
    matches!(scene.points[index].as_str(), "mpmc-in-repair" | "mpmc-before-return")
}

/// Returns how many messages were sent and have not been delivered.
fn missing(scene: &Scene) -> usize {
    let of_sender = |sender: usize| {
        let done = usize::try_from(scene.done(sender)).expect("a number");
        let counts = &scene.board.counts[sender][..done];
        counts.iter().filter(|count| count.load(SeqCst) == 0).count()
    };
    (0..SIDE).map(of_sender).sum()
}

/// Checks that each message was delivered once, and otherwise with a mark.
fn check(scene: &Scene, dead_receivers: usize) {
    let (mut again, mut messages) = (0, 0);
    for sender in 0..SIDE {
        let done = usize::try_from(scene.done(sender)).expect("a number");
        let counts = scene.board.counts[sender].iter().map(|count| count.load(SeqCst));
        for (number, count) in counts.enumerate() {
            assert!(count % AGAIN <= FIRST, "message {number} of {sender} came twice");
            // A sender may die in its last call.
            assert!(count == 0 || number < done + BATCH, "message {number} of {sender} is new");
            again += (count / AGAIN) as usize;
            messages += u64::from(count > 0);
        }
    }
    assert!(again <= dead_receivers * BATCH, "{again} deliveries again");
    let missing = missing(scene);
    assert!(missing <= dead_receivers * BATCH, "{missing} messages are lost");
    scene.totals.messages.fetch_add(messages, SeqCst);
    scene.totals.again.fetch_add(again as u64, SeqCst);
}

impl Rounds for Mpmc {
    fn round(&mut self, scene: &mut Scene) {
        Mpmc::victims_die(scene);
        self.fill(scene);
    }
}
