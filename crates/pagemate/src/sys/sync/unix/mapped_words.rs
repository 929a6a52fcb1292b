//! The words of a sync object in mapped memory. `docs/layout.md` describes their layout.
#![allow(unsafe_code, reason = "words in mapped memory")]

use std::fmt;
use std::io;
use std::ptr::NonNull;

use super::super::words::{self, Waiter};
use super::super::{LockMemory, Reset, Spec};
use crate::access::{Access, Protection};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::Kind;
use crate::name::Name;
use crate::primitive::{AtomicU32, AtomicU64, Ordering};
use crate::sys::liveness::FIRST;
use crate::sys::object::{self, Backing, Existing, Mapping, Mode, Object, Range};
use crate::sys::spin::Spin;

/// The words of a sync object. Another process may write any value to them.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Words {
    /// The state of the object, except for automatic events.
    pub(super) word: AtomicU32,
    /// A mutex: the next seat number.
    pub(super) seats: AtomicU32,
    /// An event: its reset mode, [`AUTO`] or [`MANUAL`]. A semaphore: its maximum.
    pub(super) setting: AtomicU32,
    /// A mutex: the pid of the last owner, for lists.
    pub(super) owner: AtomicU32,
    /// The number of waiters, for lists. It still counts waiters that were killed.
    pub(super) waiting: AtomicU32,
    zero: AtomicU32,
    /// An automatic event: its state. A mutex: its watcher places.
    pub(super) wide: AtomicU64,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Words>() == LEN && std::mem::offset_of!(Words, wide) == WIDE);

pub(super) const LEN: usize = crate::sys::object_state::LEN;

/// The offset of the word of 64 bits.
pub(super) const WIDE: usize = 24;

/// The words of a sync object, with the memory that contains them.
pub(super) struct MappedWords {
    words: NonNull<Words>,
    /// The offset of the words in the object, in bytes.
    pub(super) offset: u64,
    memory: Box<dyn LockMemory>,
    /// The time for which waiters spin before they sleep.
    spin: Spin,
}

// SAFETY: `words` refers to atomics, which `memory` keeps mapped, and `LockMemory` requires `Send`.
unsafe impl Send for MappedWords {}
// SAFETY: a shared reference gives access to the atomics only, and `LockMemory` requires `Sync`.
unsafe impl Sync for MappedWords {}

impl MappedWords {
    /// Returns the words at `words`, `offset` bytes from the beginning of the object.
    ///
    /// # Safety
    ///
    /// - `words` is aligned and refers to readable and writable memory that `memory` keeps mapped at
    ///   this address for as long as `memory` lives, also if `memory` is moved.
    /// - This process accesses that memory by atomics and by copies in assembly only.
    pub(super) unsafe fn new(
        words: NonNull<Words>,
        offset: u64,
        memory: Box<dyn LockMemory>,
    ) -> MappedWords {
        MappedWords { words, offset, memory, spin: Spin::new() }
    }

    pub(super) fn create(
        name: &Name,
        spec: &Spec,
        existing: Existing,
    ) -> Result<(MappedWords, bool)> {
        let bytes = spec.bytes();
        let (object, created) = Object::create(name, &spec.object(&bytes)?, existing, None)?;
        Ok((MappedWords::of(object)?, created))
    }

    pub(super) fn open(name: &Name, kind: Kind) -> Result<MappedWords> {
        MappedWords::of(Object::open(name, kind, Access::ReadWrite)?)
    }

    pub(super) fn unnamed(spec: &Spec) -> Result<MappedWords> {
        let bytes = spec.bytes();
        MappedWords::of(Object::unnamed(&spec.object(&bytes)?)?)
    }

    /// Maps the words at the beginning of an object.
    pub(super) fn of(object: Object) -> Result<MappedWords> {
        if object.len() < LEN as u64 {
            return Err(corrupted("it is too small for a sync object"));
        }
        if object.access() == Access::Read {
            let cause = "this handle is read-only, and each use of a sync object writes to it: open it for reading and writing";
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
        let memory = Box::new(ObjectMemory { _mapping: mapping, object });
        // SAFETY: the mapping begins at a page boundary and has at least `LEN` bytes, see `range`. It is
        // writable and stays at its address until `ObjectMemory` drops it. No other code of this
        // process has the address.
        Ok(unsafe { MappedWords::new(words, 0, memory) })
    }

    #[inline]
    pub(super) fn words(&self) -> &Words {
        // SAFETY: by the contract of `new`, `words` is aligned and mapped for as long as
        // `self.memory` lives, and is accessed by atomics only. Any bytes are valid atomics.
        unsafe { self.words.as_ref() }
    }

    pub(super) fn object(&self) -> &Object {
        self.memory.object()
    }

    /// Acquires the object, and waits if it is not available. The waiter spins before it sleeps.
    #[inline]
    pub(super) fn wait<W: Waiter>(
        &self,
        waiter: &mut W,
        deadline: Deadline,
    ) -> Result<Option<W::Output>> {
        match waiter.try_take(false, false).map_err(cannot_wait)? {
            None => self.spin_and_wait(waiter, deadline),
            taken => Ok(taken),
        }
    }

    #[cold]
    fn spin_and_wait<W: Waiter>(
        &self,
        waiter: &mut W,
        deadline: Deadline,
    ) -> Result<Option<W::Output>> {
        if matches!(deadline, Deadline::Now) {
            return self.wait_counted(waiter, deadline);
        }
        waiter.register();
        let mut taken = Ok(None);
        let spun = self.spin.until(|| {
            let available = waiter.is_available(false).unwrap_or(true);
            if available {
                taken = waiter.try_take(false, false);
            }
            available && !matches!(taken, Ok(None))
        });
        if spun {
            return taken.map_err(cannot_wait);
        }
        self.spin.note(|| self.wait_counted(waiter, deadline))
    }

    /// Waits, and counts the calling thread as a waiter meanwhile.
    fn wait_counted<W: Waiter>(
        &self,
        waiter: &mut W,
        deadline: Deadline,
    ) -> Result<Option<W::Output>> {
        let check_name = || self.object().check_name();
        let counted = self.count_waiter();
        let check = || check_name().map_err(io::Error::other);
        let taken = words::wait(waiter, deadline, check).map_err(cannot_wait)?;
        drop(counted);
        if taken.is_none() {
            // A wait without a sleep has not checked the name yet. A successful wait does not check
            // it, because the system call would take longer than a short wait.
            check_name()?;
        }
        Ok(taken)
    }

    /// Counts one more waiter until the result is dropped.
    pub(super) fn count_waiter(&self) -> CountedWaiter<'_> {
        self.words().waiting.fetch_add(1, Ordering::Relaxed);
        CountedWaiter(&self.words().waiting)
    }
}

impl fmt::Debug for MappedWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MappedWords").field(self.words()).finish()
    }
}

/// One thread in the count of waiters. If the thread is killed, the count still includes it.
pub(super) struct CountedWaiter<'a>(&'a AtomicU32);

impl Drop for CountedWaiter<'_> {
    fn drop(&mut self) {
        let less = |count: u32| count.checked_sub(1);
        _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// The memory of an object that contains nothing but the words.
#[derive(Debug)]
struct ObjectMemory {
    /// The first field, so that `drop` unmaps the memory before it releases the name.
    _mapping: Mapping,
    object: Object,
}

impl LockMemory for ObjectMemory {
    fn object(&self) -> &Object {
        &self.object
    }
}

/// Converts the error of a wait. An [`Error`] inside the I/O error is returned as it is.
pub(super) fn cannot_wait(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::os("it cannot be waited for", error),
    }
}

pub(super) fn corrupted(cause: &'static str) -> Error {
    Error::new(ErrorKind::Corrupted, cause)
}

/// The values of `setting` for the reset modes of an event.
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

    /// Describes the object that will contain these words.
    fn object<'a>(&self, bytes: &'a [u8; LEN]) -> Result<object::Spec<'a>> {
        Ok(object::Spec {
            kind: self.kind(),
            len: LEN as u64,
            asked_len: 0,
            protection: Protection::ReadWrite,
            sharing: self.sharing()?,
            access: Access::ReadWrite,
            backing: Backing::Reserved,
            file: None,
            origin: None,
            content: bytes,
            seated: self.is_locked(),
        })
    }

    /// Returns the initial bytes of the words.
    fn bytes(&self) -> [u8; LEN] {
        let first = if self.is_locked() { FIRST } else { 0 };
        let (word, setting) = match *self {
            Spec::Mutex { .. } => (first, 0),
            Spec::Event { reset: Reset::Auto, .. } => (0, AUTO),
            Spec::Event { reset: Reset::Manual, signaled, .. } => {
                (u32::from(signaled) * words::manual_event::SIGNALED, MANUAL)
            }
            Spec::Semaphore { count, max, .. } => (count, max),
        };
        let mut bytes = [0; LEN];
        bytes[..4].copy_from_slice(&word.to_ne_bytes());
        bytes[4..8].copy_from_slice(&first.to_ne_bytes());
        bytes[8..12].copy_from_slice(&setting.to_ne_bytes());
        if let Spec::Event { reset: Reset::Auto, signaled, .. } = *self {
            let state = words::auto_event::State::new(signaled);
            bytes[WIDE..].copy_from_slice(&state.word().to_ne_bytes());
        }
        bytes
    }
}
