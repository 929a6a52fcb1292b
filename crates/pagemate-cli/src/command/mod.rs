//! The subcommands: each file has the arguments, the help text and the code of one.

mod bench;
#[cfg(target_os = "linux")]
mod bridge;
mod completions;
mod demo;
mod doctor;
mod info;
mod list;
mod lock;
mod man;
mod prune;
mod read;
mod recv;
mod send;
mod share;
mod signal;
mod wait;
mod write;

use clap::Subcommand;

use crate::arguments::ObjectName;
use crate::failure::Outcome;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Share(share::Share),
    Read(read::Read),
    Write(write::Write),
    List(list::List),
    Info(info::Info),
    Prune(prune::Prune),
    Wait(wait::Wait),
    Signal(signal::Signal),
    Lock(lock::Lock),
    Send(send::Send),
    Recv(recv::Recv),
    Bench(bench::Bench),
    #[cfg(target_os = "linux")]
    Bridge(bridge::Bridge),
    Doctor(doctor::Doctor),
    Demo(demo::Demo),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Returns the object whose name the arguments contain.
    pub(crate) fn object(&self) -> Option<&ObjectName> {
        match self {
            Command::Share(share::Share { object, .. })
            | Command::Read(read::Read { object, .. })
            | Command::Write(write::Write { object, .. })
            | Command::Info(info::Info { object, .. })
            | Command::Wait(wait::Wait { object, .. })
            | Command::Signal(signal::Signal { object, .. })
            | Command::Lock(lock::Lock { object, .. })
            | Command::Send(send::Send { object, .. })
            | Command::Recv(recv::Recv { object, .. }) => Some(object),
            _ => None,
        }
    }

    /// Runs the subcommand. `program` builds the definition of the whole command line, from which
    /// `man` generates its pages.
    pub(crate) fn run(self, program: fn() -> clap::Command) -> Outcome {
        match self {
            Command::Share(command) => command.run(),
            Command::Read(command) => command.run(),
            Command::Write(command) => command.run(),
            Command::List(command) => command.run(),
            Command::Info(command) => command.run(),
            Command::Prune(command) => command.run(),
            Command::Wait(command) => command.run(),
            Command::Signal(command) => command.run(),
            Command::Lock(command) => command.run(),
            Command::Send(command) => command.run(),
            Command::Recv(command) => command.run(),
            Command::Bench(command) => command.run(),
            #[cfg(target_os = "linux")]
            Command::Bridge(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Demo(command) => demo::Demo::run(command),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(program()),
        }
    }
}
