//! `ReadFile` and `WriteFile`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use crate::error::{
    Code, HANDLE_EOF, INVALID_PARAMETER, INVALID_USER_BUFFER, NOACCESS, Result, done,
};
use crate::file::low_half::ALL_ONES;
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::{APPEND_DATA, READ_DATA, WRITE_DATA};
use crate::object::file::File;
use crate::pointer::{read_unless_null, write_unless_null};
use crate::u64_halves::join;

/// `STATUS_END_OF_FILE`, which `ReadFile` stores in the `OVERLAPPED` at the end of the file.
const END_OF_FILE: usize = 0xC000_0011;

/// `OVERLAPPED`: supplies the offset. I/O is synchronous, so each call has finished its transfer
/// when it returns.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Overlapped {
    status: usize,
    transferred: usize,
    offset: u32,
    offset_high: u32,
    event: Handle,
}

/// The error that ended a transfer early, and the number of bytes that were transferred before it.
struct Stopped {
    code: Code,
    moved: usize,
}

/// Calls `transfer_some` until `len` bytes are transferred or it returns zero.
///
/// The kernel reports an invalid buffer as `EFAULT`, which becomes the error `fault`. If `whole` is
/// set, an error fails the call even if some bytes were transferred before it: a program that
/// writes may check only whether the call succeeded. If the descriptor is non-blocking and would
/// block, the call succeeds with the bytes so far.
fn transfer_all(
    len: usize,
    whole: bool,
    fault: Code,
    mut transfer_some: impl FnMut(usize) -> isize,
) -> std::result::Result<usize, Stopped> {
    let mut moved = 0;
    while moved < len {
        match usize::try_from(transfer_some(moved)) {
            Ok(0) => break,
            Ok(more) => moved += more,
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error if error.raw_os_error() == Some(libc::EFAULT) => {
                    return Err(Stopped { code: fault, moved });
                }
                // Succeed with the bytes that were transferred so far. The next call will return
                // the error.
                error if moved > 0 && (!whole || error.kind() == io::ErrorKind::WouldBlock) => {
                    break;
                }
                error => return Err(Stopped { code: error.into(), moved }),
            },
        }
    }
    Ok(moved)
}

/// The position at which a call reads or writes.
#[derive(Clone, Copy)]
enum Start {
    /// At the file position, which the kernel then advances.
    Position,
    /// At this offset. A successful call then sets the file position to the end of the transfer.
    At(i64),
    /// At the end of the file, wherever it is at the time of the write.
    End,
}

impl Start {
    /// Returns the offset in `overlapped`, or the file position if it is null.
    ///
    /// # Safety
    ///
    /// `overlapped` is null, or valid for reads and initialized.
    unsafe fn of(overlapped: *const Overlapped) -> Result<Start> {
        // SAFETY: the caller guarantees that `overlapped` is null, or valid for reads and
        // initialized.
        let Some(Overlapped { offset, offset_high, .. }) =
            (unsafe { read_unless_null(overlapped) })
        else {
            return Ok(Start::Position);
        };
        let at = join(offset_high, offset);
        Ok(Start::At(at.try_into().map_err(|_| INVALID_PARAMETER)?))
    }

    /// Returns the position for a write.
    ///
    /// All ones in `overlapped` mean the end of the file. A handle that may only append always
    /// writes at the end.
    ///
    /// # Safety
    ///
    /// `overlapped` is null, or valid for reads and initialized.
    unsafe fn of_writing(overlapped: *const Overlapped, access: u32) -> Result<Start> {
        // SAFETY: the caller guarantees that `overlapped` is null, or valid for reads and
        // initialized.
        let at_end = unsafe { read_unless_null(overlapped) }
            .is_some_and(|at| (at.offset, at.offset_high) == (ALL_ONES, ALL_ONES));
        if at_end || access & WRITE_DATA == 0 {
            return Ok(Start::End);
        }
        // SAFETY: the caller guarantees that `overlapped` is null, or valid for reads and
        // initialized.
        unsafe { Start::of(overlapped) }
    }

    /// Moves the file position to the end of the transfer.
    fn advance(self, file: &File, moved: usize) -> Result<()> {
        match self {
            Start::At(at) => {
                file.seek(at.saturating_add_unsigned(moved as u64), libc::SEEK_SET).map(drop)
            }
            Start::Position | Start::End => Ok(()),
        }
    }
}

impl Stopped {
    /// Sets the file position back to its value before the call, and returns the error.
    fn restore(self, file: &File, start: Start) -> Code {
        if let (Start::Position, Ok(moved @ 1..)) = (start, i64::try_from(self.moved)) {
            // This fails on a pipe, which has no position.
            _ = file.seek(-moved, libc::SEEK_CUR);
        }
        self.code
    }
}

/// Reports the number of bytes and the status.
///
/// # Safety
///
/// `count` is null or valid for writes. `overlapped` is null, or valid for reads and writes and
/// initialized.
unsafe fn report(moved: u32, status: usize, count: *mut u32, overlapped: *mut Overlapped) {
    // SAFETY: the caller guarantees that `count` is null or valid for writes.
    unsafe { write_unless_null(count, moved) };
    // SAFETY: the caller guarantees that `overlapped` is null, or valid for reads and initialized.
    if let Some(old) = unsafe { read_unless_null(overlapped) } {
        let new = Overlapped { status, transferred: moved as usize, ..old };
        // SAFETY: the caller guarantees that `overlapped` is valid for writes: the read above
        // showed that it is not null.
        unsafe { write_unless_null(overlapped, new) };
    }
}

/// Reads from the file position, or from the offset in `overlapped`.
///
/// # Safety
///
/// `count` is null or valid for writes. `overlapped` is null, or valid for reads and writes and
/// initialized. The mapped memory in `buffer..buffer + len` is the caller's to overwrite; the
/// kernel refuses an unmapped buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReadFile(
    handle: Handle,
    buffer: *mut c_void,
    len: u32,
    count: *mut u32,
    overlapped: *mut Overlapped,
) -> i32 {
    // SAFETY: the caller guarantees that `count` is null or valid for writes, and `overlapped` is null or
    // valid for reads and writes and initialized.
    unsafe { report(0, 0, count, overlapped) };
    let read = handle::file_with(handle, READ_DATA).and_then(|(file, _)| {
        // SAFETY: the caller guarantees that `overlapped` is null, or valid for reads and
        // initialized.
        let start = unsafe { Start::of(overlapped) }?;
        let fd = file.inner().as_raw_fd();
        let read = transfer_all(len as usize, false, NOACCESS, |done| {
            let (to, len) = (buffer.wrapping_byte_add(done), len as usize - done);
            match start {
                Start::At(at) => {
                    let at = at.saturating_add_unsigned(done as u64);
                    // SAFETY: the caller guarantees that the buffer may be overwritten. The kernel
                    // checks that it is mapped.
                    unsafe { libc::pread(fd, to, len, at) }
                }
                // SAFETY: the caller guarantees that the buffer may be overwritten. The kernel checks
                // that it is mapped.
                Start::Position | Start::End => unsafe { libc::read(fd, to, len) },
            }
        })
        .map_err(|stopped| stopped.restore(&file, start))?;
        if read == 0 && len > 0 && !overlapped.is_null() {
            // SAFETY: the caller guarantees that `count` is null or valid for writes, and `overlapped` is null or
            // valid for reads and writes and initialized.
            unsafe { report(0, END_OF_FILE, count, overlapped) };
            return Err(HANDLE_EOF);
        }
        start.advance(&file, read)?;
        u32::try_from(read).map_err(|_| INVALID_PARAMETER)
    });
    done(
        "ReadFile",
        read.map(|read| {
            // SAFETY: the caller guarantees that `count` is null or valid for writes, and `overlapped` is null or
            // valid for reads and writes and initialized.
            unsafe { report(read, 0, count, overlapped) };
        }),
    )
}

/// Writes at the end of the file, and moves the file position there.
///
/// A single system call does both, because other processes may append to the file at the same time.
fn append(fd: RawFd, from: *const c_void, len: usize) -> isize {
    /// The offset that means the file position, which the call then advances.
    const AT_POSITION: libc::off_t = -1;
    let part = libc::iovec { iov_base: from.cast_mut(), iov_len: len };
    // SAFETY: `part` is a live local. The kernel only reads the buffer, and checks that it is
    // mapped.
    unsafe { libc::pwritev2(fd, &raw const part, 1, AT_POSITION, libc::RWF_APPEND) }
}

/// Writes at the file position, or at the offset in `overlapped`.
///
/// # Safety
///
/// `count` is null or valid for writes. `overlapped` is null, or valid for reads and writes and
/// initialized. The kernel refuses an unmapped buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WriteFile(
    handle: Handle,
    buffer: *const c_void,
    len: u32,
    count: *mut u32,
    overlapped: *mut Overlapped,
) -> i32 {
    // SAFETY: the caller guarantees that `count` is null or valid for writes, and `overlapped` is null or
    // valid for reads and writes and initialized.
    unsafe { report(0, 0, count, overlapped) };
    let written = handle::file_with(handle, WRITE_DATA | APPEND_DATA).and_then(|(file, access)| {
        // SAFETY: the caller guarantees that `overlapped` is null, or valid for reads and
        // initialized.
        let start = unsafe { Start::of_writing(overlapped, access) }?;
        let fd = file.inner().as_raw_fd();
        let written = transfer_all(len as usize, true, INVALID_USER_BUFFER, |done| {
            let (from, len) = (buffer.wrapping_byte_add(done), len as usize - done);
            match start {
                // SAFETY: the kernel only reads the buffer, and checks that it is mapped.
                Start::Position => unsafe { libc::write(fd, from, len) },
                Start::At(at) => {
                    let at = at.saturating_add_unsigned(done as u64);
                    // SAFETY: the kernel only reads the buffer, and checks that it is mapped.
                    unsafe { libc::pwrite(fd, from, len, at) }
                }
                Start::End => append(fd, from, len),
            }
        })
        .map_err(|stopped| stopped.code)?;
        start.advance(&file, written)?;
        u32::try_from(written).map_err(|_| INVALID_PARAMETER)
    });
    done(
        "WriteFile",
        written.map(|written| {
            // SAFETY: the caller guarantees that `count` is null or valid for writes, and `overlapped` is null or
            // valid for reads and writes and initialized.
            unsafe { report(written, 0, count, overlapped) };
        }),
    )
}
