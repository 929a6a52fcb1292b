//! Waits for a name that no process holds yet, and hints for one that is not found.

use std::io::{self, IsTerminal};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::{ErrorKind, Name, Namespace, inventory};

use crate::arguments::format_duration;
use crate::failure::{Failure, Outcome, print_note};

/// The time between two attempts to open a name that no process holds.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls `open` until it finds the object. Returns `None` if that takes longer than `time`.
pub(crate) fn wait_for<T>(
    name: &Name,
    time: Duration,
    mut open: impl FnMut() -> pagemate::Result<T>,
) -> Outcome<Option<T>> {
    // `None` if the time is too far in the future to represent: no deadline.
    let deadline = Instant::now().checked_add(time);
    let mut told = !io::stderr().is_terminal();
    loop {
        match open() {
            Ok(object) => return Ok(Some(object)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let left = deadline.map_or(PAUSE, |at| at.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Ok(None);
        }
        if !told {
            let hint = other_namespace(name).map(|hint| format!("; {hint}")).unwrap_or_default();
            print_note(&format!("waiting until a process creates \"{name}\"{hint}"));
            told = true;
        }
        thread::sleep(left.min(PAUSE));
    }
}

/// Returns the failure of a wait for a name that took longer than `time`.
pub(crate) fn timed_out(name: &Name, time: Duration) -> Failure {
    let time = format_duration(time);
    Failure::Missing(format!("wait for \"{name}\": no process created it within {time}"))
}

/// Returns how to name the object that has the same name in the other namespace, if there is one.
fn other_namespace(name: &Name) -> Option<String> {
    let bare = name.as_str();
    let (other, hint) = match name.namespace() {
        Namespace::Local => {
            let other = format!(r"Global\{bare}");
            let hint = format!("a machine-wide object \"{other}\" exists: add --global");
            (other, hint)
        }
        Namespace::Global => {
            let hint = format!("an object of this user, \"{bare}\", exists: omit --global");
            (bare.to_owned(), format!("{hint} and Global\\"))
        }
    };
    inventory::find(other).is_ok().then_some(hint)
}

/// Returns what to try if no process holds `name`.
pub(crate) fn hint(name: &Name) -> String {
    other_namespace(name).unwrap_or_else(|| "'pagemate list' shows all live names".to_owned())
}
