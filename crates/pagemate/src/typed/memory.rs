//! A part of a section that has a header. It is mapped for one handle, and the first process
//! initialises it.
#![allow(unsafe_code, reason = "creates locks and a header in mapped memory")]

use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use super::{Layout, Plain, Racy};
use crate::access::Access;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, ToName};
use crate::primitive::AtomicU32;
use crate::section::{Section, SectionOptions, View};
use crate::sys::object::Object;
use crate::sys::peers::Peers;
use crate::sys::region::Atomics;
use crate::sys::sync::typed::header::{Fields, Header};
use crate::sys::sync::typed::rwlock::RwWords;
use crate::sys::sync::{self, Acquired, LockMemory, Words};

/// The length of the header with its lock, in bytes. The value follows. See `docs/layout.md`.
pub(crate) const HEADER_LEN: usize = 64;

/// The header of a value, with the lock that admits one initialiser at a time.
#[derive(Debug)]
#[repr(C)]
struct Head {
    words: Words,
    header: Header,
}

const _: () = assert!(size_of::<Head>() == HEADER_LEN || cfg!(loom));

// SAFETY: the words consist of atomic integers only. `rwlock.rs` asserts that their size is the sum of those
// integers, so there is no padding.
unsafe impl Atomics for RwWords {}

/// A part of a section, mapped at an address of its own.
///
/// **Invariant.** If code of this process accesses a byte by an atomic of the view, then it
/// accesses that byte only by that atomic, and not by an atomic of another size or by a copy, as
/// long as another thread may access the byte. No code outside this module has the view: see
/// `docs/safety.md`.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Arc<View>);

/// The memory of a lock. The lock keeps the memory mapped.
#[derive(Debug)]
struct ViewMemory(Memory);

impl LockMemory for ViewMemory {
    fn object(&self) -> &Object {
        self.0.0.object()
    }

    fn name(&self) -> Option<&Name> {
        self.0.0.name()
    }
}

impl Memory {
    /// Maps `len` bytes at byte `offset` of a section, for a value with this alignment.
    pub(crate) fn map(
        section: &Section,
        offset: u64,
        len: u64,
        align: u64,
        access: Access,
    ) -> Result<Memory> {
        if !offset.is_multiple_of(align) {
            let cause = format!("offset {offset} is not a multiple of {align}");
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let end = offset.saturating_add(len);
        let view = section.view().range(offset..end).access(access).map()?;
        Ok(Memory(Arc::new(view)))
    }

    /// Returns the view. The caller may only copy bytes that do not belong to an atomic.
    #[inline]
    pub(crate) fn view(&self) -> &View {
        &self.0
    }

    /// Returns the address of the byte `at`, which lies in the view.
    #[inline]
    pub(crate) fn address(&self, at: usize) -> NonNull<u8> {
        assert!(at <= self.0.len(), "the view covers the address");
        NonNull::new(self.0.as_ptr().wrapping_add(at)).expect("memory is not at address zero")
    }

    /// Returns the header of memory that was mapped with one.
    #[inline]
    pub(crate) fn header(&self) -> &Header {
        assert!(self.0.len() >= size_of::<Head>(), "the view covers the header");
        let head: NonNull<Head> = self.address(0).cast();
        assert!(head.is_aligned(), "it was mapped at a multiple of 8");
        // SAFETY: the two assertions prove that the header lies in the view, which `self` keeps mapped,
        // and is aligned. It consists of atomics, for which any bytes are valid. By the invariant of
        // `Memory` all its bytes are accessed by these atomics only.
        unsafe { &head.as_ref().header }
    }

    /// Returns the cell at byte `at` of memory that was mapped for a value of the type `T`.
    #[inline]
    pub(crate) fn cell<T: Plain>(&self, at: usize) -> &Racy<T> {
        let cell: NonNull<Racy<T>> = self.address(at).cast();
        let fits = at.checked_add(size_of::<T>()).is_some_and(|end| end <= self.0.len());
        assert!(fits && cell.is_aligned() && self.0.is_writable(), "it was mapped for the value");
        // SAFETY: the assertion proves that the cell lies in the view, which `self` keeps mapped, and is
        // aligned and writable. Any bytes are a valid plain value, and a cell only copies them, so other
        // accesses at the same time are sound. The caller has no atomics in these bytes.
        unsafe { cell.as_ref() }
    }

    /// Returns the atomics at byte `at` of memory that was mapped with room for them.
    #[inline]
    pub(crate) fn atomics<A: Atomics>(&self, at: usize) -> &A {
        let atomics: NonNull<A> = self.address(at).cast();
        let fits = at.checked_add(size_of::<A>()).is_some_and(|end| end <= self.0.len());
        assert!(fits && atomics.is_aligned() && self.0.is_writable(), "it was mapped for them");
        // SAFETY: the assertion proves that the atomics lie in the view, which `self` keeps mapped, and
        // are aligned and writable. `Atomics` admits any bytes, and other accesses at the same time. By
        // the invariant of `Memory` these bytes are accessed by these atomics only.
        unsafe { atomics.as_ref() }
    }

    /// Sleeps while a word of this memory has the value `expected`, for at most `time`. It may return
    /// early.
    pub(crate) fn sleep(
        &self,
        peers: &Peers,
        word: &AtomicU32,
        expected: u32,
        time: Duration,
    ) -> Result<()> {
        let slept = peers.wait(word, self.offset_of(word), expected, time);
        slept.map_err(|error| Error::os("it cannot be waited for", error))
    }

    /// Wakes at most `count` threads that sleep on a word of this memory.
    pub(crate) fn wake(&self, peers: &Peers, word: &AtomicU32, count: u32) {
        peers.wake(word, self.offset_of(word), count);
    }

    /// Returns the offset in the section of a word of this memory.
    fn offset_of(&self, word: &AtomicU32) -> usize {
        let at = std::ptr::from_ref(word).addr().wrapping_sub(self.0.as_ptr().addr());
        usize::try_from(self.0.start()).unwrap_or(usize::MAX).wrapping_add(at)
    }

    /// Returns the processes that use the part of the section at byte `at`. `lock` is the lock of the
    /// memory.
    pub(crate) fn peers(&self, at: usize, lock: &sync::Mutex) -> Result<Peers> {
        let at = self.0.start() + at as u64;
        Peers::open(Arc::new(ViewMemory(self.clone())), at, self.0.name(), lock.number()?)
    }

    /// Returns the lock whose words lie at byte `at`.
    pub(crate) fn lock(&self, at: usize) -> Result<sync::Mutex> {
        let words: NonNull<Words> = self.address(at).cast();
        let fits = at.checked_add(size_of::<Words>()).is_some_and(|end| end <= self.0.len());
        assert!(fits && words.is_aligned() && self.0.is_writable(), "it was mapped for a lock");
        let offset = self.0.start() + at as u64;
        // SAFETY: the assertion proves that the words lie in the view, are aligned and writable.
        // `ViewMemory` keeps the view mapped. By the invariant of `Memory` their bytes are accessed
        // by atomics only.
        unsafe { sync::Mutex::embedded(words, offset, Box::new(ViewMemory(self.clone()))) }
    }

    /// Maps a value with its header at byte `offset` of a section.
    fn map_value(
        section: &Section,
        offset: u64,
        layout: &Layout,
        access: Access,
    ) -> Result<Memory> {
        let len = (HEADER_LEN as u64).saturating_add(layout.len());
        let align = layout.align.max(align_of::<Head>()) as u64;
        let memory = Memory::map(section, offset, len, align, access)?;
        if memory.address(HEADER_LEN).addr().get().is_multiple_of(layout.align) {
            return Ok(memory);
        }
        let cause = format!("the memory is not aligned to {} bytes", layout.align);
        Err(Error::new(ErrorKind::InvalidInput, cause))
    }

    /// Maps the value at byte `offset` of a section, and initialises it by `init` if no process has.
    /// Returns whether this call did so, too.
    pub(super) fn open_or_init_value(
        section: &Section,
        offset: u64,
        layout: &Layout,
        init: impl FnOnce(&Memory) -> Result<()>,
    ) -> Result<(Memory, bool)> {
        let open = || {
            let memory = Memory::map_value(section, offset, layout, Access::ReadWrite)?;
            if memory.is_initialised(layout)? {
                return Ok((memory, false));
            }
            let lock = memory.lock(0)?;
            let initialised = memory.open_or_init(layout, &lock, || init(&memory))?;
            Ok((memory, initialised))
        };
        open().map_err(|error| context("open or create typed memory in", section, error))
    }

    /// Maps the value at byte `offset` of a section, which a process has initialised.
    pub(super) fn open_value(
        section: &Section,
        offset: u64,
        layout: &Layout,
        access: Access,
    ) -> Result<Memory> {
        let open = || {
            let memory = Memory::map_value(section, offset, layout, access)?;
            if memory.is_initialised(layout)? {
                return Ok(memory);
            }
            let cause = "no process has initialised the value; create it with open_or_init";
            Err(Error::new(ErrorKind::NotFound, cause))
        };
        open().map_err(|error| context("open typed memory in", section, error))
    }

    /// Maps the value of the typed memory `name`, waiting until the deadline for a process that creates
    /// and initialises it.
    pub(super) fn open_value_within(
        name: impl ToName,
        layout: &Layout,
        access: Access,
        time: Duration,
    ) -> Result<Memory> {
        /// An initialiser that lives needs microseconds.
        const PAUSE: Duration = Duration::from_millis(1);
        let deadline = Deadline::after(time);
        let section = SectionOptions::new().access(access).open_within(name, time)?;
        loop {
            match Memory::open_value(&section, 0, layout, access) {
                Err(error) if error.kind() == ErrorKind::NotFound => match deadline.next(PAUSE) {
                    Some(pause) => std::thread::sleep(pause),
                    None => return Err(error),
                },
                result => return result,
            }
        }
    }

    /// Returns whether the value is initialised; an error if it has another layout.
    pub(crate) fn is_initialised(&self, layout: &Layout) -> Result<bool> {
        self.header().fields().map_or(Ok(false), |found| layout.check(found).map(|()| true))
    }

    /// Initialises the value by `init`, if it is not initialised, and returns whether it did so. It
    /// blocks while another process initialises the value.
    pub(crate) fn open_or_init(
        &self,
        layout: &Layout,
        lock: &sync::Mutex,
        init: impl FnOnce() -> Result<()>,
    ) -> Result<bool> {
        if self.is_initialised(layout)? {
            return Ok(false);
        }
        let acquired =
            lock.lock(Deadline::Never)?.expect("a wait without a deadline does not time out");
        // This also unlocks the mutex if `init` panics. The next process then initialises the
        // value.
        let _unlock = Unlock(lock);
        let header = self.header();
        if header.init(layout.fields, || self.clear_value(), init)? {
            return Ok(true);
        }
        layout.check(header.fields().unwrap_or(layout.fields))?;
        if acquired == Acquired::Abandoned && layout.fields.magic == super::GUARDED {
            // The dead owner was using an initialised value. This call returns no guard, so leave the
            // report to the next owner. This thread still owns the lock.
            header.state.store(1, crate::primitive::Ordering::Relaxed);
        }
        Ok(false)
    }

    /// Sets the bytes after the header to zero. The caller is the only one that accesses them.
    pub(crate) fn clear_value(&self) {
        const ZEROS: [u8; 4096] = [0; 4096];
        let len = self.0.len();
        for at in (HEADER_LEN..len).step_by(ZEROS.len()) {
            let cleared = self.0.write_at(at, &ZEROS[..ZEROS.len().min(len - at)]);
            cleared.expect("the view is writable");
        }
    }
}

/// Unlocks a mutex that this thread owns.
pub(crate) struct Unlock<'a>(pub(crate) &'a sync::Mutex);

impl Drop for Unlock<'_> {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

/// Adds the call and the section to an error.
#[cold]
pub(crate) fn context(call: &'static str, section: &Section, error: Error) -> Error {
    let name = section.name().map(ToString::to_string);
    match name {
        Some(name) => error.during(call, format!("section {}", crate::error::Quoted(&name))),
        None => error.during(call, "unnamed section"),
    }
}

impl Layout {
    /// Returns an error if the value that a header describes has another layout.
    fn check(&self, found: Fields) -> Result<()> {
        let expected = self.fields;
        if found == expected {
            return Ok(());
        }
        if found.magic == expected.magic {
            let cause = format!(
                "it has a value of another type: {} bytes with layout {:016x}, where {} ({} bytes with layout \
                 {:016x}) was expected",
                found.len, found.fingerprint, self.type_name, expected.len, expected.fingerprint
            );
            return Err(Error::new(ErrorKind::WrongKind, cause));
        }
        let wanted = super::kind_of(expected.magic).unwrap_or("another kind");
        let Some(known) = super::kind_of(found.magic) else {
            let cause =
                format!("the bytes are neither zero nor {wanted}: another program uses them");
            return Err(Error::new(ErrorKind::Corrupted, cause));
        };
        let cause = format!("it is {known}, where {wanted} was expected");
        Err(Error::new(ErrorKind::WrongKind, cause))
    }
}
