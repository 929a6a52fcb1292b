//! Colours: one choice for both streams, made before the first line is written.
//!
//! `--color` comes first, then `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE`, then whether the stream is a
//! terminal. The parser of arguments follows the same choice.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, StderrLock, StdoutLock};

use anstream::AutoStream;
use clap::ColorChoice;
use clap::builder::styling::{AnsiColor, Style};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const TITLE: Style = Style::new().bold();

/// Applies the choice of `--color` among `arguments` to everything that this process prints.
///
/// The parser cannot do this: its own errors and help texts have colours too.
pub(crate) fn choose(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) {
    match given(arguments) {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Returns the last value of `--color` before `--`. The parser reports a value that is wrong.
fn given(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> ColorChoice {
    let mut choice = ColorChoice::Auto;
    let mut is_value = false;
    for argument in arguments {
        let Some(argument) = argument.as_ref().to_str() else { continue };
        let value = argument.strip_prefix("--color=").or(is_value.then_some(argument));
        choice = value.and_then(|value| value.parse().ok()).unwrap_or(choice);
        is_value = argument == "--color";
        if argument == "--" {
            break;
        }
    }
    choice
}

/// Returns standard output, which keeps or drops the colours that are written to it.
pub(crate) fn stdout() -> AutoStream<StdoutLock<'static>> {
    AutoStream::auto(io::stdout().lock())
}

/// Returns standard error, which keeps or drops the colours that are written to it.
pub(crate) fn stderr() -> AutoStream<StderrLock<'static>> {
    AutoStream::auto(io::stderr().lock())
}

/// Returns the width of the terminal that standard output is, in character cells.
pub(crate) fn terminal_width() -> Option<usize> {
    let stdout = io::stdout();
    let size = terminal_size::terminal_size_of(&stdout).filter(|_| stdout.is_terminal());
    size.map(|(width, _)| width.0.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_choice_before_two_dashes_counts() {
        assert_eq!(given(["list"]), ColorChoice::Auto);
        assert_eq!(given(["--color", "never", "list"]), ColorChoice::Never);
        assert_eq!(given(["list", "--color=always", "--color", "never"]), ColorChoice::Never);
        assert_eq!(
            given(["lock", "--color=always", "--", "ls", "--color=never"]),
            ColorChoice::Always
        );
        assert_eq!(given(["list", "--color=blue"]), ColorChoice::Auto);
        assert_eq!(given(["list", "--color"]), ColorChoice::Auto);
    }
}
