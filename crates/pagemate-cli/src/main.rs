//! The command `pagemate`: named shared memory from a shell.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks")]

mod demo;

use std::io::{self, Read as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use pagemate::{Access, ErrorKind, SectionOptions, inventory};

/// Named shared memory that lives exactly as long as some process holds it.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a section with a text in it, or open it and show the text; then hold on to it.
    ///
    /// It holds on until Enter, end of input, a signal, or the end of --hold.
    #[command(after_help = "Example:\n  pagemate share frames --text 'This is common data!'")]
    Share {
        /// The section's name: `x` or `Local\x` for this user, `Global\x` for the machine.
        name: String,
        /// What to write, with a NUL after it, if the section is new.
        #[arg(long)]
        text: String,
        /// For how long to hold on, in seconds.
        #[arg(long, value_name = "SECONDS")]
        hold: Option<u64>,
    },
    /// Print the text that stands in a section, up to the first NUL.
    #[command(after_help = "Example:\n  pagemate read frames")]
    Read {
        /// The section's name.
        name: String,
        /// Where to begin, in bytes.
        #[arg(long, default_value_t = 0)]
        offset: u64,
    },
    /// Print every live object, and the pids that hold it.
    List,
    /// Give back what dead processes left, and say how much that was.
    Prune,
    /// Show in a few seconds what pagemate is, with real processes; fails if a claim does not hold.
    Demo,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pagemate: {error}");
            match error.downcast_ref::<pagemate::Error>().map(pagemate::Error::kind) {
                Some(ErrorKind::NotFound) => ExitCode::from(1),
                _ => ExitCode::from(2),
            }
        }
    }
}

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn run(command: Command) -> Outcome {
    match command {
        Command::Share { name, text, hold } => share(&name, &text, hold)?,
        Command::Read { name, offset } => {
            let section = SectionOptions::new().access(Access::Read).open(&name)?;
            println!("{}", text_of(&section, offset)?);
        }
        Command::List => {
            for entry in inventory::list()? {
                let pids: Vec<String> = entry.holders.iter().map(u32::to_string).collect();
                println!("{}\t{:?}\t{}\t{}", entry.name, entry.kind, entry.len, pids.join(","));
            }
        }
        Command::Prune => {
            let pruned = inventory::prune()?;
            println!("gave back {} objects, {} bytes", pruned.objects, pruned.bytes);
        }
        Command::Demo => demo::run()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn share(name: &str, text: &str, hold: Option<u64>) -> Result<(), Box<dyn std::error::Error>> {
    let mut bytes = text.as_bytes().to_owned();
    bytes.push(0);
    let section = SectionOptions::new().len(bytes.len().try_into()?).open_or_create(name)?;
    if section.was_created() {
        section.map()?.write_at(0, &bytes)?;
        println!("Write shared memory data: {text}");
    } else {
        println!("read shared memory data: {}", text_of(&section, 0)?);
    }
    match hold {
        Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
        None => _ = io::stdin().read(&mut [0])?,
    }
    Ok(())
}

/// The text at `offset`, up to the first NUL.
fn text_of(section: &pagemate::Section, offset: u64) -> pagemate::Result<String> {
    let view = section.view().range(offset..).access(Access::Read).map()?;
    let mut bytes = vec![0; view.len()];
    view.read_at(0, &mut bytes)?;
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}
