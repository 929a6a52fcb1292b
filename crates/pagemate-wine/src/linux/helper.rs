//! The helper process: its start, its reports and its end.

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::error::{Error, Result};
use super::memory::{Descriptors, Maps};
use super::prefix::Server;
use super::process;
use crate::protocol::{Command, Report, VERSION};

/// The time in which the helper has to report that it runs. The first program of a prefix may take long.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// The time in which the helper ends by itself after its input is closed.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// A running helper. Dropping it ends the process.
#[derive(Debug)]
pub(super) struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// The beginning of a line that is not complete.
    partial: Vec<u8>,
    /// The pid of the process that runs the Windows program.
    pid: u32,
    /// The address of the helper's own memory.
    address: u64,
}

/// The answer of [`Helper::read`].
#[derive(Debug)]
pub(super) enum Output {
    Reports(Vec<Report>),
    /// The helper has ended.
    Ended,
}

impl Helper {
    /// Starts the helper in the prefix `dir`, in the environment of its wineserver.
    pub(super) fn start(server: Server, dir: &Path, program: &Path) -> Result<Helper> {
        let loader = server.loader()?;
        if !program.is_file() {
            return Err(Error::new(format!(
                "start the helper: {} is missing; 'cargo xtask dist' builds and installs it",
                program.display()
            )));
        }
        // An argument that no other process has, by which the helper is found. If the loader is a script, the
        // helper may be another process than the child.
        let token = format!("--bridge={}-{}", std::process::id(), unique());
        let mut command = std::process::Command::new(&loader);
        command.arg(program).arg(&token);
        command.env_clear().envs(process::environment(server.pid));
        // Only the first program of Wine itself sets this variable.
        command.env_remove("WINELOADERNOEXEC");
        command.env("WINEPREFIX", dir).env("WINEDEBUG", "-all");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Ctrl-C at the terminal ends the bridge, which ends the helper.
        command.process_group(0).current_dir("/");
        let mut child = command.spawn().map_err(|error| {
            Error::os(format!("start the helper with {}", loader.display()), error)
        })?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::new("start the helper: it has no pipes"));
        };
        let mut helper = Helper {
            pid: child.id(),
            child,
            input: Some(input),
            output,
            partial: Vec::new(),
            address: 0,
        };
        helper.address = helper.greet()?;
        helper.pid = helper.find(&token, helper.address)?;
        Ok(helper)
    }

    /// Waits for the first report. Returns the address of the helper's own memory.
    fn greet(&mut self) -> Result<u64> {
        let end = Instant::now() + START_TIMEOUT;
        loop {
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                let cause = "start the helper: it did not report within a minute; run 'wine cmd /c ver' in \
                             the prefix to see whether Wine works";
                return Err(Error::new(cause));
            }
            if !wait(&[self.output.as_fd()], rest)?[0] {
                continue;
            }
            let reports = match self.read()? {
                Output::Reports(reports) => reports,
                Output::Ended => {
                    let status = self.child.wait();
                    let status = status.map(|status| status.to_string()).unwrap_or_default();
                    return Err(Error::new(format!(
                        "start the helper: it ended before it reported ({status}); the prefix may be for \
                         32-bit programs only, or its Wine too old"
                    )));
                }
            };
            match reports.into_iter().next() {
                Some(Report::Hello { version: VERSION, address }) => return Ok(address),
                Some(_) => {
                    let cause = "start the helper: it belongs to another release of pagemate; install the \
                                 command and the helper together";
                    return Err(Error::new(cause));
                }
                None => {}
            }
        }
    }

    /// Finds the process that runs the Windows program: it has mapped its memory at `address`.
    fn find(&self, token: &str, address: u64) -> Result<u32> {
        let is_helper = |pid: &u32| Maps::of(*pid).at(address).is_some();
        if is_helper(&self.child.id()) {
            return Ok(self.child.id());
        }
        let others = process::all().into_iter().filter(|pid| process::has_argument(*pid, token));
        others.into_iter().find(is_helper).ok_or_else(|| {
            Error::new(
                "start the helper: its process is not visible in /proc, or cannot be inspected; run the \
                 bridge in the same pid namespace, as the user who runs Wine",
            )
        })
    }

    /// Returns the pid of the process that runs the Windows program.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns whether this wineserver serves the helper: it has the helper's own memory. While a wineserver
    /// starts, or one replaces another, two processes look like that of the prefix.
    pub(super) fn is_served_by(&self, server: Server) -> bool {
        let maps = Maps::of(self.pid);
        maps.at(self.address).is_some_and(|mapped| Descriptors::of(server).contain(mapped))
    }

    /// Sends a command. An error means that the helper has ended, which the next read reports.
    pub(super) fn send(&mut self, command: &Command) {
        if let Some(input) = &mut self.input {
            _ = input.write_all(format!("{command}\n").as_bytes());
        }
    }

    /// Reads the reports that have arrived. Blocks if there is no output.
    pub(super) fn read(&mut self) -> Result<Output> {
        let mut buffer = [0; 16384];
        let len = match self.output.read(&mut buffer) {
            Ok(0) => return Ok(Output::Ended),
            Ok(len) => len,
            Err(error) => return Err(Error::os("read the reports of the helper", error)),
        };
        self.partial.extend_from_slice(&buffer[..len]);
        let mut reports = Vec::new();
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            reports.extend(Report::parse(&String::from_utf8_lossy(&line)));
        }
        Ok(Output::Reports(reports))
    }
}

impl AsFd for Helper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // The helper ends when its input is closed, unless the wineserver does not answer it.
        drop(self.input.take());
        let end = Instant::now() + END_TIMEOUT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            _ = wait(&[self.output.as_fd()], Duration::from_millis(10));
            std::thread::sleep(Duration::from_millis(2));
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Waits until one of the descriptors is readable or `time` has passed. Returns for each of them whether it
/// is readable.
pub(super) fn wait(fds: &[BorrowedFd<'_>], time: Duration) -> Result<Vec<bool>> {
    let mut polled: Vec<PollFd<'_>> =
        fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let time = Timespec::try_from(time).ok();
    match poll(&mut polled, time.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(Error::os("wait for the helper", error)),
    }
    Ok(polled.iter().map(|fd| !fd.revents().is_empty()).collect())
}

/// Returns a number that no other helper of this process has.
fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}
