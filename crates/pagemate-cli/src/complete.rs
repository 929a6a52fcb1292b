//! Completion of object names. The shell runs this program, which prints the names of live objects
//! that the command can use.

use std::env;
use std::ffi::OsStr;

use clap_complete::CompletionCandidate;
use pagemate::{Kind, Name, Namespace, inventory};

use crate::bytes::human;
use crate::description::kind;

/// The environment variable by which a shell requests completions. Its value is the name of the
/// shell.
pub(crate) const SHELL: &str = "PAGEMATE_COMPLETE";

/// The parts of the command line that determine which names to offer.
struct Words {
    command: String,
    global: bool,
}

impl Words {
    /// Reads the command line to complete. The shell passes it to this process after the argument
    /// `--`.
    fn read() -> Words {
        let words = env::args_os().skip_while(|word| word != "--").skip(2);
        let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let command = words.iter().find(|word| !word.starts_with('-'));
        Words {
            command: command.cloned().unwrap_or_default(),
            global: words.iter().any(|word| word == "--global"),
        }
    }

    /// Returns whether the command accepts an object of this kind.
    fn takes(&self, kind: Kind) -> bool {
        match &*self.command {
            "share" | "read" | "write" => kind == Kind::Section,
            "lock" => kind == Kind::Mutex,
            "signal" => matches!(kind, Kind::Event | Kind::Semaphore),
            _ => true,
        }
    }

    /// Returns the argument for `name` on this command line: with `--global` the prefix is omitted.
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
    // Bash inserts a completion without quoting it, so this program quotes it. The word that the
    // user has typed may contain such quotes already.
    let bash = env::var_os("_CLAP_COMPLETE_COMP_TYPE").is_some();
    let words = Words::read();
    let entries = inventory::list().map(|list| list.entries).unwrap_or_default();
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

/// Quotes the characters that have a special meaning in Bash.
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
