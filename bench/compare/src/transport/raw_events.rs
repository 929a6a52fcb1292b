//! `raw_sync`'s events beside a message in memory of the `shared_memory` crate. There is no queue, so that
//! only round trips are measured.

use raw_sync::Timeout;
use raw_sync::events::{BusyEvent, Event, EventImpl, EventInit, EventState};
use shared_memory::{Shmem, ShmemConf};

use super::{Incoming, Outgoing, Setting, Transport, Waiting};
use crate::words;

pub(crate) struct RawEvents;

/// The message is behind the event.
const MESSAGE_AT: usize = 256;

pub(crate) struct Direction<const WORDS: usize> {
    event: Box<dyn EventImpl>,
    memory: Shmem,
}

impl<const WORDS: usize> Direction<WORDS> {
    fn new(setting: &Setting, direction: &str, create: bool) -> Self {
        let name = format!("{}-{direction}", setting.name);
        let conf = ShmemConf::new().size(MESSAGE_AT + WORDS * 8).os_id(name);
        let memory = if create { conf.create() } else { conf.open() }.expect("memory");
        let at = memory.as_ptr();
        // SAFETY: the memory has room for an event, and lives as long as the event.
        let event = unsafe {
            match (setting.waiting, create) {
                (Waiting::Polling, true) => BusyEvent::new(at, true),
                (Waiting::Polling, false) => BusyEvent::from_existing(at),
                (_, true) => Event::new(at, true),
                (_, false) => Event::from_existing(at),
            }
        };
        Direction { event: event.expect("an event").0, memory }
    }

    fn message(&self) -> *mut u64 {
        self.memory.as_ptr().wrapping_add(MESSAGE_AT).cast()
    }
}

impl<const WORDS: usize> Transport<WORDS> for RawEvents {
    type Out = Direction<WORDS>;
    type In = Direction<WORDS>;
    type Listening = (Self::Out, Self::In);

    fn listen(setting: &Setting) -> Self::Listening {
        (Direction::new(setting, "there", true), Direction::new(setting, "back", true))
    }

    fn accept(both: Self::Listening, _: &Setting) -> (Self::Out, Self::In) {
        both
    }

    fn connect(setting: &Setting) -> (Self::Out, Self::In) {
        (Direction::new(setting, "back", false), Direction::new(setting, "there", false))
    }
}

impl<const WORDS: usize> Outgoing for Direction<WORDS> {
    fn send(&mut self, number: u64) {
        // SAFETY: the other process reads the message after the event, and answers before this process
        // writes the next one.
        unsafe { words::fill(self.message(), WORDS, number) };
        self.event.set(EventState::Signaled).expect("an event");
    }
}

impl<const WORDS: usize> Incoming for Direction<WORDS> {
    fn receive(&mut self) -> u64 {
        self.event.wait(Timeout::Infinite).expect("an event");
        // SAFETY: the other process has written the message, and waits for the answer.
        unsafe { words::sum(self.message(), WORDS) }
    }
}
