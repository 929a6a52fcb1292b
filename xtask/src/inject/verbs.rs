//! The command lines whose system calls are made to fail.

/// A command line, and the processes that hold the objects that it uses.
pub(super) struct Verb {
    pub(super) words: &'static [&'static str],
    /// The command lines of these processes. The second word is the name of the object.
    pub(super) peers: &'static [&'static [&'static str]],
}

const SECTION: &[&str] = &["share", "x", "--size", "8192", "--hold", "3600"];
const EVENT: &[&str] = &["wait", "e", "--create", "manual", "--timeout", "3600"];

/// The main commands. The objects that they use exist.
pub(super) const VERBS: &[Verb] = &[
    Verb { words: &["share", "x", "--text", "words", "--hold", "0"], peers: &[] },
    Verb { words: &["share", "x", "--file", "Cargo.toml", "--hold", "0"], peers: &[] },
    Verb { words: &["share", "x", "--text", "words", "--hold", "0"], peers: &[SECTION] },
    Verb { words: &["share", "x", "--read-only", "--hold", "0"], peers: &[SECTION] },
    Verb { words: &["read", "x"], peers: &[SECTION] },
    Verb { words: &["write", "x", "--text", "words"], peers: &[SECTION] },
    Verb { words: &["list"], peers: &[SECTION, EVENT] },
    Verb { words: &["info", "x", "--json"], peers: &[SECTION] },
    Verb { words: &["prune"], peers: &[SECTION] },
    Verb { words: &["doctor"], peers: &[SECTION] },
    Verb { words: &["wait", "e", "--create", "auto", "--timeout", "0.01"], peers: &[] },
    Verb { words: &["signal", "e"], peers: &[EVENT] },
    Verb { words: &["lock", "m", "--", "true"], peers: &[] },
];

/// Returns whether a line on standard error is not an error message. Such lines explain how to end
/// a command that holds an object, or come from strace(1).
pub(super) fn is_note(line: &str) -> bool {
    line.contains(" holds the object") || line.starts_with("strace: ")
}
