//! Texts that end in a NUL.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A character of either width.
pub(crate) trait Unit: Copy + PartialEq {
    const NUL: Self;

    fn value(self) -> u32;

    /// The units of a text, without a NUL.
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

/// The number of units before the NUL; zero for a null pointer.
///
/// # Safety
///
/// `text` is null or ends in a NUL, and stays as it is while it is looked at.
pub(crate) unsafe fn len<T: Unit>(text: *const T) -> usize {
    if text.is_null() {
        return 0;
    }
    let mut next = text;
    // In a packed struct a text may lie at any address.
    // SAFETY: the caller says that it ends, and the end was not yet read.
    while unsafe { next.read_unaligned() } != T::NUL {
        next = next.wrapping_add(1);
    }
    (next.addr() - text.addr()) / size_of::<T>()
}

/// So many units from there on, wherever they lie.
///
/// # Safety
///
/// There are so many.
pub(crate) unsafe fn copy_of<T: Unit>(text: *const T, len: usize) -> Vec<T> {
    // SAFETY: the caller's promise.
    (0..len).map(|i| unsafe { text.wrapping_add(i).read_unaligned() }).collect()
}

/// The units before the NUL; none for a null pointer.
///
/// # Safety
///
/// As [`len`].
pub(crate) unsafe fn units<T: Unit>(text: *const T) -> Vec<T> {
    // SAFETY: the caller's promise.
    let len = unsafe { len(text) };
    // SAFETY: they were just counted.
    unsafe { copy_of(text, len) }
}

/// Copies at most `room` units, a NUL among them, to `to`, and gives that back; null if it cannot.
///
/// # Safety
///
/// `from` is as for [`units`], and `to` is null or has room for it.
unsafe fn copy<T: Unit>(to: *mut T, from: *const T, room: usize) -> *mut T {
    if to.is_null() || from.is_null() {
        return std::ptr::null_mut();
    }
    if room > 0 {
        // SAFETY: the caller's promise.
        let len = unsafe { len(from) }.min(room - 1);
        // Bytes may lie at any address. The texts may overlap.
        // SAFETY: so much can be read, and there is room for it.
        unsafe { std::ptr::copy(from.cast::<u8>(), to.cast::<u8>(), len * size_of::<T>()) };
        // SAFETY: there is room for the end.
        unsafe { to.wrapping_add(len).write_unaligned(T::NUL) };
    }
    to
}

/// # Safety
///
/// Both are as for [`units`], and `to` has room for what is added.
unsafe fn append<T: Unit>(to: *mut T, from: *const T) -> *mut T {
    if to.is_null() || from.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    let end = to.wrapping_add(unsafe { len(to) });
    // SAFETY: the caller says that there is room where the NUL is.
    unsafe { copy(end, from, usize::MAX) };
    to
}

/// Compares as people do: letters whatever their case, and if that makes no difference small ones
/// first.
///
/// # Safety
///
/// Both are as for [`units`].
unsafe fn compare<T: Unit>(a: *const T, b: *const T, case: bool) -> i32 {
    if a.is_null() || b.is_null() {
        return i32::from(!a.is_null()) - i32::from(!b.is_null());
    }
    let fold = |unit: &T| {
        let value = unit.value();
        char::from_u32(value)
            .map_or(value, |letter| letter.to_lowercase().next().map_or(value, u32::from))
    };
    // SAFETY: the caller's promise.
    let a = unsafe { units(a) };
    // SAFETY: the caller's promise.
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
        /// The length of a text in units; zero for a null pointer.
        ///
        /// # Safety
        ///
        /// `text` is null or ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $len(text: *const $unit) -> i32 {
            // SAFETY: the caller's promise.
            i32::try_from(unsafe { len(text) }).unwrap_or(i32::MAX)
        }

        /// Copies a text.
        ///
        /// # Safety
        ///
        /// `from` is null or ends in a NUL; `to` is null or has room for it.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy(to: *mut $unit, from: *const $unit) -> *mut $unit {
            // SAFETY: the caller's promise.
            unsafe { copy(to, from, usize::MAX) }
        }

        /// Copies as much of a text as there is room for.
        ///
        /// # Safety
        ///
        /// `from` is null or ends in a NUL; `to` is null or has room for `room` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy_part(
            to: *mut $unit,
            from: *const $unit,
            room: i32,
        ) -> *mut $unit {
            // SAFETY: the caller's promise.
            unsafe { copy(to, from, usize::try_from(room).unwrap_or_default()) }
        }

        /// Appends a text.
        ///
        /// # Safety
        ///
        /// Both are null or end in a NUL; `to` has room for both.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $append(to: *mut $unit, from: *const $unit) -> *mut $unit {
            // SAFETY: the caller's promise.
            unsafe { append(to, from) }
        }

        /// Compares two texts: less than zero, zero, or more.
        ///
        /// # Safety
        ///
        /// Both are null or end in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $compare(a: *const $unit, b: *const $unit) -> i32 {
            // SAFETY: the caller's promise.
            unsafe { compare(a, b, true) }
        }

        /// Compares two texts whatever the case of their letters.
        ///
        /// # Safety
        ///
        /// Both are null or end in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $compare_folded(a: *const $unit, b: *const $unit) -> i32 {
            // SAFETY: the caller's promise.
            unsafe { compare(a, b, false) }
        }
    };
}

texts!(u8: lstrlenA lstrcpyA lstrcpynA lstrcatA lstrcmpA lstrcmpiA);
texts!(u16: lstrlenW lstrcpyW lstrcpynW lstrcatW lstrcmpW lstrcmpiW);
