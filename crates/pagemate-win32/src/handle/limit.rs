//! Room for as many handles as a Windows program expects.
//!
//! Most handles take a descriptor, and one that a child inherits up to four. The usual soft limit of 1,024
//! descriptors is there for programs that call `select(2)`; Windows has no such limit. So the soft limit
//! becomes the hard one, which the process may always do, once the handles may come to need that. Programs
//! with few handles keep their limit, and programs that are started inherit the limit as it is then.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many descriptors a handle takes at most.
const EACH: u64 = 4;

/// Raises the limit if this many handles may need that.
pub(crate) fn make_room(handles: usize) {
    /// The number of handles for which there is room in any case; zero until it is known.
    static ENOUGH: AtomicUsize = AtomicUsize::new(0);
    if handles < ENOUGH.load(Ordering::Relaxed) {
        return;
    }
    let limit = getrlimit(Resource::Nofile);
    let Some(soft) = limit.current else { return };
    let mut enough = soft / EACH;
    if handles as u64 >= enough {
        // Should it fail, the limit is as before, and calls fail that need more.
        _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
        enough = u64::MAX;
    }
    ENOUGH.store(usize::try_from(enough).unwrap_or(usize::MAX), Ordering::Relaxed);
}
