#![allow(unsafe_code, reason = "implements unsafe traits that guarantee the layout of types")]

use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};

use crate::read_only::ReadOnly;

/// A type whose memory layout programs can agree on.
///
/// Numbers, the atomics of the standard library, the cells of this module and arrays of these are
/// `Shareable`. For a structure of your own use `#[derive(Shareable)]`, with `#[repr(C)]`. It may be
/// generic, a tuple structure, and contain other `Shareable` structures.
///
/// Two marker traits, which the derive implements too, say how a type can be used:
///
/// - [`Plain`] values consist of numbers. They are copied in and out of shared memory: by
///   [`Racy`](crate::typed::Racy), [`SeqLock`](crate::typed::SeqLock), [`SharedMutex`](crate::sync::SharedMutex) and
///   [`View`](crate::View).
/// - [`InPlace`] types consist of atomics and cells. [`Shared`](crate::Shared) lends them in place.
///
/// # Safety
///
/// - Any bytes are a valid value of the type. It has no references, pointers or other handles of a
///   process.
/// - Every compiler of the platform gives the type the same layout. A [`Plain`] type has no padding.
/// - Types with different layouts have different fingerprints.
/// - `Reader` has the size and the alignment of the type, and any bytes are a valid `Reader`. Through
///   a `&Reader` safe code cannot write, and can read memory that another process may write only by
///   atomics and cells.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::AtomicU32;
///
/// use pagemate::Shareable;
/// use pagemate::typed::SeqLock;
///
/// #[derive(Clone, Copy, Shareable)]
/// #[repr(C)]
/// struct Pose {
///     position: [f32; 3],
///     time: u32,
/// }
///
/// #[derive(Shareable)]
/// #[repr(C)]
/// struct Robot<const ARMS: usize> {
///     pose: SeqLock<Pose>,
///     arms: [SeqLock<Pose>; ARMS],
///     joints: [AtomicU32; 2],
/// }
/// # fn main() {}
/// ```
///
/// Fields that are not `Shareable` do not compile:
///
/// ```compile_fail,E0277
/// # use pagemate::Shareable;
/// #[derive(Shareable)]
/// #[repr(C)]
/// struct Switch {
///     on: bool, // not every byte is a `bool`
/// }
/// ```
///
/// Nor does a structure whose fields the compiler may reorder:
///
/// ```compile_fail
/// # use pagemate::Shareable;
/// #[derive(Shareable)]
/// struct Switch {
///     on: u8,
/// }
/// ```
///
/// Nor padding, whose bytes would have no value:
///
/// ```compile_fail,E0080
/// # use pagemate::Shareable;
/// #[derive(Shareable)]
/// #[repr(C)]
/// struct Sample {
///     channel: u32,
///     value: f64, // four bytes of padding before it
/// }
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot lie in shared memory",
    label = "not `Shareable`",
    note = "numbers, atomics, `Racy<T>`, `SeqLock<T>`, and arrays of these are `Shareable`; a structure of them \
            derives it: `#[derive(pagemate::Shareable)] #[repr(C)]`",
    note = "store a `bool` or an enum as a number, a text as an array of bytes, and a pointer as an offset"
)]
pub unsafe trait Shareable: Sized + 'static {
    /// A hash of the layout: of the size and the alignment and, for a structure, of the name, the
    /// offset and the type of each field. The name of the structure is not part of it, nor are
    /// underscores around the names of fields. Different layouts have different values with
    /// overwhelming probability. `docs/layout.md` defines it for programs in other languages.
    const FINGERPRINT: u64;

    /// The type that replaces this type in memory that is mapped read-only. It has the same fields,
    /// which can only be read.
    type Reader;
}

/// A value that can be copied to and from shared memory: a number, or an array or a structure of plain
/// values.
///
/// # Safety
///
/// The type has no padding and no interior mutability. Values of it may be duplicated by copying their
/// bytes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a plain value",
    label = "not copied in and out of shared memory",
    note = "numbers, and arrays and structures of plain values, are `Plain`; atomics and cells are used in place"
)]
pub unsafe trait Plain: Shareable {}

/// Returns a value whose bytes are zero, without a copy of it on the stack.
pub(crate) fn zeroed_box<T: Plain>() -> Box<T> {
    let mut value = Box::<T>::new_uninit();
    // SAFETY: the box has the bytes of one `T`, and no other code accesses them.
    unsafe { value.as_mut_ptr().write_bytes(0, 1) };
    // SAFETY: all bytes are zero, and any bytes are a valid plain value.
    unsafe { value.assume_init() }
}

/// Returns the bytes of a value.
pub(crate) fn as_bytes<T: Plain>(value: &T) -> &[u8] {
    let at: *const T = value;
    // SAFETY: the reference is valid for the size of a `T`, and a plain value has no padding and no interior
    // mutability, so that all its bytes are initialised and do not change.
    unsafe { std::slice::from_raw_parts(at.cast(), size_of::<T>()) }
}

/// Returns a value whose bytes `fill` has written. They are zero before that.
pub(crate) fn from_bytes<T: Plain>(fill: impl FnOnce(&mut [u8])) -> T {
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: the value is a local of that size, and all its bytes are initialised.
    let bytes =
        unsafe { std::slice::from_raw_parts_mut(value.as_mut_ptr().cast(), size_of::<T>()) };
    fill(bytes);
    // SAFETY: any bytes are a valid plain value.
    unsafe { value.assume_init() }
}

/// A type that consists of atomics and cells, so that `&T` may refer to memory that other processes
/// write at the same time.
///
/// # Safety
///
/// Every byte of the type that safe code can reach by a shared reference lies in an atomic or in a cell
/// that accesses it without data races.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used in place, because other processes may write to it at any time",
    label = "not an atomic or a cell",
    note = "put a plain value into a cell: `SeqLock<T>` is never read half-written, `Racy<T>` may be; or use an \
            atomic, such as `AtomicU64`"
)]
pub unsafe trait InPlace: Shareable + Sync {}

/// The functions that compute fingerprints, for the derive macro.
#[doc(hidden)]
pub mod fingerprint {
    /// Adds one byte to an FNV-1a hash.
    const fn byte(print: u64, byte: u8) -> u64 {
        (print ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
    }

    pub const fn number(mut print: u64, number: u64) -> u64 {
        let bytes = number.to_le_bytes();
        let mut i = 0;
        while i < bytes.len() {
            print = byte(print, bytes[i]);
            i += 1;
        }
        print
    }

    pub const fn text(mut print: u64, text: &str) -> u64 {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            print = byte(print, bytes[i]);
            i += 1;
        }
        // The byte 0xFF, which UTF-8 never contains, ends each text. Without it the texts "ab" and
        // "c" would have the hash of the texts "a" and "bc".
        byte(print, 0xFF)
    }

    /// Returns the beginning of a fingerprint: the hash of the size and the alignment.
    pub const fn begin(len: usize, align: usize) -> u64 {
        number(number(0xcbf2_9ce4_8422_2325, len as u64), align as u64)
    }

    pub const fn of<T>() -> u64 {
        begin(size_of::<T>(), align_of::<T>())
    }

    pub const fn with_field(print: u64, name: &str, offset: usize, field: u64) -> u64 {
        number(number(text(print, name), offset as u64), field)
    }

    /// Returns the fingerprint of a container, such as an array or a cell.
    pub const fn around<T>(container: &str, content: u64) -> u64 {
        with_content(of::<T>(), container, content)
    }

    pub const fn with_content(print: u64, container: &str, content: u64) -> u64 {
        number(text(print, container), content)
    }
}

macro_rules! numbers {
    ($($type:ident: $name:expr,)*) => {$(
        // SAFETY: any bytes are a valid number, the language fixes its size, and the fingerprint has
        // its name. `ReadOnly` has the layout of the number, and no methods for it.
        unsafe impl Shareable for $type {
            const FINGERPRINT: u64 = fingerprint::text(fingerprint::of::<$type>(), $name);
            type Reader = ReadOnly<$type>;
        }

        // SAFETY: the macro is called with primitive numbers only, which have no padding and are `Copy`.
        unsafe impl Plain for $type {}
    )*};
}

/// Whether `usize` has 64 bits. C++ has no type for sizes of its own, so `usize` has the fingerprint of the
/// integer of the same length.
const WIDE: bool = size_of::<usize>() == 8;

numbers! {
    u8: "u8", u16: "u16", u32: "u32", u64: "u64", u128: "u128", usize: if WIDE { "u64" } else { "u32" },
    i8: "i8", i16: "i16", i32: "i32", i64: "i64", i128: "i128", isize: if WIDE { "i64" } else { "i32" },
    f32: "f32", f64: "f64",
}

macro_rules! atomics {
    ($($atomic:ident: $value:ident)*) => {$(
        // SAFETY: an atomic has the size and the bit validity of its number, and any bytes are a valid
        // number. The fingerprint has its name. `ReadOnly` has the layout of the atomic and only loads it.
        unsafe impl Shareable for $atomic {
            const FINGERPRINT: u64 =
                fingerprint::around::<$atomic>("atomic", <$value>::FINGERPRINT);
            type Reader = ReadOnly<$atomic>;
        }

        // SAFETY: every access by a shared reference to an atomic is atomic, so it races with no
        // access of another process.
        unsafe impl InPlace for $atomic {}
    )*};
}

atomics! {
    AtomicU8: u8 AtomicU16: u16 AtomicU32: u32 AtomicU64: u64 AtomicUsize: usize
    AtomicI8: i8 AtomicI16: i16 AtomicI32: i32 AtomicI64: i64 AtomicIsize: isize
}

// SAFETY: an array consists of its elements, one after the other, without padding. The length is in
// the size, and so in the fingerprint. The reader consists of the readers of the elements.
unsafe impl<T: Shareable, const N: usize> Shareable for [T; N] {
    const FINGERPRINT: u64 = fingerprint::around::<[T; N]>("[]", T::FINGERPRINT);
    type Reader = [T::Reader; N];
}

// SAFETY: an array has no bytes but those of its elements, and `T: Plain` guarantees that these
// have no padding.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

// SAFETY: a `&[T; N]` gives access to `&T` only, and `T: InPlace` says that these accesses are sound.
unsafe impl<T: InPlace, const N: usize> InPlace for [T; N] {}
