use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory};
use clap_mangen::roff::{Roff, bold, roman};

use crate::failure::{Failure, Outcome};

/// Write the manual into a directory, one page a command.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate man ~/.local/share/man/man1 && man pagemate-share")]
pub(crate) struct Man {
    /// It has to exist; pages that stand there already are replaced.
    directory: PathBuf,
}

impl Man {
    pub(crate) fn run(self) -> Outcome {
        let mut program = crate::Cli::command().disable_help_subcommand(true);
        program.build();
        let commands = program.get_subcommands().chain([&program]);
        commands.cloned().try_for_each(|command| self.write(command)).map_err(|error| {
            Failure::new(format!("write the manual into {}: {error}", self.directory.display()))
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

/// How the command is called, as its help says it.
fn synopsis(usage: &str) -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["SYNOPSIS"]).text([bold(usage.trim_start_matches("Usage: "))]);
    page
}

/// What stands after the options in a help: examples, whose lines stay as they are, and text.
fn after(help: &str) -> Roff {
    let mut page = Roff::new();
    let mut notes = false;
    for paragraph in help.split("\n\n") {
        if let Some((_, lines)) =
            paragraph.split_once(":\n").filter(|(title, _)| title.starts_with("Example"))
        {
            page.control("SH", ["EXAMPLES"]).control("nf", []);
            for line in lines.lines() {
                page.text([roman(line)]);
            }
            page.control("fi", []);
        } else {
            let title = if notes { "PP" } else { "SH" };
            page.control(title, (!notes).then_some("NOTES")).text([roman(paragraph)]);
            notes = true;
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn examples_keep_their_lines_and_notes_their_paragraphs() {
        let page =
            after("Examples:\n  one    'a'\n  .two\n\nA note\nof two lines.\n\nAnother.").render();
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text} in {page}"));
        let order = [
            ".SH EXAMPLES",
            ".nf",
            "one    ",
            "two",
            ".fi",
            ".SH NOTES",
            "A note",
            ".PP",
            "Another.",
        ];
        assert!(order.map(at).is_sorted(), "{page}");
    }
}
