//! The message about the last failed call of a thread, and a trace of all failed calls.
#![allow(unsafe_code, reason = "exported under its C name")]

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use super::texts;

/// The environment variable that turns the trace on. With it, failed calls and `OutputDebugString`
/// write to standard error.
const TRACE: &str = "PAGEMATE_TRACE";

struct Failure {
    /// The error that the `pagemate` crate returned to the call that runs now.
    cause: Option<String>,
    /// The message about the last failed call.
    sentence: CString,
}

thread_local! {
    static FAILURE: RefCell<Failure> = RefCell::new(Failure { cause: None, sentence: CString::default() });
}

/// Stores an error of the `pagemate` crate for the message. Its text names the cause, which a
/// Windows error code does not.
pub(super) fn store_cause(error: &pagemate::Error) {
    // `try_with` fails while the thread destroys its thread-locals. The program can no longer
    // request the message at that time.
    _ = FAILURE.try_with(|failure| failure.borrow_mut().cause = Some(format!("{error:#}")));
}

/// Composes the message about a call that failed with `code`. Discards the stored error of the
/// `pagemate` crate in any case.
pub(super) fn record(call: &str, code: Option<u32>) {
    _ = FAILURE.try_with(|failure| {
        let mut failure = failure.borrow_mut();
        let cause = failure.cause.take();
        let Some(code) = code else { return };
        let known = cause.as_deref().or(texts::text(code));
        let sentence = match known {
            Some(known) => format!("{call}: error {code}: {known}"),
            None => format!("{call}: error {code}"),
        };
        if traced() {
            trace(&sentence);
        }
        failure.sentence = CString::new(sentence.replace('\0', "")).unwrap_or_default();
    });
}

/// Returns whether the trace is on.
pub(crate) fn traced() -> bool {
    const UNKNOWN: u8 = 0;
    const OFF: u8 = 1;
    const ON: u8 = 2;
    /// Do not use `OnceLock`: if another thread initializes one during `fork`, the child would wait
    /// for ever for a thread that does not exist in it.
    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);
    let state = match STATE.load(Ordering::Relaxed) {
        UNKNOWN if std::env::var_os(TRACE).is_some_and(|set| !set.is_empty()) => ON,
        UNKNOWN => OFF,
        known => known,
    };
    STATE.store(state, Ordering::Relaxed);
    state == ON
}

fn trace(line: impl Display) {
    _ = writeln!(std::io::stderr(), "pagemate: {line}");
}

/// Returns whether `PAGEMATE_DIR`, which moves the directory of the objects, is a relative path.
pub(super) fn directory_is_relative() -> bool {
    std::env::var_os("PAGEMATE_DIR").is_some_and(|path| Path::new(&path).is_relative())
}

/// Returns a message about the last failed call of this thread: its name, the code, the cause, and
/// a remedy if the library knows one. The string is valid until the next call of this thread.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_win32_last_error_message() -> *const c_char {
    FAILURE.try_with(|failure| failure.borrow().sentence.as_ptr()).unwrap_or(c"".as_ptr())
}
