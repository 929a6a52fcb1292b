//! The file spelling of a name: reversible, and legal in every directory.

use std::fmt::Write;

/// What a spelling may be long; file names end at 255 bytes everywhere we run.
const MAX: usize = 240;

/// Marks the spelling of a name too long to spell: the real one stands in the trailer.
const HASHED: char = '~';

/// Whether names of files differ by the case of their letters. On macOS they seldom do, and names of
/// objects do everywhere.
const CASE_COUNTS: bool = cfg!(not(any(target_vendor = "apple", pagemate_force_tempname)));

/// The file name for the object named `bare`.
pub(super) fn file_name(bare: &str) -> String {
    let mut spelled = String::with_capacity(bare.len() + 8);
    for (i, byte) in bare.bytes().enumerate() {
        let plain = match byte {
            b'A'..=b'Z' => CASE_COUNTS,
            // A leading dot is kept for files of ours that are not objects.
            b'.' => i > 0,
            _ => byte.is_ascii_alphanumeric() || b"_-+=,@$ ".contains(&byte),
        };
        if plain {
            spelled.push(char::from(byte));
        } else {
            write!(spelled, "%{byte:02X}").expect("a String takes all");
        }
    }
    if spelled.len() > MAX {
        spelled.clear();
        write!(spelled, "{HASHED}{:032x}", fnv1a(bare)).expect("a String takes all");
    }
    spelled
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
    (self::file_name(&bare) == file_name).then_some(bare)
}

/// FNV-1a with 128 bits: chance will not make two names meet, and if malice does, the trailer's
/// name says so.
fn fnv1a(text: &str) -> u128 {
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_is_reversible_and_a_legal_file_name() {
        for name in ["frames", "$pcars2$", "a/b", "..", ".", "日本 é", "%41", "~x", "a\nb", ".tmp"]
        {
            let spelled = file_name(name);
            assert!(!spelled.contains('/') && !spelled.starts_with('.'), "{spelled}");
            assert_eq!(bare_name(&spelled).as_deref(), Some(name));
        }
    }

    #[test]
    fn names_differ_where_the_case_of_file_names_does_not_count() {
        let (lower, upper) = (file_name("%4aframes"), file_name("%4Aframes"));
        assert_ne!(lower, upper);
        assert!(CASE_COUNTS || !lower.eq_ignore_ascii_case(&upper));
        assert_eq!(file_name("Ab"), if CASE_COUNTS { "Ab" } else { "%41b" });
    }

    #[test]
    fn long_names_are_hashed_and_differ() {
        let (a, b) = ("ü".repeat(1000), "ü".repeat(999));
        assert!(file_name(&a).len() <= MAX && file_name(&a).starts_with(HASHED));
        assert_ne!(file_name(&a), file_name(&b));
    }
}
