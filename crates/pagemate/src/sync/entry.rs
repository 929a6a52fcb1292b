//! The circumstances in which a thread acquired a mutex.

/// The circumstances of an acquisition. The guard of the mutex stores them.
///
/// It has one byte, so that a guard is a pair of scalars, which functions return in registers. A
/// larger guard is returned in memory: its parts are stored one by one and loaded as a whole, and
/// that load stalls until all the stores are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Clean,
    /// The last owner abandoned the mutex.
    Abandoned,
    /// This thread was panicking already.
    Panicking,
    AbandonedAndPanicking,
}

impl Entry {
    #[inline]
    pub(super) fn new(abandoned: bool, panicking: bool) -> Entry {
        match (abandoned, panicking) {
            (false, false) => Entry::Clean,
            (true, false) => Entry::Abandoned,
            (false, true) => Entry::Panicking,
            (true, true) => Entry::AbandonedAndPanicking,
        }
    }

    #[inline]
    pub(super) fn is_abandoned(self) -> bool {
        matches!(self, Entry::Abandoned | Entry::AbandonedAndPanicking)
    }

    #[inline]
    pub(super) fn is_panicking(self) -> bool {
        matches!(self, Entry::Panicking | Entry::AbandonedAndPanicking)
    }
}
