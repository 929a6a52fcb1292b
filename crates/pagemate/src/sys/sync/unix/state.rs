//! What a sync object is like at this moment, for those who only look.

use std::io;

use super::super::words::{WAITERS, auto, event::SIGNALED, mutex, semaphore};
use super::super::{Reset, State};
use super::cell::{AUTO, LEN, WIDE};
use crate::access::Kind;

/// The state that a cell's bytes tell of, and about how many sleep; `None` for what is none of ours.
pub(crate) fn read_state(
    kind: Kind,
    bytes: &[u8; LEN],
    is_alive: &dyn Fn(u32) -> io::Result<bool>,
) -> Option<(State, u32)> {
    let number = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (word, setting, pid, waiting) = (number(0), number(8), number(12), number(16));
    let wide = u64::from_ne_bytes(bytes[WIDE..].try_into().expect("eight bytes"));
    let mut noted = word & WAITERS != 0;
    let state = match kind {
        Kind::Section => return None,
        Kind::Mutex => match word & mutex::OWNER {
            0 => State::Mutex { owner: None, abandoned: word & mutex::ABANDONED != 0 },
            seat if is_alive(seat).unwrap_or(true) => {
                State::Mutex { owner: Some(pid), abandoned: false }
            }
            _ => State::Mutex { owner: None, abandoned: true },
        },
        Kind::Event if setting == AUTO => {
            let state = auto::State::of(wide);
            noted = state.has_waiters();
            State::Event { reset: Reset::Auto, signaled: state.is_signaled() }
        }
        Kind::Event => State::Event { reset: Reset::Manual, signaled: word & SIGNALED != 0 },
        Kind::Semaphore => State::Semaphore { count: semaphore::count(word), max: setting },
    };
    // Whoever was killed while it slept is still in the count; without a note nobody sleeps.
    Some((state, if noted { waiting } else { 0 }))
}
