//! `FlushFileBuffers`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use crate::error::done;
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::{APPEND_DATA, WRITE_DATA};

/// Writes all cached data of the file to the device, and waits for that.
#[unsafe(no_mangle)]
pub extern "C" fn FlushFileBuffers(handle: Handle) -> i32 {
    done(
        "FlushFileBuffers",
        handle::file_with(handle, WRITE_DATA | APPEND_DATA).and_then(|(file, _)| {
            match file.inner().sync_all() {
                // `fsync` returns `EINVAL` for a pipe or another descriptor without a device.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
                synced => Ok(synced?),
            }
        }),
    )
}
