//! Decodes the state of a sync object, for the inventory.

use std::io;

use super::super::Reset;
use super::super::words::{WAITERS, auto_event, manual_event::SIGNALED, mutex, semaphore};
use super::mapped_words::{AUTO, WIDE};
use crate::kind::Kind;
use crate::sys::object_state::{LONGEST, State};

/// Returns the state that the words of a sync object describe, and the approximate number of threads
/// that wait for it; `None` if the object is not a sync object.
pub(crate) fn read_state(
    kind: Kind,
    bytes: &[u8; LONGEST],
    is_alive: &dyn Fn(u32) -> io::Result<bool>,
) -> Option<(State, u32)> {
    let number = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (word, setting, pid, waiting) = (number(0), number(8), number(12), number(16));
    let wide = u64::from_ne_bytes(bytes[WIDE..WIDE + 8].try_into().expect("eight bytes"));
    let mut has_waiters = word & WAITERS != 0;
    let state = match kind {
        Kind::Section | Kind::Channel => return None,
        Kind::Mutex => match word & mutex::OWNER {
            0 => State::Mutex { owner: None, abandoned: word & mutex::ABANDONED != 0 },
            seat if is_alive(seat).unwrap_or(true) => {
                State::Mutex { owner: Some(pid), abandoned: false }
            }
            _ => State::Mutex { owner: None, abandoned: true },
        },
        Kind::Event if setting == AUTO => {
            let state = auto_event::State::of(wide);
            has_waiters = state.has_waiters();
            State::Event { reset: Reset::Auto, signaled: state.is_signaled() }
        }
        Kind::Event => State::Event { reset: Reset::Manual, signaled: word & SIGNALED != 0 },
        Kind::Semaphore => State::Semaphore { count: semaphore::count(word), max: setting },
    };
    // The count also includes waiters that were killed. If the bit `WAITERS` is clear, no thread
    // sleeps.
    Some((state, if has_waiters { waiting } else { 0 }))
}
