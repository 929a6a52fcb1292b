//! Failures of a command: their messages on standard error and their exit codes.

use std::io::{self, Write};
use std::process::ExitCode;

use pagemate::{ErrorKind, Name};

use crate::text::escape_line;

/// The result of a command.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command does not end with exit code 0.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command ran, and the answer is no: exit code 1.
    No(String),
    /// The command failed: exit code 2.
    Failed(String),
    /// A program that the command ran for the user ended with this code, which is passed on.
    ExitCode(u8),
    /// The reader closed standard output early, as `head` does. This is no failure: exit code 0.
    OutputClosed,
}

impl Failure {
    /// Returns a failure with exit code 2.
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure::Failed(text.into())
    }

    /// Prints the message as one line on standard error and returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Failure::No(text) => {
                print_error(&format!("pagemate: {text}"));
                ExitCode::from(1)
            }
            Failure::Failed(text) => {
                print_error(&format!("pagemate: {text}"));
                ExitCode::from(2)
            }
            Failure::ExitCode(code) => ExitCode::from(code),
            Failure::OutputClosed => ExitCode::SUCCESS,
        }
    }
}

/// Prints a line on standard error.
///
/// A closed standard error changes neither the command's work nor its exit code.
pub(crate) fn print_error(line: &str) {
    _ = writeln!(io::stderr(), "{}", escape_line(line));
}

/// Warns that the last owner of the mutex `name` ended without releasing it.
pub(crate) fn warn_abandoned(name: &Name) {
    print_error(&format!(
        "pagemate: lock \"{name}\": abandoned: its last owner ended without releasing it; the \
         protected data may be inconsistent"
    ));
}

/// Reports an error of the argument parser: help and version texts unchanged, an error as one line.
pub(crate) fn report_usage(error: &clap::Error) -> ExitCode {
    let is_help = error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if error.use_stderr() && !is_help {
        return Failure::new(in_one_line(&error.render().to_string())).report();
    }
    match error.print() {
        Ok(()) => ExitCode::from(if is_help { 2 } else { 0 }),
        Err(error) => Failure::from(error).report(),
    }
}

/// Joins the paragraphs of an error of the argument parser to one line.
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
                Failure::No(format!("{error} ('pagemate list' shows all live names)"))
            }
            ErrorKind::TimedOut => Failure::Failed(format!("{error}; try again")),
            _ => Failure::Failed(error.to_string()),
        }
    }
}

/// Converts an error of writing standard output. Every other input or output error is converted where
/// it occurs, with the file's name.
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
        let missing = pagemate::Section::open("pagemate-cli-no-such-section").unwrap_err();
        assert!(matches!(Failure::from(missing), Failure::No(text) if text.contains("list")));
        let bad = pagemate::Section::open("a\\b").unwrap_err();
        assert!(matches!(Failure::from(bad), Failure::Failed(_)));
    }

    #[test]
    fn usage_errors_become_one_line() {
        let text =
            "error: two things are missing:\n  <A>\n  <B>\n\nUsage: x <A> <B>\n\nTry '--help'.\n";
        let line = "two things are missing: <A> <B>; Usage: x <A> <B>; Try '--help'";
        assert_eq!(in_one_line(text), line);
    }
}
