//! How a command ends that does not end well.

use std::io::{self, Write};
use std::process::ExitCode;

use pagemate::ErrorKind;

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

#[derive(Debug)]
pub(crate) enum Failure {
    /// It ran, and the answer is no.
    No(String),
    /// It could not do what was asked.
    Failed(String),
    /// What another program, run for the user, ended with.
    Theirs(u8),
    /// Whoever read our output has seen enough, as `head` has: not our failure.
    OutputClosed,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure::Failed(text.into())
    }

    /// Says it in one line, and gives the exit code.
    pub(crate) fn tell(self) -> ExitCode {
        match self {
            Failure::No(text) => {
                complain(&format!("pagemate: {text}"));
                ExitCode::from(1)
            }
            Failure::Failed(text) => {
                complain(&format!("pagemate: {text}"));
                ExitCode::from(2)
            }
            Failure::Theirs(code) => ExitCode::from(code),
            Failure::OutputClosed => ExitCode::SUCCESS,
        }
    }
}

/// Says a line on standard error. Where nobody can be told, what the command does stays the same,
/// its exit code included.
pub(crate) fn complain(line: &str) {
    _ = writeln!(io::stderr(), "{}", crate::text::in_line(line));
}

/// Tells what came of words that make no command: help and version as they are, a refusal in one line.
pub(crate) fn of_words(error: &clap::Error) -> ExitCode {
    let is_help = error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if error.use_stderr() && !is_help {
        return Failure::new(in_one_line(&error.render().to_string())).tell();
    }
    match error.print() {
        Ok(()) => ExitCode::from(if is_help { 2 } else { 0 }),
        Err(error) => Failure::from(error).tell(),
    }
}

/// The paragraphs of clap's refusal, one after another.
fn in_one_line(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let paragraphs = text.trim_end_matches(['.', '\n']).split("\n\n");
    let lines = paragraphs.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

impl From<pagemate::Error> for Failure {
    fn from(error: pagemate::Error) -> Failure {
        match error.kind() {
            ErrorKind::NotFound => {
                Failure::No(format!("{error} ('pagemate list' shows every name that lives)"))
            }
            ErrorKind::TimedOut => Failure::Failed(format!("{error}; try again")),
            _ => Failure::Failed(error.to_string()),
        }
    }
}

/// Of all input and output, only what goes to standard output is turned by `?`.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::Failed(format!("write standard output: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_object_is_a_no() {
        let missing = pagemate::Section::open("pagemate-cli-nobody-holds-this").unwrap_err();
        assert!(matches!(Failure::from(missing), Failure::No(text) if text.contains("list")));
        let bad = pagemate::Section::open("a\\b").unwrap_err();
        assert!(matches!(Failure::from(bad), Failure::Failed(_)));
    }

    #[test]
    fn refusals_become_one_line() {
        let text =
            "error: two things are missing:\n  <A>\n  <B>\n\nUsage: x <A> <B>\n\nTry '--help'.\n";
        let line = "two things are missing: <A> <B>; Usage: x <A> <B>; Try '--help'";
        assert_eq!(in_one_line(text), line);
    }
}
