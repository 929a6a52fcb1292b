//! Random numbers, which make names and identities unique. They are not secret.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Returns a random number.
pub(crate) fn random_number() -> u64 {
    // `RandomState` has a random seed, and the standard library offers no other random numbers.
    RandomState::new().build_hasher().finish()
}
