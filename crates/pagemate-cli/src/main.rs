//! The command `pagemate`: named shared memory and sync objects for shells and scripts.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]

mod arguments;
mod bytes;
mod channel;
mod color;
mod command;
mod complete;
mod copy;
mod description;
mod directory;
mod failure;
mod filter;
mod hints;
mod input;
mod json;
mod opening;
mod progress;
mod signals;
mod table;
mod text;
mod time;
mod users;

use std::env;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, Parser};
use clap_complete::CompleteEnv;

use crate::command::Command;

/// Named shared memory that lives exactly as long as some process holds it.
#[derive(Parser)]
#[command(name = "pagemate", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    /// Use colours: auto, always or never.
    #[arg(long = "color", global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_possible_values = true, hide_default_value = true, display_order = 900)]
    _color: ColorChoice, // `color::choose` reads it before the parser does
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  pagemate share ShareMemory --text 'This is common data!' # in two shells
  pagemate list
  pagemate lock deploy -- make install
  pagemate demo

'pagemate COMMAND --help' explains a command and has examples.

Names:
  x, Local\\x    an object of this user
  Global\\x      an object of the whole machine; 'x --global' is the same
  -- -x         a name that begins with a dash follows two dashes

Exit status:
  0    success
  1    the answer is no: no process holds the name, or a timeout expired
  2    failure, also wrong arguments; the message is on standard error
  'pagemate lock' passes on the codes of the command that it runs.

Environment:
  PAGEMATE_DIR      the directory of the objects, except on Windows
  NO_COLOR          if not empty: no colours, except with --color=always
  CLICOLOR_FORCE    if neither empty nor 0: colours also without a terminal";

fn main() -> ExitCode {
    color::choose(env::args_os().skip(1));
    let completion = CompleteEnv::with_factory(Cli::command).var(complete::SHELL);
    let current_dir = env::current_dir().ok();
    match completion.try_complete(env::args_os(), current_dir.as_deref()) {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {}
        Err(error) => return failure::report_usage(&error),
    }
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return failure::report_usage(&error),
    };
    // If the name is invalid, the command below reports that.
    let name = command.object().and_then(|object| object.parse().ok());
    match command.run(Cli::command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(name.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a line of shell into its commands. Removes redirections and comments.
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
                _ = assert_parses(line);
            }
        }
    }

    /// Fails if the parser refuses one of the commands of this program in a line of shell. Returns their number.
    #[track_caller]
    fn assert_parses(line: &str) -> usize {
        let commands = shell_commands(line);
        let ours = |words: &&Vec<String>| words.contains(&"pagemate".to_owned());
        for words in commands.iter().filter(ours) {
            let start = words.iter().position(|word| word == "pagemate").unwrap();
            if let Err(error) = Cli::try_parse_from(&words[start..]) {
                panic!("{line}: {error}");
            }
        }
        commands.iter().filter(ours).count()
    }

    #[test]
    fn the_commands_in_the_readme_parse() {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
        let readme = std::fs::read_to_string(readme).unwrap();
        let blocks = readme.split("```sh\n").skip(1);
        let lines = blocks.flat_map(|rest| rest.split("```").next().unwrap().lines());
        let ours = lines.filter(|line| line.contains("pagemate ") && !line.starts_with("cc "));
        let count: usize = ours.map(assert_parses).sum();
        assert!(count > 10, "{count}");
    }
}
