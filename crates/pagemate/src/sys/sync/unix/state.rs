//! What a sync object is like at this moment, for those who only look.

use std::io;

use super::super::words::{WAITERS, event::SIGNALED, mutex, semaphore};
use super::super::{Reset, State};
use super::cell::{LEN, MANUAL};
use crate::access::Kind;

/// The state that a cell's bytes tell of, and about how many sleep; `None` for what is none of ours.
pub(crate) fn state(
    kind: Kind,
    bytes: &[u8; LEN],
    is_alive: impl FnOnce(u32) -> io::Result<bool>,
) -> Option<(State, u32)> {
    let number = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (word, setting, pid, waiting) = (number(0), number(8), number(12), number(16));
    let state = match kind {
        Kind::Section => return None,
        Kind::Mutex => match word & mutex::OWNER {
            0 => State::Mutex { owner: None, abandoned: word & mutex::ABANDONED != 0 },
            seat if is_alive(seat).unwrap_or(true) => {
                State::Mutex { owner: Some(pid), abandoned: false }
            }
            _ => State::Mutex { owner: None, abandoned: true },
        },
        Kind::Event => State::Event {
            reset: if setting == MANUAL { Reset::Manual } else { Reset::Auto },
            signaled: word & SIGNALED != 0,
        },
        Kind::Semaphore => State::Semaphore { count: semaphore::count(word), max: setting },
    };
    // Whoever was killed while it slept is still in the count; without a note nobody sleeps.
    Some((state, if word & WAITERS == 0 { 0 } else { waiting }))
}
