//! Model checks of the protocol of the ring with several receivers. `cargo xtask loom` runs them.
//!
//! Payloads that the protocol protects are cells that loom watches: a copy that races with another one
//! fails the test. In a lossy ring without chunks copies may race, and are pairs of atomics.
#![allow(unsafe_code, reason = "cells that loom watches")]

use loom::cell::UnsafeCell;
use loom::thread;

use super::consumer::Consumer;
use super::producer::Producer;
use super::receiver_line::Line;
use super::words::{Ring, Shape};
use crate::channel::place::Occupant;
use crate::primitive::{AtomicU32, AtomicU64, Ordering};

/// The preemption bound. Most concurrency errors show with two.
const PREEMPTIONS: usize = 2;

fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(test);
}

const LOSSLESS: Shape = Shape { capacity: 2, is_lossy: false, chunks: 0 };
const LOSSY: Shape = Shape { is_lossy: true, ..LOSSLESS };
const LOSSLESS_CHUNKS: Shape = Shape { chunks: 3, ..LOSSLESS };
/// Room for the ring, for the chunk in the hand of one receiver, and for the chunk in the sender's hand.
const LOSSY_CHUNKS: Shape = Shape { chunks: 4, ..LOSSY };

const RECEIVERS: usize = 2;

struct Memory {
    shape: Shape,
    words: [AtomicU64; 2],
    sent: AtomicU64,
    lines: [Line; RECEIVERS],
    payloads: [UnsafeCell<u64>; 4],
    /// The payloads of a lossy ring without chunks.
    racing: [[AtomicU32; 2]; 2],
}

// SAFETY: the cells are accessed by the protocol alone, and loom checks that no accesses race.
unsafe impl Sync for Memory {}
// SAFETY: it owns its cells and words, and none of them belongs to one thread.
unsafe impl Send for Memory {}

impl Ring for Memory {
    fn word(&self, slot: u64) -> &AtomicU64 {
        &self.words[usize::try_from(slot).unwrap()]
    }

    fn sent(&self) -> &AtomicU64 {
        &self.sent
    }

    fn lines(&self) -> &[Line] {
        &self.lines
    }

    fn line(&self, number: usize) -> &Line {
        &self.lines[number]
    }
}

impl Memory {
    fn new(shape: Shape) -> &'static Memory {
        Box::leak(Box::new(Memory {
            shape,
            words: Default::default(),
            sent: AtomicU64::new(0),
            lines: Default::default(),
            payloads: std::array::from_fn(|_| UnsafeCell::new(0)),
            racing: Default::default(),
        }))
    }

    fn producer(&self) -> Producer {
        Producer::resume(self, self.shape, true).unwrap()
    }

    fn join(&self, line: usize) -> Consumer {
        let seat = u32::try_from(line).unwrap() + 1;
        let place = &self.lines[line].place;
        assert!(place.begin_to_join(Occupant::None, seat));
        let consumer = Consumer::join(self, self.shape, line);
        place.complete(seat);
        consumer
    }

    fn is_racing(&self) -> bool {
        self.shape.is_lossy && self.shape.chunks == 0
    }

    fn write(&self, position: u64, value: u64) {
        let position = usize::try_from(position).unwrap();
        if self.is_racing() {
            let value = u32::try_from(value).unwrap();
            self.racing[position].iter().for_each(|word| word.store(value, Ordering::Relaxed));
        } else {
            // SAFETY: loom checks that no other access happens at the same time.
            self.payloads[position].with_mut(|to| unsafe { *to = value });
        }
    }

    fn read(&self, position: u64) -> [u64; 2] {
        let position = usize::try_from(position).unwrap();
        if self.is_racing() {
            return self.racing[position]
                .each_ref()
                .map(|word| word.load(Ordering::Relaxed).into());
        }
        // SAFETY: loom checks that no write happens at the same time.
        self.payloads[position].with(|from| unsafe { [*from; 2] })
    }

    /// Sends a message, whose value is its number, and yields while there is no room.
    fn send(&self, producer: &mut Producer) {
        while producer.claim(self, 1).unwrap() == 0 {
            thread::yield_now();
        }
        self.write(producer.position(0), producer.next());
        producer.publish(self, 1);
    }

    /// Receives a message if there is one, and returns its number.
    fn try_receive(&self, consumer: &mut Consumer) -> Option<u64> {
        if consumer.claim(self, 1).unwrap() == 0 {
            return None;
        }
        let (number, copy) = (consumer.next(), self.read(consumer.position(0)));
        (consumer.finish(self, 1) == 1).then(|| {
            assert_eq!(copy, [number; 2], "a torn or wrong message");
            number
        })
    }

    fn receive(&self, consumer: &mut Consumer) -> u64 {
        loop {
            match self.try_receive(consumer) {
                Some(number) => return number,
                None => thread::yield_now(),
            }
        }
    }
}

/// Lets two receivers get three messages each, while the last one is sent. No thread waits for another
/// one, because loom cannot explore loops of three threads.
fn deliver_to_two(shape: Shape) {
    model(move || {
        let memory = Memory::new(shape);
        let mut consumers = [memory.join(0), memory.join(1)];
        let mut producer = memory.producer();
        (0..2).for_each(|_| memory.send(&mut producer));
        let receivers = consumers.each_mut().map(|consumer| memory.try_receive(consumer));
        assert_eq!(receivers, [Some(0); 2]);
        let [mut first, mut second] = consumers;
        let other = thread::spawn(move || {
            let seen = memory.try_receive(&mut second);
            (second, seen)
        });
        let sender = thread::spawn(move || {
            let room = producer.claim(memory, 2).unwrap();
            for index in 0..room {
                memory.write(producer.position(index), producer.next() + index);
            }
            producer.publish(memory, room);
        });
        assert_eq!(memory.try_receive(&mut first), Some(1));
        sender.join().unwrap();
        let (mut second, seen) = other.join().unwrap();
        assert_eq!(seen, Some(1));
        let sent = memory.sent.load(Ordering::Relaxed);
        assert!((3..=4).contains(&sent));
        for consumer in [&mut first, &mut second] {
            for number in 2..sent {
                assert_eq!(memory.try_receive(consumer), Some(number));
            }
            assert_eq!(memory.try_receive(consumer), None);
        }
    });
}

#[test]
fn each_of_two_receivers_gets_each_message_once() {
    deliver_to_two(LOSSLESS);
}

#[test]
fn each_of_two_receivers_gets_each_message_once_from_chunks() {
    deliver_to_two(LOSSLESS_CHUNKS);
}

/// Lets a receiver join while messages are sent.
fn join_late(shape: Shape) {
    model(move || {
        let memory = Memory::new(shape);
        let sender = thread::spawn(move || {
            let mut producer = memory.producer();
            (0..4).for_each(|_| memory.send(&mut producer));
        });
        let mut consumer = memory.join(0);
        let first = consumer.next();
        for number in first..4 {
            assert_eq!(memory.receive(&mut consumer), number, "lost or repeated");
        }
        sender.join().unwrap();
        assert_eq!(memory.try_receive(&mut consumer), None);
    });
}

#[test]
fn a_receiver_that_joins_late_gets_all_messages_from_then_on() {
    join_late(LOSSLESS);
}

#[test]
fn a_receiver_that_joins_late_gets_all_messages_from_then_on_from_chunks() {
    join_late(LOSSLESS_CHUNKS);
}

/// Overtakes a receiver of a lossy ring.
fn overtake(shape: Shape) {
    model(move || {
        let memory = Memory::new(shape);
        let mut consumer = memory.join(0);
        let sender = thread::spawn(move || {
            let mut producer = memory.producer();
            (0..5).for_each(|_| memory.send(&mut producer));
        });
        let mut received = 0;
        for _ in 0..2 {
            received += u64::from(memory.try_receive(&mut consumer).is_some());
        }
        sender.join().unwrap();
        while memory.try_receive(&mut consumer).is_some() {
            received += 1;
        }
        assert_eq!(received + consumer.missed(), 5);
        assert_eq!(consumer.next(), 5);
    });
}

#[test]
fn a_receiver_that_is_overtaken_gets_whole_messages_and_counts_the_others() {
    overtake(LOSSY);
}

#[test]
fn a_receiver_that_is_overtaken_gets_whole_chunks_and_counts_the_others() {
    overtake(LOSSY_CHUNKS);
}

#[test]
fn a_chunk_in_the_hand_of_a_receiver_is_not_overwritten() {
    model(|| {
        let memory = Memory::new(LOSSY_CHUNKS);
        let mut consumer = memory.join(0);
        let mut producer = memory.producer();
        memory.send(&mut producer);
        let sender = thread::spawn(move || {
            (0..5).for_each(|_| memory.send(&mut producer));
        });
        if consumer.claim(memory, 1).unwrap() == 1 {
            let number = consumer.next();
            for _ in 0..2 {
                assert_eq!(memory.read(consumer.position(0)), [number; 2]);
            }
            sender.join().unwrap();
            assert_eq!(memory.read(consumer.position(0)), [number; 2]);
            assert_eq!(consumer.finish(memory, 1), 1);
        } else {
            sender.join().unwrap();
        }
    });
}

#[test]
fn a_new_receiver_continues_where_a_dead_one_ended() {
    const DEAD: u32 = 1;
    model(|| {
        let memory = Memory::new(LOSSLESS);
        let mut dead = memory.join(0);
        let sender = thread::spawn(move || {
            let mut producer = memory.producer();
            (0..4).for_each(|_| memory.send(&mut producer));
        });
        assert_eq!(memory.receive(&mut dead), 0);
        // It dies with message 1 in its hand.
        if dead.claim(memory, 1).unwrap() == 1 {
            assert_eq!(memory.read(dead.position(0)), [1; 2]);
        }
        let other = thread::spawn(move || memory.lines[0].place.take_over(DEAD, 3));
        let is_mine = memory.lines[0].place.take_over(DEAD, 2);
        assert!(is_mine != other.join().unwrap(), "two successors, or none");
        let mut consumer = Consumer::resume(memory, LOSSLESS, 0);
        assert_eq!([(); 3].map(|()| memory.receive(&mut consumer)), [1, 2, 3]);
        sender.join().unwrap();
    });
}

#[test]
fn a_new_sender_takes_back_a_batch_that_was_not_published() {
    model(|| {
        let memory = Memory::new(LOSSLESS);
        let mut consumer = memory.join(0);
        let mut dead = memory.producer();
        assert_eq!(dead.claim(memory, 2), Ok(2));
        memory.write(dead.position(0), 98);
        memory.write(dead.position(1), 99);
        memory.words[1].store(LOSSLESS.published(1, 0), Ordering::Release);
        let sender = thread::spawn(move || {
            let mut producer = memory.producer();
            assert_eq!(producer.next(), 0);
            memory.send(&mut producer);
            memory.send(&mut producer);
        });
        assert_eq!([(); 2].map(|()| memory.receive(&mut consumer)), [0, 1]);
        sender.join().unwrap();
    });
}

#[test]
fn a_new_sender_leaves_a_chunk_alone_that_a_receiver_has_in_its_hand() {
    model(|| {
        let memory = Memory::new(LOSSY_CHUNKS);
        let mut consumer = memory.join(0);
        let mut dead = memory.producer();
        (0..2).for_each(|_| memory.send(&mut dead));
        assert_eq!(dead.claim(memory, 1), Ok(1));
        memory.write(dead.position(0), 99);
        assert_eq!(consumer.claim(memory, 1), Ok(1));
        let number = consumer.next();
        let sender = thread::spawn(move || {
            let mut producer = memory.producer();
            assert_eq!(producer.next(), 2);
            (0..4).for_each(|_| memory.send(&mut producer));
        });
        assert_eq!(memory.read(consumer.position(0)), [number; 2]);
        sender.join().unwrap();
        assert_eq!(memory.read(consumer.position(0)), [number; 2]);
        assert_eq!(consumer.finish(memory, 1), 1);
        let mut received = 1;
        while memory.try_receive(&mut consumer).is_some() {
            received += 1;
        }
        assert_eq!(received + consumer.missed(), 6);
    });
}
