//! Reading and writing files.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use crate::error::{
    Code, HANDLE_EOF, INVALID_PARAMETER, INVALID_USER_BUFFER, NOACCESS, Result, done,
};
use crate::file::object::{ALL_ONES, File, file_for};
use crate::handle::rights::{APPEND_DATA, READ_DATA, WRITE_DATA};
use crate::handle::table::Handle;
use crate::join;
use crate::pointer::{said, tell};

/// `STATUS_END_OF_FILE`, which an `OVERLAPPED` is told beside the last error.
const END_OF_FILE: usize = 0xC000_0011;

/// `OVERLAPPED`: where in the file. Nothing is ever left to be waited for.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Overlapped {
    status: usize,
    transferred: usize,
    offset: u32,
    offset_high: u32,
    event: Handle,
}

/// Why a call moved no more, and how many bytes it had moved.
struct Stopped {
    code: Code,
    moved: usize,
}

/// Goes on with a call that moves some of `len` bytes until all are moved or no more come.
///
/// A buffer that is none, in part or as a whole, fails with `fault`. Where `whole` is asked for, so does what moves less: who
/// wrote to a file looks at nothing but whether it was done.
fn all_of(
    len: usize,
    whole: bool,
    fault: Code,
    mut some: impl FnMut(usize) -> isize,
) -> std::result::Result<usize, Stopped> {
    let mut moved = 0;
    while moved < len {
        match usize::try_from(some(moved)) {
            Ok(0) => break,
            Ok(more) => moved += more,
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error if error.raw_os_error() == Some(libc::EFAULT) => {
                    return Err(Stopped { code: fault, moved });
                }
                // The bytes so far were moved; the next call meets the obstacle.
                error if moved > 0 && (!whole || error.kind() == io::ErrorKind::WouldBlock) => {
                    break;
                }
                error => return Err(Stopped { code: error.into(), moved }),
            },
        }
    }
    Ok(moved)
}

/// Where a call reads or writes.
#[derive(Clone, Copy)]
enum Start {
    /// Where the file stands, which the kernel moves.
    Here,
    /// Elsewhere; the file stands behind it once that is done, and only then.
    At(i64),
    /// Wherever the end is by then.
    End,
}

impl Start {
    /// Where `overlapped` says, if it is there.
    ///
    /// # Safety
    ///
    /// `overlapped` is null or whole.
    unsafe fn of(overlapped: *const Overlapped) -> Result<Start> {
        // SAFETY: the caller's promise.
        let Some(Overlapped { offset, offset_high, .. }) = (unsafe { said(overlapped) }) else {
            return Ok(Start::Here);
        };
        let at = join(offset_high, offset);
        Ok(Start::At(at.try_into().map_err(|_| INVALID_PARAMETER)?))
    }

    /// The same for writing; only there all ones are the end, and whoever may only append begins
    /// there whatever he says.
    ///
    /// # Safety
    ///
    /// `overlapped` is null or whole.
    unsafe fn of_writing(overlapped: *const Overlapped, access: u32) -> Result<Start> {
        // SAFETY: the caller's promise.
        let at_end = unsafe { said(overlapped) }
            .is_some_and(|at| (at.offset, at.offset_high) == (ALL_ONES, ALL_ONES));
        if at_end || access & WRITE_DATA == 0 {
            return Ok(Start::End);
        }
        // SAFETY: the caller's promise.
        unsafe { Start::of(overlapped) }
    }

    /// Leaves the file where the call came to.
    fn leave(self, file: &File, moved: usize) -> Result<()> {
        match self {
            Start::At(at) => {
                file.seek(at.saturating_add_unsigned(moved as u64), libc::SEEK_SET).map(drop)
            }
            Start::Here | Start::End => Ok(()),
        }
    }
}

impl Stopped {
    /// Moves the file back to where it was before the call.
    fn back(self, file: &File, start: Start) -> Code {
        if let (Start::Here, Ok(moved @ 1..)) = (start, i64::try_from(self.moved)) {
            // A pipe has no place to go back to.
            _ = file.seek(-moved, libc::SEEK_CUR);
        }
        self.code
    }
}

/// Tells how much was moved, and how that went.
///
/// # Safety
///
/// Both are null or can be written to.
unsafe fn tell_both(moved: u32, status: usize, count: *mut u32, overlapped: *mut Overlapped) {
    // SAFETY: the caller's promise.
    unsafe { tell(count, moved) };
    // SAFETY: the caller's promise.
    if let Some(place) = unsafe { said(overlapped) } {
        let told = Overlapped { status, transferred: moved as usize, ..place };
        // SAFETY: the caller's promise.
        unsafe { tell(overlapped, told) };
    }
}

/// Reads from where the file stands, or from where `overlapped` says.
///
/// # Safety
///
/// `count` is null or can be written to, `overlapped` is null or whole. A buffer that is none is
/// refused by the kernel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReadFile(
    handle: Handle,
    buffer: *mut c_void,
    len: u32,
    count: *mut u32,
    overlapped: *mut Overlapped,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { tell_both(0, 0, count, overlapped) };
    let read = file_for(handle, READ_DATA).and_then(|(file, _)| {
        // SAFETY: the caller's promise.
        let start = unsafe { Start::of(overlapped) }?;
        let fd = file.inner().as_raw_fd();
        let read = all_of(len as usize, false, NOACCESS, |done| {
            let (to, len) = (buffer.wrapping_byte_add(done), len as usize - done);
            match start {
                Start::At(at) => {
                    let at = at.saturating_add_unsigned(done as u64);
                    // SAFETY: the kernel refuses a buffer that is none.
                    unsafe { libc::pread(fd, to, len, at) }
                }
                // SAFETY: as above.
                Start::Here | Start::End => unsafe { libc::read(fd, to, len) },
            }
        })
        .map_err(|stopped| stopped.back(&file, start))?;
        if read == 0 && len > 0 && !overlapped.is_null() {
            // SAFETY: the caller's promise.
            unsafe { tell_both(0, END_OF_FILE, count, overlapped) };
            return Err(HANDLE_EOF);
        }
        start.leave(&file, read)?;
        u32::try_from(read).map_err(|_| INVALID_PARAMETER)
    });
    done(read.map(|read| {
        // SAFETY: the caller's promise.
        unsafe { tell_both(read, 0, count, overlapped) };
    }))
}

/// Writes at the end, and leaves the file there. As one step: others may append too.
fn append(fd: RawFd, from: *const c_void, len: usize) -> isize {
    /// To go on from where the file stands, and to move it.
    const HERE: libc::off_t = -1;
    let part = libc::iovec { iov_base: from.cast_mut(), iov_len: len };
    // SAFETY: the one part is there, and the kernel refuses a buffer that is none.
    unsafe { libc::pwritev2(fd, &raw const part, 1, HERE, libc::RWF_APPEND) }
}

/// Writes to where the file stands, or to where `overlapped` says.
///
/// # Safety
///
/// `count` is null or can be written to, `overlapped` is null or whole. A buffer that is none is
/// refused by the kernel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WriteFile(
    handle: Handle,
    buffer: *const c_void,
    len: u32,
    count: *mut u32,
    overlapped: *mut Overlapped,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { tell_both(0, 0, count, overlapped) };
    let written = file_for(handle, WRITE_DATA | APPEND_DATA).and_then(|(file, access)| {
        // SAFETY: the caller's promise.
        let start = unsafe { Start::of_writing(overlapped, access) }?;
        let fd = file.inner().as_raw_fd();
        let written = all_of(len as usize, true, INVALID_USER_BUFFER, |done| {
            let (from, len) = (buffer.wrapping_byte_add(done), len as usize - done);
            match start {
                // SAFETY: the kernel refuses a buffer that is none.
                Start::Here => unsafe { libc::write(fd, from, len) },
                Start::At(at) => {
                    let at = at.saturating_add_unsigned(done as u64);
                    // SAFETY: as above.
                    unsafe { libc::pwrite(fd, from, len, at) }
                }
                Start::End => append(fd, from, len),
            }
        })
        .map_err(|stopped| stopped.code)?;
        start.leave(&file, written)?;
        u32::try_from(written).map_err(|_| INVALID_PARAMETER)
    });
    done(written.map(|written| {
        // SAFETY: the caller's promise.
        unsafe { tell_both(written, 0, count, overlapped) };
    }))
}
