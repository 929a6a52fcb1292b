//! Status codes, and the last failure of each thread.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pagemate::channel::{RecvError, SendError};
use pagemate::{Error, ErrorKind};

use super::word::StatusWord;

/// cbindgen:rename-all=None
/// The result of a call. Zero is success; later releases may add values.
#[allow(non_camel_case_types, reason = "the names of C")]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The call succeeded.
    PAGEMATE_OK = 0,
    /// No process holds an object of this name.
    PAGEMATE_NOT_FOUND = 1,
    /// A process holds an object of this name already.
    PAGEMATE_ALREADY_EXISTS = 2,
    /// The system, the object's protection or the handle's access forbids it.
    PAGEMATE_PERMISSION_DENIED = 3,
    /// The name is not a valid name of an object, or is not UTF-8.
    PAGEMATE_INVALID_NAME = 4,
    /// An argument is not valid, independently of the state of the system.
    PAGEMATE_INVALID_INPUT = 5,
    /// A range extends past the end of the object or the view.
    PAGEMATE_OUT_OF_RANGE = 6,
    /// There is not enough memory to back the object.
    PAGEMATE_NO_SPACE = 7,
    /// The name belongs to an object of another kind.
    PAGEMATE_WRONG_KIND = 8,
    /// An incompatible release created the object.
    PAGEMATE_WRONG_VERSION = 9,
    /// The file of this name is not a complete object, or is damaged.
    PAGEMATE_CORRUPTED = 10,
    /// A timeout expired, or another process kept the object busy for too long.
    PAGEMATE_TIMED_OUT = 11,
    /// The calling thread does not own the mutex.
    PAGEMATE_NOT_OWNER = 12,
    /// This system does not support the operation.
    PAGEMATE_UNSUPPORTED = 13,
    /// Any other error of the system: see pagemate_last_os_error().
    PAGEMATE_OS = 14,
    /// A bug in pagemate. Please report it with the message.
    PAGEMATE_INTERNAL = 15,
    /// Another program removed the object's name, so other processes cannot find it. Close every handle to
    /// the object and create it again.
    PAGEMATE_ORPHANED = 16,
    /// The endpoint of a channel has no live peer: every peer was closed or its process ended.
    PAGEMATE_DISCONNECTED = 17,
    /// This process was forked from the process that opened the endpoint. Open an endpoint in this process.
    PAGEMATE_FORKED = 18,
    /// Another thread is in a call with the endpoint, or a loan or a sample of it has not ended.
    PAGEMATE_IN_USE = 19,
    /// A message does not have a length that the channel admits, or is longer than the buffer.
    PAGEMATE_WRONG_LENGTH = 20,
}

use Status::{
    PAGEMATE_ALREADY_EXISTS, PAGEMATE_CORRUPTED, PAGEMATE_DISCONNECTED, PAGEMATE_FORKED,
    PAGEMATE_IN_USE, PAGEMATE_INTERNAL, PAGEMATE_INVALID_INPUT, PAGEMATE_INVALID_NAME,
    PAGEMATE_NO_SPACE, PAGEMATE_NOT_FOUND, PAGEMATE_NOT_OWNER, PAGEMATE_OK, PAGEMATE_ORPHANED,
    PAGEMATE_OS, PAGEMATE_OUT_OF_RANGE, PAGEMATE_PERMISSION_DENIED, PAGEMATE_TIMED_OUT,
    PAGEMATE_UNSUPPORTED, PAGEMATE_WRONG_KIND, PAGEMATE_WRONG_LENGTH, PAGEMATE_WRONG_VERSION,
};

/// Each status with its name and meaning, in the order of the numbers.
const STATUSES: [(Status, &CStr, &CStr); 21] = [
    (PAGEMATE_OK, c"PAGEMATE_OK", c"success"),
    (PAGEMATE_NOT_FOUND, c"PAGEMATE_NOT_FOUND", c"no process holds it"),
    (PAGEMATE_ALREADY_EXISTS, c"PAGEMATE_ALREADY_EXISTS", c"a process already holds it"),
    (PAGEMATE_PERMISSION_DENIED, c"PAGEMATE_PERMISSION_DENIED", c"the access is not allowed"),
    (PAGEMATE_INVALID_NAME, c"PAGEMATE_INVALID_NAME", c"the name is not valid"),
    (PAGEMATE_INVALID_INPUT, c"PAGEMATE_INVALID_INPUT", c"an argument is not valid"),
    (PAGEMATE_OUT_OF_RANGE, c"PAGEMATE_OUT_OF_RANGE", c"the range extends past the end"),
    (PAGEMATE_NO_SPACE, c"PAGEMATE_NO_SPACE", c"there is not enough memory"),
    (PAGEMATE_WRONG_KIND, c"PAGEMATE_WRONG_KIND", c"the name belongs to an object of another kind"),
    (PAGEMATE_WRONG_VERSION, c"PAGEMATE_WRONG_VERSION", c"an incompatible release created it"),
    (PAGEMATE_CORRUPTED, c"PAGEMATE_CORRUPTED", c"it is not a complete object"),
    (PAGEMATE_TIMED_OUT, c"PAGEMATE_TIMED_OUT", c"timed out"),
    (PAGEMATE_NOT_OWNER, c"PAGEMATE_NOT_OWNER", c"the thread does not own the mutex"),
    (PAGEMATE_UNSUPPORTED, c"PAGEMATE_UNSUPPORTED", c"not supported on this system"),
    (PAGEMATE_OS, c"PAGEMATE_OS", c"the system reported an error"),
    (PAGEMATE_INTERNAL, c"PAGEMATE_INTERNAL", c"a bug in pagemate"),
    (PAGEMATE_ORPHANED, c"PAGEMATE_ORPHANED", c"another program removed the object's name"),
    (PAGEMATE_DISCONNECTED, c"PAGEMATE_DISCONNECTED", c"there is no live peer"),
    (PAGEMATE_FORKED, c"PAGEMATE_FORKED", c"the endpoint belongs to the parent process"),
    (PAGEMATE_IN_USE, c"PAGEMATE_IN_USE", c"another thread, a loan or a sample uses the endpoint"),
    (
        PAGEMATE_WRONG_LENGTH,
        c"PAGEMATE_WRONG_LENGTH",
        c"the length does not fit the channel or the buffer",
    ),
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

/// The reason for the failure of a call: its status, and the code and the message that the calling
/// thread can query afterwards.
#[derive(Debug)]
pub(super) struct Failure {
    status: Status,
    os_error: i32,
    message: Message,
}

/// The message of a failure. Calls that poll a channel fail frequently, so the message of such a failure becomes text only
/// when the program queries it.
#[derive(Debug)]
enum Message {
    Text(String),
    OfChannel { call: &'static str, name: Option<Arc<CStr>>, cause: ChannelError },
}

/// The error of a call with an endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChannelError {
    Send(SendError),
    Recv(RecvError),
}

impl Message {
    fn into_text(self) -> CString {
        let text = match self {
            Message::Text(text) => text,
            Message::OfChannel { call, name, cause } => {
                let name = name.as_deref().map(CStr::to_string_lossy).unwrap_or_default();
                match cause {
                    ChannelError::Send(cause) => format!("{call}, channel \"{name}\": {cause}"),
                    ChannelError::Recv(cause) => format!("{call}, channel \"{name}\": {cause}"),
                }
            }
        };
        CString::new(text.replace('\0', "\\0")).unwrap_or_default()
    }
}

pub(super) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub(super) fn new(status: Status, message: impl Into<String>) -> Failure {
        Failure { status, os_error: 0, message: Message::Text(message.into()) }
    }

    /// Returns the failure of `call` for an argument that is not valid.
    pub(super) fn invalid(call: &str, cause: impl std::fmt::Display) -> Failure {
        Failure::new(PAGEMATE_INVALID_INPUT, format!("{call}: {cause}"))
    }

    /// Returns the failure of `call` for an error of the system.
    pub(super) fn os(call: &str, error: &std::io::Error) -> Failure {
        let message = Message::Text(format!("{call}: {error}"));
        Failure { status: PAGEMATE_OS, os_error: error.raw_os_error().unwrap_or(0), message }
    }

    /// Returns the failure of a call with the channel `name`.
    pub(super) fn of_channel(
        (status, os_error): (Status, i32),
        call: &'static str,
        name: Option<Arc<CStr>>,
        cause: ChannelError,
    ) -> Failure {
        Failure { status, os_error, message: Message::OfChannel { call, name, cause } }
    }
}

/// Converts the status that a function of C returned to its caller `call`.
pub(super) fn returned(call: &str, function: &str, status: StatusWord) -> Outcome {
    match known(status) {
        Some((PAGEMATE_OK, ..)) => Ok(()),
        Some((status, _, meaning)) => {
            let meaning = meaning.to_string_lossy();
            Err(Failure::new(status, format!("{call}: {function} failed: {meaning}")))
        }
        None => {
            let cause = format!("{function} returned {status}, which is not a status");
            Err(Failure::invalid(call, cause))
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure {
            status: error.kind().into(),
            os_error: error.raw_os_error().unwrap_or(0),
            message: Message::Text(format!("{error:#}")),
        }
    }
}

/// The last failure of a thread.
struct Last {
    os_error: i32,
    /// The message, until the program queries it.
    message: Option<Message>,
    /// The text of the message, once the program has queried it.
    text: Option<CString>,
}

thread_local! {
    #[allow(clippy::missing_const_for_thread_local, reason = "it is const; on Windows clippy does not see it")]
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Runs the body of a C function, and stores its failure for the calling thread.
///
/// A panic must not unwind into C, so it becomes a failure with PAGEMATE_INTERNAL.
pub(super) fn run(body: impl FnOnce() -> Outcome) -> Status {
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        Err(Failure::new(PAGEMATE_INTERNAL, format!("a bug in pagemate: {text}")))
    });
    let Err(Failure { status, os_error, message }) = outcome else { return PAGEMATE_OK };
    // While the destructors of a thread run, its thread-local storage may no longer exist. The
    // failure is then not stored.
    _ = LAST
        .try_with(|last| last.replace(Some(Last { os_error, message: Some(message), text: None })));
    status
}

/// Returns the system's error code (errno, on Windows GetLastError()) of the last call that failed in the
/// calling thread; 0 if the failure did not come from the system. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_last_os_error() -> i32 {
    let code = LAST.try_with(|last| last.borrow().as_ref().map(|last| last.os_error));
    code.ok().flatten().unwrap_or(0)
}

/// Returns the reason why the last failed call of the calling thread failed. It is a sentence that
/// names the object: `open section "frames": no process holds it`. Thread-safe.
///
/// The text is UTF-8, never NULL, and empty before the first failure. It belongs to the thread and is valid
/// until the next failure in this thread or the end of the thread.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_last_error_message() -> *const c_char {
    let text = LAST.try_with(|last| {
        last.borrow_mut().as_mut().and_then(|last| {
            if let Some(message) = last.message.take() {
                last.text = Some(message.into_text());
            }
            last.text.as_ref().map(|text| text.as_ptr())
        })
    });
    text.ok().flatten().unwrap_or(c"".as_ptr())
}

/// Returns the name of a status: `"PAGEMATE_NOT_FOUND"`. The text is static and never NULL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_status_name(status: StatusWord) -> *const c_char {
    known(status).map_or(c"unknown status", |(_, name, _)| name).as_ptr()
}

/// Returns the meaning of a status in a few words: `"no process holds it"`. The text is static and never
/// NULL. Thread-safe. pagemate_last_error_message() has the details.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_status_describe(status: StatusWord) -> *const c_char {
    known(status).map_or(c"unknown status", |(.., meaning)| meaning).as_ptr()
}

/// Returns the row of [`STATUSES`] for a number.
fn known(status: StatusWord) -> Option<(Status, &'static CStr, &'static CStr)> {
    STATUSES.get(usize::try_from(status).ok()?).copied()
}

/// Returns the version of the loaded library; PAGEMATE_VERSION is the version of this header. The text is
/// static and never NULL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last() -> &'static str {
        // SAFETY: the text belongs to this thread, which does not fail again while the result is used.
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
    fn a_panic_becomes_a_failure() {
        assert_eq!(run(|| panic!("number {}", 7)), PAGEMATE_INTERNAL);
        assert_eq!(last(), "a bug in pagemate: number 7");
        assert_eq!(run(|| panic!("plain")), PAGEMATE_INTERNAL);
        assert_eq!(last(), "a bug in pagemate: plain");
        assert_eq!(run(|| Ok(())), PAGEMATE_OK);
        assert_eq!(last(), "a bug in pagemate: plain");
    }
}
