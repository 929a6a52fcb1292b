//! The command `pagemate`: named shared memory and sync objects for shells and scripts.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

mod arguments;
mod bytes;
mod command;
mod copy;
mod description;
mod failure;
mod input_file;
mod json;
mod signals;
mod table;
mod text;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

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
  pagemate share ShareMemory --text 'This is common data!'    # in two terminals
  pagemate list
  pagemate lock deploy -- make install
  pagemate demo

Write two dashes before a name that begins with a dash: 'pagemate read -- -x'.

Exit codes: 0 for success, 1 if no process holds the name or a timeout expired, 2 for a failure.

The environment variable PAGEMATE_DIR sets the directory that stores the objects, except on Windows.";

fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => cli.command.run(Cli::command),
        Err(error) => return failure::report_usage(&error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a line of shell into its commands, without redirections and comments.
    fn shell_commands(line: &str) -> Vec<Vec<String>> {
        let mut commands = vec![vec![String::new()]];
        let mut quoted = false;
        for c in line.chars() {
            let command = commands.last_mut().unwrap();
            match c {
                '\'' => quoted = !quoted,
                _ if quoted => command.last_mut().unwrap().push(c),
                '#' => break,
                '|' | '&' | ';' | '>' => commands.push(vec![String::new()]),
                ' ' => command.push(String::new()),
                _ => command.last_mut().unwrap().push(c),
            }
        }
        for command in &mut commands {
            command.retain(|word| !word.is_empty());
        }
        commands
    }

    #[test]
    fn every_command_is_well_formed_and_has_examples_that_parse() {
        let mut cli = Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands_mut() {
            let name = command.get_name().to_owned();
            let help = command.get_after_help().unwrap().to_string();
            let (title, examples) = help.split("\n\n").next().unwrap().split_once('\n').unwrap();
            assert!(title.starts_with("Example"), "{name}: {title}");
            assert!(examples.contains(&format!("pagemate {name}")), "{name}");
            for line in examples.lines() {
                let commands = shell_commands(line);
                let ours = |words: &&Vec<String>| words.contains(&"pagemate".to_owned());
                for words in commands.iter().filter(ours) {
                    let start = words.iter().position(|word| word == "pagemate").unwrap();
                    if let Err(error) = Cli::try_parse_from(&words[start..]) {
                        panic!("{line}: {error}");
                    }
                }
            }
        }
    }
}
