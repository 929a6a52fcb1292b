//! The command `pagemate`: named shared memory from a shell.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks")]

mod bytes;
mod command;
mod ending;
mod entry;
mod failure;
mod input;
mod pieces;
mod seconds;
mod table;
mod target;
mod text;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Command;

/// Named shared memory that lives exactly as long as some process holds it.
#[derive(Parser)]
#[command(name = "pagemate", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  pagemate share ShareMemory --text 'This is common data!'   in two terminals
  pagemate list
  pagemate lock deploy -- make install
  pagemate demo

A name that begins with a dash goes after two dashes: pagemate read -- -x

Exit codes: 0 fine, 1 nobody holds the name or it took too long, 2 failed.

PAGEMATE_DIR, where set, is the directory in which objects stand; Windows needs none.";

fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => cli.command.run(),
        Err(words) => return failure::of_words(&words),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_is_well_formed_and_has_an_example() {
        let mut cli = super::Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands_mut() {
            let name = command.get_name().to_owned();
            let help = command.render_long_help().to_string();
            assert!(help.contains("Example"), "{name}");
            assert!(help.contains(&format!("pagemate {name}")), "{name}");
        }
    }
}
