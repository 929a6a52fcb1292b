use std::path::PathBuf;

use clap::{Args, CommandFactory};

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
        clap_mangen::generate_to(crate::Cli::command(), &self.directory).map_err(|error| {
            Failure::new(format!("write the manual into {}: {error}", self.directory.display()))
        })
    }
}
