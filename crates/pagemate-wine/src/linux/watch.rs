//! Notification when a file of the wineserver is closed: its section has ended then.

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::error::{Error, Result};

/// Watches open files.
#[derive(Debug)]
pub(super) struct Watch(OwnedFd);

impl Watch {
    pub(super) fn new() -> Result<Watch> {
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        let fd = inotify::init(flags).map_err(|e| Error::os("watch files (inotify)", e))?;
        Ok(Watch(fd))
    }

    /// Watches a file until all its descriptors are closed. A failure only delays the notice that a section
    /// has ended.
    pub(super) fn add(&self, file: &File) {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        _ = inotify::add_watch(&self.0, path, WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE);
    }

    /// Removes all notices that have arrived. Returns whether there were any.
    pub(super) fn drain(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.0, &mut buffer);
        let mut any = false;
        loop {
            match reader.next() {
                Ok(_) => any = true,
                Err(Errno::INTR) => {}
                Err(_) => return any,
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
