//! A second process of this program. It executes commands, one in each line.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, io};

use rustix::process::{Signal, set_parent_process_death_signal};

/// A peer process. It ends when this value is dropped or when this process dies.
#[derive(Debug)]
pub(crate) struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts the process with these arguments, and waits until it is ready.
    pub(crate) fn start(words: &[&str]) -> Peer {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a second process");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut peer = Peer { child, input, output };
        assert_eq!(peer.receive(), "ready");
        peer
    }

    pub(crate) fn send(&mut self, what: impl Display) {
        writeln!(self.input.as_ref().expect("a pipe"), "{what}").expect("a listener");
    }

    /// Returns the next line of its output.
    pub(crate) fn receive(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        assert!(line.ends_with('\n'), "the second process failed");
        line.trim_end().to_owned()
    }

    /// Kills the process with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a process");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        _ = self.child.wait();
    }
}

/// The main function of a peer: reports that it is ready, and answers each line.
pub(crate) fn serve(mut answer: impl FnMut(&str) -> String) {
    // Without this signal a peer that is blocked would remain when its parent dies.
    set_parent_process_death_signal(Some(Signal::KILL)).expect("a signal");
    reply("ready");
    for line in io::stdin().lines() {
        let line = line.expect("a line");
        reply(&answer(&line));
    }
}

pub(crate) fn reply(line: &str) {
    println!("{line}");
    io::stdout().flush().expect("a listener");
}
