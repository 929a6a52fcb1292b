//! Another process of this program, which does what it is told line by line.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, io};

use rustix::process::{Signal, set_parent_process_death_signal};

/// It ends when this is dropped, or its process dies.
#[derive(Debug)]
pub(crate) struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it with these words, and waits until it is ready.
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
        assert_eq!(peer.hear(), "ready");
        peer
    }

    pub(crate) fn tell(&mut self, what: impl Display) {
        writeln!(self.input.as_ref().expect("a pipe"), "{what}").expect("a listener");
    }

    /// Its next line.
    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        assert!(line.ends_with('\n'), "the second process failed");
        line.trim_end().to_owned()
    }

    /// Kills it by SIGKILL.
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

/// The life of such a process: says that it is ready, and answers each line.
pub(crate) fn live(mut answer: impl FnMut(&str) -> String) {
    // It may be asleep for ever when the other dies.
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
