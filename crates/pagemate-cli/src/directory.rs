//! Lists the entries of directories.

use std::ffi::OsString;
use std::path::Path;

cfg_select! {
    unix => {
        /// Returns the names of the entries of a directory, or no names if it cannot be read.
        ///
        /// Uses rustix, because `std::fs::read_dir` panics if closing the directory fails.
        pub(crate) fn names_in(dir: &Path) -> Vec<OsString> {
            use std::os::unix::ffi::OsStringExt;

            use rustix::fs::{CWD, Dir, Mode, OFlags};

            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let Ok(dir) = rustix::fs::openat(CWD, dir, flags, Mode::empty()).and_then(Dir::new) else {
                return Vec::new();
            };
            let names = dir.flatten().map(|entry| entry.file_name().to_bytes().to_vec());
            let names = names.filter(|name| name != b"." && name != b"..");
            names.map(OsString::from_vec).collect()
        }
    }
    _ => {
        /// Returns the names of the entries of a directory, or no names if it cannot be read.
        pub(crate) fn names_in(dir: &Path) -> Vec<OsString> {
            let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name()).collect()
        }
    }
}
