//! Model checks of the protocols of channels with loom. `cargo xtask loom` runs them.
//!
//! Sleeps have no end here, so that a lost wake-up is a deadlock, which loom reports. Payloads are cells
//! that loom watches: a copy that races with another one fails the test.
#![allow(unsafe_code, reason = "cells that loom watches")]

use std::io;
use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::thread;

use super::place::{Occupant, Place};
use super::spsc::ring::{Consumer, Producer, Ring};
use super::wake_flag::{Sleepers, WakeFlag};
use crate::primitive::{AtomicU32, AtomicU64};
use crate::sys::wait;

/// The preemption bound. Most concurrency errors show with two.
const PREEMPTIONS: usize = 3;

fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(test);
}

/// A channel with two slots.
struct Memory {
    slots: [(AtomicU64, UnsafeCell<u64>); 2],
    received: AtomicU64,
    batch_end: AtomicU64,
    sent: AtomicU64,
    receiver_flag: WakeFlag,
    sender_flag: WakeFlag,
}

// SAFETY: the cells are accessed by the protocol alone, and loom checks that no accesses race.
unsafe impl Sync for Memory {}
// SAFETY: it owns its cells and words, and none of them belongs to one thread.
unsafe impl Send for Memory {}

impl Ring for Memory {
    fn count(&self) -> u64 {
        self.slots.len() as u64
    }

    fn sequence(&self, position: u64) -> &AtomicU64 {
        &self.slot(position).0
    }

    fn prefetch_to_read(&self, _: u64) {}

    fn received(&self) -> &AtomicU64 {
        &self.received
    }

    fn batch_end(&self) -> &AtomicU64 {
        &self.batch_end
    }

    fn sent(&self) -> &AtomicU64 {
        &self.sent
    }
}

struct Futexes;

impl Sleepers for Futexes {
    fn wait(&self, flag: &AtomicU32, expected: u32, time: Duration) -> io::Result<()> {
        wait::wait(flag.into(), expected, time).map(drop)
    }

    fn wake(&self, flag: &AtomicU32, count: u32) {
        wait::wake(flag.into(), count);
    }
}

impl Memory {
    fn new() -> &'static Memory {
        let slot = || (AtomicU64::new(0), UnsafeCell::new(0));
        Box::leak(Box::new(Memory {
            slots: [slot(), slot()],
            received: AtomicU64::new(0),
            batch_end: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            receiver_flag: WakeFlag::default(),
            sender_flag: WakeFlag::default(),
        }))
    }

    fn slot(&self, position: u64) -> &(AtomicU64, UnsafeCell<u64>) {
        &self.slots[usize::from(position & 1 != 0)]
    }

    fn write(&self, position: u64, value: u64) {
        // SAFETY: loom checks that no other access happens at the same time.
        self.slot(position).1.with_mut(|to| unsafe { *to = value });
    }

    fn read(&self, position: u64) -> u64 {
        // SAFETY: loom checks that no write happens at the same time.
        self.slot(position).1.with(|from| unsafe { *from })
    }

    /// Sends a message, and sleeps while there is no room.
    fn send(&self, producer: &mut Producer, value: u64) {
        while producer.room(self, 1).unwrap() == 0 {
            let is_ready = || producer.has_room(self) != Ok(false);
            self.sender_flag.sleep(&Futexes, is_ready, Duration::MAX).unwrap();
        }
        self.write(producer.next(), value);
        producer.publish(self, 1);
        self.receiver_flag.notify(&Futexes);
    }

    /// Receives a message, and sleeps while there is none.
    fn receive(&self, consumer: &mut Consumer) -> u64 {
        while consumer.available(self, 1).unwrap() == 0 {
            let is_ready = || consumer.has_message(self) != Ok(false);
            self.receiver_flag.sleep(&Futexes, is_ready, Duration::MAX).unwrap();
        }
        let value = self.read(consumer.next());
        consumer.finish(self, 1);
        self.sender_flag.notify(&Futexes);
        value
    }
}

/// Sends three messages through two slots, so that both sides may have to sleep.
fn exchange(memory: &'static Memory) {
    let sender = thread::spawn(move || {
        let mut producer = Producer::resume(memory);
        (1..=3).for_each(|value| memory.send(&mut producer, value));
    });
    let mut consumer = Consumer::resume(memory);
    assert_eq!([(); 3].map(|()| memory.receive(&mut consumer)), [1, 2, 3]);
    sender.join().unwrap();
}

#[test]
fn messages_arrive_whole_and_no_wake_up_is_lost() {
    model(|| exchange(Memory::new()));
}

#[test]
fn no_wake_up_is_lost_without_the_barrier() {
    model(|| {
        let memory = Memory::new();
        memory.receiver_flag.require_fence();
        memory.sender_flag.require_fence();
        exchange(memory);
    });
}

#[test]
fn a_note_of_a_killed_sleeper_costs_one_wake_up() {
    model(|| {
        let memory = Memory::new();
        memory.receiver_flag.set_state_of_killed_sleeper();
        exchange(memory);
    });
}

#[test]
fn a_new_sender_continues_after_a_half_written_message() {
    model(|| {
        let memory = Memory::new();
        let mut dead = Producer::resume(memory);
        memory.send(&mut dead, 1);
        memory.write(dead.next(), 99);
        let sender = thread::spawn(move || {
            let mut producer = Producer::resume(memory);
            (2..=3).for_each(|value| memory.send(&mut producer, value));
        });
        let mut consumer = Consumer::resume(memory);
        assert_eq!([(); 3].map(|()| memory.receive(&mut consumer)), [1, 2, 3]);
        sender.join().unwrap();
    });
}

#[test]
fn a_new_receiver_gets_a_message_that_was_copied_but_not_finished() {
    model(|| {
        let memory = Memory::new();
        let sender = thread::spawn(move || {
            let mut producer = Producer::resume(memory);
            (1..=3).for_each(|value| memory.send(&mut producer, value));
        });
        let mut dead = Consumer::resume(memory);
        assert_eq!(memory.receive(&mut dead), 1);
        if dead.available(memory, 1) == Ok(1) {
            assert_eq!(memory.read(dead.next()), 2);
        }
        let mut consumer = Consumer::resume(memory);
        assert_eq!([(); 2].map(|()| memory.receive(&mut consumer)), [2, 3]);
        sender.join().unwrap();
    });
}

impl Memory {
    /// Sends two messages in one batch, and sleeps while there is no room.
    fn send_two(&self, producer: &mut Producer, values: [u64; 2]) {
        while producer.room(self, 2).unwrap() < 2 {
            let is_ready = || producer.room(self, 2) == Ok(2);
            self.sender_flag.sleep(&Futexes, is_ready, Duration::MAX).unwrap();
        }
        for (position, value) in (producer.next()..).zip(values) {
            self.write(position, value);
        }
        producer.publish(self, 2);
        self.receiver_flag.notify(&Futexes);
    }
}

#[test]
fn a_batch_arrives_whole_and_a_new_sender_takes_back_an_unfinished_one() {
    model(|| {
        let memory = Memory::new();
        // A sender died after it had written the payloads of a batch.
        memory.write(0, 98);
        memory.write(1, 99);
        let sender = thread::spawn(move || {
            let mut producer = Producer::resume(memory);
            memory.send(&mut producer, 1);
            memory.send_two(&mut producer, [2, 3]);
        });
        let mut consumer = Consumer::resume(memory);
        assert_eq!(memory.receive(&mut consumer), 1);
        let second = memory.receive(&mut consumer);
        assert_eq!(consumer.available(memory, 1), Ok(1), "the batch arrived in part");
        assert_eq!([second, memory.receive(&mut consumer)], [2, 3]);
        sender.join().unwrap();
    });
}

#[test]
fn successors_continue_inside_a_batch() {
    model(|| {
        let memory = Memory::new();
        let mut dead = Producer::resume(memory);
        memory.send_two(&mut dead, [1, 2]);
        let sender = thread::spawn(move || {
            let mut producer = Producer::resume(memory);
            (3..=4).for_each(|value| memory.send(&mut producer, value));
        });
        // This receiver dies when it has finished the first message of the batch.
        let mut dead = Consumer::resume(memory);
        assert_eq!(memory.receive(&mut dead), 1);
        let mut consumer = Consumer::resume(memory);
        assert_eq!([(); 3].map(|()| memory.receive(&mut consumer)), [2, 3, 4]);
        sender.join().unwrap();
    });
}

#[test]
fn one_of_two_successors_takes_the_place_of_a_dead_process() {
    /// The seat of a dead process.
    const DEAD: u32 = 99;
    model(|| {
        let place: &'static Place = Box::leak(Box::new(Place::default()));
        let claim = |seat| place.claim(seat, "sender", |seat| Ok(seat != DEAD)).is_ok();
        assert!(claim(DEAD));
        let other = thread::spawn(move || claim(1));
        let won = [claim(2), other.join().unwrap()];
        assert!(won[0] != won[1], "{won:?}");
        assert_eq!(place.occupant(), Occupant::Seat(if won[0] { 2 } else { 1 }));
        place.leave(1);
        place.leave(2);
        assert_eq!(place.occupant(), Occupant::Left);
    });
}
