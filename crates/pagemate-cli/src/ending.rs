//! What ends a command that holds on.

use std::io::{self, BufRead, IsTerminal};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Outcome, complain};

/// Waits for the end: a signal, Enter at the terminal, or a time.
#[derive(Debug)]
pub(crate) struct Ending {
    asked: Receiver<()>,
    ask: Sender<()>,
}

impl Ending {
    /// From now on SIGINT, SIGTERM and their Windows kin ask for the end instead of being it.
    /// SIGHUP keeps its meaning, which is what `nohup` changes.
    pub(crate) fn watch() -> Outcome<Ending> {
        let (ask, asked) = channel();
        on_signal(ask.clone()).map_err(|e| Failure::new(format!("watch signals: {e}")))?;
        Ok(Ending { asked, ask })
    }

    /// Whether the end was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.try_recv().is_ok()
    }

    /// Waits for the end. Without a time to wait for, it says first how to bring it about.
    pub(crate) fn wait(self, hold: Option<Duration>) {
        let terminal = io::stdin().is_terminal();
        if hold.is_none() {
            let pid = std::process::id();
            match terminal && is_our_turn() {
                true => complain("holding on; Enter lets go"),
                false if cfg!(windows) => {
                    complain(&format!("process {pid} holds on until it is ended"));
                }
                false => complain(&format!("process {pid} holds on; to let go: kill {pid}")),
            }
        }
        if terminal {
            let ask = self.ask.clone();
            thread::spawn(move || {
                wait_for_input();
                // The end of input is an answer too; an error says that nobody can give one.
                if io::stdin().lock().read_until(b'\n', &mut Vec::new()).is_ok() {
                    _ = ask.send(());
                }
            });
        }
        // `self.ask` keeps the channel open: only an ending or the time ends these.
        match hold {
            Some(time) => _ = self.asked.recv_timeout(time),
            None => _ = self.asked.recv(),
        }
    }
}

cfg_select! {
    unix => {
        /// Starts a program whose are the requests to end that we get from now on. Those that a
        /// terminal sends it has anyway.
        pub(crate) fn hand_on(command: &mut Command) -> io::Result<Child> {
            use rustix::process::{Pid, Signal, kill_process};
            use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};

            // First: from here on none of them ends us.
            let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGQUIT, SIGTERM])?;
            let child = command.spawn()?;
            let pid = Pid::from_child(&child);
            thread::spawn(move || {
                for _ in signals.forever().filter(|signal| *signal == SIGTERM) {
                    // If it has ended already, its number is kept until we have waited for it.
                    _ = kill_process(pid, Signal::TERM);
                }
            });
            Ok(child)
        }

        /// The signal that ended a program.
        pub(crate) fn signal(status: ExitStatus) -> Option<i32> {
            std::os::unix::process::ExitStatusExt::signal(&status)
        }

        fn on_signal(ask: Sender<()>) -> io::Result<()> {
            use signal_hook::consts::{SIGINT, SIGTERM};

            let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
            thread::spawn(move || signals.forever().try_for_each(|_| ask.send(())));
            Ok(())
        }

        /// Whether keys typed at the terminal are for this process, and not for another job.
        fn is_our_turn() -> bool {
            let foreground = rustix::termios::tcgetpgrp(io::stdin());
            foreground.map_or(true, |group| group == rustix::process::getpgrp())
        }

        /// Returns when there is a line to read, and reading it does not stop this process, as it
        /// would stop one in the background.
        fn wait_for_input() {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};

            // No call waits for a job to come to the foreground.
            const PAUSE: Duration = Duration::from_millis(200);
            loop {
                while !is_our_turn() {
                    thread::sleep(PAUSE);
                }
                let stdin = io::stdin();
                let mut stdin = [PollFd::new(&stdin, PollFlags::IN)];
                let pause = Timespec::try_from(PAUSE).ok();
                match poll(&mut stdin, pause.as_ref()) {
                    Ok(0) | Err(rustix::io::Errno::INTR) => {}
                    _ if is_our_turn() => return,
                    _ => {}
                }
            }
        }
    }
    _ => {
        pub(crate) fn hand_on(command: &mut Command) -> io::Result<Child> {
            // The console tells all its programs; that we go on is what it takes.
            ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
            command.spawn()
        }

        pub(crate) fn signal(_: ExitStatus) -> Option<i32> {
            None
        }

        fn on_signal(ask: Sender<()>) -> io::Result<()> {
            ctrlc::set_handler(move || _ = ask.send(())).map_err(io::Error::other)
        }

        fn is_our_turn() -> bool {
            true
        }

        fn wait_for_input() {}
    }
}
