//! Raises the limit of open descriptors when the handles may need more.
//!
//! Most handles own one descriptor, and an inheritable handle owns up to four. The usual soft limit
//! of 1,024 descriptors protects programs that call `select(2)`; Windows has no such limit. So this
//! module raises the soft limit to the hard limit when the handles may exceed it. Programs with few
//! handles keep their limit. Child processes inherit the current limit.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The maximum number of descriptors that one handle owns.
const DESCRIPTORS_PER_HANDLE: u64 = 4;

/// Raises the limit if this many handles may exceed it.
pub(crate) fn raise_for(handles: usize) {
    /// The number of handles that fit into the limit; zero until it is computed.
    static SUFFICIENT: AtomicUsize = AtomicUsize::new(0);
    if handles < SUFFICIENT.load(Ordering::Relaxed) {
        return;
    }
    let limit = getrlimit(Resource::Nofile);
    let Some(soft) = limit.current else { return };
    let mut sufficient = soft / DESCRIPTORS_PER_HANDLE;
    if handles as u64 >= sufficient {
        // If this fails, the limit is unchanged, and calls that need more descriptors fail.
        _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
        sufficient = u64::MAX;
    }
    SUFFICIENT.store(usize::try_from(sufficient).unwrap_or(usize::MAX), Ordering::Relaxed);
}
