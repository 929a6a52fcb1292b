//! Waits for a name that no process holds yet, and hints for one that is not found.

use std::io::{self, IsTerminal};
use std::time::Duration;

use pagemate::{ErrorKind, Kind, Name, Namespace, inventory};

use crate::arguments::format_duration;
use crate::description::kind;
use crate::failure::{Failure, Outcome, print_note};

/// Calls `open` with the time that it may wait for the name: first with none, then with `time`.
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

/// Returns the failure of a wait for a name that took longer than `time`.
pub(crate) fn timed_out(name: &Name, time: Duration) -> Failure {
    let cause = match time {
        Duration::ZERO => "no process holds it".to_owned(),
        _ => format!("no process created it within {}", format_duration(time)),
    };
    Failure::Missing(format!("wait for \"{name}\": {cause}"))
}

/// Returns how to name the object that has the same name in the other namespace, if there is one.
fn other_namespace(name: &Name) -> Option<String> {
    let bare = name.bare();
    let (other, remedy) = if name.namespace() == Namespace::Global {
        (bare.to_owned(), "omit --global and the prefix")
    } else {
        (format!(r"Global\{bare}"), "add --global")
    };
    inventory::find(&other).is_ok().then(|| format!("\"{other}\" exists: {remedy}"))
}

/// Adds the kind of the object `name` to a message.
pub(crate) fn with_kind(text: String, name: Option<&Name>) -> String {
    match name.and_then(|name| inventory::find(name.to_string()).ok()) {
        Some(entry) => format!("{text} (\"{}\" is {})", entry.name, with_article(entry.kind)),
        None => text,
    }
}

/// Returns the word for a kind with its article.
fn with_article(of: Kind) -> String {
    let kind = kind(of);
    let article = if kind.starts_with('e') { "an" } else { "a" };
    format!("{article} {kind}")
}

/// Returns what to try if no process holds `name`.
pub(crate) fn hint(name: &Name) -> String {
    other_namespace(name).unwrap_or_else(|| "'pagemate list' shows all live names".to_owned())
}
