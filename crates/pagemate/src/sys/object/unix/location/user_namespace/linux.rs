//! Linux: a user namespace maps some users to ids inside the namespace. The kernel reports all
//! other users with one id, the overflow id, which by default is that of `nobody`.

use std::fs::read_to_string;
use std::os::fd::BorrowedFd;

use rustix::fs::{Mode, OFlags};

/// The default overflow id. An administrator can set another one.
const OVERFLOW: u32 = 65534;

/// The number of user ids that exist. Only a namespace that maps all of them reports every owner.
const ALL: u64 = u32::MAX as u64;

/// Returns whether the kernel may report the id `user` for several users. Returns true if `/proc`
/// is missing.
pub(crate) fn is_ambiguous(user: u32) -> bool {
    let overflow = read_to_string("/proc/sys/kernel/overflowuid");
    let overflow = overflow.ok().and_then(|id| id.trim().parse().ok()).unwrap_or(OVERFLOW);
    user == overflow && !read_to_string("/proc/self/uid_map").is_ok_and(|map| maps_all(&map))
}

/// Each line of the map has an id inside, an id outside, and a count of ids.
fn maps_all(map: &str) -> bool {
    let count = |line: &str| line.split_whitespace().nth(2)?.parse::<u64>().ok();
    map.lines().filter_map(count).sum::<u64>() >= ALL
}

// The kernel lets only the owner of a file set NOATIME, and root of a namespace that maps the
// owner. For this it compares the users themselves and not their ids in the namespace.

/// Returns whether this process' user owns the directory `dir`, which the user may read.
pub(crate) fn owns_directory(dir: BorrowedFd<'_>) -> bool {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOATIME | OFlags::CLOEXEC;
    rustix::fs::openat(dir, c".", flags, Mode::empty()).is_ok()
}

/// Returns whether this process' user owns the open file `fd`.
pub(crate) fn owns_file(fd: BorrowedFd<'_>) -> bool {
    let set = |flags| rustix::fs::fcntl_setfl(fd, flags | OFlags::NOATIME);
    rustix::fs::fcntl_getfl(fd).and_then(set).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_range_maps_all() {
        assert!(maps_all("         0          0 4294967295\n"));
        assert!(maps_all("0 0 65536\n65536 65536 4294901759\n"));
        assert!(!maps_all("0 100000 65536\n"));
        assert!(!maps_all("rubbish\n"));
        assert!(!maps_all(""));
    }

    #[test]
    fn root_is_one_user() {
        assert!(!is_ambiguous(0));
    }
}
