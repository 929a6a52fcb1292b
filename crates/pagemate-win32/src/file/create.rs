//! `CreateFile`: creates and opens files. All I/O is synchronous.
//!
//! Sharing modes are not enforced, because other programs on Linux would not observe them.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pagemate::Sharing;

use crate::error::{
    self, ACCESS_DENIED, ALREADY_EXISTS, Code, FILE_EXISTS, FILE_NOT_FOUND, INVALID_NAME,
    INVALID_PARAMETER, NOT_SUPPORTED, PATH_NOT_FOUND, Result, answer,
};
use crate::file::mapped::set_len;
use crate::file::path;
use crate::handle::entry::{Entry, Object};
use crate::handle::number::{CURRENT_PROCESS, Handle};
use crate::handle::process_table as handle;
use crate::handle::rights::{self, APPEND_DATA, MAXIMUM_ALLOWED, READ_DATA, WRITE_DATA};
use crate::object::file::File;
use crate::security::{self, SecurityAttributes};

/// `FILE_READ_ATTRIBUTES` and `SYNCHRONIZE`, which `CreateFile` always requests.
const ALWAYS_REQUESTED: u32 = 0x10_0080;
const GENERIC_READ: u32 = 0x8000_0000;

/// The creation dispositions.
const CREATE_NEW: u32 = 1;
const CREATE_ALWAYS: u32 = 2;
const OPEN_EXISTING: u32 = 3;
const OPEN_ALWAYS: u32 = 4;
const TRUNCATE_EXISTING: u32 = 5;

/// `FILE_ATTRIBUTE_READONLY`; the mask of all attributes, of which only `READONLY` has an effect;
/// and the flags that are hints.
const READONLY: u32 = 0x1;
const ATTRIBUTES: u32 = 0xFFFF;
const HINTS: u32 = 0x1800_0000;
/// `FILE_FLAG_WRITE_THROUGH`.
const WRITE_THROUGH: u32 = 0x8000_0000;

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
        // `create_new` of the standard library requires write access, so request it even if the
        // caller only wants to read.
        let mut options = self.options();
        let mode = if self.flags & READONLY == 0 { 0o666 } else { 0o444 };
        options.write(true).append(false).create_new(true).mode(mode);
        let file = options.open(path)?;
        if let Sharing::Everyone(_) = self.sharing {
            // The caller requested exactly this mode, so undo the effect of the umask.
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
    /// Windows requires only that the user may write the file, not that the handle has the right to
    /// write. So a file whose descriptor is read-only is opened again for writing.
    fn truncate(&self, path: &Path, file: &File) -> Result<()> {
        if self.access & WRITE_DATA != 0 {
            return set_len(file, 0);
        }
        set_len(&File::new(OpenOptions::new().write(true).open(path)?), 0)
    }
}

/// Returns the error of the call if the path ends in a separator, or if `rights` is a refusal. A
/// path with a separator at its end never names a file. If the file itself cannot be opened, that
/// error takes precedence.
fn refusal(path: &Path, disposition: u32, rights: Option<Code>) -> Option<Code> {
    let separated = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    if !separated && rights.is_none() {
        return None;
    }
    let opens = matches!(disposition, OPEN_EXISTING | TRUNCATE_EXISTING);
    // `components` drops the separator at the end.
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
    // Windows checks in this order: an empty path, the disposition, the file name, the file itself,
    // the rights.
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
    answer("CreateFileA", handle, invalid_handle())
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
    answer("CreateFileW", handle, invalid_handle())
}
