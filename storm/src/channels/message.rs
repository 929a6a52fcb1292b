//! Messages with numbers and checksums.

/// A message of `WORDS` words: the life of its sender, its number, and a checksum in each other word.
pub(crate) fn message<const WORDS: usize>(life: u64, number: u64) -> [u64; WORDS] {
    let mut message = [0; WORDS];
    (message[0], message[1]) = (life, number);
    for i in 2..WORDS {
        message[i] =
            (message[i - 1] ^ message[i - 2]).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i as u64;
    }
    message
}

/// Returns the life and the number of a message that is whole.
pub(crate) fn checked<const WORDS: usize>(found: &[u64; WORDS]) -> (u64, u64) {
    assert_eq!(found, &message::<WORDS>(found[0], found[1]), "a torn message");
    (found[0], found[1])
}
