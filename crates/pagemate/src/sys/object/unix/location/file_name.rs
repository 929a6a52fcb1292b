//! The encoding of an object's name as a file name. It is reversible, and legal in every directory.

/// The maximum length of an encoded name. File names have at most 255 bytes on all supported
/// systems, and the difference leaves space for a prefix.
const MAX: usize = 240;

/// The first character of the file name of an object whose name is too long to encode. The trailer
/// has the whole name.
const HASHED: char = '~';

/// Whether file names are case-sensitive. They rarely are on macOS, and the names of objects are
/// case-sensitive everywhere.
const CASE_COUNTS: bool = cfg!(not(any(target_vendor = "apple", pagemate_force_tempname)));

/// Whether the encoding copies a byte of the object's name unchanged. This is a table, because
/// every open tests each byte of the name.
const IS_PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        table[byte as usize] = match byte {
            b'A'..=b'Z' => CASE_COUNTS,
            b'_' | b'-' | b'+' | b'=' | b',' | b'@' | b'$' | b' ' | b'.' => true,
            _ => byte.is_ascii_alphanumeric(),
        };
        byte += 1;
    }
    table
};

/// Returns the file name of the object named `bare`.
pub(crate) fn encode_or_hash(bare: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; MAX];
    match encode(bare, &mut bytes) {
        Some(len) => bytes.truncate(len),
        None => bytes = format!("{HASHED}{:032x}", fnv1a(bare)).into_bytes(),
    }
    bytes
}

/// Writes the file name of the object named `bare` to the beginning of `to`, and returns its length.
/// `None` if `to` is too short.
pub(crate) fn encode(bare: &[u8], to: &mut [u8]) -> Option<usize> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let (mut len, mut rest) = (0, bare);
    loop {
        let plain = match rest.iter().position(|byte| !IS_PLAIN[usize::from(*byte)]) {
            // A leading dot is reserved for pagemate's files that are not objects.
            _ if len == 0 && rest.starts_with(b".") => 0,
            Some(plain) => plain,
            None => rest.len(),
        };
        to.get_mut(len..len + plain)?.copy_from_slice(&rest[..plain]);
        len += plain;
        let Some((byte, after)) = rest[plain..].split_first() else { return Some(len) };
        let [high, low] = [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]);
        to.get_mut(len..len + 3)?.copy_from_slice(&[b'%', high, low]);
        len += 3;
        rest = after;
    }
}

/// Returns the name that a file name encodes. `None` for a hashed name and for an illegal one.
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

/// Returns the 128-bit FNV-1a hash. Two names have the same hash only if a user constructs such
/// names. The opener then finds the other name in the trailer.
fn fnv1a(name: &[u8]) -> u128 {
    name.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

#[cfg(test)]
fn text(bare: &str) -> String {
    String::from_utf8(encode_or_hash(bare.as_bytes())).unwrap()
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
