//! Typed memory whose type is known at run time only, as in bindings for other languages.
#![allow(unsafe_code, reason = "copies bytes that other processes may write")]

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Duration;

use super::{HEADER_LEN, Layout, Memory, Shareable};
use crate::access::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::name::ToName;
use crate::section::{Section, SectionOptions};
use crate::sys::copy::{copy_in, copy_out};

/// The layout of a type that is known at run time only: see [`SharedBytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeLayout {
    fingerprint: u64,
    len: usize,
    align: usize,
}

impl TypeLayout {
    /// Returns the layout of a type with this fingerprint, and with this length and alignment in bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput): the alignment is not a power of two of at most 64.
    pub fn new(fingerprint: u64, len: usize, align: usize) -> Result<TypeLayout> {
        if align.is_power_of_two() && align <= HEADER_LEN {
            return Ok(TypeLayout { fingerprint, len, align });
        }
        let cause = format!("the alignment is {align}; it must be 1, 2, 4, 8, 16, 32 or 64");
        Err(Error::new(ErrorKind::InvalidInput, cause))
    }

    /// Returns the layout of a Rust type.
    pub const fn of<T: Shareable>() -> TypeLayout {
        TypeLayout { fingerprint: T::FINGERPRINT, len: size_of::<T>(), align: align_of::<T>() }
    }

    /// Returns the [fingerprint](Shareable::FINGERPRINT) of the type.
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Returns the length of the type in bytes.
    #[allow(clippy::len_without_is_empty, reason = "it is the length of a type")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns the alignment of the type in bytes.
    pub const fn align(&self) -> usize {
        self.align
    }
}

/// A value in shared memory whose type is known at run time only, as in bindings for other languages.
///
/// It is the same memory as a [`Shared<T>`](crate::Shared) for a `T` of this layout. The handle owns a
/// view of the memory, and keeps its section open. Clones share the view.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use pagemate::Shared;
/// use pagemate::typed::{SharedBytes, TypeLayout};
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = format!("doc-shared-bytes-{}", std::process::id());
/// let layout = TypeLayout::of::<AtomicU32>();
/// let init = |_: &SharedBytes| Ok::<(), pagemate::Error>(());
/// let bytes = SharedBytes::open_or_create(&name, &layout, init)?;
/// assert!(bytes.was_initialised() && bytes.is_writable());
/// let number = Shared::<AtomicU32>::open(&name)?;
/// number.store(7, Ordering::Relaxed);
/// assert_ne!(bytes.as_ptr().addr(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SharedBytes {
    memory: Memory,
    initialised: bool,
}

impl SharedBytes {
    /// The number of bytes that the header of a value occupies in a section, before the value.
    pub const HEADER_LEN: usize = HEADER_LEN;

    /// Opens the typed memory `name`, and creates and initialises it if no process holds it: see
    /// [`Shared::open_or_create_with`](crate::Shared::open_or_create_with).
    ///
    /// # Errors
    ///
    /// The errors of [`Shared::open_or_create`](crate::Shared::open_or_create), and those of `init`.
    pub fn open_or_create<E: From<Error>>(
        name: impl ToName,
        layout: &TypeLayout,
        init: impl FnOnce(&SharedBytes) -> std::result::Result<(), E>,
    ) -> std::result::Result<SharedBytes, E> {
        let len = (HEADER_LEN as u64).saturating_add(layout.len as u64);
        let section = SectionOptions::new().len(len).open_or_create(name)?;
        SharedBytes::open_or_init(&section, 0, layout, init)
    }

    /// Opens the typed memory `name`.
    ///
    /// # Errors
    ///
    /// The errors of [`Shared::open`](crate::Shared::open).
    pub fn open(name: impl ToName, layout: &TypeLayout, access: Access) -> Result<SharedBytes> {
        let section = SectionOptions::new().access(access).open(name)?;
        SharedBytes::open_in(&section, 0, layout, access)
    }

    /// Opens the typed memory `name`, waiting for at most `time` until another process has created and
    /// initialised it.
    ///
    /// # Errors
    ///
    /// The errors of [`Shared::open_within`](crate::Shared::open_within).
    pub fn open_within(
        name: impl ToName,
        layout: &TypeLayout,
        access: Access,
        time: Duration,
    ) -> Result<SharedBytes> {
        let layout = Layout::typed_bytes(layout);
        let memory = Memory::open_value_within(name, &layout, access, time)?;
        Ok(SharedBytes { memory, initialised: false })
    }

    /// Opens the value at byte `offset` of `section`, and initialises it if no process has: see
    /// [`Shared::open_or_init`](crate::Shared::open_or_init).
    ///
    /// # Errors
    ///
    /// The errors of [`Shared::open_or_init`](crate::Shared::open_or_init), and those of `init`.
    pub fn open_or_init<E: From<Error>>(
        section: &Section,
        offset: u64,
        layout: &TypeLayout,
        init: impl FnOnce(&SharedBytes) -> std::result::Result<(), E>,
    ) -> std::result::Result<SharedBytes, E> {
        let mut failed = None;
        let init = |memory: &Memory| {
            let bytes = SharedBytes { memory: memory.clone(), initialised: false };
            init(&bytes).map_err(|error| {
                failed = Some(error);
                Error::new(ErrorKind::Os, "the initialiser failed")
            })
        };
        let layout = Layout::typed_bytes(layout);
        match Memory::open_or_init_value(section, offset, &layout, init) {
            Ok((memory, initialised)) => Ok(SharedBytes { memory, initialised }),
            Err(error) => Err(failed.unwrap_or_else(|| error.into())),
        }
    }

    /// Opens the value at byte `offset` of `section`.
    ///
    /// # Errors
    ///
    /// The errors of [`Shared::open_in`](crate::Shared::open_in).
    pub fn open_in(
        section: &Section,
        offset: u64,
        layout: &TypeLayout,
        access: Access,
    ) -> Result<SharedBytes> {
        let memory = Memory::open_value(section, offset, &Layout::typed_bytes(layout), access)?;
        Ok(SharedBytes { memory, initialised: false })
    }

    /// Returns the address of the value.
    ///
    /// The pointer is valid for the length of the type as long as the handle or a clone lives. It may be
    /// written through only if the memory [is writable](SharedBytes::is_writable). Other processes access
    /// the value at the same time, so all accesses have to be atomic, or go through [`RacyBytes`] and
    /// [`SeqBytes`](super::SeqBytes).
    pub fn as_ptr(&self) -> *mut u8 {
        self.memory.address(HEADER_LEN).as_ptr()
    }

    /// Returns whether the memory is mapped for writing.
    pub fn is_writable(&self) -> bool {
        self.memory.view().is_writable()
    }

    /// Returns whether the call that returned this handle initialised the value.
    pub fn was_initialised(&self) -> bool {
        self.initialised
    }

    /// Writes the changes to the file under the section: see [`View::flush`](crate::View::flush).
    ///
    /// # Errors
    ///
    /// The errors of [`View::flush`](crate::View::flush).
    pub fn flush(&self) -> Result<()> {
        self.memory.view().flush()
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }
}

/// A [`Racy`](super::Racy) cell of a length that is known at run time only.
#[derive(Clone, Copy, Debug)]
pub struct RacyBytes<'a> {
    /// **Invariant.** `len` bytes from here are readable for `'a`.
    cell: NonNull<u8>,
    len: usize,
    lives: PhantomData<&'a [u8]>,
}

impl RacyBytes<'_> {
    /// Returns the cell of `len` bytes at this address.
    ///
    /// # Safety
    ///
    /// The bytes are readable as long as the result lives. Until then every thread of this process
    /// accesses them by cells or atomics only.
    pub unsafe fn from_ptr<'a>(cell: NonNull<u8>, len: usize) -> RacyBytes<'a> {
        RacyBytes { cell, len, lives: PhantomData }
    }

    /// Copies the value into `value`, which has its length. The copy may be torn.
    ///
    /// # Panics
    ///
    /// Panics if `value` has another length.
    #[inline]
    pub fn read_into(&self, value: &mut [u8]) {
        assert_eq!(value.len(), self.len, "a value has the length of its cell");
        // SAFETY: `cell` has `len` readable bytes by its invariant, and `value` is an exclusive reference
        // to as many bytes.
        unsafe { copy_out(self.cell.as_ptr(), value.as_mut_ptr(), self.len) };
    }

    /// Replaces the value. A reader may see a part of the new one.
    ///
    /// # Safety
    ///
    /// The memory is mapped for writing.
    ///
    /// # Panics
    ///
    /// Panics if `value` has another length.
    #[inline]
    pub unsafe fn set(&self, value: &[u8]) {
        assert_eq!(value.len(), self.len, "a value has the length of its cell");
        // SAFETY: `cell` has `len` bytes by its invariant, which the caller says are writable, and `value`
        // has as many readable bytes.
        unsafe { copy_in(value.as_ptr(), self.cell.as_ptr(), self.len) };
    }
}
