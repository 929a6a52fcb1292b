//! Numbers decoded from bytes in this machine's byte order.

use std::io::{self, Write};

macro_rules! numbers {
    ($($name:ident: $number:ty, $form:literal;)*) => {
        /// A type of numbers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Number { $($name),* }

        impl Number {
            /// Returns the size of one number in bytes.
            pub(super) fn len(self) -> u64 {
                match self { $(Number::$name => size_of::<$number>() as u64),* }
            }

            /// Writes each number on a line of its own; omits trailing bytes that are too few for one.
            pub(super) fn write_all(self, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
                match self {
                    $(Number::$name => {
                        let (numbers, _) = bytes.as_chunks();
                        numbers.iter().try_for_each(|number| {
                            writeln!(out, $form, <$number>::from_ne_bytes(*number))
                        })
                    })*
                }
            }

            /// Writes each number as an element of a JSON array. `separator` is written before the
            /// next number, and is then updated.
            pub(super) fn write_json(
                self,
                bytes: &[u8],
                separator: &mut &str,
                out: &mut impl Write,
            ) -> io::Result<()> {
                match self {
                    $(Number::$name => {
                        let (numbers, _) = bytes.as_chunks();
                        numbers.iter().try_for_each(|number| {
                            write!(out, "{separator}\n  ")?;
                            *separator = ",";
                            let number = <$number>::from_ne_bytes(*number);
                            Ok(serde_json::to_writer(&mut *out, &number)?)
                        })
                    })*
                }
            }
        }
    };
}

// `Debug` prints a float in its shortest form that parses to the same value.
numbers! {
    U8: u8, "{}"; U16: u16, "{}"; U32: u32, "{}"; U64: u64, "{}";
    I8: i8, "{}"; I16: i16, "{}"; I32: i32, "{}"; I64: i64, "{}";
    F32: f32, "{:?}"; F64: f64, "{:?}";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: Number, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        number.write_all(bytes, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_have_the_right_size_and_sign() {
        assert_eq!(shown(Number::U8, &[0, 255]), "0\n255\n");
        assert_eq!(shown(Number::I8, &[255]), "-1\n");
        assert_eq!(shown(Number::U16, &258_u16.to_ne_bytes()), "258\n");
        assert_eq!(shown(Number::I16, &(-2_i16).to_ne_bytes()), "-2\n");
        assert_eq!(shown(Number::U32, &u32::MAX.to_ne_bytes()), "4294967295\n");
        assert_eq!(shown(Number::I32, &i32::MIN.to_ne_bytes()), "-2147483648\n");
        assert_eq!(shown(Number::U64, &u64::MAX.to_ne_bytes()), "18446744073709551615\n");
        assert_eq!(shown(Number::I64, &(-9_i64).to_ne_bytes()), "-9\n");
        assert_eq!(shown(Number::F32, &1.5_f32.to_ne_bytes()), "1.5\n");
        assert_eq!(shown(Number::F64, &1e300_f64.to_ne_bytes()), "1e300\n");
        assert_eq!(shown(Number::F64, &f64::NAN.to_ne_bytes()), "NaN\n");
    }

    #[test]
    fn json_numbers_are_finite() {
        let mut out = Vec::new();
        let mut separator = "[";
        let bytes = [1.5_f64, f64::NAN].map(f64::to_ne_bytes).concat();
        Number::F64.write_json(&bytes, &mut separator, &mut out).unwrap();
        Number::U8.write_json(&[255], &mut separator, &mut out).unwrap();
        assert_eq!(out, b"[\n  1.5,\n  null,\n  255");
    }

    #[test]
    fn incomplete_numbers_are_omitted() {
        assert_eq!(shown(Number::U16, &[0, 0, 1]), "0\n");
        assert_eq!(shown(Number::U64, &[0; 7]), "");
    }
}
