//! Decodes the state of a channel, for lists.

use std::io;

use super::broadcast::header as broadcast;
use super::header;
use super::mpmc::header as mpmc;
use super::place::{Occupant, PLACE_LEN};
use super::spsc::header as spsc;
use super::wake_flag;
use super::watch::header as watch;
use crate::sys::object_state::{ChannelKind, LONGEST, State};

/// Returns the state that the header of a channel describes, and how many endpoints sleep; `None` if
/// the bytes are not a header of this release.
pub(crate) fn read_state(
    bytes: &[u8; LONGEST],
    is_alive: &dyn Fn(u32) -> io::Result<bool>,
) -> Option<(State, u32)> {
    let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let number = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    if !header::is_known(number(header::MAGIC_AT), word(header::VERSION_AT)) {
        return None;
    }
    let kind = ChannelKind::of(word(header::KIND_AT))?;
    let is_occupied = |at| match Occupant::of(word(at)) {
        Occupant::Seat(seat) => is_alive(seat).unwrap_or(true),
        Occupant::None | Occupant::Left => false,
    };
    let asleep = |at| u32::from(wake_flag::is_asleep(word(at)));
    let state = match kind {
        ChannelKind::Spsc => {
            let (sent, received) = (number(spsc::SENT_AT), number(spsc::RECEIVED_AT));
            let capacity = number(header::CAPACITY_AT);
            let state = State::Channel {
                kind,
                pending: sent.saturating_sub(received).min(capacity),
                capacity,
                senders: is_occupied(spsc::SENDER_AT).into(),
                receivers: is_occupied(spsc::RECEIVER_AT).into(),
                sent,
                received,
                lost: 0,
            };
            (state, asleep(spsc::RECEIVER_FLAG_AT) + asleep(spsc::SENDER_FLAG_AT))
        }
        ChannelKind::Mpmc => {
            let (sent, received) = (number(mpmc::SENT_AT), number(mpmc::RECEIVED_AT));
            let capacity = number(header::CAPACITY_AT);
            let occupied = |first: usize| -> u32 {
                let places = (first..).step_by(PLACE_LEN).take(mpmc::PLACES);
                places.map(|at| u32::from(is_occupied(at))).sum()
            };
            let state = State::Channel {
                kind,
                pending: sent.saturating_sub(received).min(capacity),
                capacity,
                senders: occupied(mpmc::SENDERS_AT),
                receivers: occupied(mpmc::RECEIVERS_AT),
                sent: sent.max(received),
                received,
                lost: 0,
            };
            (state, asleep(mpmc::RECEIVER_FLAG_AT) + asleep(mpmc::SENDER_FLAG_AT))
        }
        ChannelKind::Broadcast => {
            let sent = number(broadcast::SENT_AT);
            let capacity = number(header::KIND_WORDS_AT);
            let (mut receivers, mut pending, mut lost) = (0, 0, 0_u64);
            for line in (broadcast::LINES_AT..broadcast::LINES_END).step_by(broadcast::LINE_LEN) {
                lost = lost.wrapping_add(number(line + broadcast::MISSED_IN_LINE));
                if is_occupied(line) {
                    receivers += 1;
                    let behind = sent.wrapping_sub(number(line + broadcast::CURSOR_IN_LINE));
                    pending = behind.min(capacity).max(pending);
                }
            }
            let state = State::Channel {
                kind,
                pending,
                capacity,
                senders: is_occupied(broadcast::SENDER_AT).into(),
                receivers,
                sent,
                received: sent.saturating_sub(pending),
                lost,
            };
            (state, asleep(broadcast::RECEIVER_FLAG_AT) + asleep(broadcast::SENDER_FLAG_AT))
        }
        // Readers are not registered.
        ChannelKind::Watch => {
            let state = State::Channel {
                kind,
                pending: 0,
                capacity: 1,
                senders: is_occupied(watch::WRITER_AT).into(),
                receivers: 0,
                sent: number(watch::VERSION_AT),
                received: 0,
                lost: 0,
            };
            (state, asleep(watch::FLAG_AT))
        }
    };
    Some(state)
}
