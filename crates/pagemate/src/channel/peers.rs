//! The peers of an endpoint, and the wait for their progress.

use super::core::Channel;
use super::error::WaitError;
use super::header::Header;
use super::place::{Occupant, Place};
use super::protocol::{Producer, Side};
use super::waiting::Awaited;
use crate::deadline::{Deadline, LIVENESS_INTERVAL};
use crate::error::{Error, Result};

/// Returns whether a live process has a peer of `S`.
pub(super) fn has_peer<S: Side<H>, H: Header, M: ?Sized>(channel: &Channel<H, M>) -> Result<bool> {
    for place in S::peers(channel.header()) {
        if let Occupant::Seat(seat) = place.occupant()
            && channel.is_alive(seat)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns whether any process, dead or alive, has ever had a peer of `S`.
pub(super) fn had_peer<S: Side<H>, H: Header, M: ?Sized>(channel: &Channel<H, M>) -> bool {
    S::peers(channel.header()).any(|place| place.occupant() != Occupant::None)
}

/// Returns whether there was a peer of `S`, and all of them were dropped. A killed one counts as present.
pub(super) fn all_left<S: Side<H>, H: Header, M: ?Sized>(channel: &Channel<H, M>) -> bool {
    let mut has_left = false;
    for place in S::peers(channel.header()) {
        match place.occupant() {
            Occupant::Seat(_) => return false,
            Occupant::Left => has_left = true,
            Occupant::None => {}
        }
    }
    has_left
}

/// Waits until a live process has a peer of `side`. Returns false after the deadline.
pub(super) fn wait_for_peer<S: Side<H>, H: Header, M: ?Sized>(
    channel: &Channel<H, M>,
    side: &S,
    deadline: Deadline,
) -> Result<bool> {
    let occupants = || S::peers(channel.header()).map(Place::occupant);
    loop {
        let seen: Vec<Occupant> = occupants().collect();
        if has_peer::<S, H, M>(channel)? {
            return Ok(true);
        }
        channel.check_name()?;
        let Some(time) = deadline.next(LIVENESS_INTERVAL) else { return Ok(false) };
        // The claim of a place notifies the flag.
        let has_changed = || !occupants().eq(seen.iter().copied());
        let slept = side.flag(channel.header()).sleep(channel, has_changed, time);
        slept.map_err(|error| Error::os("it cannot be waited for", error))?;
    }
}

/// A side of a channel that waits for its peers.
pub(super) struct Awaiting<'a, S, H, M: ?Sized> {
    pub(super) side: &'a mut S,
    pub(super) channel: &'a Channel<H, M>,
}

impl<S: Side<H>, H: Header, M: ?Sized> Awaited for Awaiting<'_, S, H, M> {
    #[inline]
    fn is_ready(&mut self) -> bool {
        self.side.is_ready(self.channel)
    }

    fn test_places(&mut self) -> std::result::Result<(), WaitError> {
        // An endpoint that awaits a successor also waits while it has no peer.
        if !self.channel.awaits_successor && all_left::<S, H, M>(self.channel) {
            return Err(WaitError::Disconnected);
        }
        Ok(())
    }

    fn test_liveness(&mut self) -> std::result::Result<(), WaitError> {
        self.side.repair(self.channel)?;
        let is_connected =
            has_peer::<S, H, M>(self.channel).map_err(|error| WaitError::of(&error))?;
        if is_connected {
            return Ok(());
        }
        // An endpoint that never had a peer waits for the first one.
        if !self.channel.awaits_successor && had_peer::<S, H, M>(self.channel) {
            return Err(WaitError::Disconnected);
        }
        self.channel.check_name().map_err(|error| WaitError::of(&error))
    }
}

/// A sending side that waits until all messages were received.
pub(super) struct UntilReceived<'a, S, H, M: ?Sized>(pub(super) Awaiting<'a, S, H, M>);

impl<S: Producer<H>, H: Header, M: ?Sized> Awaited for UntilReceived<'_, S, H, M> {
    fn is_ready(&mut self) -> bool {
        !self.0.side.has_pending(self.0.channel)
    }

    fn test_places(&mut self) -> std::result::Result<(), WaitError> {
        self.0.test_places()
    }

    fn test_liveness(&mut self) -> std::result::Result<(), WaitError> {
        self.0.test_liveness()
    }
}
