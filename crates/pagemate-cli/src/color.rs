//! Decides whether the output has colours, before the first line is written.
//!
//! `--color` takes precedence, then `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE`. Without these, a
//! stream has colours if it is a terminal. The messages of the argument parser follow the same
//! rules.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, StderrLock, StdoutLock};

use anstream::AutoStream;
use clap::ColorChoice;
use clap::builder::styling::{AnsiColor, Style};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const TITLE: Style = Style::new().bold();

/// Applies the option `--color` in `arguments` to all output of this process.
///
/// The argument parser cannot do this, because its own errors and help texts have colours too.
pub(crate) fn choose(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) {
    match given(arguments) {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Returns the last value of `--color` before the argument `--`. Ignores invalid values, which the
/// argument parser reports.
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

/// Returns standard output. The stream removes the colours if it should have none.
pub(crate) fn stdout() -> AutoStream<StdoutLock<'static>> {
    AutoStream::auto(io::stdout().lock())
}

/// Returns standard error. The stream removes the colours if it should have none.
pub(crate) fn stderr() -> AutoStream<StderrLock<'static>> {
    AutoStream::auto(io::stderr().lock())
}

/// Returns the width of the terminal in character cells, if standard output is a terminal.
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
