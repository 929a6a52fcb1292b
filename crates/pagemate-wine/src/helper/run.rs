//! The loop of the helper.

use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use pagemate_wine::protocol::{Command, Report, VERSION, Watched};

use crate::directory::Directories;
use crate::events::Watches;
use crate::native::{self, Status};
use crate::offers::Offers;
use crate::scan::Scanner;

/// The time between two tests for changes.
const TICK: Duration = Duration::from_millis(75);

/// A message to the thread that executes commands.
#[derive(Debug)]
pub(crate) enum Message {
    Command(Command),
    Report(Report),
    Quit,
}

/// Executes commands until the bridge closes the standard input, or the prefix ends.
pub(crate) fn run() -> ExitCode {
    let (sender, receiver) = channel();
    read_commands(sender.clone());
    wait_for_end_of_prefix(sender.clone());
    let mut state = match State::new(sender) {
        Ok(state) => state,
        Err(status) => {
            _ = writeln!(
                std::io::stderr(),
                "pagemate-wine-helper: native call failed: {status:#x}"
            );
            return ExitCode::FAILURE;
        }
    };
    let mut ticked = Instant::now();
    loop {
        let rest = TICK.saturating_sub(ticked.elapsed());
        let done = match receiver.recv_timeout(rest) {
            Ok(Message::Command(command)) => state.execute(command),
            Ok(Message::Report(report)) => state.forward(&report),
            Err(RecvTimeoutError::Timeout) => {
                ticked = Instant::now();
                state.tick()
            }
            Ok(Message::Quit) | Err(RecvTimeoutError::Disconnected) => return ExitCode::SUCCESS,
        };
        if done.is_err() {
            return ExitCode::FAILURE;
        }
    }
}

/// Starts a thread that reads commands.
fn read_commands(sender: Sender<Message>) {
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if let Some(command) = Command::parse(&line) {
                _ = sender.send(Message::Command(command));
            }
        }
        _ = sender.send(Message::Quit);
    });
}

/// Makes this process one that does not keep the prefix running, and ends it with the prefix.
fn wait_for_end_of_prefix(sender: Sender<Message>) {
    let Some(event) = native::make_system_process() else { return };
    thread::spawn(move || {
        native::wait(&event, None);
        _ = sender.send(Message::Quit);
    });
}

struct State {
    directories: Directories,
    scanner: Scanner,
    offers: Offers,
    watches: Watches,
    sender: Sender<Message>,
    /// Whether the bridge has requested a scan during the last one.
    scan_requested: bool,
}

/// The reason for which the helper ends.
struct Ended;

impl From<Status> for Ended {
    fn from(_: Status) -> Ended {
        Ended
    }
}

impl State {
    fn new(sender: Sender<Message>) -> Result<State, Status> {
        let scanner = Scanner::new()?;
        let hello = Report::Hello { version: VERSION, address: scanner.own_address() };
        let directories = Directories::open()?;
        _ = print(&[hello]);
        Ok(State {
            directories,
            scanner,
            offers: Offers::default(),
            watches: Watches::default(),
            sender,
            scan_requested: false,
        })
    }

    fn execute(&mut self, command: Command) -> Result<(), Ended> {
        match command {
            Command::Scan => {
                self.scan_requested = true;
                self.scan_if_due()?;
            }
            Command::Done => {
                self.scanner.finish();
                self.scan_if_due()?;
            }
            Command::Offer { key, len, path } => {
                print(&[self.offers.section(&self.directories, key, len, &path)])?;
            }
            Command::Withdraw(key) => {
                self.offers.withdraw(&key);
                print(&[Report::Withdrawn(key)])?;
            }
            Command::Watch(key) => {
                self.watches.add(key);
                print(&self.watches.attach(&self.directories, &self.sender))?;
            }
        }
        Ok(())
    }

    fn forward(&mut self, report: &Report) -> Result<(), Ended> {
        if let Report::Watched { key, state: Watched::Ended } = report {
            self.watches.detached(key);
        }
        print(std::slice::from_ref(report))
    }

    fn tick(&mut self) -> Result<(), Ended> {
        print(&self.offers.changes())?;
        print(&self.watches.attach(&self.directories, &self.sender))?;
        self.scan_if_due()
    }

    fn scan_if_due(&mut self) -> Result<(), Ended> {
        if self.scanner.is_busy() {
            return Ok(());
        }
        if self.scan_requested || self.scanner.is_due(&self.directories)? {
            self.scan_requested = false;
            print(&self.scanner.scan(&self.directories)?)?;
        }
        Ok(())
    }
}

/// Prints reports. Fails if the bridge has closed its end.
fn print(reports: &[Report]) -> Result<(), Ended> {
    if reports.is_empty() {
        return Ok(());
    }
    let mut lines = String::new();
    for report in reports {
        _ = writeln!(lines, "{report}");
    }
    let mut out = std::io::stdout().lock();
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).map_err(|_| Ended)
}
