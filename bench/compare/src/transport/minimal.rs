//! Minimal rings in shared memory. The fastest of them in a row is the limit of that row. They trust
//! both sides, and are of no use after a death.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};

use pagemate::{SectionOptions, View};

use super::{Incoming, Outgoing, Setting, Transport};
use crate::words;

/// The offsets of the two positions, each on a pair of cache lines of its own.
const TAIL_AT: usize = 0;
const HEAD_AT: usize = 128;
const SLOTS_AT: usize = 256;

/// One end of a ring.
pub(crate) struct End {
    view: View,
    stride: usize,
    mask: u64,
    /// The number of the next message.
    next: u64,
    /// The other side's position when this end last loaded it.
    known: u64,
}

impl End {
    fn open(setting: &Setting, direction: &str, stride: usize) -> End {
        let depth = setting.depth.next_power_of_two();
        let len = (SLOTS_AT + depth * stride) as u64;
        let name = format!("{} {direction}", setting.name);
        let section = SectionOptions::new().len(len).open_or_create(name).expect("memory");
        let view = section.map().expect("a view");
        End { view, stride, mask: depth as u64 - 1, next: 0, known: 0 }
    }

    #[inline]
    fn word(&self, at: usize) -> &AtomicU64 {
        // SAFETY: both ends access these words of the view by this function only, and the offsets are
        // multiples of eight inside the view.
        unsafe { AtomicU64::from_ptr(self.view.as_ptr().wrapping_add(at).cast()) }
    }

    /// Returns the offset of a message's slot.
    #[inline]
    fn slot(&self, number: u64) -> usize {
        SLOTS_AT + (number & self.mask) as usize * self.stride
    }

    #[inline]
    fn at(&self, offset: usize) -> *mut u64 {
        self.view.as_ptr().wrapping_add(offset).cast()
    }

    /// Waits until the slot of the next message is free.
    #[inline]
    fn wait_for_room(&mut self) {
        while self.next - self.known > self.mask {
            self.known = self.word(HEAD_AT).load(Ordering::Acquire);
            spin_loop();
        }
    }
}

/// Opens both directions of a ring. `first` tells whether this is the first process.
fn both(setting: &Setting, stride: usize, first: bool) -> (End, End) {
    let (to, from) = if first { ("there", "back") } else { ("back", "there") };
    (End::open(setting, to, stride), End::open(setting, from, stride))
}

/// A ring with one position for each side. Each side keeps a copy of the other's position, and loads
/// it only when the ring looks full or empty.
pub(crate) struct Positions;
pub(crate) struct PositionsOut<const WORDS: usize>(End);
pub(crate) struct PositionsIn<const WORDS: usize>(End);

impl<const WORDS: usize> Transport<WORDS> for Positions {
    type Out = PositionsOut<WORDS>;
    type In = PositionsIn<WORDS>;
    type Listening = (End, End);

    fn listen(setting: &Setting) -> Self::Listening {
        both(setting, WORDS * 8, true)
    }

    fn accept((to, from): Self::Listening, _: &Setting) -> (Self::Out, Self::In) {
        (PositionsOut(to), PositionsIn(from))
    }

    fn connect(setting: &Setting) -> (Self::Out, Self::In) {
        let (to, from) = both(setting, WORDS * 8, false);
        (PositionsOut(to), PositionsIn(from))
    }
}

impl<const WORDS: usize> PositionsOut<WORDS> {
    #[inline]
    fn write(&mut self, number: u64) {
        self.0.wait_for_room();
        let at = self.0.at(self.0.slot(self.0.next));
        // SAFETY: the slot is free, so that only this end accesses it. It has room for a message.
        unsafe { words::fill(at, WORDS, number) };
        self.0.next += 1;
    }

    #[inline]
    fn publish(&self) {
        self.0.word(TAIL_AT).store(self.0.next, Ordering::Release);
    }
}

impl<const WORDS: usize> Outgoing for PositionsOut<WORDS> {
    #[inline]
    fn send(&mut self, number: u64) {
        self.write(number);
        self.publish();
    }

    fn send_batch(&mut self, first: u64, count: u64) {
        for number in first..first + count {
            if self.0.next - self.0.known > self.0.mask {
                self.publish();
            }
            self.write(number);
        }
        self.publish();
    }
}

impl<const WORDS: usize> PositionsIn<WORDS> {
    #[inline]
    fn wait(&mut self) {
        while self.0.next == self.0.known {
            self.0.known = self.0.word(TAIL_AT).load(Ordering::Acquire);
            if self.0.next != self.0.known {
                return;
            }
            spin_loop();
        }
    }

    #[inline]
    fn read(&mut self) -> u64 {
        let at = self.0.at(self.0.slot(self.0.next));
        // SAFETY: the slot has a message, so that the other end does not access it.
        let number = unsafe { words::sum(at, WORDS) };
        self.0.next += 1;
        number
    }

    #[inline]
    fn release(&self) {
        self.0.word(HEAD_AT).store(self.0.next, Ordering::Release);
    }
}

impl<const WORDS: usize> Incoming for PositionsIn<WORDS> {
    #[inline]
    fn receive(&mut self) -> u64 {
        self.wait();
        let number = self.read();
        self.release();
        number
    }

    fn receive_batch(&mut self, next: u64, most: u64) -> u64 {
        self.wait();
        let count = most.min(self.0.known - self.0.next);
        for number in next..next + count {
            assert_eq!(self.read(), number, "a message is lost or out of order");
        }
        self.release();
        count
    }
}

/// A ring with a sequence number in each slot. The sequence number and the message are `GAP` bytes
/// apart: 64 puts them on different cache lines, 8 packs them.
pub(crate) struct Sequences<const GAP: usize>;
pub(crate) struct SequencesOut<const GAP: usize, const WORDS: usize>(End);
pub(crate) struct SequencesIn<const GAP: usize, const WORDS: usize>(End);

impl<const GAP: usize, const WORDS: usize> Transport<WORDS> for Sequences<GAP> {
    type Out = SequencesOut<GAP, WORDS>;
    type In = SequencesIn<GAP, WORDS>;
    type Listening = (End, End);

    fn listen(setting: &Setting) -> Self::Listening {
        both(setting, GAP + WORDS * 8, true)
    }

    fn accept((to, from): Self::Listening, _: &Setting) -> (Self::Out, Self::In) {
        (SequencesOut(to), SequencesIn(from))
    }

    fn connect(setting: &Setting) -> (Self::Out, Self::In) {
        let (to, from) = both(setting, GAP + WORDS * 8, false);
        (SequencesOut(to), SequencesIn(from))
    }
}

impl<const GAP: usize, const WORDS: usize> Outgoing for SequencesOut<GAP, WORDS> {
    #[inline]
    fn send(&mut self, number: u64) {
        let end = &mut self.0;
        end.wait_for_room();
        let slot = end.slot(end.next);
        // SAFETY: the slot is free, so that only this end accesses it. It has room for a message.
        unsafe { words::fill(end.at(slot + GAP), WORDS, number) };
        end.word(slot).store(end.next + 1, Ordering::Release);
        end.next += 1;
    }
}

impl<const GAP: usize, const WORDS: usize> SequencesIn<GAP, WORDS> {
    #[inline]
    fn is_there(&self) -> bool {
        self.0.word(self.0.slot(self.0.next)).load(Ordering::Acquire) == self.0.next + 1
    }

    #[inline]
    fn read(&mut self) -> u64 {
        let at = self.0.at(self.0.slot(self.0.next) + GAP);
        // SAFETY: the slot has a message, so that the other end does not access it.
        let number = unsafe { words::sum(at, WORDS) };
        self.0.next += 1;
        number
    }

    #[inline]
    fn release(&self) {
        self.0.word(HEAD_AT).store(self.0.next, Ordering::Release);
    }
}

impl<const GAP: usize, const WORDS: usize> Incoming for SequencesIn<GAP, WORDS> {
    #[inline]
    fn receive(&mut self) -> u64 {
        while !self.is_there() {
            spin_loop();
        }
        let number = self.read();
        self.release();
        number
    }

    fn receive_batch(&mut self, next: u64, most: u64) -> u64 {
        let mut count = 0;
        while count < most {
            if !self.is_there() {
                if count > 0 {
                    break;
                }
                spin_loop();
                continue;
            }
            assert_eq!(self.read(), next + count, "a message is lost or out of order");
            count += 1;
        }
        self.release();
        count
    }
}
