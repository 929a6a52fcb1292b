//! The second process of a measurement.

use std::env;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};

use clap::ValueEnum;

use super::link::{self, Kind, Link, Pipe, Side, WaitingArg};
use super::processors;
use crate::failure::{Failure, Outcome};

/// The environment variable that makes a process the second one, with the settings of its link.
pub(super) const SETTING: &str = "PAGEMATE_BENCH_PEER";

/// The settings of a link that both processes open.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) kind: Kind,
    pub(super) waiting: WaitingArg,
    pub(super) name: String,
    pub(super) size: usize,
    /// The processor of the second process, if it is pinned to one.
    pub(super) processor: Option<usize>,
}

fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

impl Setting {
    fn to_text(&self) -> String {
        let Setting { kind, waiting, name, size, processor } = self;
        let processor = processor.map_or_else(String::new, |number| number.to_string());
        format!("{}|{}|{name}|{size}|{processor}", word(kind), word(waiting))
    }

    fn from_text(text: &str) -> Option<Setting> {
        let mut words = text.split('|');
        Some(Setting {
            kind: Kind::from_str(words.next()?, false).ok()?,
            waiting: WaitingArg::from_str(words.next()?, false).ok()?,
            name: words.next()?.to_owned(),
            size: words.next()?.parse().ok()?,
            processor: words.next()?.parse().ok(),
        })
    }
}

/// The second process, seen from the first one. It ends when this value is dropped.
pub(super) struct Peer {
    child: Child,
    pub(super) link: Box<dyn Link>,
    /// The pipes for commands and replies. `None` if the link itself is these pipes.
    commands: Option<Pipe>,
}

impl Peer {
    /// Starts the process, and opens the link to it.
    pub(super) fn start(setting: &Setting) -> Outcome<Peer> {
        let program = env::current_exe().map_err(|error| start_failed(&error))?;
        let mut child = Command::new(program)
            .arg("bench")
            .env(SETTING, setting.to_text())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| start_failed(&error))?;
        let (Some(input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::new("start a second process: it has no pipes"));
        };
        let mut ready = [0];
        output.read_exact(&mut ready).map_err(|error| start_failed(&error))?;
        let Setting { kind, waiting, name, size, .. } = setting;
        let pipes = Pipe { to: Box::new(input), from: Box::new(output) };
        let none = Pipe { to: Box::new(io::sink()), from: Box::new(io::empty()) };
        let (pipe, commands) =
            if *kind == Kind::Pipe { (pipes, None) } else { (none, Some(pipes)) };
        let link = link::open(*kind, *waiting, name, *size, Side::First, pipe);
        Ok(Peer { child, link: link?, commands })
    }

    /// Makes the process echo so many messages.
    pub(super) fn echo(&mut self, count: u64) -> Outcome {
        self.command(b'e', count)
    }

    /// Makes the process receive so many messages and then send one.
    pub(super) fn take(&mut self, count: u64) -> Outcome {
        self.command(b't', count)
    }

    /// A command is a letter and a number of eight bytes. The process replies when it has read them.
    fn command(&mut self, letter: u8, count: u64) -> Outcome {
        let mut bytes = [letter; 9];
        bytes[1..].copy_from_slice(&count.to_le_bytes());
        match &mut self.commands {
            Some(pipe) => pipe.command(&bytes).map_err(|error| lost(&error)),
            None => self.link.command(&bytes),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A process that waits for a message would not see the end of its commands.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn start_failed(error: &io::Error) -> Failure {
    Failure::new(format!("start a second process: {error}"))
}

fn lost(error: &io::Error) -> Failure {
    Failure::new(format!("talk to the second process: {error}"))
}

/// The main function of the second process.
pub(super) fn run(setting: &str) -> Outcome {
    let setting = Setting::from_text(setting).ok_or_else(|| {
        Failure::new(format!("read {SETTING}: pagemate bench sets it itself; unset it"))
    })?;
    if let Some(processor) = setting.processor {
        processors::pin(processor);
    }
    let Setting { kind, waiting, name, size, .. } = &setting;
    let pipe = Pipe { to: Box::new(io::stdout()), from: Box::new(io::stdin()) };
    let mut link = link::open(*kind, *waiting, name, *size, Side::Second, pipe)?;
    let (mut input, mut output) = (io::stdin(), io::stdout());
    reply(&mut output)?;
    let mut command = [0; 9];
    while input.read_exact(&mut command).is_ok() {
        let mut number = [0; 8];
        number.copy_from_slice(&command[1..]);
        let count = u64::from_le_bytes(number);
        reply(&mut output)?;
        if command[0] == b'e' {
            for _ in 0..count {
                link.receive()?;
                link.send()?;
            }
        } else {
            for _ in 0..count {
                link.receive()?;
            }
            link.send()?;
        }
    }
    Ok(())
}

/// Tells the first process that this one is ready.
fn reply(output: &mut impl Write) -> Outcome {
    output.write_all(b"r").and_then(|()| output.flush()).map_err(|error| lost(&error))
}
