use std::io::Write;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::failure::Outcome;

/// Print a completion script for a shell.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eval \"$(pagemate completions bash)\"                  # in ~/.bashrc
  pagemate completions fish | source                    # in ~/.config/fish/config.fish
  pagemate completions powershell >> $PROFILE           # once, in PowerShell")]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, mut program: Command) -> Outcome {
        let mut script = Vec::new();
        generate(self.shell, &mut program, "pagemate", &mut script);
        Ok(std::io::stdout().write_all(&script)?)
    }
}
