//! Model checks of the protocol with loom. Sleeps have no end here, so that a lost wake-up is a deadlock.
#![allow(unsafe_code, reason = "cells that loom watches")]

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::thread;

use super::consumer::Consumer;
use super::producer::Producer;
use super::ring::{Ring, RingSide as _};
use crate::channel::wake_flag::{ALL, Sleepers, WakeFlag};
use crate::primitive::{AtomicU32, AtomicU64};
use crate::sys::wait;

/// The seat of a dead process.
const DEAD: u32 = 99;

/// Checks a model with this preemption bound.
fn model(bound: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(bound);
    builder.check(test);
}

struct Memory {
    slots: Vec<(AtomicU64, UnsafeCell<u64>)>,
    sent: AtomicU64,
    received: AtomicU64,
    returns: AtomicU64,
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

    fn word(&self, position: u64) -> &AtomicU64 {
        &self.slot(position).0
    }

    fn sent(&self) -> &AtomicU64 {
        &self.sent
    }

    fn received(&self) -> &AtomicU64 {
        &self.received
    }

    fn returns(&self) -> &AtomicU64 {
        &self.returns
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

fn is_alive(seat: u32) -> Result<bool, Infallible> {
    Ok(seat != DEAD)
}

impl Memory {
    fn new(slots: usize) -> &'static Memory {
        let memory = Box::leak(Box::new(Memory {
            slots: (0..slots).map(|_| (AtomicU64::new(0), UnsafeCell::new(0))).collect(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            returns: AtomicU64::new(0),
            receiver_flag: WakeFlag::default(),
            sender_flag: WakeFlag::default(),
        }));
        memory.receiver_flag.admit_many();
        memory.sender_flag.admit_many();
        memory
    }

    fn slot(&self, position: u64) -> &(AtomicU64, UnsafeCell<u64>) {
        &self.slots[usize::try_from(position).unwrap() & (self.slots.len() - 1)]
    }

    fn write(&self, position: u64, value: u64) {
        // SAFETY: loom checks that no other access happens at the same time.
        self.slot(position).1.with_mut(|to| unsafe { *to = value });
    }

    fn read(&self, position: u64) -> u64 {
        // SAFETY: loom checks that no write happens at the same time.
        self.slot(position).1.with(|from| unsafe { *from })
    }

    /// Claims slots, and sleeps while there is none.
    fn claim(&self, producer: &mut Producer, wanted: u64) -> u64 {
        loop {
            let claimed = producer.claim(self, wanted).unwrap();
            if claimed > 0 {
                if self.sender_flag.has_sleeper() && producer.has_more(self) {
                    self.sender_flag.notify(&Futexes);
                }
                return claimed;
            }
            let is_ready = || producer.is_ready(self) != Ok(false);
            self.sender_flag.sleep(&Futexes, is_ready, Duration::MAX).unwrap();
        }
    }

    /// Sends messages in runs, and sleeps while there is no room.
    fn send(&self, producer: &mut Producer, mut values: &[u64]) {
        while !values.is_empty() {
            let claimed = self.claim(producer, values.len() as u64);
            let (now, later) = values.split_at(usize::try_from(claimed).unwrap());
            for (index, value) in (0..).zip(now) {
                self.write(producer.position(index), *value);
            }
            producer.publish(self, claimed);
            self.receiver_flag.notify_many(&Futexes, u32::try_from(claimed).unwrap());
            values = later;
        }
    }

    /// Receives at most `wanted` messages, and sleeps while there is none.
    fn receive(&self, consumer: &mut Consumer, wanted: u64) -> Vec<u64> {
        loop {
            let claimed = consumer.claim(self, wanted).unwrap();
            if claimed > 0 {
                if self.receiver_flag.has_sleeper() && consumer.has_more(self) {
                    self.receiver_flag.notify(&Futexes);
                }
                let values = (0..claimed).map(|index| self.read(consumer.position(index)));
                let values = values.collect();
                consumer.finish(self);
                self.sender_flag.notify_many(&Futexes, u32::try_from(claimed).unwrap());
                return values;
            }
            let is_ready = || consumer.is_ready(self) != Ok(false);
            self.receiver_flag.sleep(&Futexes, is_ready, Duration::MAX).unwrap();
        }
    }

    fn receive_one(&self, consumer: &mut Consumer) -> u64 {
        self.receive(consumer, 1)[0]
    }

    fn notify_all(&self) {
        self.receiver_flag.notify_many(&Futexes, ALL);
        self.sender_flag.notify_many(&Futexes, ALL);
    }
}

fn sender(memory: &'static Memory, seat: u32, values: &'static [u64]) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut producer = Producer::join(memory, seat);
        memory.send(&mut producer, values);
    })
}

/// Receives `count` messages one by one.
fn receiver(memory: &'static Memory, seat: u32, count: usize) -> thread::JoinHandle<Vec<u64>> {
    thread::spawn(move || {
        let mut consumer = Consumer::join(memory, seat);
        (0..count).map(|_| memory.receive_one(&mut consumer)).collect()
    })
}

#[test]
fn two_senders_share_a_ring_and_each_keeps_its_order() {
    model(2, || {
        let memory = Memory::new(2);
        let senders = [sender(memory, 1, &[1]), sender(memory, 2, &[11, 12])];
        let mut consumer = Consumer::join(memory, 3);
        let found = [(); 3].map(|()| memory.receive_one(&mut consumer));
        for sender in senders {
            sender.join().unwrap();
        }
        assert!([[1, 11, 12], [11, 1, 12], [11, 12, 1]].contains(&found), "{found:?}");
    });
}

#[test]
fn two_senders_that_sleep_for_room_are_both_woken() {
    model(2, || {
        let memory = Memory::new(1);
        let senders = [sender(memory, 1, &[1]), sender(memory, 2, &[2])];
        let mut consumer = Consumer::join(memory, 3);
        let mut found = [(); 2].map(|()| memory.receive_one(&mut consumer));
        for sender in senders {
            sender.join().unwrap();
        }
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
    });
}

#[test]
fn two_receivers_share_messages_and_both_are_woken() {
    model(2, || {
        let memory = Memory::new(2);
        let receivers = [receiver(memory, 1, 1), receiver(memory, 2, 1)];
        let mut producer = Producer::join(memory, 3);
        memory.send(&mut producer, &[1]);
        memory.send(&mut producer, &[2]);
        let mut found = receivers.map(|receiver| receiver.join().unwrap()[0]);
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
    });
}

#[test]
fn a_run_of_messages_wakes_both_receivers() {
    model(2, || {
        let memory = Memory::new(2);
        let receivers = [receiver(memory, 1, 1), receiver(memory, 2, 1)];
        let mut producer = Producer::join(memory, 3);
        memory.send(&mut producer, &[1, 2]);
        let mut found = receivers.map(|receiver| receiver.join().unwrap()[0]);
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
    });
}

#[test]
fn a_receiver_is_woken_for_a_message_that_overtook_the_message_of_a_slow_sender() {
    model(2, || {
        let memory = Memory::new(2);
        let receivers = [receiver(memory, 1, 1), receiver(memory, 2, 1)];
        let mut slow = Producer::join(memory, 3);
        assert_eq!(memory.claim(&mut slow, 1), 1);
        let mut fast = Producer::join(memory, 4);
        memory.send(&mut fast, &[2]);
        memory.write(slow.position(0), 1);
        slow.publish(memory, 1);
        memory.receiver_flag.notify(&Futexes);
        let mut found = receivers.map(|receiver| receiver.join().unwrap()[0]);
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
    });
}

#[test]
fn receivers_take_runs_while_a_sender_sends_runs() {
    model(2, || {
        let memory = Memory::new(4);
        let sender = sender(memory, 1, &[1, 2, 3]);
        let other = thread::spawn(move || {
            let mut consumer = Consumer::join(memory, 2);
            memory.receive(&mut consumer, 2)
        });
        let mut consumer = Consumer::join(memory, 3);
        let mut found = memory.receive(&mut consumer, 1);
        found.extend(other.join().unwrap());
        while found.len() < 3 {
            found.extend(memory.receive(&mut consumer, 2));
        }
        sender.join().unwrap();
        found.sort_unstable();
        assert_eq!(found, [1, 2, 3]);
    });
}

#[test]
fn two_receivers_repair_the_run_of_a_dead_sender() {
    model(2, || {
        let memory = Memory::new(4);
        // It died while it published: the second message has its word.
        let mut dead = Producer::join(memory, DEAD);
        assert_eq!(dead.claim(memory, 2), Ok(2));
        memory.write(0, 98);
        memory.write(1, 99);
        memory.word(1).store(super::word::Word::full(0).0, crate::primitive::Ordering::Release);
        let mut producer = Producer::join(memory, 1);
        memory.send(&mut producer, &[1, 2]);
        let receive = move |seat| {
            let mut consumer = Consumer::join(memory, seat);
            consumer.repair(memory, is_alive).unwrap();
            memory.notify_all();
            memory.receive_one(&mut consumer)
        };
        let other = thread::spawn(move || receive(2));
        let mut found = [receive(3), other.join().unwrap()];
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
        // All slots are free.
        assert_eq!(producer.claim(memory, 9), Ok(4));
    });
}

/// Lets a receiver die with a run of two messages in hand, with all slots full.
fn memory_with_dead_receiver() -> &'static Memory {
    let memory = Memory::new(2);
    let mut producer = Producer::join(memory, 1);
    memory.send(&mut producer, &[1, 2]);
    let mut dead = Consumer::join(memory, DEAD);
    assert_eq!(dead.claim(memory, 2), Ok(2));
    memory
}

#[test]
fn the_messages_of_a_dead_receiver_are_delivered_again_once() {
    model(2, || {
        let memory = memory_with_dead_receiver();
        let receive = move |seat| {
            let mut consumer = Consumer::join(memory, seat);
            consumer.repair(memory, is_alive).unwrap();
            memory.notify_all();
            let found = memory.receive_one(&mut consumer);
            assert!(consumer.is_redelivered());
            found
        };
        let other = thread::spawn(move || receive(2));
        let mut found = [receive(3), other.join().unwrap()];
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
        let mut producer = Producer::join(memory, 4);
        assert_eq!(producer.claim(memory, 9), Ok(2));
    });
}

#[test]
fn a_sender_returns_the_messages_of_a_dead_receiver_to_a_sleeping_one() {
    model(2, || {
        let memory = memory_with_dead_receiver();
        let receiver = receiver(memory, 2, 3);
        let mut producer = Producer::join(memory, 3);
        assert_eq!(producer.claim(memory, 1), Ok(0));
        assert!(producer.repair(memory, is_alive).unwrap());
        memory.notify_all();
        memory.send(&mut producer, &[3]);
        let mut found = receiver.join().unwrap();
        found.sort_unstable();
        assert_eq!(found, [1, 2, 3]);
    });
}

#[test]
fn the_slots_of_a_receiver_that_died_after_it_finished_a_run_are_freed() {
    model(2, || {
        let memory = memory_with_dead_receiver();
        // It died while it freed the slots: the second one is free.
        let done = super::word::Word::done(0, DEAD, 2);
        memory.word(0).store(done.0, crate::primitive::Ordering::Release);
        memory.word(1).store(super::word::Word::empty(1).0, crate::primitive::Ordering::Release);
        let receiver = receiver(memory, 2, 1);
        let mut producer = Producer::join(memory, 3);
        assert_eq!(producer.claim(memory, 1), Ok(0));
        assert!(producer.repair(memory, is_alive).unwrap());
        memory.notify_all();
        memory.send(&mut producer, &[3]);
        assert_eq!(receiver.join().unwrap(), [3]);
    });
}

#[test]
fn a_repair_continues_after_the_death_of_the_process_that_repaired() {
    model(2, || {
        let memory = memory_with_dead_receiver();
        // A second process died after it had returned one of the two messages.
        let again = super::word::Word::redelivered(0);
        memory.word(1).store(again.0, crate::primitive::Ordering::Release);
        let other = thread::spawn(move || {
            let mut producer = Producer::join(memory, 2);
            producer.repair(memory, is_alive).unwrap();
            memory.notify_all();
        });
        let mut consumer = Consumer::join(memory, 3);
        consumer.repair(memory, is_alive).unwrap();
        let found = [(); 2].map(|()| memory.receive_one(&mut consumer));
        assert_eq!(found, [1, 2]);
        other.join().unwrap();
    });
}

#[test]
fn a_note_of_a_killed_sleeper_costs_one_wake_up() {
    model(2, || {
        let memory = Memory::new(2);
        memory.receiver_flag.set_state_of_killed_sleeper();
        let receivers = [receiver(memory, 1, 1), receiver(memory, 2, 1)];
        let mut producer = Producer::join(memory, 3);
        memory.send(&mut producer, &[1, 2]);
        let mut found = receivers.map(|receiver| receiver.join().unwrap()[0]);
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
    });
}

#[test]
fn no_wake_up_is_lost_without_the_barrier() {
    model(2, || {
        let memory = Memory::new(1);
        memory.receiver_flag.require_fence();
        memory.sender_flag.require_fence();
        let receivers = [receiver(memory, 2, 1), receiver(memory, 3, 1)];
        let mut producer = Producer::join(memory, 1);
        memory.send(&mut producer, &[1]);
        memory.send(&mut producer, &[2]);
        let mut found = receivers.map(|receiver| receiver.join().unwrap()[0]);
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
    });
}
