//! The sizes of the system: pages, mappings, and lengths as Windows' calls take them.
#![allow(unsafe_code, reason = "GetSystemInfo")]

use std::sync::OnceLock;

use windows_sys::Win32::System::SystemInformation::{GetSystemInfo, SYSTEM_INFO};

/// Returns the granularity in bytes: the offset of each mapping is a multiple of it.
pub(crate) fn allocation_granularity() -> u64 {
    sizes().1
}

pub(super) fn page_size() -> u64 {
    sizes().0
}

/// Returns the page size and the allocation granularity.
fn sizes() -> (u64, u64) {
    static SIZES: OnceLock<(u64, u64)> = OnceLock::new();
    *SIZES.get_or_init(|| {
        let mut info = SYSTEM_INFO::default();
        // SAFETY: `info` is a local variable of the type that the call fills.
        unsafe { GetSystemInfo(&raw mut info) };
        (info.dwPageSize.into(), info.dwAllocationGranularity.into())
    })
}

/// Returns the high and the low 32 bits of a number.
pub(super) fn halves(number: u64) -> (u32, u32) {
    let low = u32::try_from(number & u64::from(u32::MAX)).expect("32 bits");
    let high = u32::try_from(number >> 32).expect("32 bits");
    (high, low)
}
