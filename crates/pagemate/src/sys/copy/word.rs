//! Words of shared memory, which every platform loads and stores in its own way.

/// A value of one register. Any bytes are a valid value.
pub(super) trait Word: Copy {
    /// Loads a word of shared memory.
    ///
    /// # Safety
    ///
    /// `from` must be readable. It does not have to be aligned.
    unsafe fn load(from: *const Self) -> Self;

    /// Stores a word in shared memory.
    ///
    /// # Safety
    ///
    /// `to` must be writable. It does not have to be aligned.
    unsafe fn store(self, to: *mut Self);
}
