//! The encoding of an object's name as a file name. It is reversible, and legal in every directory.

use std::fmt::Write;

/// The maximum length of an encoded name. File names have at most 255 bytes on all supported
/// systems, and the difference leaves space for a prefix.
const MAX: usize = 240;

/// The first character of the file name of an object whose name is too long to encode. The trailer
/// has the whole name.
const HASHED: char = '~';

/// Whether file names are case-sensitive. They rarely are on macOS, and the names of objects are
/// case-sensitive everywhere.
const CASE_COUNTS: bool = cfg!(not(any(target_vendor = "apple", pagemate_force_tempname)));

/// An encoded name. It is stored in place, so that opening an object allocates no memory for it.
#[derive(Clone, Copy)]
pub(crate) struct EncodedName {
    bytes: [u8; MAX],
    len: usize,
}

impl EncodedName {
    const EMPTY: EncodedName = EncodedName { bytes: [0; MAX], len: 0 };

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Write for EncodedName {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        let free = self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?;
        free.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Returns the file name of the object named `bare`.
pub(crate) fn file_name(bare: &str) -> EncodedName {
    let mut encoded = EncodedName::EMPTY;
    if encode(bare, &mut encoded).is_err() {
        encoded = EncodedName::EMPTY;
        write!(encoded, "{HASHED}{:032x}", fnv1a(bare)).expect("a hash is short");
    }
    encoded
}

/// Encodes the whole name. Fails if the result is too long.
fn encode(bare: &str, to: &mut EncodedName) -> std::fmt::Result {
    for (i, byte) in bare.bytes().enumerate() {
        let plain = match byte {
            b'A'..=b'Z' => CASE_COUNTS,
            // A leading dot is reserved for pagemate's files that are not objects.
            b'.' => i > 0,
            _ => byte.is_ascii_alphanumeric() || b"_-+=,@$ ".contains(&byte),
        };
        if plain {
            to.write_char(char::from(byte))?;
        } else {
            write!(to, "%{byte:02X}")?;
        }
    }
    Ok(())
}

/// Returns the name that `file_name` encodes. `None` for a hashed name and for an illegal one.
#[cfg(test)]
fn decode(file_name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(file_name.len());
    let mut rest = file_name.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex = [rest.next()?, rest.next()?];
                u8::from_str_radix(str::from_utf8(&hex).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    let bare = String::from_utf8(bytes).ok()?;
    (text(&bare) == file_name).then_some(bare)
}

/// Returns the 128-bit FNV-1a hash. Two names collide only if a user constructs them to. The opener
/// then finds the other name in the trailer.
fn fnv1a(text: &str) -> u128 {
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

#[cfg(test)]
fn text(bare: &str) -> String {
    String::from_utf8(file_name(bare).as_bytes().to_vec()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_is_reversible_and_a_legal_file_name() {
        for name in ["frames", "$pcars2$", "a/b", "..", ".", "日本 é", "%41", "~x", "a\nb", ".tmp"]
        {
            let spelled = text(name);
            assert!(!spelled.contains('/') && !spelled.starts_with('.'), "{spelled}");
            assert_eq!(decode(&spelled).as_deref(), Some(name));
        }
    }

    #[test]
    fn names_differ_where_the_case_of_file_names_does_not_count() {
        let (lower, upper) = (text("%4aframes"), text("%4Aframes"));
        assert_ne!(lower, upper);
        assert!(CASE_COUNTS || !lower.eq_ignore_ascii_case(&upper));
        assert_eq!(text("Ab"), if CASE_COUNTS { "Ab" } else { "%41b" });
    }

    #[test]
    fn long_names_are_hashed_and_differ() {
        let (a, b) = ("ü".repeat(1000), "ü".repeat(999));
        assert!(text(&a).len() <= MAX && text(&a).starts_with(HASHED));
        assert_ne!(text(&a), text(&b));
    }
}
