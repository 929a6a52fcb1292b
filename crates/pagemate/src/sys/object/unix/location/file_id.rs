//! The identity and the type of a file.

use rustix::fs::{FileType, Stat};

/// The identity of a file: its device, in a type that fits all systems, and its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(i128, u64);

impl Id {
    pub(crate) fn of(stat: &Stat) -> Id {
        Id(stat.st_dev.into(), stat.st_ino)
    }
}

/// Returns whether `stat` is that of a regular file.
pub(crate) fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}
