//! Sequence-locked values whose type is known at run time only.
#![allow(unsafe_code, reason = "lends the head of a cell, and copies its bytes")]

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::bytes::{RacyBytes, SharedBytes};
use super::memory::{HEADER_LEN, Memory};
use super::seqlock::{SeqHead, lock_writers};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::sync;
use crate::sys::sync::typed::sequence;

/// A [`SeqLock`](super::SeqLock) whose value has a length that is known at run time only, as in bindings
/// for other languages. The alignment of the value is at most 64 bytes.
#[derive(Clone, Copy, Debug)]
pub struct SeqBytes<'a> {
    /// **Invariant.** It is aligned, and [`size`](SeqBytes::size) bytes from here are readable for `'a`.
    cell: NonNull<SeqHead>,
    len: usize,
    lives: PhantomData<&'a SeqHead>,
}

impl SeqBytes<'_> {
    /// The alignment of a cell with a value that is aligned to at most 8 bytes.
    pub const ALIGN: usize = align_of::<SeqHead>();

    /// Returns the number of bytes that a cell with a value of this length occupies, without padding at its
    /// end; `usize::MAX` if that is more.
    pub const fn size(len: usize) -> usize {
        len.saturating_mul(2).saturating_add(size_of::<SeqHead>())
    }

    /// Returns the cell at this address, with a value of `len` bytes.
    ///
    /// # Safety
    ///
    /// The address is a multiple of [`ALIGN`](SeqBytes::ALIGN). [`size`](SeqBytes::size) bytes from there
    /// are readable as long as the result lives. Until then every thread of this process accesses them
    /// as a cell with a value of this length only.
    pub unsafe fn from_ptr<'a>(cell: NonNull<u8>, len: usize) -> SeqBytes<'a> {
        SeqBytes { cell: cell.cast(), len, lives: PhantomData }
    }

    fn head(&self) -> &SeqHead {
        // SAFETY: by the invariant of `cell` the head is aligned and readable. It consists of atomics, for
        // which any bytes are valid, and is accessed by them only.
        unsafe { self.cell.as_ref() }
    }

    /// Returns the slot with this number, 0 or 1.
    fn slot(&self, slot: usize) -> RacyBytes<'_> {
        let at = size_of::<SeqHead>() + slot * self.len;
        // SAFETY: a cell has a head and two slots of `len` bytes, so the result lies in the cell.
        let at = unsafe { self.cell.cast::<u8>().add(at) };
        // SAFETY: by the invariant of `cell` the bytes of its slots are readable.
        unsafe { RacyBytes::from_ptr(at, self.len) }
    }

    /// Copies the current value into `value`, which has its length.
    ///
    /// # Panics
    ///
    /// Panics if `value` has another length.
    #[inline]
    pub fn read_into(&self, value: &mut [u8]) {
        sequence::read(&self.head().sequence, |slot| self.slot(slot).read_into(value));
    }
}

/// A writer of a sequence-locked value whose type is known at run time only: see
/// [`SharedBytes::seq_writer`]. It keeps the memory mapped.
#[derive(Debug)]
pub struct SeqBytesWriter {
    lock: sync::Mutex,
    memory: Memory,
    /// **Invariant.** A cell with a value of `len` bytes, which is aligned, begins at this byte of the memory,
    /// which is mapped for writing.
    at: usize,
    len: usize,
}

impl SharedBytes {
    /// Returns a writer of the cell with a value of `len` bytes that begins at byte `offset` of the value
    /// of this memory.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the cell reaches past the end of the memory.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): the cell is not aligned.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the memory is mapped for reading.
    /// - The errors of [`SeqLock::writer`](super::SeqLock::writer).
    pub fn seq_writer(&self, offset: usize, len: usize) -> Result<SeqBytesWriter> {
        let memory = self.memory();
        let open = || {
            let at = offset.saturating_add(HEADER_LEN);
            let total = memory.view().len();
            if at.checked_add(SeqBytes::size(len)).is_none_or(|end| end > total) {
                let cause =
                    format!("a value of {len} bytes at offset {offset} reaches past its end");
                return Err(Error::new(ErrorKind::OutOfRange, cause));
            }
            if !memory.address(at).cast::<SeqHead>().is_aligned() {
                let cause = format!("the value at offset {offset} is not aligned to 8 bytes");
                return Err(Error::new(ErrorKind::InvalidInput, cause));
            }
            if !self.is_writable() {
                let cause = "the memory is mapped for reading";
                return Err(Error::new(ErrorKind::PermissionDenied, cause));
            }
            Ok(SeqBytesWriter { lock: memory.lock(at)?, memory: memory.clone(), at, len })
        };
        open().map_err(|error| error.during("open writer in", memory.view().section()))
    }
}

impl SeqBytesWriter {
    /// Replaces the value. It waits while another writer writes.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `value` has another length.
    /// - The errors of [`Mutex::lock`](crate::sync::Mutex::lock).
    pub fn write(&self, value: &[u8]) -> Result<()> {
        if value.len() != self.len {
            let cause = format!("the value has {} bytes, not {}", self.len, value.len());
            return Err(self.context(Error::new(ErrorKind::InvalidInput, cause)));
        }
        let _unlock = lock_writers(&self.lock).map_err(|error| self.context(error))?;
        self.store(value);
        Ok(())
    }

    /// Calls `change` with a copy of the value, and stores the result, unless `change` fails. It waits
    /// while another writer writes, so that no change is lost.
    ///
    /// # Errors
    ///
    /// The errors of [`Mutex::lock`](crate::sync::Mutex::lock), and those of `change`.
    pub fn update<E: From<Error>>(
        &self,
        change: impl FnOnce(&mut [u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let _unlock = lock_writers(&self.lock).map_err(|error| self.context(error))?;
        let mut value = vec![0; self.len];
        self.cell().read_into(&mut value);
        change(&mut value)?;
        self.store(&value);
        Ok(())
    }

    /// Stores a value of the right length. The caller owns the lock of the writers.
    fn store(&self, value: &[u8]) {
        let cell = self.cell();
        sequence::write(&cell.head().sequence, |slot| {
            // SAFETY: by the invariant of `at` the memory is mapped for writing.
            unsafe { cell.slot(slot).set(value) };
        });
    }

    fn cell(&self) -> SeqBytes<'_> {
        let cell = self.memory.address(self.at);
        // SAFETY: by the invariant of `at` an aligned cell lies there, in memory that `self` keeps mapped.
        // By the invariant of `Memory` its bytes are accessed by atomics and cells only.
        unsafe { SeqBytes::from_ptr(cell, self.len) }
    }

    #[cold]
    fn context(&self, error: Error) -> Error {
        error.during("write value in", self.memory.view().section())
    }
}
