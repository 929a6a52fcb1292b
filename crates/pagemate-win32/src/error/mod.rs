//! Windows' error codes, and the last error of each thread.
#![allow(unsafe_code, reason = "exported under Windows' names")]

mod last_failure;
pub(crate) mod texts;

use std::cell::Cell;

use pagemate::ErrorKind;

pub use last_failure::pagemate_win32_last_error_message;
pub(crate) use last_failure::traced;

/// A system error code of Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) u32);

pub(crate) type Result<T> = std::result::Result<T, Code>;

macro_rules! codes {
    ($($name:ident = $value:literal,)*) => { $(pub(crate) const $name: Code = Code($value);)* };
}

codes! {
    FILE_NOT_FOUND = 2,
    PATH_NOT_FOUND = 3,
    TOO_MANY_OPEN_FILES = 4,
    ACCESS_DENIED = 5,
    INVALID_HANDLE = 6,
    NOT_ENOUGH_MEMORY = 8,
    BAD_ENVIRONMENT = 10,
    NOT_READY = 21,
    BAD_LENGTH = 24,
    HANDLE_EOF = 38,
    NOT_SUPPORTED = 50,
    BAD_NETPATH = 53,
    FILE_EXISTS = 80,
    INVALID_PARAMETER = 87,
    BUFFER_OVERFLOW = 111,
    DISK_FULL = 112,
    INSUFFICIENT_BUFFER = 122,
    INVALID_NAME = 123,
    MOD_NOT_FOUND = 126,
    NEGATIVE_SEEK = 131,
    BAD_PATHNAME = 161,
    ALREADY_EXISTS = 183,
    BAD_EXE_FORMAT = 193,
    ENVVAR_NOT_FOUND = 203,
    FILENAME_EXCED_RANGE = 206,
    NOT_OWNER = 288,
    TOO_MANY_POSTS = 298,
    INVALID_ADDRESS = 487,
    NOACCESS = 998,
    INVALID_FLAGS = 1004,
    FILE_INVALID = 1006,
    NO_UNICODE_TRANSLATION = 1113,
    MAPPED_ALIGNMENT = 1132,
    USER_MAPPED_FILE = 1224,
    REVISION_MISMATCH = 1306,
    PRIVILEGE_NOT_HELD = 1314,
    FILE_CORRUPT = 1392,
    COMMITMENT_LIMIT = 1455,
    TIMEOUT = 1460,
    INVALID_USER_BUFFER = 1784,
}

impl From<pagemate::Error> for Code {
    fn from(error: pagemate::Error) -> Code {
        last_failure::store_cause(&error);
        match error.kind() {
            // `ENOENT` means that the directory of the objects is missing. A missing object has no
            // system error.
            _ if error.raw_os_error() == Some(libc::ENOENT) => NOT_READY,
            ErrorKind::NotFound => FILE_NOT_FOUND,
            ErrorKind::AlreadyExists => ALREADY_EXISTS,
            ErrorKind::PermissionDenied => ACCESS_DENIED,
            ErrorKind::InvalidName => INVALID_NAME,
            ErrorKind::InvalidInput if last_failure::directory_is_relative() => BAD_ENVIRONMENT,
            ErrorKind::InvalidInput => INVALID_PARAMETER,
            ErrorKind::OutOfRange => NOT_ENOUGH_MEMORY,
            ErrorKind::NoSpace => COMMITMENT_LIMIT,
            ErrorKind::WrongKind => INVALID_HANDLE,
            ErrorKind::WrongVersion => REVISION_MISMATCH,
            ErrorKind::Corrupted => FILE_CORRUPT,
            ErrorKind::Orphaned => FILE_INVALID,
            ErrorKind::TimedOut => TIMEOUT,
            ErrorKind::NotOwner => NOT_OWNER,
            _ => error.raw_os_error().map_or(NOT_SUPPORTED, from_errno),
        }
    }
}

impl From<rustix::io::Errno> for Code {
    fn from(error: rustix::io::Errno) -> Code {
        from_errno(error.raw_os_error())
    }
}

impl From<std::io::Error> for Code {
    fn from(error: std::io::Error) -> Code {
        error.raw_os_error().map_or(NOT_SUPPORTED, from_errno)
    }
}

fn from_errno(errno: i32) -> Code {
    use rustix::io::Errno;
    match Errno::from_raw_os_error(errno) {
        Errno::NOENT => FILE_NOT_FOUND,
        Errno::NOTDIR => PATH_NOT_FOUND,
        Errno::MFILE | Errno::NFILE => TOO_MANY_OPEN_FILES,
        Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::ISDIR => ACCESS_DENIED,
        Errno::BADF => INVALID_HANDLE,
        Errno::NOMEM => NOT_ENOUGH_MEMORY,
        Errno::EXIST => FILE_EXISTS,
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => DISK_FULL,
        Errno::NAMETOOLONG => FILENAME_EXCED_RANGE,
        Errno::INVAL => INVALID_PARAMETER,
        _ => NOT_SUPPORTED,
    }
}

thread_local! {
    static LAST: Cell<u32> = const { Cell::new(0) };
}

pub(crate) fn set_last(code: u32) {
    LAST.set(code);
}

/// Returns the value of a successful call. After a failure, sets the last error and returns
/// `failure`. `call` is the name of the exported function.
pub(crate) fn answer<T>(call: &'static str, result: Result<T>, failure: T) -> T {
    last_failure::record(call, result.as_ref().err().map(|Code(code)| *code));
    result.unwrap_or_else(|Code(code)| {
        set_last(code);
        failure
    })
}

/// Does the same as [`answer`] for calls that return a `BOOL`.
pub(crate) fn done(call: &'static str, result: Result<()>) -> i32 {
    answer(call, result.map(|()| 1), 0)
}

/// Returns the last error of this thread.
#[unsafe(no_mangle)]
pub extern "C" fn GetLastError() -> u32 {
    LAST.get()
}

/// Sets the last error of this thread.
#[unsafe(no_mangle)]
pub extern "C" fn SetLastError(code: u32) {
    set_last(code);
}
