//! The processes that exchange messages. The program starts itself again for each of them, and gives
//! it commands by a pipe, one in each line.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use std::{env, io, thread};

use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The longest time for one command. A library that takes longer counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A member hangs or has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Hangs,
    Failed,
}

impl Failure {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Failure::Hangs => "hangs",
            Failure::Failed => "fails",
        }
    }
}

/// A process of this program. It is killed when this value is dropped.
pub(crate) struct Member {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Member {
    /// Starts a member with a role, on one processor.
    pub(crate) fn start(role: &str, processor: usize) -> Member {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args(["member", role, &processor.to_string()]);
        Member::spawn(command)
    }

    pub(crate) fn spawn(mut command: Command) -> Member {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if env::var_os("COMPARE_VERBOSE").is_none() {
            command.stderr(Stdio::null());
        }
        let mut child = command.spawn().expect("a process");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (to, lines) = channel();
        thread::spawn(move || {
            for line in output.lines() {
                let Ok(line) = line else { return };
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        Member { child, input, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn tell(&mut self, command: impl Display) -> Result<(), Failure> {
        let input = self.input.as_ref().expect("a pipe");
        writeln!(&mut &*input, "{command}").map_err(|_| Failure::Failed)
    }

    /// Returns the next line that the member prints.
    pub(crate) fn hear(&mut self) -> Result<String, Failure> {
        self.hear_within(PATIENCE)
    }

    pub(crate) fn hear_within(&mut self, time: Duration) -> Result<String, Failure> {
        self.lines.recv_timeout(time).map_err(|error| match error {
            RecvTimeoutError::Timeout => Failure::Hangs,
            RecvTimeoutError::Disconnected => Failure::Failed,
        })
    }

    pub(crate) fn ask(&mut self, command: impl Display) -> Result<String, Failure> {
        self.tell(command)?;
        self.hear()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // A member ends at the end of its input, and its libraries remove their files. A member that
        // does not end in time is killed.
        drop(self.input.take());
        for _ in 0..200 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Returns the first and the last processor that this process may run on.
pub(crate) fn processors() -> [usize; 2] {
    let set = sched_getaffinity(None).expect("a set");
    let mut all = (0..CpuSet::MAX_CPU).filter(|number| set.is_set(*number));
    let first = all.next().expect("a processor");
    [first, all.next_back().unwrap_or(first)]
}

/// The main function of a member: calls `answer` with each line, and prints the result.
pub(crate) fn serve(processor: usize, mut answer: impl FnMut(&str) -> String) {
    // Without this signal a member that blocks would remain when its parent dies.
    set_parent_process_death_signal(Some(Signal::KILL)).expect("a signal");
    let mut set = CpuSet::new();
    set.set(processor);
    sched_setaffinity(None, &set).expect("a processor of this program");
    for line in io::stdin().lines() {
        let line = line.expect("a line");
        reply(answer(&line));
    }
}

/// Prints a line at once.
pub(crate) fn reply(line: impl Display) {
    println!("{line}");
    io::stdout().flush().expect("the parent");
}
