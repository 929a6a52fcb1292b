//! Reads and writes through pointers of the program. The target may be unaligned, because it may
//! lie in a packed struct.
#![allow(unsafe_code, reason = "pointers of the program")]

/// Writes a value unless the pointer is null; returns whether it wrote.
///
/// # Safety
///
/// `target` is null or valid for writes. It may be unaligned.
pub(crate) unsafe fn write_unless_null<T>(target: *mut T, value: T) -> bool {
    if !target.is_null() {
        // SAFETY: `target` is not null, so the caller guarantees that it is valid for writes.
        unsafe { target.write_unaligned(value) };
    }
    !target.is_null()
}

/// Reads a value; returns `None` for a null pointer.
///
/// # Safety
///
/// `source` is null, or valid for reads and initialized. It may be unaligned.
pub(crate) unsafe fn read_unless_null<T: Copy>(source: *const T) -> Option<T> {
    // SAFETY: `source` is not null, so the caller guarantees that it is valid for reads and
    // initialized.
    (!source.is_null()).then(|| unsafe { source.read_unaligned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    #[repr(C, packed)]
    struct Packed(u8, u64);

    #[test]
    fn pointers_may_be_unaligned_or_null() {
        let mut packed = Packed::default();
        let target = &raw mut packed.1;
        // SAFETY: it points to a field of a local, which may be unaligned.
        assert!(unsafe { write_unless_null(target, 0x0123_4567_89AB_CDEF) });
        // SAFETY: it points to an initialized field of a local, which may be unaligned.
        assert_eq!(unsafe { read_unless_null(target) }, Some(0x0123_4567_89AB_CDEF));
        // SAFETY: null is allowed.
        assert!(!unsafe { write_unless_null(std::ptr::null_mut(), 1) });
        // SAFETY: null is allowed.
        assert_eq!(unsafe { read_unless_null(std::ptr::null::<u64>()) }, None);
    }
}
