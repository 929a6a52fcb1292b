//! Strings that end in a NUL, in units of 8 or 16 bits, and the `lstr…` calls.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A unit of a string: a byte or a 16-bit character.
pub(crate) trait Unit: Copy + PartialEq {
    const NUL: Self;

    fn value(self) -> u32;

    /// Returns the units of a string, without a NUL.
    fn of(text: &OsStr) -> Vec<Self>;
}

impl Unit for u8 {
    const NUL: u8 = 0;

    fn value(self) -> u32 {
        self.into()
    }

    fn of(text: &OsStr) -> Vec<u8> {
        text.as_bytes().to_vec()
    }
}

impl Unit for u16 {
    const NUL: u16 = 0;

    fn value(self) -> u32 {
        self.into()
    }

    fn of(text: &OsStr) -> Vec<u16> {
        text.to_string_lossy().encode_utf16().collect()
    }
}

/// Returns the number of units before the NUL; zero for a null pointer.
///
/// # Safety
///
/// `text` is null or points to a string that ends in a NUL, and no thread changes the string
/// meanwhile.
pub(crate) unsafe fn len<T: Unit>(text: *const T) -> usize {
    if text.is_null() {
        return 0;
    }
    let mut next = text;
    // The string may be unaligned in a packed struct.
    // SAFETY: the caller guarantees that the string ends in a NUL, and no unit before `next` is the
    // NUL.
    while unsafe { next.read_unaligned() } != T::NUL {
        next = next.wrapping_add(1);
    }
    (next.addr() - text.addr()) / size_of::<T>()
}

/// Copies `len` units. The string may be unaligned.
///
/// # Safety
///
/// `text` is valid for reads of `len` units.
pub(crate) unsafe fn copy_of<T: Unit>(text: *const T, len: usize) -> Vec<T> {
    // SAFETY: the caller guarantees that `text` is valid for reads of `len` units, and `i` is less.
    (0..len).map(|i| unsafe { text.wrapping_add(i).read_unaligned() }).collect()
}

/// Copies the units before the NUL; returns none for a null pointer.
///
/// # Safety
///
/// As for [`len`].
pub(crate) unsafe fn units<T: Unit>(text: *const T) -> Vec<T> {
    // SAFETY: the caller guarantees that `text` is null or points to a string that ends in a NUL.
    let len = unsafe { len(text) };
    // SAFETY: `len` read these units. For a null pointer the length is zero.
    unsafe { copy_of(text, len) }
}

/// Copies a string, truncated to `capacity` units including the NUL, and returns `to`. Returns null if
/// a pointer is null.
///
/// # Safety
///
/// `from` is as for [`units`]; `to` is null or valid for writes of the smaller of `capacity` units and
/// the string with its NUL.
unsafe fn copy<T: Unit>(to: *mut T, from: *const T, capacity: usize) -> *mut T {
    if to.is_null() || from.is_null() {
        return std::ptr::null_mut();
    }
    if capacity > 0 {
        // SAFETY: `from` is not null, so the caller guarantees that it points to a string that ends
        // in a NUL.
        let len = unsafe { len(from) }.min(capacity - 1);
        // Copy bytes, because the units may be unaligned. The strings may overlap.
        // SAFETY: `from` has `len` units before its NUL. The caller guarantees that `to` is valid
        // for writes of `len` units and a NUL.
        unsafe { std::ptr::copy(from.cast::<u8>(), to.cast::<u8>(), len * size_of::<T>()) };
        // SAFETY: the caller guarantees that `to` is valid for writes of one unit after `len`.
        unsafe { to.wrapping_add(len).write_unaligned(T::NUL) };
    }
    to
}

/// # Safety
///
/// `to` and `from` are as for [`units`], and the buffer of `to` has space for both strings and a
/// NUL.
unsafe fn append<T: Unit>(to: *mut T, from: *const T) -> *mut T {
    if to.is_null() || from.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: the caller guarantees that `to` points to a string that ends in a NUL.
    let end = to.wrapping_add(unsafe { len(to) });
    // SAFETY: the caller guarantees that `from` ends in a NUL, and that the buffer has space for it
    // from the NUL of `to` on.
    unsafe { copy(end, from, usize::MAX) };
    to
}

/// Compares two strings in dictionary order. The comparison ignores case at first. If the strings
/// are equal then, lower case sorts before upper case.
///
/// # Safety
///
/// `a` and `b` are as for [`units`].
unsafe fn compare<T: Unit>(a: *const T, b: *const T, case: bool) -> i32 {
    if a.is_null() || b.is_null() {
        return i32::from(!a.is_null()) - i32::from(!b.is_null());
    }
    let fold = |unit: &T| {
        let value = unit.value();
        char::from_u32(value)
            .map_or(value, |letter| letter.to_lowercase().next().map_or(value, u32::from))
    };
    // SAFETY: the caller guarantees that `a` points to a string that ends in a NUL.
    let a = unsafe { units(a) };
    // SAFETY: the caller guarantees that `b` points to a string that ends in a NUL.
    let b = unsafe { units(b) };
    let folded = a.iter().map(fold).cmp(b.iter().map(fold));
    let exact = || b.iter().map(|unit| unit.value()).cmp(a.iter().map(|unit| unit.value()));
    match if case { folded.then_with(exact) } else { folded } {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

macro_rules! texts {
    ($unit:ty: $len:ident $copy:ident $copy_part:ident $append:ident $compare:ident $compare_folded:ident) => {
        /// Returns the length of a string in units; zero for a null pointer.
        ///
        /// # Safety
        ///
        /// `text` is null or points to a string that ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $len(text: *const $unit) -> i32 {
            // SAFETY: the caller guarantees that `text` is null or points to a string that ends in
            // a NUL.
            i32::try_from(unsafe { len(text) }).unwrap_or(i32::MAX)
        }

        /// Copies a string.
        ///
        /// # Safety
        ///
        /// `from` is null or points to a string that ends in a NUL; `to` is null or valid for
        /// writes of the string and its NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy(to: *mut $unit, from: *const $unit) -> *mut $unit {
            // SAFETY: the caller guarantees that `from` ends in a NUL, and that `to` has space for
            // the string and its NUL.
            unsafe { copy(to, from, usize::MAX) }
        }

        /// Copies a string, truncated to the buffer.
        ///
        /// # Safety
        ///
        /// `from` is null or points to a string that ends in a NUL; `to` is null or valid for
        /// writes of `capacity` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy_part(
            to: *mut $unit,
            from: *const $unit,
            capacity: i32,
        ) -> *mut $unit {
            // SAFETY: the caller guarantees that `from` ends in a NUL, and that `to` is valid for
            // writes of `capacity` units.
            unsafe { copy(to, from, usize::try_from(capacity).unwrap_or_default()) }
        }

        /// Appends a string to another.
        ///
        /// # Safety
        ///
        /// `to` and `from` are null or point to strings that end in a NUL; the buffer of `to` has
        /// space for both strings and a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $append(to: *mut $unit, from: *const $unit) -> *mut $unit {
            // SAFETY: the caller guarantees that both strings end in a NUL, and that the buffer of
            // `to` has space for both.
            unsafe { append(to, from) }
        }

        /// Compares two strings; returns a number less than, equal to or greater than zero.
        ///
        /// # Safety
        ///
        /// `a` and `b` are null or point to strings that end in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $compare(a: *const $unit, b: *const $unit) -> i32 {
            // SAFETY: the caller guarantees that `a` and `b` are null or point to strings that end
            // in a NUL.
            unsafe { compare(a, b, true) }
        }

        /// Compares two strings without regard to case.
        ///
        /// # Safety
        ///
        /// `a` and `b` are null or point to strings that end in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $compare_folded(a: *const $unit, b: *const $unit) -> i32 {
            // SAFETY: the caller guarantees that `a` and `b` are null or point to strings that end
            // in a NUL.
            unsafe { compare(a, b, false) }
        }
    };
}

texts!(u8: lstrlenA lstrcpyA lstrcpynA lstrcatA lstrcmpA lstrcmpiA);
texts!(u16: lstrlenW lstrcpyW lstrcpynW lstrcatW lstrcmpW lstrcmpiW);
