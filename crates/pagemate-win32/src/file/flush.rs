//! `FlushFileBuffers`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use crate::error::done;
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::{APPEND_DATA, WRITE_DATA};

/// Waits until all written data are on the device.
#[unsafe(no_mangle)]
pub extern "C" fn FlushFileBuffers(handle: Handle) -> i32 {
    done(
        "FlushFileBuffers",
        handle::file_with(handle, WRITE_DATA | APPEND_DATA).and_then(|(file, _)| {
            match file.inner().sync_all() {
                // The descriptor has no device, such as a pipe.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
                synced => Ok(synced?),
            }
        }),
    )
}
