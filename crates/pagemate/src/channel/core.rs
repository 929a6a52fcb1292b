//! An open channel: its memory, its header and its processes. Every kind of channel uses it.
#![allow(unsafe_code, reason = "makes a region of a mapping")]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::WaitError;
use super::header::{ChannelKind, Element, Geometry, Header, wrong_slots};
use super::options::{How, Options};
use super::place::{Occupant, Place};
use super::waiting::PeerTest;
use super::wake_flag::{Sleepers, WakeFlag};
use crate::access::{Access, Kind, Protection, Sharing};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Quoted, Result};
use crate::name::Name;
use crate::primitive::AtomicU32;
use crate::shareable::Plain;
use crate::sys::barrier;
use crate::sys::object::{self, Backing, Existing, Mode, Object, RETRY_TIMEOUT, Range};
use crate::sys::peers::{Peers, Seat};
use crate::sys::region::{HeaderRegion, SlotRegion};

/// An open channel with messages of type `T`.
#[derive(Debug)]
pub(super) struct Channel<T> {
    /// The first field, so that the memory is unmapped before the name is released.
    pub(super) memory: SlotRegion<Header, T>,
    peers: Peers,
    name: Name,
    created: bool,
}

impl<T: Plain> Channel<T> {
    /// Opens or creates the channel `name`, and calls `join` with it. Errors name the call and the
    /// channel.
    pub(super) fn join<E>(
        name: &Name,
        kind: ChannelKind,
        options: &Options,
        how: How,
        join: impl Fn(Channel<T>) -> Result<E>,
    ) -> Result<E> {
        let joined = match how {
            How::Create(existing) => Channel::create(name, kind, options, existing).and_then(&join),
            How::Open(deadline) => {
                object::open_before(name, deadline, || Channel::open(name, kind).and_then(&join))
            }
        };
        joined.map_err(|error| {
            error.during(how.call(), format!("channel {}", Quoted(&name.to_string())))
        })
    }

    const ELEMENT: Element = Element {
        len: size_of::<T>() as u64,
        align: align_of::<T>() as u64,
        fingerprint: T::FINGERPRINT,
        name: "",
    };

    fn element() -> Element {
        Element { name: std::any::type_name::<T>(), ..Self::ELEMENT }
    }

    fn create(
        name: &Name,
        kind: ChannelKind,
        options: &Options,
        existing: Existing,
    ) -> Result<Channel<T>> {
        if let Sharing::Group(Access::Read) | Sharing::Everyone(Access::Read) = options.sharing {
            let cause = "each use of a channel writes to it: share it for reading and writing";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        // `RandomState` has a random seed, and the standard library offers no other random numbers.
        let id = RandomState::new().build_hasher().finish();
        let geometry = Geometry::new(kind, Self::element(), options.capacity, id)?;
        let spec = object::Spec {
            kind: Kind::Channel,
            len: geometry.object_len(),
            asked_len: 0,
            protection: Protection::ReadWrite,
            sharing: options.sharing,
            access: Access::ReadWrite,
            backing: Backing::Reserved,
            file: None,
            content: &geometry.bytes(),
            seated: false,
        };
        let (object, created) = Object::create(name, &spec, existing)?;
        Channel::of(object, name, kind, created)
    }

    fn open(name: &Name, kind: ChannelKind) -> Result<Channel<T>> {
        Channel::of(Object::open(name, Kind::Channel, Access::ReadWrite)?, name, kind, false)
    }

    fn of(object: Object, name: &Name, kind: ChannelKind, created: bool) -> Result<Channel<T>> {
        let len = usize::try_from(object.len()).map_err(|_| {
            let cause = "the channel is larger than the address space of this process";
            Error::new(ErrorKind::NoSpace, cause)
        })?;
        let mode = Mode::ReadWrite;
        let range = Range { offset: 0, len, mode, prefault: false, huge_pages: false };
        let mapping = object.map(&range)?;
        // SAFETY: the mapping was made for writing just now, and is passed on to the region whole.
        let region = unsafe { HeaderRegion::<Header>::new(mapping) }.ok_or_else(wrong_slots)?;
        wait_for_header(region.header())?;
        let geometry = region.header().geometry(kind, Self::element())?;
        let memory = region.with_slots(geometry.slots).ok_or_else(wrong_slots)?;
        let peers = Peers::open(Arc::new(object), Some(name), geometry.id)?;
        Ok(Channel { memory, peers, name: name.clone(), created })
    }
}

/// Waits until the creator has written the header, where it does not appear whole.
fn wait_for_header(header: &Header) -> Result<()> {
    let began = Instant::now();
    while !header.is_written() {
        if object::CONTENT_APPEARS_WHOLE {
            return Err(wrong_slots());
        }
        if began.elapsed() > RETRY_TIMEOUT {
            let cause = "its creator did not complete it; if its process has ended, try again";
            return Err(Error::new(ErrorKind::TimedOut, cause));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

impl<T> Channel<T> {
    #[inline]
    pub(super) fn header(&self) -> &Header {
        self.memory.header()
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn was_created(&self) -> bool {
        self.created
    }

    /// Takes a seat for this process, and claims `place` with it. `what` names the endpoint.
    pub(super) fn claim(&self, place: &Place, what: &str) -> Result<Seat> {
        let header = self.header();
        if !barrier::register() {
            header.sender_flag.require_fence();
            header.receiver_flag.require_fence();
        }
        let next = || header.seats.fetch_add(1, crate::primitive::Ordering::Relaxed);
        let seat = self.peers.take(next)?;
        place.claim(seat.number(), what, |other| self.peers.is_alive(other))?;
        Ok(seat)
    }

    /// Returns whether a live process has the endpoint of `place`.
    pub(super) fn is_occupied(&self, place: &Place) -> Result<bool> {
        match place.occupant() {
            Occupant::Seat(seat) => self.peers.is_alive(seat),
            Occupant::None | Occupant::Left => Ok(false),
        }
    }

    /// Waits until a live process has the endpoint of `place`, whose claim notifies `flag`. Returns
    /// false after the deadline.
    pub(super) fn wait_until_occupied(
        &self,
        place: &Place,
        flag: &WakeFlag,
        deadline: Deadline,
    ) -> Result<bool> {
        const SLICE: Duration = Duration::from_millis(100);
        loop {
            let seen = place.occupant();
            if self.is_occupied(place)? {
                return Ok(true);
            }
            self.peers.object().check_name()?;
            let Some(time) = deadline.next(SLICE) else { return Ok(false) };
            let slept = flag.sleep(self, || place.occupant() != seen, time);
            slept.map_err(|error| Error::os("it cannot be waited for", error))?;
        }
    }

    /// Adds the call and the channel to an error.
    #[cold]
    pub(super) fn context(&self, call: &'static str, error: Error) -> Error {
        error.during(call, format!("channel {}", Quoted(&self.name.to_string())))
    }
}

impl<T> Sleepers for Channel<T> {
    fn wait(&self, flag: &AtomicU32, expected: u32, time: Duration) -> io::Result<()> {
        self.peers.wait(flag, self.offset_of(flag), expected, time)
    }

    fn wake(&self, flag: &AtomicU32) {
        self.peers.wake(flag, self.offset_of(flag), 1);
    }
}

impl<T> Channel<T> {
    /// Returns the offset of a word of the header.
    fn offset_of(&self, word: &AtomicU32) -> usize {
        std::ptr::from_ref(word).addr().wrapping_sub(std::ptr::from_ref(self.header()).addr())
    }
}

/// The peer of an endpoint, which the endpoint waits for.
pub(super) struct Peer<'a, T> {
    pub(super) channel: &'a Channel<T>,
    pub(super) place: &'a Place,
    /// Whether the endpoint goes on waiting without a live peer, for the next one.
    pub(super) awaits_successor: bool,
}

impl<T> PeerTest for Peer<'_, T> {
    fn test_place(&self) -> std::result::Result<(), WaitError> {
        if !self.awaits_successor && self.place.occupant() == Occupant::Left {
            return Err(WaitError::Disconnected);
        }
        Ok(())
    }

    fn test_liveness(&self) -> std::result::Result<(), WaitError> {
        let occupant = self.place.occupant();
        if let Occupant::Seat(seat) = occupant
            && self.channel.peers.is_alive(seat).map_err(|error| WaitError::of(&error))?
        {
            return Ok(());
        }
        // Before the first peer there is one to wait for.
        if occupant != Occupant::None && !self.awaits_successor {
            return Err(WaitError::Disconnected);
        }
        self.channel.peers.object().check_name().map_err(|error| WaitError::of(&error))
    }
}
