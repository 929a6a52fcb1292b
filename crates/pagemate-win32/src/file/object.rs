//! Files: creates, opens, positions, resizes and deletes them. All I/O is synchronous.
//!
//! Sharing modes are not enforced, because other programs on Linux would not observe them. As on
//! Windows, this process cannot shorten or delete a file that it has mapped.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pagemate::Sharing;
use pagemate::os::unix::SectionExt;

use crate::error::{
    self, ACCESS_DENIED, ALREADY_EXISTS, Code, FILE_EXISTS, FILE_NOT_FOUND, INVALID_NAME,
    INVALID_PARAMETER, NEGATIVE_SEEK, NOACCESS, NOT_SUPPORTED, PATH_NOT_FOUND, Result,
    USER_MAPPED_FILE, answer, done,
};
use crate::file::path;
use crate::handle::rights::{self, APPEND_DATA, MAXIMUM_ALLOWED, READ_DATA, WRITE_DATA};
use crate::handle::table::{self as handle, CURRENT_PROCESS, Entry, Handle, Object};
use crate::memory::region::regions;
use crate::pointer::{read_unless_null, write_unless_null};
use crate::system::security::{self, SecurityAttributes};

/// `FILE_READ_ATTRIBUTES` and `SYNCHRONIZE`, which `CreateFile` always requests.
const ALWAYS_REQUESTED: u32 = 0x10_0080;
const GENERIC_READ: u32 = 0x8000_0000;

/// The creation dispositions.
const CREATE_NEW: u32 = 1;
const CREATE_ALWAYS: u32 = 2;
const OPEN_EXISTING: u32 = 3;
const OPEN_ALWAYS: u32 = 4;
const TRUNCATE_EXISTING: u32 = 5;

/// `FILE_ATTRIBUTE_READONLY`, the mask of all attributes, which are otherwise ignored, and the
/// flags that are hints.
const READONLY: u32 = 0x1;
const ATTRIBUTES: u32 = 0xFFFF;
const HINTS: u32 = 0x1800_0000;
/// `FILE_FLAG_WRITE_THROUGH`.
const WRITE_THROUGH: u32 = 0x8000_0000;

/// `FILE_BEGIN`, `FILE_CURRENT`, `FILE_END`.
const WHENCE: [i32; 3] = [libc::SEEK_SET, libc::SEEK_CUR, libc::SEEK_END];

/// The result of a failed `GetFileSize` or `SetFilePointer`. It is also a valid low half.
pub(crate) const ALL_ONES: u32 = u32::MAX;

/// The open file that all handles from one `CreateFile` share, including its position.
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

    fn len(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Sets the length of the file. Refuses to shorten a file that this process has mapped.
    fn set_len(&self, len: u64) -> Result<()> {
        let data = self.file.metadata()?;
        if len < data.len() && is_mapped(&data) {
            return Err(USER_MAPPED_FILE);
        }
        Ok(self.file.set_len(len)?)
    }

    pub(crate) fn seek(&self, by: i64, whence: i32) -> Result<u64> {
        // SAFETY: `lseek` reads and writes no memory.
        let at = unsafe { libc::lseek(self.file.as_raw_fd(), by, whence) };
        u64::try_from(at).map_err(|_| io::Error::last_os_error().into())
    }
}

/// Returns whether this process has a mapping or a view of a file.
fn is_mapped(data: &std::fs::Metadata) -> bool {
    let id = (data.dev(), data.ino());
    let over_it = handle::any_mapping(|mapping| {
        mapping.over_file()
            && rustix::fs::fstat(mapping.section().memory())
                .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == id)
    });
    over_it || regions().has_view_of(id)
}

/// The validated arguments of `CreateFile`.
struct Wanted {
    access: u32,
    disposition: u32,
    flags: u32,
    sharing: Sharing,
}

impl Wanted {
    fn check(&self) -> Result<()> {
        if self.disposition == TRUNCATE_EXISTING && self.access & WRITE_DATA == 0 {
            return Err(INVALID_PARAMETER);
        }
        if self.flags & !(ATTRIBUTES | HINTS | WRITE_THROUGH) == 0 {
            Ok(())
        } else {
            Err(NOT_SUPPORTED)
        }
    }

    fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::new();
        let writes = self.access & (WRITE_DATA | APPEND_DATA);
        options.read(self.access & READ_DATA != 0 || writes == 0);
        options.write(writes & WRITE_DATA != 0).append(writes == APPEND_DATA);
        // `O_NONBLOCK` keeps the open of a FIFO from blocking. Regular files ignore it.
        let through = if self.flags & WRITE_THROUGH == 0 { 0 } else { libc::O_SYNC };
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | through);
        options
    }

    /// Opens an existing file.
    fn open(&self, path: &Path) -> io::Result<std::fs::File> {
        self.options().open(path)
    }

    /// Creates a new file.
    fn create(&self, path: &Path) -> io::Result<std::fs::File> {
        // Open it for writing even if the caller asks only to read: `create_new` requires write
        // access.
        let mut options = self.options();
        let mode = if self.flags & READONLY == 0 { 0o666 } else { 0o444 };
        options.write(true).append(false).create_new(true).mode(mode);
        let file = options.open(path)?;
        if let Sharing::Everyone(_) = self.sharing {
            // The umask must not restrict the mode, because the caller asked for it.
            file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        }
        if self.access & (WRITE_DATA | APPEND_DATA) == APPEND_DATA {
            return self.open(path);
        }
        Ok(file)
    }

    /// Opens or creates the file by its disposition. Returns the file, and whether it existed.
    fn open_or_create(&self, path: &Path) -> Result<(File, bool)> {
        let refused = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound if !path::has_parent_directory(path) => PATH_NOT_FOUND,
            io::ErrorKind::NotFound => FILE_NOT_FOUND,
            _ => error.into(),
        };
        let (file, found) = match self.disposition {
            CREATE_NEW => (self.create(path).map_err(refused)?, false),
            OPEN_EXISTING | TRUNCATE_EXISTING => (self.open(path).map_err(refused)?, true),
            _ => match self.create(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    (self.open(path).map_err(refused)?, true)
                }
                made => (made.map_err(refused)?, false),
            },
        };
        // If a standard stream is closed, `open` may return its number, and the program's output
        // would go into the file. `try_clone` returns a number above 2.
        let file = if file.as_raw_fd() > 2 { file } else { file.try_clone()? };
        let data = file.metadata()?;
        if data.is_dir() {
            return Err(ACCESS_DENIED);
        }
        let file = File::new(file);
        if found && matches!(self.disposition, CREATE_ALWAYS | TRUNCATE_EXISTING) {
            self.truncate(path, &file)?;
        }
        Ok((file, found))
    }

    /// Truncates the file.
    ///
    /// Opens it again if the handle has no right to write: Windows asks only for the permission of
    /// the user.
    fn truncate(&self, path: &Path, file: &File) -> Result<()> {
        if self.access & WRITE_DATA != 0 {
            return file.set_len(0);
        }
        File::new(OpenOptions::new().write(true).open(path)?).set_len(0)
    }
}

/// Returns the error for a path that ends in a separator, which no file's does, or for rights that were
/// refused. An error of the file itself comes first.
fn refusal(path: &Path, disposition: u32, rights: Option<Code>) -> Option<Code> {
    let separated = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    if !separated && rights.is_none() {
        return None;
    }
    let opens = matches!(disposition, OPEN_EXISTING | TRUNCATE_EXISTING);
    // Without the separator at its end.
    let path: PathBuf = path.components().collect();
    let error = match std::fs::metadata(&path) {
        Ok(_) if disposition == CREATE_NEW => FILE_EXISTS,
        Ok(data) if data.is_dir() => ACCESS_DENIED,
        Err(error) if opens || !path::has_parent_directory(&path) => path::not_found(&path, error),
        _ if separated => INVALID_NAME,
        _ => return rights,
    };
    Some(error)
}

/// # Safety
///
/// `attributes` is null or points to valid attributes.
unsafe fn create(
    path: Result<PathBuf>,
    access: u32,
    attributes: *const SecurityAttributes,
    disposition: u32,
    flags: u32,
) -> Result<Handle> {
    // Windows checks in this order: whether there is a path, the disposition, the name, the file, its rights.
    if path == Err(PATH_NOT_FOUND) {
        return Err(PATH_NOT_FOUND);
    }
    if !(CREATE_NEW..=TRUNCATE_EXISTING).contains(&disposition) {
        return Err(INVALID_PARAMETER);
    }
    let granted = rights::FILE.opened(access | ALWAYS_REQUESTED);
    let path = path?;
    if let Some(refusal) = refusal(&path, disposition, granted.err()) {
        return Err(refusal);
    }
    let access = granted?;
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    let (inherit, sharing) = unsafe { security::wanted(attributes) }?;
    let most = access & MAXIMUM_ALLOWED != 0;
    let access = rights::FILE.intersect(access);
    let mut wanted = Wanted { access, disposition, flags, sharing };
    wanted.check()?;
    let (file, found) = match wanted.open_or_create(&path) {
        Err(ACCESS_DENIED) if most => {
            wanted.access = rights::FILE.opened(GENERIC_READ)?;
            wanted.open_or_create(&path)
        }
        found => found,
    }?;
    let object = Object::File(Arc::new(file));
    let handle = handle::open(Entry { object, access: wanted.access }, inherit)?;
    let existed = found && matches!(disposition, CREATE_ALWAYS | OPEN_ALWAYS);
    error::set_last(if existed { ALREADY_EXISTS.0 } else { 0 });
    Ok(handle)
}

fn invalid_handle() -> Handle {
    std::ptr::without_provenance_mut(CURRENT_PROCESS)
}

/// Opens or creates a file.
///
/// # Safety
///
/// `path` is null or points to a string that ends in a NUL; `attributes` is null or points to valid
/// attributes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateFileA(
    path: *const u8,
    access: u32,
    _sharing: u32,
    attributes: *const SecurityAttributes,
    disposition: u32,
    flags: u32,
    _template: Handle,
) -> Handle {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    let path = unsafe { path::narrow_of_any(path) };
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    let handle = unsafe { create(path, access, attributes, disposition, flags) };
    answer(handle, invalid_handle())
}

/// Does the same as [`CreateFileA`], for 16-bit characters.
///
/// # Safety
///
/// As for [`CreateFileA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateFileW(
    path: *const u16,
    access: u32,
    _sharing: u32,
    attributes: *const SecurityAttributes,
    disposition: u32,
    flags: u32,
    _template: Handle,
) -> Handle {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    let path = unsafe { path::wide_of_any(path) };
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    let handle = unsafe { create(path, access, attributes, disposition, flags) };
    answer(handle, invalid_handle())
}

/// Returns the file of a handle that has at least one of `rights`, and all rights of the handle.
pub(crate) fn file_for(handle: Handle, rights: u32) -> Result<(Arc<File>, u32)> {
    let (file, access) = handle::file(handle)?;
    if access & rights == 0 { Err(ACCESS_DENIED) } else { Ok((file, access)) }
}

/// Moves the file position, and returns the new one. Refuses a position for which `fits` returns
/// false.
fn seek_checked(handle: Handle, by: i64, method: u32, fits: impl Fn(u64) -> bool) -> Result<u64> {
    // Windows checks the arguments before the handle.
    let whence = usize::try_from(method).ok().and_then(|method| WHENCE.get(method));
    let whence = *whence.ok_or(INVALID_PARAMETER)?;
    if whence == libc::SEEK_SET && by < 0 {
        return Err(NEGATIVE_SEEK);
    }
    let (file, _) = handle::file(handle)?;
    let from = match method {
        0 => 0,
        1 => file.seek(0, libc::SEEK_CUR)?,
        _ => file.len()?,
    };
    let target = i64::try_from(from).ok().and_then(|from| from.checked_add(by));
    let target = u64::try_from(target.ok_or(INVALID_PARAMETER)?).map_err(|_| NEGATIVE_SEEK)?;
    if fits(target) { file.seek(by, whence) } else { Err(INVALID_PARAMETER) }
}

/// Moves the file position.
///
/// # Safety
///
/// `now` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SetFilePointerEx(
    handle: Handle,
    by: i64,
    now: *mut i64,
    method: u32,
) -> i32 {
    done(seek_checked(handle, by, method, |_| true).and_then(|at| {
        let at = at.try_into().map_err(|_| INVALID_PARAMETER)?;
        // SAFETY: the caller guarantees that `now` is null or valid for writes.
        unsafe { write_unless_null(now, at) };
        Ok(())
    }))
}

/// Moves the file position, with the distance in two halves.
///
/// Without a high half the distance is signed, and the new position must fit into the low half.
///
/// # Safety
///
/// `high` is null, or valid for reads and writes.
#[unsafe(no_mangle)]
#[allow(clippy::cast_possible_truncation, reason = "in two halves")]
pub unsafe extern "C" fn SetFilePointer(
    handle: Handle,
    low: i32,
    high: *mut i32,
    method: u32,
) -> u32 {
    // SAFETY: the caller guarantees that `high` is null or valid for reads.
    let by = match unsafe { read_unless_null(high) } {
        Some(high) => i64::from(high) << 32 | i64::from(low.cast_unsigned()),
        None => low.into(),
    };
    let narrow = high.is_null();
    let at = seek_checked(handle, by, method, |at| !narrow || u32::try_from(at).is_ok());
    let at = at.map(|at| {
        // SAFETY: the caller guarantees that `high` is null or valid for writes.
        unsafe { write_unless_null(high, (at >> 32) as i32) };
        clear_error_if_all_ones(at as u32)
    });
    answer(at, ALL_ONES)
}

/// Clears the last error if a valid low half equals the result of a failure, so that the caller can
/// distinguish the two.
fn clear_error_if_all_ones(low: u32) -> u32 {
    if low == ALL_ONES {
        error::set_last(0);
    }
    low
}

/// Sets the length of the file to its position.
#[unsafe(no_mangle)]
pub extern "C" fn SetEndOfFile(handle: Handle) -> i32 {
    done(file_for(handle, WRITE_DATA).and_then(|(file, _)| {
        let at = file.seek(0, libc::SEEK_CUR)?;
        file.set_len(at)
    }))
}

fn len(handle: Handle) -> Result<u64> {
    handle::file(handle)?.0.len()
}

/// Returns the low half of the file's length in bytes, and writes the high half to `high`.
///
/// # Safety
///
/// `high` is null or valid for writes.
#[unsafe(no_mangle)]
#[allow(clippy::cast_possible_truncation, reason = "in two halves")]
pub unsafe extern "C" fn GetFileSize(handle: Handle, high: *mut u32) -> u32 {
    let low = len(handle).map(|len| {
        // SAFETY: the caller guarantees that `high` is null or valid for writes.
        unsafe { write_unless_null(high, (len >> 32) as u32) };
        clear_error_if_all_ones(len as u32)
    });
    answer(low, ALL_ONES)
}

/// Reports the file's length in bytes.
///
/// # Safety
///
/// `buffer` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileSizeEx(handle: Handle, buffer: *mut i64) -> i32 {
    done(len(handle).and_then(|len| {
        let len = len.try_into().map_err(|_| INVALID_PARAMETER)?;
        // SAFETY: the caller guarantees that `buffer` is null or valid for writes.
        if unsafe { write_unless_null(buffer, len) } { Ok(()) } else { Err(NOACCESS) }
    }))
}

/// Waits until all written data are on the device.
#[unsafe(no_mangle)]
pub extern "C" fn FlushFileBuffers(handle: Handle) -> i32 {
    done(file_for(handle, WRITE_DATA | APPEND_DATA).and_then(|(file, _)| {
        match file.file.sync_all() {
            // The descriptor has no device, such as a pipe.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
            synced => Ok(synced?),
        }
    }))
}

/// Deletes a file. Refuses a read-only file, and one that this process has mapped.
fn delete(path: &Path) -> Result<()> {
    let data = std::fs::symlink_metadata(path).map_err(|error| path::not_found(path, error))?;
    if data.is_dir() || is_read_only(&data) || is_mapped(&data) {
        return Err(ACCESS_DENIED);
    }
    Ok(std::fs::remove_file(path)?)
}

/// Returns whether this is a file without any write permission bit.
pub(crate) fn is_read_only(data: &std::fs::Metadata) -> bool {
    data.is_file() && data.mode() & 0o222 == 0
}

/// Deletes a file.
///
/// # Safety
///
/// `path` is null or points to a string that ends in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteFileA(path: *const u8) -> i32 {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    done(unsafe { path::narrow(path) }.and_then(|path| delete(&path)))
}

/// Does the same as [`DeleteFileA`], for 16-bit characters.
///
/// # Safety
///
/// As for [`DeleteFileA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteFileW(path: *const u16) -> i32 {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    done(unsafe { path::wide(path) }.and_then(|path| delete(&path)))
}
