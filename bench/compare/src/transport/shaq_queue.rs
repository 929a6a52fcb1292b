//! shaq's queues, over a file in memory. Its examples recommend batches where there are several
//! messages, and `read_timeout` to wait. Its senders have no call that waits for room.

use std::fs::{File, OpenOptions};
use std::hint::spin_loop;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::{Incoming, Outgoing, Setting, Transport, Waiting};
use crate::words;

pub(crate) struct Spsc;
pub(crate) struct Mpmc;

/// A time that no wait of a row exceeds.
const LONG: Duration = Duration::from_secs(60);

pub(crate) fn create(setting: &Setting, part: &str, len: usize) -> File {
    let path = setting.file(part);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(path).expect("a file");
    file.set_len(len as u64).expect("room");
    file
}

pub(crate) fn open(setting: &Setting, part: &str) -> File {
    OpenOptions::new().read(true).write(true).open(setting.file(part)).expect("the other's file")
}

pub(crate) struct SpscOut<const WORDS: usize>(shaq::spsc::Producer<[u64; WORDS]>);
pub(crate) struct SpscIn<const WORDS: usize>(shaq::spsc::Consumer<[u64; WORDS]>, Waiting);

impl<const WORDS: usize> Transport<WORDS> for Spsc {
    type Out = SpscOut<WORDS>;
    type In = SpscIn<WORDS>;
    type Listening = (Self::Out, Self::In);

    fn listen(setting: &Setting) -> Self::Listening {
        let len = shaq::spsc::minimum_file_size::<[u64; WORDS]>(setting.depth);
        let (there, back) = (create(setting, "there", len), create(setting, "back", len));
        // SAFETY: this process alone creates both queues, as the only producer of one and the only
        // consumer of the other. Every word is valid in every process.
        let to = unsafe { shaq::spsc::Producer::create(&there, len) }.expect("a queue");
        // SAFETY: as above.
        let from = unsafe { shaq::spsc::Consumer::create(&back, len) }.expect("a queue");
        (SpscOut(to), SpscIn(from, setting.waiting))
    }

    fn accept(both: Self::Listening, _: &Setting) -> (Self::Out, Self::In) {
        both
    }

    fn connect(setting: &Setting) -> (Self::Out, Self::In) {
        // SAFETY: the first process has created both queues, and this one is the only other user.
        let from = unsafe { shaq::spsc::Consumer::join(&open(setting, "there")) }.expect("a queue");
        // SAFETY: as above.
        let to = unsafe { shaq::spsc::Producer::join(&open(setting, "back")) }.expect("a queue");
        (SpscOut(to), SpscIn(from, setting.waiting))
    }
}

impl<const WORDS: usize> Outgoing for SpscOut<WORDS> {
    #[inline]
    fn send(&mut self, number: u64) {
        self.send_batch(number, 1);
    }

    #[inline]
    fn send_batch(&mut self, first: u64, count: u64) {
        let (mut number, end) = (first, first + count);
        while number < end {
            let mut batch = self.0.write_batch();
            // SAFETY: every slot that the batch gives is filled before the batch ends.
            while number < end
                && let Some(slot) = unsafe { batch.try_as_mut() }
            {
                // SAFETY: the slot belongs to this producer, and has room for a message.
                unsafe { words::fill(slot.as_mut_ptr().cast(), WORDS, number) };
                number += 1;
            }
            drop(batch);
            if number < end {
                spin_loop();
            }
        }
    }
}

impl<const WORDS: usize> Incoming for SpscIn<WORDS> {
    #[inline]
    fn receive(&mut self) -> u64 {
        let mut number = 0;
        take(&mut self.0, self.1, 1, |message| number = message);
        number
    }

    fn receive_batch(&mut self, next: u64, most: u64) -> u64 {
        let mut number = next;
        take(&mut self.0, self.1, most as usize, |message| {
            assert_eq!(message, number, "a message is lost or out of order");
            number += 1;
        });
        number - next
    }
}

#[inline]
fn take<const WORDS: usize>(
    consumer: &mut shaq::spsc::Consumer<[u64; WORDS]>,
    waiting: Waiting,
    most: usize,
    mut each: impl FnMut(u64),
) {
    let most = NonZeroUsize::new(most).expect("at least one");
    if waiting == Waiting::Polling {
        while consumer.is_empty() {
            // The call that reserves loads the other side's position.
            if let Some(batch) = consumer.try_reserve_read_batch(most) {
                // SAFETY: the message has so many words.
                return batch.iter().for_each(|m| each(unsafe { words::sum(m.as_ptr(), WORDS) }));
            }
            spin_loop();
        }
        let batch = consumer.try_reserve_read_batch(most).expect("it is not empty");
        // SAFETY: the message has so many words.
        return batch.iter().for_each(|m| each(unsafe { words::sum(m.as_ptr(), WORDS) }));
    }
    let batch = consumer.reserve_read_batch_timeout(most, LONG).expect("a message");
    // SAFETY: the message has so many words.
    batch.iter().for_each(|m| each(unsafe { words::sum(m.as_ptr(), WORDS) }));
}

pub(crate) struct MpmcOut<const WORDS: usize>(shaq::mpmc::Producer<[u64; WORDS]>);
pub(crate) struct MpmcIn<const WORDS: usize>(shaq::mpmc::Consumer<[u64; WORDS]>, Waiting);

impl<const WORDS: usize> Transport<WORDS> for Mpmc {
    type Out = MpmcOut<WORDS>;
    type In = MpmcIn<WORDS>;
    type Listening = (Self::Out, Self::In);

    fn listen(setting: &Setting) -> Self::Listening {
        let len = shaq::mpmc::minimum_file_size::<[u64; WORDS]>(setting.depth);
        let (there, back) = (create(setting, "there", len), create(setting, "back", len));
        // SAFETY: this process alone creates both queues. Every word is valid in every process.
        let to = unsafe { shaq::mpmc::Producer::create(&there, len) }.expect("a queue");
        // SAFETY: as above.
        let from = unsafe { shaq::mpmc::Consumer::create(&back, len) }.expect("a queue");
        (MpmcOut(to), MpmcIn(from, setting.waiting))
    }

    fn accept(both: Self::Listening, _: &Setting) -> (Self::Out, Self::In) {
        both
    }

    fn connect(setting: &Setting) -> (Self::Out, Self::In) {
        // SAFETY: the first process has created both queues for the same messages.
        let from = unsafe { shaq::mpmc::Consumer::join(&open(setting, "there")) }.expect("a queue");
        // SAFETY: as above.
        let to = unsafe { shaq::mpmc::Producer::join(&open(setting, "back")) }.expect("a queue");
        (MpmcOut(to), MpmcIn(from, setting.waiting))
    }
}

impl<const WORDS: usize> Outgoing for MpmcOut<WORDS> {
    #[inline]
    fn send(&mut self, number: u64) {
        self.send_batch(number, 1);
    }

    #[inline]
    fn send_batch(&mut self, first: u64, count: u64) {
        let slots = NonZeroUsize::new(count as usize).expect("at least one");
        loop {
            // SAFETY: every slot of the batch is filled before the batch ends.
            let Some(mut batch) = (unsafe { self.0.try_reserve_write_batch(slots) }) else {
                spin_loop();
                continue;
            };
            for (index, number) in (first..first + count).enumerate() {
                // SAFETY: the index is below the number of slots, and the slot has room for a message.
                unsafe { words::fill(batch.as_mut(index).as_mut_ptr().cast(), WORDS, number) };
            }
            return;
        }
    }
}

impl<const WORDS: usize> MpmcIn<WORDS> {
    #[inline]
    fn take(&mut self, most: usize, mut each: impl FnMut(u64)) {
        let most = NonZeroUsize::new(most).expect("at least one");
        let batch = loop {
            let batch = match self.1 {
                Waiting::Polling => self.0.try_reserve_read_batch(most),
                _ => Some(self.0.reserve_read_batch_timeout(most, LONG).expect("a message")),
            };
            match batch {
                Some(batch) => break batch,
                None => spin_loop(),
            }
        };
        // SAFETY: the message has so many words.
        batch.iter().for_each(|m| each(unsafe { words::sum(m.as_ptr(), WORDS) }));
    }
}

impl<const WORDS: usize> Incoming for MpmcIn<WORDS> {
    #[inline]
    fn receive(&mut self) -> u64 {
        let mut number = 0;
        self.take(1, |message| number = message);
        number
    }

    fn receive_batch(&mut self, next: u64, most: u64) -> u64 {
        let mut number = next;
        self.take(most as usize, |message| {
            assert_eq!(message, number, "a message is lost or out of order");
            number += 1;
        });
        number - next
    }
}
