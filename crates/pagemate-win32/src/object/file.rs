//! An open file.
#![allow(unsafe_code, reason = "lseek(2) with a position that std does not express")]

use std::io;
use std::os::fd::AsRawFd;

use crate::error::Result;

/// An open file. All handles that result from one `CreateFile` share it, including its position.
#[derive(Debug)]
pub(crate) struct File {
    file: std::fs::File,
}

impl File {
    pub(crate) fn new(file: std::fs::File) -> File {
        File { file }
    }

    pub(crate) fn inner(&self) -> &std::fs::File {
        &self.file
    }

    pub(crate) fn len(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    pub(crate) fn seek(&self, by: i64, whence: i32) -> Result<u64> {
        // SAFETY: `lseek` reads and writes no memory.
        let at = unsafe { libc::lseek(self.file.as_raw_fd(), by, whence) };
        u64::try_from(at).map_err(|_| io::Error::last_os_error().into())
    }
}
