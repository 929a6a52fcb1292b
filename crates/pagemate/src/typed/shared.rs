#![allow(unsafe_code, reason = "lends mapped memory as a typed reference")]

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::time::Duration;

use super::{HEADER_LEN, InPlace, Layout, Memory, Shareable, context};
use crate::access::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::name::ToName;
use crate::section::{Section, SectionOptions};

/// A value of type `T` in shared memory, which derefs to `&T`.
///
/// `T` consists of atomics and cells: see [the module](crate::typed). The handle owns a view of the
/// memory, and keeps its section open. Clones share the view.
///
/// Some functions are not methods (`Shared::was_initialised(&shared)`), so that their names do not
/// hide methods of `T`.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use pagemate::Shared;
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = format!("doc-shared-memory-{}", std::process::id());
/// let visitors = Shared::<AtomicU64>::open_or_create(&name)?;
/// assert_eq!(visitors.fetch_add(1, Ordering::Relaxed), 0);
/// # Ok(())
/// # }
/// ```
///
/// A value that other processes may write at any time cannot be lent:
///
/// ```compile_fail,E0599
/// use pagemate::Shared;
///
/// let visitors = Shared::<u64>::open_or_create("visitors"); // `u64` is not an atomic
/// ```
pub struct Shared<T> {
    field: Field<T>,
    initialised: bool,
}

impl<T: InPlace> Shared<T> {
    /// The number of bytes that the value occupies in a section, with its header.
    pub const LEN: u64 = (HEADER_LEN + size_of::<T>()) as u64;

    /// The alignment of an offset at which the value can lie in a section.
    pub const ALIGN: u64 = if align_of::<T>() > 8 { align_of::<T>() as u64 } else { 8 };

    /// Opens the typed memory `name`, and creates it if no process holds it. New memory is zeroed.
    ///
    /// The section has the length [`LEN`](Shared::LEN), rounded up to whole pages, and is readable and
    /// writable for the owner alone. For other options, create a section and use
    /// [`open_or_init`](Shared::open_or_init).
    ///
    /// # Errors
    ///
    /// - The errors of [`SectionOptions::open_or_create`].
    /// - [`WrongKind`](ErrorKind::WrongKind): it has a value of another type. The message has both
    ///   layouts.
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the section exists and is too short.
    /// - [`Corrupted`](ErrorKind::Corrupted): the section exists, and its bytes are not typed memory.
    pub fn open_or_create(name: impl ToName) -> Result<Shared<T>> {
        Shared::open_or_create_with(name, |_| Ok(()))
    }

    /// Opens the typed memory `name`, and creates and initialises it if no process holds it.
    ///
    /// `init` gets the memory as zeros, and stores the initial values. Other processes wait until it
    /// returns. If it fails or panics, or if this process is killed meanwhile, the next process
    /// initialises the memory, again from zeros.
    ///
    /// # Errors
    ///
    /// The errors of [`open_or_create`](Shared::open_or_create), and those of `init`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// use pagemate::Shared;
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// # let name = format!("doc-shared-init-{}", std::process::id());
    /// let next = Shared::<AtomicU64>::open_or_create_with(&name, |next| {
    ///     next.store(1000, Ordering::Relaxed);
    ///     Ok(())
    /// })?;
    /// assert_eq!(next.fetch_add(1, Ordering::Relaxed), 1000);
    /// # Ok(())
    /// # }
    /// ```
    pub fn open_or_create_with(
        name: impl ToName,
        init: impl FnOnce(&Shared<T>) -> Result<()>,
    ) -> Result<Shared<T>> {
        let section = SectionOptions::new().len(Self::LEN).open_or_create(name)?;
        Shared::open_or_init(&section, 0, init)
    }

    /// Opens the typed memory `name`.
    ///
    /// # Errors
    ///
    /// - The errors of [`Section::open`].
    /// - [`NotFound`](ErrorKind::NotFound): the memory is not initialised yet.
    /// - The errors of [`open_or_create`](Shared::open_or_create) for memory that exists.
    pub fn open(name: impl ToName) -> Result<Shared<T>> {
        Shared::open_in(&Section::open(name)?, 0)
    }

    /// Opens the typed memory `name`, waiting for at most `time` until another process has created and
    /// initialised it.
    ///
    /// # Errors
    ///
    /// The errors of [`Section::open_within`] and of [`open`](Shared::open).
    pub fn open_within(name: impl ToName, time: Duration) -> Result<Shared<T>> {
        let layout = Layout::typed::<T>();
        Shared::of(Memory::open_value_within(name, &layout, Access::ReadWrite, time)?)
    }

    /// Opens the typed memory `name` for reading, waiting as [`open_within`](Shared::open_within) does.
    ///
    /// # Errors
    ///
    /// The errors of [`open_within`](Shared::open_within).
    pub fn open_read_only_within(name: impl ToName, time: Duration) -> Result<SharedReader<T>> {
        let layout = Layout::typed::<T>();
        let memory = Memory::open_value_within(name, &layout, Access::Read, time)?;
        Ok(SharedReader(Shared::of(memory)?))
    }

    /// Opens the typed memory `name` for reading.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Shared::open).
    pub fn open_read_only(name: impl ToName) -> Result<SharedReader<T>> {
        let section = SectionOptions::new().access(Access::Read).open(name)?;
        Shared::open_read_only_in(&section, 0)
    }

    /// Opens the value at byte `offset` of `section`, and initialises it if no process has: see
    /// [`open_or_create_with`](Shared::open_or_create_with). The value with its header occupies
    /// [`LEN`](Shared::LEN) bytes, which have to be zero at first.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the value would reach past the end of the section.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `offset` is not a multiple of
    ///   [`ALIGN`](Shared::ALIGN).
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the section is read-only.
    /// - [`WrongKind`](ErrorKind::WrongKind), [`Corrupted`](ErrorKind::Corrupted): the bytes are a
    ///   value of another type, or no typed memory.
    /// - [`Unsupported`](ErrorKind::Unsupported), if the value is not initialised: on Unix, the section
    ///   is over a file and has no name; on macOS, the section has no name.
    /// - The errors of `init`.
    pub fn open_or_init(
        section: &Section,
        offset: u64,
        init: impl FnOnce(&Shared<T>) -> Result<()>,
    ) -> Result<Shared<T>> {
        let init = |memory: &Memory| init(&Shared::of(memory.clone())?);
        let layout = Layout::typed::<T>();
        let (memory, initialised) = Memory::open_or_init_value(section, offset, &layout, init)?;
        Ok(Shared { initialised, ..Shared::of(memory)? })
    }

    /// Opens the value at byte `offset` of `section`.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](ErrorKind::NotFound): the value is not initialised.
    /// - The errors of [`open_or_init`](Shared::open_or_init).
    pub fn open_in(section: &Section, offset: u64) -> Result<Shared<T>> {
        let layout = Layout::typed::<T>();
        Shared::of(Memory::open_value(section, offset, &layout, Access::ReadWrite)?)
    }

    /// Opens the value at byte `offset` of `section` for reading.
    ///
    /// # Errors
    ///
    /// The errors of [`open_in`](Shared::open_in).
    pub fn open_read_only_in(section: &Section, offset: u64) -> Result<SharedReader<T>> {
        let memory = Memory::open_value(section, offset, &Layout::typed::<T>(), Access::Read)?;
        Ok(SharedReader(Shared::of(memory)?))
    }

    /// Lends the bytes at `offset` of `section` as a `T`, without a header: nothing checks that other
    /// programs agree on the type. This serves memory whose layout another program determines.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the value reaches past the end of the section.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `offset` is not a multiple of the alignment of `T`.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the section is read-only.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// use pagemate::{SectionOptions, Shared};
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// let section = SectionOptions::new().len(4096).create_unnamed()?;
    /// let numbers = Shared::<[AtomicU32; 2]>::map(&section, 8)?;
    /// numbers[1].store(7, Ordering::Relaxed);
    /// assert_eq!(section.map()?.read::<u32>(12)?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn map(section: &Section, offset: u64) -> Result<Shared<T>> {
        Shared::without_header(section, offset, Access::ReadWrite)
    }

    /// Lends the bytes at `offset` of `section` for reading: see [`map`](Shared::map).
    ///
    /// # Errors
    ///
    /// The errors of [`map`](Shared::map), except `PermissionDenied`.
    pub fn map_read_only(section: &Section, offset: u64) -> Result<SharedReader<T>> {
        Shared::without_header(section, offset, Access::Read).map(SharedReader)
    }

    fn without_header(section: &Section, offset: u64, access: Access) -> Result<Shared<T>> {
        let map = || {
            let memory = Memory::map(
                section,
                offset,
                size_of::<T>() as u64,
                align_of::<T>() as u64,
                access,
            )?;
            Ok(Shared { field: Field::new(memory, 0)?, initialised: false })
        };
        map().map_err(|error| context("map typed memory in", section, error))
    }

    /// Returns the handle of memory that was mapped with the header and the layout of `T`.
    fn of(memory: Memory) -> Result<Shared<T>> {
        Ok(Shared { field: Field::new(memory, HEADER_LEN)?, initialised: false })
    }

    /// Writes the changes to the file under the section: see [`View::flush`](crate::View::flush).
    ///
    /// # Errors
    ///
    /// The errors of [`View::flush`](crate::View::flush).
    pub fn flush(shared: &Shared<T>) -> Result<()> {
        shared.memory().view().flush()
    }

    /// Returns whether the call that returned this handle initialised the value.
    pub fn was_initialised(shared: &Shared<T>) -> bool {
        shared.initialised
    }

    pub(crate) fn memory(&self) -> &Memory {
        self.field.memory()
    }

    /// Returns a field of the value with the memory, and its offset in the view in bytes.
    pub(super) fn field<F: InPlace>(&self, field: &F) -> Result<(Field<F>, usize)> {
        let start = std::ptr::from_ref::<T>(self).addr();
        let at = std::ptr::from_ref(field).addr().wrapping_sub(start);
        if at.checked_add(size_of::<F>()).is_none_or(|end| end > size_of::<T>()) {
            let cause = "the field does not lie in this memory: pass the handle that lent it";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let at = at + (start - self.memory().address(0).addr().get());
        Ok((Field { memory: self.memory().clone(), value: field.into() }, at))
    }
}

impl<T: InPlace> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.field.get()
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        let Field { memory, value } = &self.field;
        let field = Field { memory: memory.clone(), value: *value };
        Shared { field, initialised: self.initialised }
    }
}

impl<T: InPlace + fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&**self).finish()
    }
}

/// A value of type `T` in shared memory that is mapped for reading.
///
/// It derefs to a structure with the fields of `T`, which can only be read: atomics have
/// [`load`](super::ReadOnly), a [`SeqLock`](super::SeqLock) has `read`, a [`Racy`](super::Racy) cell has
/// `get`. The kernel enforces it.
///
/// Open it with [`Shared::open_read_only`].
pub struct SharedReader<T>(Shared<T>);

impl<T: InPlace> Deref for SharedReader<T> {
    type Target = T::Reader;

    #[inline]
    fn deref(&self) -> &T::Reader {
        const { assert!(size_of::<T::Reader>() == size_of::<T>()) };
        const { assert!(align_of::<T::Reader>() == align_of::<T>()) };
        // SAFETY: `Shareable` says that a `Reader` has the layout of `T`, that any bytes are a valid
        // `Reader`, and that it only reads. The field is mapped for as long as `self` lives.
        unsafe { self.0.field.value.cast::<<T as Shareable>::Reader>().as_ref() }
    }
}

impl<T> Clone for SharedReader<T> {
    fn clone(&self) -> SharedReader<T> {
        SharedReader(self.0.clone())
    }
}

impl<T> fmt::Debug for SharedReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedReader").finish_non_exhaustive()
    }
}

/// A field of typed memory, which the handle keeps mapped.
pub(crate) struct Field<F> {
    memory: Memory,
    /// **Invariant.** It is aligned, and lies in `memory` with all its bytes.
    value: NonNull<F>,
}

// SAFETY: it gives access to a `&F` only, which may be used by all threads (`Sync`), and `Memory` is
// `Send`.
unsafe impl<F: Sync> Send for Field<F> {}
// SAFETY: a `&Field` gives access to a `&F`, which may be used by all threads (`Sync`), and to nothing of
// `Memory` that is not `Sync`.
unsafe impl<F: Sync> Sync for Field<F> {}

impl<F: InPlace> Field<F> {
    /// Returns the field at byte `at` of the memory.
    pub(crate) fn new(memory: Memory, at: usize) -> Result<Field<F>> {
        let value = memory.address(at).cast::<F>();
        let fits = at.checked_add(size_of::<F>()).is_some_and(|end| end <= memory.view().len());
        if fits && value.is_aligned() {
            return Ok(Field { memory, value });
        }
        let cause = format!("the memory is not aligned to {} bytes", align_of::<F>());
        Err(Error::new(ErrorKind::InvalidInput, cause))
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    #[inline]
    pub(crate) fn get(&self) -> &F {
        // SAFETY: by the invariant of `value` it is aligned and mapped for as long as `memory` lives.
        // Any bytes are a valid `F` (`Shareable`), and other processes may write them, because `F`
        // consists of atomics and cells (`InPlace`). By the invariant of `Memory` no other type
        // accesses these bytes. Code that could write has got the reference from memory that is
        // mapped for writing: `SharedReader` never calls this function.
        unsafe { self.value.as_ref() }
    }
}
