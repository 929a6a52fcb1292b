//! Waits for a name that no process holds yet.

use std::io::{self, IsTerminal};
use std::time::Duration;

use pagemate::{ErrorKind, Name};

use crate::failure::{Failure, Outcome, print_note};
use crate::hints::other_namespace;
use crate::time::format_duration;

/// Opens a name that possibly no process holds yet. Calls `open` first without time to wait. If
/// that fails, prints a line for the user, and calls `open` with `time`.
///
/// Returns `None` if no process creates the object within `time`.
pub(crate) fn wait_for<T>(
    name: &Name,
    time: Duration,
    mut open: impl FnMut(Duration) -> pagemate::Result<T>,
) -> Outcome<Option<T>> {
    match open(Duration::ZERO) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return Ok(Some(opened?)),
    }
    if !time.is_zero() && io::stderr().is_terminal() {
        let hint = other_namespace(name).map(|hint| format!("; {hint}")).unwrap_or_default();
        print_note(&format!("waiting until a process creates \"{name}\"{hint}"));
    }
    match open(time) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

/// Returns the failure for a name that no process created within `time`.
pub(crate) fn timed_out(name: &Name, time: Duration) -> Failure {
    let cause = match time {
        Duration::ZERO => "no process holds it".to_owned(),
        _ => format!("no process created it within {}", format_duration(time)),
    };
    Failure::Missing(format!("wait for \"{name}\": {cause}"))
}
