use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::roff::{Roff, bold, roman};

use crate::failure::{Failure, Outcome};

/// Write the manual pages into a directory, one page for each command.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate man . && man ./pagemate-share.1
  mkdir -p ~/.local/share/man/man1 && pagemate man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// An existing directory; pages in it are replaced.
    directory: PathBuf,
}

impl Man {
    pub(crate) fn run(self, program: Command) -> Outcome {
        let mut program = program.disable_help_subcommand(true);
        program.build();
        let commands = program.get_subcommands().chain([&program]);
        commands.cloned().try_for_each(|command| self.write(command)).map_err(|error| {
            Failure::new(format!(
                "write the manual pages into {}: {error}",
                self.directory.display()
            ))
        })
    }

    fn write(&self, mut command: Command) -> io::Result<()> {
        let usage = command.render_usage().to_string();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let has_commands = command.has_subcommands();
        let page = clap_mangen::Man::new(command)
            .source(concat!("pagemate ", env!("CARGO_PKG_VERSION")))
            .manual("pagemate");
        let mut file = File::create(self.directory.join(page.get_filename()))?;
        page.render_title(&mut file)?;
        page.render_name_section(&mut file)?;
        synopsis(&usage).to_writer(&mut file)?;
        page.render_description_section(&mut file)?;
        page.render_options_section(&mut file)?;
        if has_commands {
            page.render_subcommands_section(&mut file)?;
        }
        after(&help).to_writer(&mut file)?;
        file.flush()
    }
}

/// Returns the SYNOPSIS section with the usage line of the help text.
fn synopsis(usage: &str) -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["SYNOPSIS"]).text([bold(usage.trim_start_matches("Usage: "))]);
    page
}

/// Converts the text after the options of a help text: examples and lists keep their lines, notes are
/// filled.
fn after(help: &str) -> Roff {
    let mut page = Roff::new();
    let mut notes = false;
    for paragraph in help.split("\n\n") {
        let (title, list) = match paragraph.split_once(":\n") {
            Some((title, list)) if list.lines().all(|line| line.starts_with("  ")) => {
                (title, Some(list))
            }
            _ => (paragraph, None),
        };
        if list.is_some() && title.starts_with("Example") {
            page.control("SH", ["EXAMPLES"]);
        } else {
            let control = if notes { "PP" } else { "SH" };
            page.control(control, (!notes).then_some("NOTES"));
            let colon = if list.is_some() { ":" } else { "" };
            page.text([roman(format!("{title}{colon}"))]);
            notes = true;
        }
        if let Some(list) = list {
            page.control("nf", []);
            for line in list.lines() {
                page.text([roman(line)]);
            }
            page.control("fi", []);
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn examples_and_lists_keep_their_lines_and_notes_their_paragraphs() {
        let page =
            after("Examples:\n  one    'a'\n  .two\n\nA note\nof two lines.\n\nFields:\n  three\n\nAnother.").render();
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text} in {page}"));
        let order = [
            ".SH EXAMPLES",
            ".nf",
            "one    ",
            "two",
            ".fi",
            ".SH NOTES",
            "A note",
            ".PP\nFields:\n.nf\n  three\n.fi",
            ".PP\nAnother.",
        ];
        assert!(order.map(at).is_sorted(), "{page}");
    }
}
