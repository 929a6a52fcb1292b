//! Two words in shared memory on which the processes sleep in turn: the least that a blocking round
//! trip can cost.

use std::sync::atomic::{AtomicU32, Ordering};

use pagemate::{SectionOptions, View};
use rustix::thread::futex;

use super::{Incoming, Outgoing, Setting, Transport};
use crate::words;

const MESSAGE_AT: usize = 64;

pub(crate) struct BareFutex;

/// One direction: a word that counts the messages, and room for one message.
pub(crate) struct Direction<const WORDS: usize> {
    view: View,
    seen: u32,
}

impl<const WORDS: usize> Direction<WORDS> {
    fn open(setting: &Setting, direction: &str) -> Self {
        let len = (MESSAGE_AT + WORDS * 8) as u64;
        let name = format!("{} {direction}", setting.name);
        let section = SectionOptions::new().len(len).open_or_create(name).expect("memory");
        Direction { view: section.map().expect("a view"), seen: 0 }
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: both processes access the first word of the view by this function only.
        unsafe { AtomicU32::from_ptr(self.view.as_ptr().cast()) }
    }

    fn message(&self) -> *mut u64 {
        self.view.as_ptr().wrapping_add(MESSAGE_AT).cast()
    }
}

impl<const WORDS: usize> Transport<WORDS> for BareFutex {
    type Out = Direction<WORDS>;
    type In = Direction<WORDS>;
    type Listening = (Self::Out, Self::In);

    fn listen(setting: &Setting) -> Self::Listening {
        (Direction::open(setting, "there"), Direction::open(setting, "back"))
    }

    fn accept(both: Self::Listening, _: &Setting) -> (Self::Out, Self::In) {
        both
    }

    fn connect(setting: &Setting) -> (Self::Out, Self::In) {
        (Direction::open(setting, "back"), Direction::open(setting, "there"))
    }
}

impl<const WORDS: usize> Outgoing for Direction<WORDS> {
    fn send(&mut self, number: u64) {
        // SAFETY: the other process reads the message only after the word has changed, and answers
        // before this process writes the next one.
        unsafe { words::fill(self.message(), WORDS, number) };
        self.word().fetch_add(1, Ordering::Release);
        _ = futex::wake(self.word(), futex::Flags::empty(), 1);
    }
}

impl<const WORDS: usize> Incoming for Direction<WORDS> {
    fn receive(&mut self) -> u64 {
        while self.word().load(Ordering::Acquire) == self.seen {
            _ = futex::wait(self.word(), futex::Flags::empty(), self.seen, None);
        }
        self.seen = self.seen.wrapping_add(1);
        // SAFETY: the other process has written the message, and waits for the answer.
        unsafe { words::sum(self.message(), WORDS) }
    }
}
