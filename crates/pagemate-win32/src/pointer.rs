//! What programs point to. In a packed struct it may stand at any address.
#![allow(unsafe_code, reason = "pointers of the program's")]

/// Tells a program something where it wants it; false, and nothing told, for a null pointer.
///
/// # Safety
///
/// `place` is null or can be written to.
pub(crate) unsafe fn tell<T>(place: *mut T, value: T) -> bool {
    if !place.is_null() {
        // SAFETY: not null, and the caller's promise.
        unsafe { place.write_unaligned(value) };
    }
    !place.is_null()
}

/// What a program says there; `None` for a null pointer.
///
/// # Safety
///
/// `place` is null or whole.
pub(crate) unsafe fn said<T: Copy>(place: *const T) -> Option<T> {
    // SAFETY: not null, and the caller's promise.
    (!place.is_null()).then(|| unsafe { place.read_unaligned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    #[repr(C, packed)]
    struct Packed(u8, u64);

    #[test]
    fn anything_may_stand_at_any_address_or_at_none() {
        let mut packed = Packed::default();
        let place = &raw mut packed.1;
        // SAFETY: it is there, if nowhere even.
        assert!(unsafe { tell(place, 0x0123_4567_89AB_CDEF) });
        // SAFETY: as above.
        assert_eq!(unsafe { said(place) }, Some(0x0123_4567_89AB_CDEF));
        // SAFETY: null is allowed.
        assert!(!unsafe { tell(std::ptr::null_mut(), 1) });
        // SAFETY: null is allowed.
        assert_eq!(unsafe { said(std::ptr::null::<u64>()) }, None);
    }
}
