use std::io::{self, Write};

use clap::Args;
use clap_complete::Shell;
use clap_complete::env::Shells;

use crate::complete;
use crate::failure::{Failure, Outcome};

/// Print a script that completes commands, options and the names of live objects in a shell.
///
/// The script calls the command 'pagemate' for each completion, so it has to be in the PATH.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  source <(pagemate completions bash)          # in ~/.bashrc
  source <(pagemate completions zsh)           # in ~/.zshrc, after compinit
  pagemate completions fish | source           # in config.fish
  pagemate completions powershell >> $PROFILE  # once, in PowerShell

Exit status:
  0    the script was printed
  2    failure")]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Outcome {
        let shells = Shells::builtins();
        let shell = shells.completer(&self.shell.to_string()).expect("each shell is known");
        let mut script = Vec::new();
        let program = "pagemate";
        shell
            .write_registration(complete::SHELL, program, program, program, &mut script)
            .map_err(|error| Failure::new(format!("build the script: {error}")))?;
        Ok(io::stdout().write_all(&script)?)
    }
}
