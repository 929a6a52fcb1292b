//! The values that a program passes for the inserts of a message, such as `%1`.
#![allow(unsafe_code, reason = "reads a va_list or an array of the program")]

use std::ffi::c_void;

use crate::error::{INVALID_PARAMETER, Result};

/// The source of the values.
enum Source {
    None,
    /// `FORMAT_MESSAGE_ARGUMENT_ARRAY`.
    Array(*const usize),
    List(*mut c_void),
}

/// The values, numbered from one.
pub(super) struct Arguments {
    source: Source,
    /// The values that were read from a `va_list`, which yields each value only once.
    taken: Vec<usize>,
    /// The highest number that was requested.
    last: usize,
}

impl Arguments {
    /// # Safety
    ///
    /// `given` is null, or points to an array if `array` is set, or else to a `va_list`.
    pub(super) unsafe fn new(given: *mut c_void, array: bool) -> Arguments {
        let source = match (given.is_null(), array) {
            (true, _) => Source::None,
            (false, true) => Source::Array(given.cast_const().cast()),
            (false, false) => Source::List(given),
        };
        Arguments { source, taken: Vec::new(), last: 0 }
    }

    /// Returns the value with this number. For `None`, returns the value that follows the highest
    /// number so far.
    ///
    /// # Safety
    ///
    /// The program passed at least that many values.
    pub(super) unsafe fn get(&mut self, number: Option<usize>) -> Result<usize> {
        let number = number.unwrap_or(self.last + 1);
        self.last = self.last.max(number);
        match self.source {
            Source::None => Err(INVALID_PARAMETER),
            Source::Array(first) => {
                // SAFETY: the caller guarantees that the array has at least `number` values.
                let slot = unsafe { first.add(number - 1) };
                // SAFETY: `slot` is one of these values. The array may be unaligned.
                Ok(unsafe { slot.read_unaligned() })
            }
            Source::List(list) => {
                while self.taken.len() < number {
                    // SAFETY: the caller guarantees that the list has another value.
                    self.taken.push(unsafe { next_value(list) });
                }
                Ok(self.taken[number - 1])
            }
        }
    }

    /// Makes the next value of a list get the same number as the last value.
    ///
    /// On Windows, an insert whose width or precision is an argument takes one value more from a
    /// list than it increases the number. Programs depend on this behaviour.
    pub(super) fn forget_last(&mut self) {
        if let Source::List(_) = self.source {
            self.taken.pop();
            self.last -= 1;
        }
    }
}

/// A `va_list` on `x86_64`, by the System V ABI, 3.5.7.
#[cfg(target_arch = "x86_64")]
#[repr(C)]
struct List {
    /// The number of bytes that were read from the saved general registers, and from the saved
    /// vector registers.
    general: u32,
    _vector: u32,
    overflow: *const usize,
    saved: *const u8,
}

/// Reads the next value of a `va_list`.
///
/// # Safety
///
/// `list` points to a `va_list` that no other thread uses. It has another value, of an integer or
/// pointer type.
#[cfg(target_arch = "x86_64")]
unsafe fn next_value(list: *mut c_void) -> usize {
    const GENERAL: u32 = 48;
    // SAFETY: the caller guarantees that `list` points to a `va_list` that no other thread uses.
    let list = unsafe { &mut *list.cast::<List>() };
    let slot = if list.general < GENERAL {
        let slot = list.saved.wrapping_add(list.general as usize).cast();
        list.general += 8;
        slot
    } else {
        let slot = list.overflow;
        list.overflow = slot.wrapping_add(1);
        slot
    };
    // SAFETY: the caller guarantees that the list has another value. By the ABI it is stored here.
    unsafe { slot.read_unaligned() }
}

/// A `va_list` on `aarch64`, by the Procedure Call Standard, appendix B.
#[cfg(target_arch = "aarch64")]
#[repr(C)]
struct List {
    stack: *const usize,
    /// The end of the saved general registers.
    general: *const u8,
    _vector: *const u8,
    /// The offset of the next saved register from `general`. It is not negative if none is left.
    offset: i32,
    _vector_offset: i32,
}

/// Reads the next value of a `va_list`.
///
/// # Safety
///
/// `list` points to a `va_list` that no other thread uses. It has another value, of an integer or
/// pointer type.
#[cfg(target_arch = "aarch64")]
unsafe fn next_value(list: *mut c_void) -> usize {
    // SAFETY: the caller guarantees that `list` points to a `va_list` that no other thread uses.
    let list = unsafe { &mut *list.cast::<List>() };
    let slot = if list.offset < 0 {
        let slot = list.general.wrapping_offset(list.offset as isize).cast();
        list.offset += 8;
        slot
    } else {
        let slot = list.stack;
        list.stack = slot.wrapping_add(1);
        slot
    };
    // SAFETY: the caller guarantees that the list has another value. By the ABI it is stored here.
    unsafe { slot.read_unaligned() }
}

/// Reads the next value of a `va_list`, which on `x86`, `arm` and `riscv` is the address of the
/// values.
///
/// # Safety
///
/// `list` points to a `va_list` that no other thread uses. It has another value, of an integer or
/// pointer type.
#[cfg(any(target_arch = "x86", target_arch = "arm", target_arch = "riscv64"))]
unsafe fn next_value(list: *mut c_void) -> usize {
    // SAFETY: the caller guarantees that `list` points to a `va_list` that no other thread uses.
    let slot = unsafe { &mut *list.cast::<*const usize>() };
    let value = *slot;
    *slot = value.wrapping_add(1);
    // SAFETY: the caller guarantees that the list has another value.
    unsafe { value.read_unaligned() }
}

#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "x86",
    target_arch = "arm",
    target_arch = "riscv64"
)))]
compile_error!("FormatMessage needs to know how a va_list is laid out on this processor");
