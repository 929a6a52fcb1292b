use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::failure::Outcome;

/// Print a completion script for a shell.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate completions bash > ~/.local/share/bash-completion/completions/pagemate
  pagemate completions fish > ~/.config/fish/completions/pagemate.fish
  pagemate completions powershell >> $PROFILE")]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Outcome {
        let mut script = Vec::new();
        generate(self.shell, &mut crate::Cli::command(), "pagemate", &mut script);
        Ok(std::io::stdout().write_all(&script)?)
    }
}
