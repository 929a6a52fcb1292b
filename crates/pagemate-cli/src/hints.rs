//! Hints for a name that is not found, or that belongs to another kind of object.

use pagemate::{Kind, Name, Namespace, inventory};

use crate::description::kind;

/// If the other namespace has an object with the same name, returns a hint how to use that object.
pub(crate) fn other_namespace(name: &Name) -> Option<String> {
    let bare = name.bare();
    let (other, remedy) = if name.namespace() == Namespace::Global {
        (bare.to_owned(), "omit --global and the prefix")
    } else {
        (format!(r"Global\{bare}"), "add --global")
    };
    inventory::find(&other).is_ok().then(|| format!("\"{other}\" exists: {remedy}"))
}

/// Appends the kind of the object `name` to a message.
pub(crate) fn with_kind(text: String, name: Option<&Name>) -> String {
    match name.and_then(|name| inventory::find(name).ok()) {
        Some(entry) => format!("{text} (\"{}\" is {})", entry.name, with_article(entry.kind)),
        None => text,
    }
}

/// Returns the word for a kind, with the indefinite article.
fn with_article(of: Kind) -> String {
    let kind = kind(of);
    let article = if kind.starts_with('e') { "an" } else { "a" };
    format!("{article} {kind}")
}

/// Returns a hint for a name that no process holds.
pub(crate) fn hint(name: &Name) -> String {
    other_namespace(name).unwrap_or_else(|| "'pagemate list' shows all live names".to_owned())
}
