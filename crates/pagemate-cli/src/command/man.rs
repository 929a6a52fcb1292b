mod page;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command};

use crate::failure::{Failure, Outcome};
use crate::text::escape_line;

/// Write the manual pages into a directory, one page for each command.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate man . && man ./pagemate-share.1
  pagemate man ~/.local/share/man/man1

Exit status:
  0    the pages were written
  2    failure")]
pub(crate) struct Man {
    /// The directory, which is created if it is missing; pages in it are replaced.
    directory: PathBuf,
}

impl Man {
    pub(crate) fn run(self, program: Command) -> Outcome {
        let mut program = program.disable_help_subcommand(true);
        program.build();
        let common = program.get_after_help().map(ToString::to_string).unwrap_or_default();
        let names: Vec<String> = program.get_subcommands().map(page::name).collect();
        let names: Vec<String> = [page::name(&program)].into_iter().chain(names).collect();
        std::fs::create_dir_all(&self.directory).map_err(|error| {
            let path = escape_line(&self.directory.to_string_lossy()).into_owned();
            Failure::new(format!("create directory {path}: {error}"))
        })?;
        for command in [&program].into_iter().chain(program.get_subcommands()) {
            let path = self.directory.join(format!("{}.1", page::name(command)));
            let text = page::render(command, &names, &common);
            let written = File::create(&path).and_then(|mut file| file.write_all(&text));
            written.map_err(|error| {
                let path = path.to_string_lossy();
                let why = format!("write {}: {error}", escape_line(&path));
                let hint = "the argument is a directory; 'pagemate COMMAND --help' \
                            prints the help of one command";
                Failure::new(format!("{why} ({hint})"))
            })?;
        }
        Ok(())
    }
}
