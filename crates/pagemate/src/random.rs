//! Random numbers, which make names and identities unique. They are not secret.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns a random number.
pub(crate) fn random_number() -> u64 {
    // `RandomState` has a random seed, and the standard library offers no other random numbers. Forked children
    // have a copy of their parent's seed, so add numbers that differ between them.
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.write_u128(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos());
    hasher.finish()
}
