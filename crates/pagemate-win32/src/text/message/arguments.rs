//! The values that a program gives for the inserts of a message.
#![allow(unsafe_code, reason = "a va_list, and an array of the program's")]

use std::ffi::c_void;

use crate::error::{INVALID_PARAMETER, Result};

/// Where the values are.
enum Source {
    None,
    /// `FORMAT_MESSAGE_ARGUMENT_ARRAY`.
    Array(*const usize),
    List(*mut c_void),
}

/// The values, by number from one on.
pub(super) struct Arguments {
    source: Source,
    /// The values that were taken from a list, which gives each value once.
    taken: Vec<usize>,
    /// The highest number that was asked for.
    last: usize,
}

impl Arguments {
    /// # Safety
    ///
    /// `given` is null, an array if `array` says so, or a pointer to a `va_list`.
    pub(super) unsafe fn new(given: *mut c_void, array: bool) -> Arguments {
        let source = match (given.is_null(), array) {
            (true, _) => Source::None,
            (false, true) => Source::Array(given.cast_const().cast()),
            (false, false) => Source::List(given),
        };
        Arguments { source, taken: Vec::new(), last: 0 }
    }

    /// Returns the value with this number, or else the one that follows the highest so far.
    ///
    /// # Safety
    ///
    /// The program gave as many.
    pub(super) unsafe fn get(&mut self, number: Option<usize>) -> Result<usize> {
        let number = number.unwrap_or(self.last + 1);
        self.last = self.last.max(number);
        match self.source {
            Source::None => Err(INVALID_PARAMETER),
            Source::Array(first) => {
                // SAFETY: the caller's promise.
                let place = unsafe { first.add(number - 1) };
                // SAFETY: as above.
                Ok(unsafe { place.read_unaligned() })
            }
            Source::List(list) => {
                while self.taken.len() < number {
                    // SAFETY: the caller's promise.
                    self.taken.push(unsafe { next_of(list) });
                }
                Ok(self.taken[number - 1])
            }
        }
    }

    /// Lets the next value of a list have the number of the last. On Windows an insert whose width or
    /// precision is an argument takes one number less of a list than it takes values, and programs count
    /// on that.
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
    /// How many bytes of the saved general registers were taken, and of the others.
    general: u32,
    _vector: u32,
    overflow: *const usize,
    saved: *const u8,
}

/// Takes the next value of a `va_list`.
///
/// # Safety
///
/// There is one, and it was passed as an integer or a pointer is.
#[cfg(target_arch = "x86_64")]
unsafe fn next_of(list: *mut c_void) -> usize {
    const GENERAL: u32 = 48;
    // SAFETY: the caller says that it is a list, which nobody else uses meanwhile.
    let list = unsafe { &mut *list.cast::<List>() };
    let place = if list.general < GENERAL {
        let place = list.saved.wrapping_add(list.general as usize).cast();
        list.general += 8;
        place
    } else {
        let place = list.overflow;
        list.overflow = place.wrapping_add(1);
        place
    };
    // SAFETY: the next value is there, by the ABI.
    unsafe { place.read_unaligned() }
}

/// A `va_list` on `aarch64`, by the Procedure Call Standard, appendix B.
#[cfg(target_arch = "aarch64")]
#[repr(C)]
struct List {
    stack: *const usize,
    /// The end of the saved general registers.
    general: *const u8,
    _vector: *const u8,
    /// How far before that end the next one is; not less than zero if none is left.
    offset: i32,
    _vector_offset: i32,
}

/// Takes the next value of a `va_list`.
///
/// # Safety
///
/// There is one, and it was passed as an integer or a pointer is.
#[cfg(target_arch = "aarch64")]
unsafe fn next_of(list: *mut c_void) -> usize {
    // SAFETY: the caller says that it is a list, which nobody else uses meanwhile.
    let list = unsafe { &mut *list.cast::<List>() };
    let place = if list.offset < 0 {
        let place = list.general.wrapping_offset(list.offset as isize).cast();
        list.offset += 8;
        place
    } else {
        let place = list.stack;
        list.stack = place.wrapping_add(1);
        place
    };
    // SAFETY: the next value is there, by the ABI.
    unsafe { place.read_unaligned() }
}

/// Takes the next value of a `va_list`, which on `x86`, `arm` and `riscv` is the address of the values.
///
/// # Safety
///
/// There is one, and it was passed as an integer or a pointer is.
#[cfg(any(target_arch = "x86", target_arch = "arm", target_arch = "riscv64"))]
unsafe fn next_of(list: *mut c_void) -> usize {
    // SAFETY: the caller says that it is a list, which nobody else uses meanwhile.
    let place = unsafe { &mut *list.cast::<*const usize>() };
    let value = *place;
    *place = value.wrapping_add(1);
    // SAFETY: the caller says that there is one.
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
