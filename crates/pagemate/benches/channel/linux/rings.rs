//! Minimal rings in shared memory. A channel is measured against them. They trust both sides.
#![allow(unsafe_code, reason = "plain accesses to shared memory")]

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};

use pagemate::{SectionOptions, View};

use super::contender::{Message, Receiving, Ring, Sending};

/// The offsets of the two positions, each on a pair of cache lines of its own.
const TAIL_AT: usize = 0;
const HEAD_AT: usize = 128;
const SLOTS_AT: usize = 256;

/// One end of a minimal ring.
pub(crate) struct End {
    view: View,
    stride: usize,
    mask: u64,
    /// The number of the next message.
    next: u64,
    /// The peer's position at the last time when this end loaded it. Only the ring with two
    /// positions uses it.
    known: u64,
}

impl End {
    fn open(name: &str, depth: usize, stride: usize) -> End {
        let len = SLOTS_AT + depth * stride;
        let section = SectionOptions::new().len(len as u64).open_or_create(name).expect("memory");
        let view = section.map().expect("a view");
        End { view, stride, mask: depth as u64 - 1, next: 0, known: 0 }
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        // SAFETY: both ends access these words of the view by this function only, and the offsets are
        // multiples of eight inside the view.
        unsafe { AtomicU64::from_ptr(self.view.as_ptr().wrapping_add(at).cast()) }
    }

    #[inline]
    fn slot(&self, number: u64) -> *mut u8 {
        let slot = usize::try_from(number & self.mask).expect("a small number");
        self.view.as_ptr().wrapping_add(SLOTS_AT + slot * self.stride)
    }
}

/// A ring with one position for each side. The other side keeps a copy of it, and loads it only
/// when necessary.
pub(crate) struct HeadTail;
pub(crate) struct HeadTailSending(End);
pub(crate) struct HeadTailReceiving(End);

impl<const WORDS: usize> Ring<WORDS> for HeadTail {
    type Sending = HeadTailSending;
    type Receiving = HeadTailReceiving;

    fn sending(name: &str, depth: usize) -> HeadTailSending {
        HeadTailSending(End::open(name, depth, size_of::<Message<WORDS>>()))
    }

    fn receiving(name: &str, depth: usize) -> HeadTailReceiving {
        HeadTailReceiving(End::open(name, depth, size_of::<Message<WORDS>>()))
    }
}

impl HeadTailSending {
    /// Waits until there is space for at least one message, and returns the number of messages that
    /// fit.
    #[inline]
    fn room(&mut self) -> u64 {
        let end = &mut self.0;
        while end.next - end.known > end.mask {
            end.known = end.word(HEAD_AT).load(Ordering::Acquire);
            spin_loop();
        }
        end.mask + 1 - (end.next - end.known)
    }

    #[inline]
    fn write<const WORDS: usize>(&mut self, message: &Message<WORDS>) {
        // SAFETY: the slot is free, so that only this end accesses it. It has room for a message.
        unsafe { self.0.slot(self.0.next).cast::<Message<WORDS>>().write(*message) };
        self.0.next += 1;
    }
}

impl<const WORDS: usize> Sending<WORDS> for HeadTailSending {
    #[inline]
    fn send(&mut self, message: &Message<WORDS>) {
        self.room();
        self.write(message);
        self.0.word(TAIL_AT).store(self.0.next, Ordering::Release);
    }

    fn send_batch(&mut self, mut messages: &[Message<WORDS>]) {
        while !messages.is_empty() {
            let room = usize::try_from(self.room()).expect("a small number");
            let (now, later) = messages.split_at(room.min(messages.len()));
            for message in now {
                self.write(message);
            }
            self.0.word(TAIL_AT).store(self.0.next, Ordering::Release);
            messages = later;
        }
    }
}

impl HeadTailReceiving {
    #[inline]
    fn wait(&mut self) {
        let end = &mut self.0;
        while end.next == end.known {
            end.known = end.word(TAIL_AT).load(Ordering::Acquire);
            if end.next != end.known {
                break;
            }
            spin_loop();
        }
    }

    #[inline]
    fn read<const WORDS: usize>(&mut self) -> Message<WORDS> {
        // SAFETY: the slot has a message, so that the other end does not access it.
        let message = unsafe { self.0.slot(self.0.next).cast::<Message<WORDS>>().read() };
        self.0.next += 1;
        message
    }
}

impl<const WORDS: usize> Receiving<WORDS> for HeadTailReceiving {
    #[inline]
    fn receive(&mut self) -> Message<WORDS> {
        self.wait();
        let message = self.read();
        self.0.word(HEAD_AT).store(self.0.next, Ordering::Release);
        message
    }

    fn receive_into(&mut self, message: &mut Message<WORDS>) {
        self.wait();
        // SAFETY: the slot has a message, so that the other end does not access it.
        unsafe {
            std::ptr::from_mut(message)
                .copy_from_nonoverlapping(self.0.slot(self.0.next).cast(), 1);
        }
        self.0.next += 1;
        self.0.word(HEAD_AT).store(self.0.next, Ordering::Release);
    }

    fn receive_batch(&mut self, messages: &mut Vec<Message<WORDS>>, max: usize) {
        messages.clear();
        self.wait();
        while messages.len() < max && self.0.next != self.0.known {
            messages.push(self.read());
        }
        self.0.word(HEAD_AT).store(self.0.next, Ordering::Release);
    }
}

/// A ring with a sequence word `GAP` bytes before each message.
pub(crate) struct InSlot<const GAP: usize>;
pub(crate) struct InSlotSending<const GAP: usize>(End);
pub(crate) struct InSlotReceiving<const GAP: usize>(End);

impl<const GAP: usize, const WORDS: usize> Ring<WORDS> for InSlot<GAP> {
    type Sending = InSlotSending<GAP>;
    type Receiving = InSlotReceiving<GAP>;

    fn sending(name: &str, depth: usize) -> InSlotSending<GAP> {
        InSlotSending(End::open(name, depth, GAP + size_of::<Message<WORDS>>()))
    }

    fn receiving(name: &str, depth: usize) -> InSlotReceiving<GAP> {
        InSlotReceiving(End::open(name, depth, GAP + size_of::<Message<WORDS>>()))
    }
}

impl End {
    #[inline]
    fn sequence(&self, number: u64) -> &AtomicU64 {
        // SAFETY: `number` is reduced to a slot inside the view, and each slot begins with this
        // word, at a multiple of eight.
        unsafe { AtomicU64::from_ptr(self.slot(number).cast()) }
    }
}

impl<const GAP: usize, const WORDS: usize> Sending<WORDS> for InSlotSending<GAP> {
    #[inline]
    fn send(&mut self, message: &Message<WORDS>) {
        let end = &mut self.0;
        while end.next - end.known > end.mask {
            end.known = end.word(HEAD_AT).load(Ordering::Acquire);
            spin_loop();
        }
        let at = end.slot(end.next).wrapping_add(GAP).cast::<Message<WORDS>>();
        // SAFETY: the slot is free, so that only this end accesses it. It has room for a message.
        unsafe { at.write(*message) };
        end.sequence(end.next).store(end.next + 1, Ordering::Release);
        end.next += 1;
    }

    fn send_batch(&mut self, messages: &[Message<WORDS>]) {
        for message in messages {
            self.send(message);
        }
    }
}

impl<const GAP: usize> InSlotReceiving<GAP> {
    #[inline]
    fn read<const WORDS: usize>(&mut self) -> Message<WORDS> {
        let at = self.0.slot(self.0.next).wrapping_add(GAP).cast::<Message<WORDS>>();
        // SAFETY: the slot has a message, so that the other end does not access it.
        let message = unsafe { at.read() };
        self.0.next += 1;
        message
    }

    #[inline]
    fn is_there(&self) -> bool {
        self.0.sequence(self.0.next).load(Ordering::Acquire) == self.0.next + 1
    }
}

impl<const GAP: usize, const WORDS: usize> Receiving<WORDS> for InSlotReceiving<GAP> {
    #[inline]
    fn receive(&mut self) -> Message<WORDS> {
        while !self.is_there() {
            spin_loop();
        }
        let message = self.read();
        self.0.word(HEAD_AT).store(self.0.next, Ordering::Release);
        message
    }

    fn receive_into(&mut self, message: &mut Message<WORDS>) {
        while !self.is_there() {
            spin_loop();
        }
        let at = self.0.slot(self.0.next).wrapping_add(GAP).cast::<Message<WORDS>>();
        // SAFETY: the slot has a message, so that the other end does not access it.
        unsafe { std::ptr::from_mut(message).copy_from_nonoverlapping(at, 1) };
        self.0.next += 1;
        self.0.word(HEAD_AT).store(self.0.next, Ordering::Release);
    }

    fn receive_batch(&mut self, messages: &mut Vec<Message<WORDS>>, max: usize) {
        messages.clear();
        messages.push(Receiving::<WORDS>::receive(self));
        while messages.len() < max && self.is_there() {
            messages.push(self.read());
        }
        self.0.word(HEAD_AT).store(self.0.next, Ordering::Release);
    }
}
