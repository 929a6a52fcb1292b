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

/// The reason for which a command ends with an exit code other than 0, or ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command ran, and its answer is no. The exit code is 1.
    No(String),
    /// No process holds the name. The exit code is 1, and the message ends with a hint.
    Missing(String),
    /// The name belongs to an object of another kind. The exit code is 2, and the message names
    /// that kind.
    WrongKind(String),
    /// The command failed. The exit code is 2.
    Failed(String),
    /// `pagemate lock` failed. It uses its own exit codes, so that they differ from those of the
    /// program that it runs.
    Other(u8, String),
    /// The program that `pagemate lock` ran has ended with this exit code, which becomes the exit
    /// code of this process.
    ExitCode(u8),
    /// The reader of standard output closed it early, as `head` does. This is not a failure, and
    /// the exit code is 0.
    OutputClosed,
}

impl Failure {
    /// Returns a failure with exit code 2.
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure::Failed(text.into())
    }

    /// Prints the message as one line on standard error, and returns the exit code.
    ///
    /// `name` is the object that the command line names, for hints.
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

/// Prints a message as one line on standard error, with the name of this program before it.
///
/// Ignores a closed standard error: it must change neither the work of the command nor its exit
/// code.
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
        // The message repeats words of the command line unchanged. If one of them contains control
        // characters, print the message without colours, because the escaping of control characters
        // would also escape the colours.
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

/// Converts an error of writing standard output. All other I/O errors are converted at the place
/// where they occur, because the message needs the name of the file.
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
