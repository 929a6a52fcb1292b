//! Signals. A command that holds an object waits for a signal or for Enter, and a command that runs
//! a program forwards signals to it.

use std::io::{self, BufRead, IsTerminal};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Outcome, print_note, warn};
use crate::time::format_duration;

/// Receives requests to stop this process. A request is a signal, or Enter at a terminal.
#[derive(Debug)]
pub(crate) struct StopRequests {
    receiver: Receiver<()>,
    sender: Sender<()>,
}

impl StopRequests {
    /// Installs handlers that turn SIGINT, SIGTERM and their Windows counterparts into requests.
    ///
    /// SIGHUP keeps its default action, so that `nohup` has its usual effect.
    pub(crate) fn install() -> Outcome<StopRequests> {
        let (sender, receiver) = channel();
        on_signal(sender.clone())
            .map_err(|e| Failure::new(format!("install signal handlers: {e}")))?;
        Ok(StopRequests { receiver, sender })
    }

    /// Returns whether a request has arrived.
    pub(crate) fn is_pending(&self) -> bool {
        self.receiver.try_recv().is_ok()
    }

    /// Blocks until a request arrives or `limit` has passed.
    ///
    /// Prints first how to stop the process, unless there is a limit and no terminal. At a
    /// terminal, Enter and the end of input are requests.
    pub(crate) fn wait(self, limit: Option<Duration>) {
        let terminal = io::stdin().is_terminal();
        if terminal || limit.is_none() {
            print_note(&how_to_stop(terminal, limit));
        }
        if terminal {
            let sender = self.sender.clone();
            let reader = spawn_thread(move || {
                wait_for_input();
                // Treat the end of input like Enter. Do not treat a read error like Enter: if the
                // terminal has gone away, the process should continue to hold the object.
                if io::stdin().lock().read_until(b'\n', &mut Vec::new()).is_ok() {
                    _ = sender.send(());
                }
            });
            if let Err(error) = reader {
                warn(&format!("only a signal can stop this process, Enter has no effect: {error}"));
            }
        }
        // `self.sender` keeps the channel connected, so these calls return only after a request or
        // after the timeout.
        match limit {
            Some(limit) => _ = self.receiver.recv_timeout(limit),
            None => _ = self.receiver.recv(),
        }
    }
}

/// Returns the line that explains how to end this process.
fn how_to_stop(terminal: bool, limit: Option<Duration>) -> String {
    let pid = std::process::id();
    let time = limit.map(|limit| format!(" for {}", format_duration(limit))).unwrap_or_default();
    if terminal && is_foreground() {
        format!("holding the object{time}; press Enter to release it")
    } else if cfg!(windows) {
        format!("process {pid} holds the object{time}; end the process to release it")
    } else {
        format!("process {pid} holds the object{time}; to release it: kill {pid}")
    }
}

/// Spawns a detached thread. Unlike `thread::spawn`, returns an error if the system cannot create
/// the thread.
fn spawn_thread(body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().spawn(body).map(drop)
}

cfg_select! {
    unix => {
        /// Runs `command` to its end. Signals do not end this process before the child, which
        /// receives them instead.
        ///
        /// SIGTERM and SIGHUP are forwarded to the child. SIGINT and SIGQUIT are forwarded unless
        /// they come from the terminal, because the terminal sends them to the child as well.
        pub(crate) fn run_with_signals(command: &mut Command) -> io::Result<ExitStatus> {
            use rustix::process::{Pid, Signal, kill_process};

            const HANDLED: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM];

            // Install no handler for a signal that is ignored, for example under `nohup`. `exec`
            // keeps an ignored signal ignored, but resets a handled signal to its default action,
            // so the child would no longer ignore it.
            let handled = HANDLED.map(Signal::as_raw).into_iter().filter(|raw| !is_ignored(*raw));
            // Install the handlers before starting the child. Otherwise a signal between the two
            // steps would end this process, and the child would continue without it.
            let mut signals = signal_hook::iterator::Signals::new(handled)?;
            let (sender, receiver) = channel();
            // Start the thread before the child too. If the thread cannot be created, no child has
            // to be ended.
            spawn_thread(move || {
                let Ok(pid) = receiver.recv() else { return };
                for raw in signals.forever() {
                    let signal = HANDLED.into_iter().find(|signal| signal.as_raw() == raw);
                    let is_key = matches!(signal, Some(Signal::INT | Signal::QUIT));
                    if let Some(signal) = signal && !(is_key && is_terminal_job()) {
                        // The child is not reaped yet, so no other process can have its pid.
                        _ = kill_process(pid, signal);
                    }
                }
            })?;
            let mut child = command.spawn()?;
            _ = sender.send(Pid::from_child(&child));
            child.wait()
        }

        /// Returns whether this process ignores the signal with this number. Always false on
        /// systems other than Linux.
        fn is_ignored(signal: i32) -> bool {
            let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
            let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
        }

        /// Returns whether this process belongs to the foreground job of its terminal. Returns
        /// false if it has no terminal.
        fn is_terminal_job() -> bool {
            let group = std::fs::File::open("/dev/tty").ok();
            let group = group.and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
            group == Some(rustix::process::getpgrp())
        }

        /// Returns the signal that terminated a program, if a signal did.
        pub(crate) fn terminating_signal(status: ExitStatus) -> Option<i32> {
            std::os::unix::process::ExitStatusExt::signal(&status)
        }

        fn on_signal(sender: Sender<()>) -> io::Result<()> {
            use signal_hook::consts::{SIGINT, SIGTERM};

            let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
            spawn_thread(move || _ = signals.forever().try_for_each(|_| sender.send(())))
        }

        /// Returns whether this process belongs to the foreground job of the terminal, which
        /// receives the keys that a user presses.
        fn is_foreground() -> bool {
            let foreground = rustix::termios::tcgetpgrp(io::stdin());
            foreground.map_or(true, |group| group == rustix::process::getpgrp())
        }

        /// Blocks until standard input has a line and this process is in the foreground.
        ///
        /// Reading from the terminal in the background would stop the process with SIGTTIN.
        fn wait_for_input() {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};

            // No system call waits until a job moves to the foreground, so test it repeatedly.
            const PAUSE: Duration = Duration::from_millis(200);
            loop {
                while !is_foreground() {
                    thread::sleep(PAUSE);
                }
                let stdin = io::stdin();
                let mut stdin = [PollFd::new(&stdin, PollFlags::IN)];
                let pause = Timespec::try_from(PAUSE).ok();
                match poll(&mut stdin, pause.as_ref()) {
                    Ok(0) | Err(rustix::io::Errno::INTR) => {}
                    _ if is_foreground() => return,
                    _ => {}
                }
            }
        }
    }
    _ => {
        pub(crate) fn run_with_signals(command: &mut Command) -> io::Result<ExitStatus> {
            // The console sends Ctrl-C to this process and to the child. An empty handler keeps
            // this process running until the child has ended.
            ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
            command.status()
        }

        pub(crate) fn terminating_signal(_: ExitStatus) -> Option<i32> {
            None
        }

        fn on_signal(sender: Sender<()>) -> io::Result<()> {
            ctrlc::set_handler(move || _ = sender.send(())).map_err(io::Error::other)
        }

        fn is_foreground() -> bool {
            true
        }

        fn wait_for_input() {}
    }
}
