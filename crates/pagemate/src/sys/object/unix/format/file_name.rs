//! The file spelling of a name: reversible, and legal in every directory.

use std::fmt::Write;

/// What a spelling may be long; file names end at 255 bytes everywhere we run.
const MAX: usize = 240;

/// Marks the spelling of a name too long to spell: the real one stands in the trailer.
const HASHED: char = '~';

/// Whether names of files differ by the case of their letters. On macOS they seldom do, and names of
/// objects do everywhere.
const CASE_COUNTS: bool = cfg!(not(any(target_vendor = "apple", pagemate_force_tempname)));

/// A spelling, in place: to open an object allocates nothing for it.
#[derive(Clone, Copy)]
pub(crate) struct Spelled {
    bytes: [u8; MAX],
    len: usize,
}

impl Spelled {
    const EMPTY: Spelled = Spelled { bytes: [0; MAX], len: 0 };

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Write for Spelled {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// The file name for the object named `bare`.
pub(crate) fn file_name(bare: &str) -> Spelled {
    let mut spelled = Spelled::EMPTY;
    if spell(bare, &mut spelled).is_err() {
        spelled = Spelled::EMPTY;
        write!(spelled, "{HASHED}{:032x}", fnv1a(bare)).expect("a hash is short");
    }
    spelled
}

/// Spells the whole name; an error if it is too long.
fn spell(bare: &str, to: &mut Spelled) -> std::fmt::Result {
    for (i, byte) in bare.bytes().enumerate() {
        let plain = match byte {
            b'A'..=b'Z' => CASE_COUNTS,
            // A leading dot is kept for files of ours that are not objects.
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

/// The name that `file_name` spells, if it spells one; `None` for a hashed one too.
#[cfg(test)]
fn bare_name(file_name: &str) -> Option<String> {
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

/// FNV-1a with 128 bits: chance will not make two names meet, and if malice does, the trailer's
/// name says so.
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
            assert_eq!(bare_name(&spelled).as_deref(), Some(name));
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
