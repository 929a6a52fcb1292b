//! Failures of a command: their messages on standard error and their exit codes.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::builder::styling::Style;
use pagemate::{ErrorKind, Name};

use crate::color::{self, BAD, WARNING};
use crate::hints;
use crate::text::{escape_line, escape_lines, has_controls};

/// The result of a command.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command does not end with exit code 0.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command ran, and the answer is no: exit code 1.
    No(String),
    /// No process holds the name: exit code 1, and a hint.
    Missing(String),
    /// The name belongs to an object of another kind: exit code 2, and that kind.
    WrongKind(String),
    /// The command failed: exit code 2.
    Failed(String),
    /// A program that the command runs for the user could not be run, or the command has no other exit
    /// code to itself: this exit code and a message.
    Other(u8, String),
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
    ///
    /// `name` is the object that the command line names.
    pub(crate) fn report(self, name: Option<&Name>) -> ExitCode {
        let (code, text) = match self {
            Failure::No(text) => (1, text),
            Failure::Missing(text) => match name {
                Some(name) => (1, format!("{text} ({})", hints::hint(name))),
                None => (1, text),
            },
            Failure::WrongKind(text) => (2, hints::with_kind(text, name)),
            Failure::Failed(text) => (2, text),
            Failure::Other(code, text) => (code, text),
            Failure::ExitCode(code) => return ExitCode::from(code),
            Failure::OutputClosed => return ExitCode::SUCCESS,
        };
        print_message(BAD, &text);
        ExitCode::from(code)
    }
}

/// Prints a message of pagemate as one line on standard error.
///
/// A closed standard error changes neither the command's work nor its exit code.
fn print_message(style: Style, text: &str) {
    _ = writeln!(color::stderr(), "{style}pagemate:{style:#} {}", escape_line(text));
}

/// Prints a warning as one line on standard error.
pub(crate) fn warn(text: &str) {
    print_message(WARNING, text);
}

/// Prints a line on standard error that is neither a failure nor a warning.
pub(crate) fn print_note(line: &str) {
    _ = writeln!(color::stderr(), "{}", escape_line(line));
}

/// Warns that the last owner of the mutex `name` ended without releasing it.
pub(crate) fn warn_abandoned(name: &Name) {
    warn(&format!(
        "lock \"{name}\": abandoned: its last owner ended without releasing it; the protected data \
         may be inconsistent"
    ));
}

/// Prints a help or version text, or an error of the argument parser in the parser's own layout.
pub(crate) fn report_usage(error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    if error.use_stderr() {
        let hostile = std::env::args_os().any(|word| has_controls(&word.to_string_lossy()));
        // The parser repeats words of the command line unchanged. The plain text can be escaped, the
        // coloured one cannot.
        _ = if hostile {
            write!(io::stderr(), "{}", escape_lines(&error.render().to_string()))
        } else {
            error.print()
        };
        return ExitCode::from(code);
    }
    match error.print() {
        Ok(()) => ExitCode::from(code),
        Err(error) => Failure::from(error).report(None),
    }
}

impl From<pagemate::Error> for Failure {
    fn from(error: pagemate::Error) -> Failure {
        match error.kind() {
            ErrorKind::NotFound => Failure::Missing(format!("{error:#}")),
            ErrorKind::WrongKind => Failure::WrongKind(format!("{error:#}")),
            ErrorKind::TimedOut => Failure::Failed(format!("{error:#}; try again")),
            _ => Failure::Failed(format!("{error:#}")),
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
        assert!(matches!(Failure::from(missing), Failure::Missing(_)));
        let bad = pagemate::Section::open("a\\b").unwrap_err();
        assert!(matches!(Failure::from(bad), Failure::Failed(_)));
    }
}
