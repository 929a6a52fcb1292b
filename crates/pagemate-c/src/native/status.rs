//! What calls come to, and the last failure of each thread.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use pagemate::{Error, ErrorKind};

use super::argument::StatusWord;

/// cbindgen:rename-all=None
/// What a call came to. Zero is success; later releases may add others.
#[allow(non_camel_case_types, reason = "as C calls them")]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is done.
    PAGEMATE_OK = 0,
    /// No process holds an object of this name.
    PAGEMATE_NOT_FOUND = 1,
    /// Some process already holds an object of this name.
    PAGEMATE_ALREADY_EXISTS = 2,
    /// The system, the object's protection or the handle's access forbids it.
    PAGEMATE_PERMISSION_DENIED = 3,
    /// The name is not one that an object can have, or not UTF-8.
    PAGEMATE_INVALID_NAME = 4,
    /// An argument makes no sense, whatever the state of the system.
    PAGEMATE_INVALID_INPUT = 5,
    /// A range reaches past the end of the object or the view.
    PAGEMATE_OUT_OF_RANGE = 6,
    /// There is not enough memory to back the object.
    PAGEMATE_NO_SPACE = 7,
    /// The name belongs to an object of another kind.
    PAGEMATE_WRONG_KIND = 8,
    /// The object was made by an incompatible release.
    PAGEMATE_WRONG_VERSION = 9,
    /// What stands under this name is not a whole object.
    PAGEMATE_CORRUPTED = 10,
    /// What was waited for did not come in time, or another process kept the object busy for too long.
    PAGEMATE_TIMED_OUT = 11,
    /// The mutex is not this thread's to free or to use.
    PAGEMATE_NOT_OWNER = 12,
    /// This system cannot do it.
    PAGEMATE_UNSUPPORTED = 13,
    /// Any other refusal of the system: see pagemate_last_os_error().
    PAGEMATE_OS = 14,
    /// A mistake in pagemate itself. The message has what is known; please report it.
    PAGEMATE_INTERNAL = 15,
    /// Another program removed the object's name, so that other processes do not find it. Close every
    /// handle to the object and create it again.
    PAGEMATE_ORPHANED = 16,
}

use Status::{
    PAGEMATE_ALREADY_EXISTS, PAGEMATE_CORRUPTED, PAGEMATE_INTERNAL, PAGEMATE_INVALID_INPUT,
    PAGEMATE_INVALID_NAME, PAGEMATE_NO_SPACE, PAGEMATE_NOT_FOUND, PAGEMATE_NOT_OWNER, PAGEMATE_OK,
    PAGEMATE_ORPHANED, PAGEMATE_OS, PAGEMATE_OUT_OF_RANGE, PAGEMATE_PERMISSION_DENIED,
    PAGEMATE_TIMED_OUT, PAGEMATE_UNSUPPORTED, PAGEMATE_WRONG_KIND, PAGEMATE_WRONG_VERSION,
};

/// Each status, its name and what it means, in the order of their numbers.
const STATUSES: [(Status, &CStr, &CStr); 17] = [
    (PAGEMATE_OK, c"PAGEMATE_OK", c"it is done"),
    (PAGEMATE_NOT_FOUND, c"PAGEMATE_NOT_FOUND", c"no process holds it"),
    (PAGEMATE_ALREADY_EXISTS, c"PAGEMATE_ALREADY_EXISTS", c"some process already holds it"),
    (PAGEMATE_PERMISSION_DENIED, c"PAGEMATE_PERMISSION_DENIED", c"it is not allowed"),
    (PAGEMATE_INVALID_NAME, c"PAGEMATE_INVALID_NAME", c"no object can have this name"),
    (PAGEMATE_INVALID_INPUT, c"PAGEMATE_INVALID_INPUT", c"an argument makes no sense"),
    (PAGEMATE_OUT_OF_RANGE, c"PAGEMATE_OUT_OF_RANGE", c"the range reaches past the end"),
    (PAGEMATE_NO_SPACE, c"PAGEMATE_NO_SPACE", c"there is not enough memory"),
    (PAGEMATE_WRONG_KIND, c"PAGEMATE_WRONG_KIND", c"the name belongs to something else"),
    (PAGEMATE_WRONG_VERSION, c"PAGEMATE_WRONG_VERSION", c"it is of an incompatible release"),
    (PAGEMATE_CORRUPTED, c"PAGEMATE_CORRUPTED", c"it is not a whole object"),
    (PAGEMATE_TIMED_OUT, c"PAGEMATE_TIMED_OUT", c"it was not to be had in time"),
    (PAGEMATE_NOT_OWNER, c"PAGEMATE_NOT_OWNER", c"this thread does not have it"),
    (PAGEMATE_UNSUPPORTED, c"PAGEMATE_UNSUPPORTED", c"this system cannot do it"),
    (PAGEMATE_OS, c"PAGEMATE_OS", c"the system refused"),
    (PAGEMATE_INTERNAL, c"PAGEMATE_INTERNAL", c"a mistake in pagemate itself"),
    (PAGEMATE_ORPHANED, c"PAGEMATE_ORPHANED", c"another program removed the object's name"),
];

impl From<ErrorKind> for Status {
    fn from(kind: ErrorKind) -> Status {
        match kind {
            ErrorKind::NotFound => PAGEMATE_NOT_FOUND,
            ErrorKind::AlreadyExists => PAGEMATE_ALREADY_EXISTS,
            ErrorKind::PermissionDenied => PAGEMATE_PERMISSION_DENIED,
            ErrorKind::InvalidName => PAGEMATE_INVALID_NAME,
            ErrorKind::InvalidInput => PAGEMATE_INVALID_INPUT,
            ErrorKind::OutOfRange => PAGEMATE_OUT_OF_RANGE,
            ErrorKind::NoSpace => PAGEMATE_NO_SPACE,
            ErrorKind::WrongKind => PAGEMATE_WRONG_KIND,
            ErrorKind::WrongVersion => PAGEMATE_WRONG_VERSION,
            ErrorKind::Corrupted => PAGEMATE_CORRUPTED,
            ErrorKind::TimedOut => PAGEMATE_TIMED_OUT,
            ErrorKind::NotOwner => PAGEMATE_NOT_OWNER,
            ErrorKind::Unsupported => PAGEMATE_UNSUPPORTED,
            ErrorKind::Orphaned => PAGEMATE_ORPHANED,
            _ => PAGEMATE_OS,
        }
    }
}

/// Why a call failed, as the thread that made it can ask.
#[derive(Debug)]
pub(super) struct Failure {
    status: Status,
    os_error: i32,
    message: String,
}

pub(super) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub(super) fn new(status: Status, message: impl Into<String>) -> Failure {
        Failure { status, os_error: 0, message: message.into() }
    }

    /// An argument that makes no sense to `call`, and why not.
    pub(super) fn invalid(call: &str, cause: impl std::fmt::Display) -> Failure {
        Failure::new(PAGEMATE_INVALID_INPUT, format!("{call}: {cause}"))
    }

    /// The system's refusal of `what`.
    pub(super) fn os(what: &str, error: &std::io::Error) -> Failure {
        let message = format!("{what}: {error}");
        Failure { status: PAGEMATE_OS, os_error: error.raw_os_error().unwrap_or(0), message }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure {
            status: error.kind().into(),
            os_error: error.raw_os_error().unwrap_or(0),
            message: error.to_string(),
        }
    }
}

/// What a thread's failure left.
struct Last {
    os_error: i32,
    message: CString,
}

thread_local! {
    #[allow(clippy::missing_const_for_thread_local, reason = "it is; on Windows clippy overlooks it")]
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Runs the body of a call, and keeps its failure for this thread. A panic goes no further: to C it
/// is one more failure.
pub(super) fn call(body: impl FnOnce() -> Outcome) -> Status {
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        Err(Failure::new(PAGEMATE_INTERNAL, format!("a mistake in pagemate itself: {said}")))
    });
    let Err(Failure { status, os_error, message }) = outcome else { return PAGEMATE_OK };
    let message = CString::new(message.replace('\0', "\\0")).unwrap_or_default();
    // A thread that is past its end, in a destructor of C's, has no place for it any more.
    _ = LAST.try_with(|last| last.replace(Some(Last { os_error, message })));
    status
}

/// The system's own code (errno, on Windows GetLastError()) of this thread's last call that failed;
/// 0 if it was not the system that refused.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_last_os_error() -> i32 {
    let code = LAST.try_with(|last| last.borrow().as_ref().map(|last| last.os_error));
    code.ok().flatten().unwrap_or(0)
}

/// Why this thread's last call that failed did so, as a sentence with the object and the numbers:
/// `open section "frames": no process holds it`.
///
/// It is UTF-8, never NULL, and empty before the first failure. It is valid until the next call of
/// this thread that fails, and as long as the thread lives.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_last_error_message() -> *const c_char {
    let text = LAST.try_with(|last| last.borrow().as_ref().map(|last| last.message.as_ptr()));
    text.ok().flatten().unwrap_or(c"".as_ptr())
}

/// A status as it is called here: `"PAGEMATE_NOT_FOUND"`. Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_status_name(status: StatusWord) -> *const c_char {
    known(status).map_or(c"unknown status", |(_, name, _)| name).as_ptr()
}

/// What a status means in a few words: `"no process holds it"`. Static, never NULL. More is in
/// pagemate_last_error_message().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_status_describe(status: StatusWord) -> *const c_char {
    known(status).map_or(c"unknown status", |(.., meaning)| meaning).as_ptr()
}

fn known(status: StatusWord) -> Option<(Status, &'static CStr, &'static CStr)> {
    STATUSES.get(usize::try_from(status).ok()?).copied()
}

/// The release of the library that runs: PAGEMATE_VERSION is the one of this header.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last() -> &'static str {
        // SAFETY: the text is this thread's, which fails no more while it is looked at.
        unsafe { CStr::from_ptr(pagemate_last_error_message()) }.to_str().unwrap()
    }

    #[test]
    fn each_status_is_found_by_its_number() {
        for (number, (status, name, _)) in STATUSES.iter().enumerate() {
            assert_eq!(*status as usize, number);
            assert_eq!(name.to_str().unwrap(), format!("{status:?}"));
        }
    }

    #[test]
    fn a_panic_is_one_more_failure() {
        assert_eq!(call(|| panic!("number {}", 7)), PAGEMATE_INTERNAL);
        assert_eq!(last(), "a mistake in pagemate itself: number 7");
        assert_eq!(call(|| panic!("plain")), PAGEMATE_INTERNAL);
        assert_eq!(last(), "a mistake in pagemate itself: plain");
        assert_eq!(call(|| Ok(())), PAGEMATE_OK);
        assert_eq!(last(), "a mistake in pagemate itself: plain");
    }
}
