use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A type whose values a [`SharedMutex`](super::SharedMutex) can hold.
///
/// Its fingerprint identifies its memory layout, so that two programs find out whether they agree on
/// the type. Implement it for a structure of your own with [`shareable!`](crate::shareable).
pub trait Shareable: FromBytes + IntoBytes + Immutable {
    /// A hash of the layout: of the size and the alignment and, for a structure, of the name, the
    /// offset and the type of each field. Different layouts have different values with overwhelming
    /// probability.
    const FINGERPRINT: u64;
}

/// Implements [`Shareable`](crate::sync::Shareable) for a structure. List all its fields.
///
/// The structure must have a fixed layout (`repr(C)` or `repr(transparent)`) and derive zerocopy's
/// `FromBytes`, `IntoBytes` and `Immutable`. Every field type must be `Shareable`. The name of the
/// structure is not part of the fingerprint: two programs may name it differently.
///
/// # Examples
///
/// ```
/// use zerocopy::{FromBytes, Immutable, IntoBytes};
///
/// #[derive(FromBytes, IntoBytes, Immutable)]
/// #[repr(C)]
/// struct Pose {
///     position: [f32; 3],
///     frame: u32,
/// }
///
/// pagemate::shareable!(Pose { position, frame });
/// ```
#[macro_export]
macro_rules! shareable {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::sync::Shareable for $type {
            const FINGERPRINT: u64 = {
                // Fails to compile if a field is missing.
                let _ = |value: &$type| {
                    let $type { $($field: _),+ } = value;
                };
                let mut print = $crate::sync::fingerprint::of::<$type>();
                $(
                    print = $crate::sync::fingerprint::with_field(
                        print,
                        ::core::stringify!($field),
                        ::core::mem::offset_of!($type, $field),
                        |value: &$type| &value.$field,
                    );
                )+
                print
            };
        }
    };
}

/// The functions that [`shareable!`](crate::shareable) expands to.
#[doc(hidden)]
pub mod fingerprint {
    use super::Shareable;

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
        // A byte that UTF-8 never contains ends the text, so that two texts do not hash like their
        // concatenation.
        byte(print, 0xFF)
    }

    pub const fn of<T>() -> u64 {
        let print = number(0xcbf2_9ce4_8422_2325, size_of::<T>() as u64);
        number(print, align_of::<T>() as u64)
    }

    pub const fn with_field<T, F: Shareable>(
        print: u64,
        name: &str,
        offset: usize,
        _: fn(&T) -> &F,
    ) -> u64 {
        number(number(text(print, name), offset as u64), F::FINGERPRINT)
    }
}

macro_rules! numbers {
    ($($type:ident)*) => {$(
        impl Shareable for $type {
            const FINGERPRINT: u64 = fingerprint::text(fingerprint::of::<$type>(), stringify!($type));
        }
    )*};
}

numbers! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 }

impl<T: Shareable, const N: usize> Shareable for [T; N] {
    const FINGERPRINT: u64 =
        fingerprint::number(fingerprint::text(fingerprint::of::<[T; N]>(), "[]"), T::FINGERPRINT);
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! layout {
        ($name:ident { $($field:ident: $type:ty),* }) => {{
            #[derive(FromBytes, IntoBytes, Immutable)]
            #[repr(C)]
            struct $name {
                $($field: $type),*
            }
            shareable!($name { $($field),* });
            $name::FINGERPRINT
        }};
    }

    #[test]
    fn every_difference_in_layout_shows_and_the_name_of_the_type_does_not() {
        let pose = layout!(Pose { position: [f32; 3], frame: u32 });
        assert_eq!(pose, layout!(Gesture { position: [f32; 3], frame: u32 }));
        for other in [
            layout!(Pose { frame: u32, position: [f32; 3] }),
            layout!(Pose { position: [f32; 3], frame: i32 }),
            layout!(Pose { position: [u32; 3], frame: u32 }),
            layout!(Pose { position: [f32; 4], frame: u32 }),
            layout!(Pose { location: [f32; 3], frame: u32 }),
            <[u8; 16]>::FINGERPRINT,
        ] {
            assert_ne!(pose, other);
        }
        assert_ne!(u64::FINGERPRINT, i64::FINGERPRINT);
        assert_ne!(<[u8; 4]>::FINGERPRINT, <[[u8; 2]; 2]>::FINGERPRINT);
    }
}
