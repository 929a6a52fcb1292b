//! Where a sync object stands in memory. `docs/layout.md` has the map.
#![allow(unsafe_code, reason = "words in mapped memory")]

use std::fmt;
use std::io;
use std::ptr::NonNull;

use super::super::words::{self, Waiter};
use super::super::{Home, Reset, Spec};
use crate::access::{Access, Kind, Protection};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::primitive::{AtomicU32, AtomicU64, Ordering};
use crate::sys::liveness::FIRST;
use crate::sys::object::{self, Backing, Existing, Mapping, Mode, Object, Range};

/// The words of a sync object. Any of them may hold anything.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Words {
    /// What the protocol is about.
    pub(super) word: AtomicU32,
    /// A mutex: how many seats were taken.
    pub(super) seats: AtomicU32,
    /// An event: 1 if it resets by itself, 2 if not. A semaphore: the highest count.
    pub(super) setting: AtomicU32,
    /// A mutex: the pid of who had it last, for people.
    pub(super) owner: AtomicU32,
    /// About how many sleep, for people.
    pub(super) waiting: AtomicU32,
    zero: AtomicU32,
    /// An event that resets by itself: what the protocol is about. A mutex: who watches over it.
    pub(super) wide: AtomicU64,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Words>() == LEN && std::mem::offset_of!(Words, wide) == WIDE);

pub(super) const LEN: usize = crate::sys::state::LEN;

/// Where the word of 64 bits stands.
pub(super) const WIDE: usize = 24;

/// A sync object in memory that is mapped as long as this is there.
pub(super) struct Cell {
    words: NonNull<Words>,
    /// Where it stands in its object, in bytes.
    pub(super) offset: u64,
    home: Box<dyn Home>,
}

// SAFETY: the words are atomics, which `home` keeps mapped, and `home` may go to any thread.
unsafe impl Send for Cell {}
// SAFETY: as above.
unsafe impl Sync for Cell {}

impl Cell {
    /// The cell at `words`, which is `offset` bytes from the beginning of the object.
    ///
    /// # Safety
    ///
    /// `home` keeps it mapped, readable and writable, wherever `home` itself is moved; and nothing
    /// but atomics and copies in assembly is ever used on it.
    pub(super) unsafe fn new(words: NonNull<Words>, offset: u64, home: Box<dyn Home>) -> Cell {
        Cell { words, offset, home }
    }

    pub(super) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(Cell, bool)> {
        let bytes = spec.bytes();
        let (object, made) = Object::create(name, &spec.object(&bytes)?, existing)?;
        Ok((Cell::of(object)?, made))
    }

    pub(super) fn open(name: &Name, kind: Kind) -> Result<Cell> {
        Cell::of(Object::open(name, kind, Access::ReadWrite)?)
    }

    pub(super) fn unnamed(spec: &Spec) -> Result<Cell> {
        let bytes = spec.bytes();
        Cell::of(Object::unnamed(&spec.object(&bytes)?)?)
    }

    /// The cell at the beginning of an object.
    pub(super) fn of(object: Object) -> Result<Cell> {
        if object.len() < LEN as u64 {
            return Err(corrupted("it is too small"));
        }
        if object.access() == Access::Read {
            let cause = "it is only to be read, and whoever uses it changes it";
            return Err(Error::new(ErrorKind::PermissionDenied, cause));
        }
        let range = Range {
            offset: 0,
            len: LEN,
            mode: Mode::ReadWrite,
            prefault: false,
            huge_pages: false,
        };
        let mapping = object.map(&range)?;
        let words = mapping.base().cast();
        let home = Box::new(Own { _mapping: mapping, object });
        // SAFETY: a whole page is mapped for writing as long as the mapping lives, wherever it is
        // moved, and nobody else in this process has its address.
        Ok(unsafe { Cell::new(words, 0, home) })
    }

    #[inline]
    pub(super) fn words(&self) -> &Words {
        // SAFETY: `new`'s caller keeps it mapped, and any bytes make these atomics.
        unsafe { self.words.as_ref() }
    }

    pub(super) fn object(&self) -> &Object {
        self.home.object()
    }

    /// Takes it, and waits if it is not there.
    #[inline]
    pub(super) fn wait<W: Waiter>(
        &self,
        waiter: &mut W,
        deadline: Deadline,
    ) -> Result<Option<W::Got>> {
        match waiter.take(false, false).map_err(cannot_wait)? {
            None => self.wait_counted(waiter, deadline),
            got => Ok(got),
        }
    }

    /// Waits, and counts itself among those who do.
    #[cold]
    fn wait_counted<W: Waiter>(
        &self,
        waiter: &mut W,
        deadline: Deadline,
    ) -> Result<Option<W::Got>> {
        let check_name = || self.object().check_name();
        check_name()?;
        let _counted = self.count();
        let check = || check_name().map_err(io::Error::other);
        words::wait(waiter, deadline, check).map_err(cannot_wait)
    }

    /// Counts one more who waits, until what this gives is dropped.
    pub(super) fn count(&self) -> Waiting<'_> {
        self.words().waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.words().waiting)
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cell").field(self.words()).finish()
    }
}

/// One who waits. Who is killed meanwhile stays in the count.
pub(super) struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let less = |count: u32| count.checked_sub(1);
        _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// An object of its own.
struct Own {
    /// First: it is unmapped before the name goes.
    _mapping: Mapping,
    object: Object,
}

impl Home for Own {
    fn object(&self) -> &Object {
        &self.object
    }
}

/// Why waiting failed; an error of our own, if it is one.
pub(super) fn cannot_wait(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::os("it cannot be waited for", error),
    }
}

pub(super) fn corrupted(cause: &'static str) -> Error {
    Error::new(ErrorKind::Corrupted, cause)
}

/// What `setting` says of an event.
pub(super) const AUTO: u32 = 1;
pub(super) const MANUAL: u32 = 2;

impl Spec {
    fn kind(&self) -> Kind {
        match self {
            Spec::Mutex { .. } => Kind::Mutex,
            Spec::Event { .. } => Kind::Event,
            Spec::Semaphore { .. } => Kind::Semaphore,
        }
    }

    /// The object that has the cell.
    fn object<'a>(&self, bytes: &'a [u8; LEN]) -> Result<object::Spec<'a>> {
        Ok(object::Spec {
            kind: self.kind(),
            len: LEN as u64,
            protection: Protection::ReadWrite,
            sharing: self.sharing()?,
            access: Access::ReadWrite,
            backing: Backing::Reserved,
            file: None,
            content: bytes,
            seated: self.is_locked(),
        })
    }

    /// What the cell begins with.
    fn bytes(&self) -> [u8; LEN] {
        let first = if self.is_locked() { FIRST } else { 0 };
        let (word, setting) = match *self {
            Spec::Mutex { .. } => (first, 0),
            Spec::Event { reset: Reset::Auto, .. } => (0, AUTO),
            Spec::Event { reset: Reset::Manual, signaled, .. } => {
                (u32::from(signaled) * words::event::SIGNALED, MANUAL)
            }
            Spec::Semaphore { count, max, .. } => (count, max),
        };
        let mut bytes = [0; LEN];
        bytes[..4].copy_from_slice(&word.to_ne_bytes());
        bytes[4..8].copy_from_slice(&first.to_ne_bytes());
        bytes[8..12].copy_from_slice(&setting.to_ne_bytes());
        if let Spec::Event { reset: Reset::Auto, signaled, .. } = *self {
            let state = words::auto::State::new(signaled);
            bytes[WIDE..].copy_from_slice(&state.word().to_ne_bytes());
        }
        bytes
    }
}
