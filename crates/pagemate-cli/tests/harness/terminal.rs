//! A pseudo-terminal in which a command runs.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::harness::{PATIENCE, Place, Ran};

/// A pseudo-terminal. This value has its master side, which acts as the keyboard and the screen.
pub(crate) struct Terminal {
    master: File,
    output: Receiver<Vec<u8>>,
    screen: String,
    name: String,
}

impl Terminal {
    pub(crate) fn new() -> Terminal {
        Terminal::sized(80)
    }

    /// Creates a terminal with lines of `columns` characters.
    pub(crate) fn sized(columns: u16) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let master = File::from(master);
        let mut from = master.try_clone().unwrap();
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading fails when no process has the slave side open.
            while let Ok(len) = from.read(&mut bytes)
                && sender.send(bytes[..len].to_vec()).is_ok()
            {}
        });
        Terminal { master, output, screen: String::new(), name }
    }

    /// Opens the slave side, for the program that runs in the terminal.
    pub(crate) fn side(&self) -> Stdio {
        File::options().read(true).write(true).open(&self.name).unwrap().into()
    }

    pub(crate) fn type_in(&mut self, keys: &[u8]) {
        self.master.write_all(keys).unwrap();
    }

    /// Waits a moment for more output. Returns all output so far, or `None` if there was no more.
    pub(crate) fn poll(&mut self) -> Option<String> {
        let more = self.output.recv_timeout(Duration::from_millis(10)).ok()?;
        self.screen += &String::from_utf8_lossy(&more);
        Some(self.screen.clone())
    }

    /// Waits until `text` appears on the screen, and returns all output so far.
    pub(crate) fn wait_for(&mut self, text: &str) -> &str {
        while !self.screen.contains(text) {
            let more = self.output.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|_| panic!("{}", self.screen));
            self.screen += &String::from_utf8_lossy(&more);
        }
        &self.screen
    }

    /// Runs `command` in the terminal, and returns its exit code and all of its output.
    pub(crate) fn run(mut self, command: &mut Command) -> (Option<i32>, String) {
        command.stdin(self.side()).stdout(self.side()).stderr(self.side());
        let code = Ran::of(command, b"").code;
        // The value of the command still has the slave side open. Close it, because reading ends
        // only when no process has it open.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        while let Ok(more) = self.output.recv_timeout(PATIENCE) {
            self.screen += &String::from_utf8_lossy(&more);
        }
        (code, self.screen.replace('\r', ""))
    }
}

/// Runs the command in a terminal of `columns`, and returns its exit code and output.
pub(crate) fn run(place: &Place, columns: u16, args: &[&str]) -> (Option<i32>, String) {
    let mut command = place.command(args);
    command.env_remove("NO_COLOR").env("TERM", "xterm");
    Terminal::sized(columns).run(&mut command)
}
