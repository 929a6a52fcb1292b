//! Layouts of types, with the fingerprints that Rust and C++ compute.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use pagemate::typed::fingerprint::{begin, with_content, with_field};
use pagemate::typed::{SeqBytes, TypeLayout};

use super::argument::{required, text};
use super::status::{Failure, Outcome, Status, run};

/// The layout of a type, on which all programs that share a value have to agree.
///
/// The functions below compute it as Rust's `#[derive(Shareable)]` and the PAGEMATE_SHAREABLE of
/// pagemate.hpp do, so that programs in these languages can open the value. Programs in C alone may
/// choose any number as the fingerprint.
///
/// ```c
/// #include <stddef.h>
///
/// typedef struct {
///     double position[3];
///     uint32_t frame, spare;
/// } pose;
///
/// pagemate_layout number, position, frame, layout;
/// pagemate_layout_number("f64", &number);
/// pagemate_layout_array(&number, 3, &position);
/// pagemate_layout_number("u32", &frame);
/// const pagemate_field fields[] = {
///     {"position", offsetof(pose, position), position},
///     {"frame", offsetof(pose, frame), frame},
///     {"spare", offsetof(pose, spare), frame},
/// };
/// if (pagemate_layout_struct(fields, 3, sizeof(pose), sizeof(double), &layout) == PAGEMATE_OK) {
///     printf("%zu bytes\n", layout.len);
/// }
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The fingerprint, as `docs/layout.md` defines it.
    pub fingerprint: u64,
    /// The length in bytes: `sizeof`.
    pub len: usize,
    /// The alignment in bytes: a power of two, at most 64.
    pub align: usize,
}

/// A field of a struct, for pagemate_layout_struct().
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name, UTF-8. Underscores at its beginning and its end do not count.
    pub name: *const c_char,
    /// The offset in the struct, in bytes: `offsetof`.
    pub offset: usize,
    /// The layout of the type.
    pub layout: Layout,
}

impl Layout {
    /// Converts a layout that C passes.
    pub(super) fn convert(layout: Option<&Layout>, call: &str) -> Outcome<TypeLayout> {
        let layout = required(call, "layout", layout)?;
        TypeLayout::new(layout.fingerprint, layout.len, layout.align)
            .map_err(|error| Failure::invalid(call, format_args!("layout: {error}")))
    }
}

impl From<TypeLayout> for Layout {
    fn from(layout: TypeLayout) -> Layout {
        Layout { fingerprint: layout.fingerprint(), len: layout.len(), align: layout.align() }
    }
}

macro_rules! numbers {
    ($($number:ident)*) => {
        [$((stringify!($number), TypeLayout::of::<$number>())),*]
    };
}

/// The names and the layouts of all numbers.
const NUMBERS: [(&str, TypeLayout); 14] = numbers! {
    u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64
};

/// Computes a layout and stores it.
fn compute(
    call: &str,
    layout: Option<&mut MaybeUninit<Layout>>,
    compute: impl FnOnce() -> Outcome<Layout>,
) -> Status {
    run(|| {
        let layout = required(call, "layout", layout)?;
        layout.write(compute()?);
        Ok(())
    })
}

/// Returns the layout of a container with this length and alignment.
fn around(container: &str, content: &Layout, len: Option<usize>, align: usize) -> Outcome<Layout> {
    let call = "compute layout";
    let len = len.filter(|len| isize::try_from(*len).is_ok());
    let len = len.ok_or_else(|| Failure::invalid(call, "the type exceeds the address space"))?;
    let fingerprint = with_content(begin(len, align), container, content.fingerprint);
    Ok(Layout { fingerprint, len, align })
}

/// Computes the layout of a number. Thread-safe.
///
/// @param name    The name in Rust: `u8`, `u16`, `u32`, `u64`, `u128`, `i8` and so on, `usize`, `isize`, `f32`
///                or `f64`. An enum with a fixed type and a `char` are `u32` and `u8`, for example.
/// @param layout  Receives the layout.
/// @return PAGEMATE_INVALID_INPUT: no number has this name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_layout_number(
    name: *const c_char,
    layout: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    let call = "compute layout of number";
    compute(call, layout, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let found = NUMBERS.iter().find(|(number, _)| *number == name);
        let found = found.ok_or_else(|| {
            Failure::invalid(call, format_args!("{name:?} is not a number; u32 and f64 are"))
        })?;
        Ok(found.1.into())
    })
}

/// Computes the layout of an array. Thread-safe.
///
/// @param element  The layout of an element.
/// @param count    The number of elements.
/// @param layout   Receives the layout.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_layout_array(
    element: Option<&Layout>,
    count: usize,
    layout: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    let call = "compute layout of array";
    compute(call, layout, || {
        let element = required(call, "element", element)?;
        around("[]", element, element.len.checked_mul(count), element.align)
    })
}

/// Computes the layout of an atomic number: `_Atomic uint32_t` is the AtomicU32 of Rust. Thread-safe.
///
/// @param number  The layout of the number, of at most 64 bits.
/// @param layout  Receives the layout.
/// @return PAGEMATE_INVALID_INPUT: it is not a number of at most 64 bits.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_layout_atomic(
    number: Option<&Layout>,
    layout: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    let call = "compute layout of atomic";
    compute(call, layout, || {
        let number = required(call, "number", number)?;
        let is_number = NUMBERS.iter().any(|(_, known)| known.fingerprint() == number.fingerprint);
        if !is_number || number.len > 8 {
            return Err(Failure::invalid(call, "it is not a number of at most 64 bits"));
        }
        // An atomic is aligned to its size, also where the number is not.
        around("atomic", number, Some(number.len), number.len)
    })
}

/// Computes the layout of a `Racy<T>` of Rust and C++: a value that may be read half-written, by
/// pagemate_racy_read(). Thread-safe.
///
/// @param value   The layout of the value.
/// @param layout  Receives the layout.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_layout_racy(
    value: Option<&Layout>,
    layout: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    let call = "compute layout of racy value";
    compute(call, layout, || {
        let value = required(call, "value", value)?;
        around("racy", value, Some(value.len), value.align)
    })
}

/// Computes the layout of a `SeqLock<T>` of Rust and C++: a value that is never read half-written, by
/// pagemate_seqlock_read(). In C it is an array of `layout->len` bytes, aligned to `layout->align`.
/// Thread-safe.
///
/// @param value   The layout of the value.
/// @param layout  Receives the layout.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_layout_seqlock(
    value: Option<&Layout>,
    layout: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    let call = "compute layout of sequence-locked value";
    compute(call, layout, || {
        let value = Layout::convert(Some(required(call, "value", value)?), call)?;
        let align = value.align().max(SeqBytes::ALIGN);
        let len = SeqBytes::size(value.len()).checked_next_multiple_of(align);
        around("seqlock", &value.into(), len, align)
    })
}

/// Computes the layout of a struct. Thread-safe.
///
/// @param fields  The fields, in the order of their offsets.
/// @param count   The number of fields.
/// @param len     The length of the struct in bytes: `sizeof`.
/// @param align   The alignment of the struct in bytes: `_Alignof`.
/// @param layout  Receives the layout.
/// @return PAGEMATE_INVALID_INPUT: a field does not begin where the one before it ends, or the last one does
///         not end at the end of the struct: a field is missing, or the struct has padding, which has no
///         value. The message names the field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_layout_struct(
    fields: *const Field,
    count: usize,
    len: usize,
    align: usize,
    layout: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    let call = "compute layout of struct";
    compute(call, layout, || {
        required(call, "fields", (!fields.is_null()).then_some(()))?;
        let mut print = begin(len, align);
        let mut end = 0;
        for i in 0..count {
            // SAFETY: the caller passes `count` fields at `fields`, and `i` is less than that.
            let field = unsafe { fields.add(i) };
            // SAFETY: the caller passes valid fields that nothing writes to until this function returns.
            let field = unsafe { &*field };
            // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
            // function returns.
            let name = unsafe { text(call, "the name of a field", field.name) }?;
            if field.offset != end {
                let cause = "there is padding, or a field that is not listed here, before field";
                return Err(Failure::invalid(call, format_args!("{cause} {name:?}")));
            }
            print =
                with_field(print, name.trim_matches('_'), field.offset, field.layout.fingerprint);
            end = field.offset.saturating_add(field.layout.len);
        }
        if end != len {
            let cause = "there is padding, or a field that is not listed, after the last field";
            return Err(Failure::invalid(call, cause));
        }
        Ok(TypeLayout::new(print, len, align)?.into())
    })
}
