//! Why the last call of a thread failed, in a sentence, and a trace of all failures.
#![allow(unsafe_code, reason = "exported under its C name")]

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use super::texts;

/// If it is set, failed calls and `OutputDebugString` write a line to standard error.
const TRACE: &str = "PAGEMATE_TRACE";

struct Why {
    /// An error of the core that the running call has met.
    noted: Option<String>,
    /// The sentence about the last call that failed.
    told: CString,
}

thread_local! {
    static WHY: RefCell<Why> = RefCell::new(Why { noted: None, told: CString::default() });
}

/// Notes an error of the core, which knows more than a code can tell.
pub(super) fn note(error: &pagemate::Error) {
    // At the end of a thread there is nobody to tell.
    _ = WHY.try_with(|why| why.borrow_mut().noted = Some(error.to_string()));
}

/// Keeps the sentence about a call that failed with a code.
pub(super) fn tell(code: Option<u32>) {
    _ = WHY.try_with(|why| {
        let mut why = why.borrow_mut();
        let noted = why.noted.take();
        let Some(code) = code else { return };
        let known = noted.as_deref().or(texts::text(code));
        let sentence = match known {
            Some(known) => format!("error {code}: {known}"),
            None => format!("error {code}"),
        };
        if traced() {
            trace(&sentence);
        }
        why.told = CString::new(sentence.replace('\0', "")).unwrap_or_default();
    });
}

/// Whether the program is traced.
pub(crate) fn traced() -> bool {
    static TRACED: OnceLock<bool> = OnceLock::new();
    *TRACED.get_or_init(|| std::env::var_os(TRACE).is_some_and(|set| !set.is_empty()))
}

fn trace(line: impl Display) {
    _ = writeln!(std::io::stderr(), "pagemate: {line}");
}

/// Whether the variable that moves the directory of the objects is not an absolute path.
pub(super) fn directory_is_relative() -> bool {
    std::env::var_os("PAGEMATE_DIR").is_some_and(|path| Path::new(&path).is_relative())
}

/// Returns a sentence about the last call of this thread that failed: the code, and the cause with a
/// remedy where the library knows more than Windows' text. It is valid until the thread's next call.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_win32_last_error_message() -> *const c_char {
    WHY.try_with(|why| why.borrow().told.as_ptr()).unwrap_or(c"".as_ptr())
}
