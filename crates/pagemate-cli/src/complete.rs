//! Completion of object names: the shell asks this program for the live objects that a command can use.

use std::env;
use std::ffi::OsStr;

use clap_complete::CompletionCandidate;
use pagemate::{Kind, Name, Namespace, inventory};

use crate::bytes::human;
use crate::description::kind;

/// The environment variable that holds the name of the shell while it asks for completions.
pub(crate) const SHELL: &str = "PAGEMATE_COMPLETE";

/// The part of the command line that matters for the names to offer.
struct Words {
    command: String,
    global: bool,
}

impl Words {
    /// Reads the words to complete, which follow `--` in the arguments of this process.
    fn read() -> Words {
        let words = env::args_os().skip_while(|word| word != "--").skip(2);
        let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let command = words.iter().find(|word| !word.starts_with('-'));
        Words {
            command: command.cloned().unwrap_or_default(),
            global: words.iter().any(|word| word == "--global"),
        }
    }

    /// Returns whether the command can use an object of this kind.
    fn takes(&self, kind: Kind) -> bool {
        match &*self.command {
            "share" | "read" | "write" => kind == Kind::Section,
            "lock" => kind == Kind::Mutex,
            "signal" => matches!(kind, Kind::Event | Kind::Semaphore),
            _ => true,
        }
    }

    /// Returns the word that stands for `name` on this command line.
    fn spell(&self, name: &Name) -> Option<String> {
        match (self.global, name.namespace()) {
            (false, _) => Some(name.to_string()),
            (true, Namespace::Global) => Some(name.bare().to_owned()),
            (true, _) => None,
        }
    }
}

/// Returns the names of live objects that begin with `current`.
pub(crate) fn names(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    // Bash inserts the word as it is, without quoting it. The word may already have such quotes.
    let bash = env::var_os("_CLAP_COMPLETE_COMP_TYPE").is_some();
    let words = Words::read();
    let entries = inventory::list().unwrap_or_default();
    let candidates = entries.iter().filter(|entry| words.takes(entry.kind)).filter_map(|entry| {
        let word = words.spell(&entry.name).filter(|word| !word.contains(char::is_control))?;
        let quoted = if bash { quote(&word) } else { word.clone() };
        (word.starts_with(current) || quoted.starts_with(current)).then(|| {
            let help = format!("{}, {}", kind(entry.kind), human(entry.len));
            CompletionCandidate::new(quoted).help(Some(help.into()))
        })
    });
    candidates.collect()
}

/// Quotes the characters that Bash interprets.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-.,/:@%+=^".contains(c) || !c.is_ascii();
    let mut quoted = String::with_capacity(word.len());
    for c in word.chars() {
        if !plain(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_bash_interprets_are_quoted() {
        assert_eq!(quote("sim-1_é.x"), "sim-1_é.x");
        assert_eq!(quote(r"Global\a b$c'"), r"Global\\a\ b\$c\'");
    }
}
