//! Structures of numbers as bytes in a file, in the byte order of this machine.

/// A field of a structure that [`stored`] defines.
pub(super) trait Field {
    /// Stores the field. `to` has its length.
    fn store(self, to: &mut [u8]);

    /// Loads a field. `from` has its length.
    fn load(from: &[u8]) -> Self;
}

impl<const N: usize> Field for [u8; N] {
    fn store(self, to: &mut [u8]) {
        to.copy_from_slice(&self);
    }

    fn load(from: &[u8]) -> [u8; N] {
        from.try_into().expect("the bytes of a field")
    }
}

macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl Field for $type {
            fn store(self, to: &mut [u8]) {
                self.to_ne_bytes().store(to);
            }

            fn load(from: &[u8]) -> $type {
                <$type>::from_ne_bytes(Field::load(from))
            }
        }
    )+};
}

numbers!(u8, u32, u64);

/// Defines a structure without padding, with `to_bytes` and `from_prefix`.
macro_rules! stored {
    (struct $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)+ }) => {
        #[derive(Clone, Copy)]
        #[repr(C)]
        struct $name {
            $($(#[$doc])* $field: $type,)+
        }

        // The sum of the fields is the whole structure, so that it has no padding.
        const _: () = assert!(0 $(+ size_of::<$type>())+ == size_of::<$name>());

        impl $name {
            /// Returns the bytes of the structure.
            fn to_bytes(self) -> [u8; size_of::<$name>()] {
                let mut bytes = [0; size_of::<$name>()];
                $({
                    let at = std::mem::offset_of!($name, $field);
                    stored::Field::store(self.$field, &mut bytes[at..at + size_of::<$type>()]);
                })+
                bytes
            }

            /// Returns the structure at the beginning of `bytes`. `None` if `bytes` is too short.
            fn from_prefix(bytes: &[u8]) -> Option<$name> {
                let bytes = bytes.get(..size_of::<$name>())?;
                Some($name {
                    $($field: {
                        let at = std::mem::offset_of!($name, $field);
                        stored::Field::load(&bytes[at..at + size_of::<$type>()])
                    },)+
                })
            }
        }
    };
}

pub(super) use stored;
