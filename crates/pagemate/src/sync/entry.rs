//! The state in which a thread acquired a mutex, as its guard keeps it.

/// The circumstances of an acquisition, in one byte.
///
/// The guard is therefore a pair of scalars, which functions return in registers. The parts of a larger
/// guard are stored one by one and loaded as a whole, and that load stalls until each part is in the cache.
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
