//! An open channel: its memory, its header and its processes. Every kind of channel uses it.
#![allow(unsafe_code, reason = "makes a region of a mapping")]

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::header::{Common, Geometry, Header, wrong_slots};
use super::message::{Message, Slots};
use super::mpmc::SEAT_LIMIT;
use super::options::{How, Options};
use super::wake_flag::Sleepers;
use crate::access::{Access, Protection, Sharing};
use crate::error::{Error, ErrorKind, Quoted, Result};
use crate::kind::Kind;
use crate::name::Name;
use crate::primitive::{AtomicU32, Ordering};
use crate::random::random_number;
use crate::sys::barrier;
use crate::sys::object::{self, Backing, Existing, Mode, Object, RETRY_TIMEOUT, Range};
use crate::sys::peers::{Peers, Seat};
use crate::sys::region::HeaderRegion;
use crate::sys::sync::SleepOn;

/// An open channel with a header of type `H` and messages of type `M`.
#[derive(Debug)]
pub(super) struct Channel<H, M: ?Sized> {
    /// The first field, so that the memory is unmapped before the name is released.
    pub(super) slots: Slots<H, M>,
    peers: Peers,
    name: Name,
    created: bool,
    /// How many messages the channel has room for. It is a copy, because other programs can change the number
    /// in the header.
    capacity: usize,
    /// See [`Options::take_over`].
    pub(super) takes_over: bool,
    /// See [`Options::await_successor`].
    pub(super) awaits_successor: bool,
}

impl<H: Header, M: Message + ?Sized> Channel<H, M> {
    /// Opens or creates the channel `name`, and calls `join` with it. Errors name the call and the
    /// channel.
    pub(super) fn join<E>(
        name: &Name,
        options: &Options,
        how: How,
        join: impl Fn(Channel<H, M>) -> Result<E>,
    ) -> Result<E> {
        let joined = match how {
            How::Create(existing) => Channel::create(name, options, existing).and_then(&join),
            How::Open(deadline) => {
                object::open_before(name, deadline, || Channel::open(name, options).and_then(&join))
            }
        };
        joined.map_err(|error| {
            error.during(how.call(), format!("channel {}", Quoted(&name.to_string())))
        })
    }

    fn create(name: &Name, options: &Options, existing: Existing) -> Result<Channel<H, M>> {
        if let Sharing::Group(Access::Read) | Sharing::Everyone(Access::Read) = options.sharing {
            let cause = "each use of a channel writes to it: share it for reading and writing";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let id = random_number();
        let geometry = Geometry::new::<H>(M::layout(options), options, id)?;
        let spec = object::Spec {
            kind: Kind::Channel,
            len: geometry.object_len(),
            asked_len: 0,
            protection: Protection::ReadWrite,
            sharing: options.sharing,
            access: Access::ReadWrite,
            backing: Backing::Reserved,
            file: None,
            origin: None,
            content: &geometry.bytes(),
            seated: false,
        };
        let (object, created) = Object::create(name, &spec, existing, None)?;
        Channel::of(object, name, options, created)
    }

    fn open(name: &Name, options: &Options) -> Result<Channel<H, M>> {
        Channel::of(Object::open(name, Kind::Channel, Access::ReadWrite)?, name, options, false)
    }

    fn of(object: Object, name: &Name, options: &Options, created: bool) -> Result<Channel<H, M>> {
        let len = usize::try_from(object.len()).map_err(|_| {
            let cause = "the channel is larger than the address space of this process";
            Error::new(ErrorKind::NoSpace, cause)
        })?;
        let mode = Mode::ReadWrite;
        let range = Range { offset: 0, len, mode, prefault: false, huge_pages: false };
        let mapping = object.map(&range)?;
        // SAFETY: the mapping was made for writing just now, and is passed on to the region whole.
        let region = unsafe { HeaderRegion::<Common>::new(mapping) }.ok_or_else(wrong_slots)?;
        wait_for_header(region.header())?;
        let geometry = region.header().geometry(H::KIND)?;
        let message_type = geometry.message;
        M::check_type(&message_type, options)?;
        let region = region.with_header::<H>().ok_or_else(wrong_slots)?;
        let memory = M::slots(region, geometry.slots).ok_or_else(wrong_slots)?;
        // Another program may have changed the header.
        let has_len = memory.payload_len() >= message_type.len_before_bytes();
        if memory.payload_len() as u64 != message_type.len || !has_len || !geometry.is_aligned() {
            return Err(wrong_slots());
        }
        let capacity = memory.header().capacity(memory.count()).clamp(1, memory.count());
        let capacity = usize::try_from(capacity).expect("the messages lie in memory");
        let peers = Peers::open(Arc::new(object), 0, Some(name), geometry.id)?;
        let slots = Slots { memory, message_type };
        let Options { takes_over, awaits_successor, .. } = *options;
        Ok(Channel {
            slots,
            peers,
            name: name.clone(),
            created,
            capacity,
            takes_over,
            awaits_successor,
        })
    }
}

/// Waits until the creator has written the header. On Windows another process can open the channel before
/// that.
fn wait_for_header(header: &Common) -> Result<()> {
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

impl<H: Header, M: ?Sized> Channel<H, M> {
    #[inline]
    pub(super) fn header(&self) -> &H {
        self.slots.memory.header()
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn was_created(&self) -> bool {
        self.created
    }

    /// Returns how many messages the channel has room for.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Takes a seat for this process.
    pub(super) fn take_seat(&self) -> Result<Seat> {
        let header = self.header();
        if !barrier::register() {
            header.require_fences();
        }
        let seats = &header.common().seats;
        // Seats have to fit into the words of slots.
        self.peers.take(|| seats.fetch_add(1, Ordering::Relaxed) % (SEAT_LIMIT - 1))
    }

    /// Returns whether the process with a seat is alive. This asks the kernel.
    pub(super) fn is_alive(&self, seat: u32) -> Result<bool> {
        self.peers.is_alive(seat)
    }

    /// Returns an error if another program removed the name of the channel.
    pub(super) fn check_name(&self) -> Result<()> {
        self.peers.object().check_name()
    }

    /// Prepares a sleep of this thread on a word of the header.
    pub(super) fn sleep_on<'a>(
        &self,
        word: &'a AtomicU32,
        expected: u32,
    ) -> io::Result<SleepOn<'a>> {
        self.peers.sleep_on(word, self.offset_of(word), expected)
    }

    /// Adds the call and the channel to an error.
    #[cold]
    pub(super) fn context(&self, call: &'static str, error: Error) -> Error {
        error.during(call, format!("channel {}", Quoted(&self.name.to_string())))
    }
}

impl<H: Header, M: ?Sized> Sleepers for Channel<H, M> {
    fn wait(&self, flag: &AtomicU32, expected: u32, time: Duration) -> io::Result<()> {
        self.peers.wait(flag, self.offset_of(flag), expected, time)
    }

    fn wake(&self, flag: &AtomicU32, count: u32) {
        self.peers.wake(flag, self.offset_of(flag), count);
    }
}

impl<H: Header, M: ?Sized> Channel<H, M> {
    /// Returns the offset of a word of the header.
    fn offset_of(&self, word: &AtomicU32) -> usize {
        std::ptr::from_ref(word).addr().wrapping_sub(std::ptr::from_ref(self.header()).addr())
    }
}
