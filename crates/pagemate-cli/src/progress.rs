//! A line on standard error that shows the progress of a long transfer.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::bytes::human;

/// The line appears after this time, so short transfers do not show it.
const DELAY: Duration = Duration::from_millis(500);

/// The minimum time between two updates of the line.
const PAUSE: Duration = Duration::from_millis(100);

/// The progress of one transfer. The line appears only on a terminal. Dropping the value removes
/// it.
#[derive(Debug)]
pub(crate) struct Progress {
    done: u64,
    /// The length of the transfer. `None` if it is not known in advance.
    total: Option<u64>,
    start: Instant,
    /// The time of the next update. `None` if the line is not shown at all.
    next: Option<Instant>,
    /// The width of the line on the screen.
    shown: usize,
}

impl Progress {
    /// Starts the progress of a transfer of `total` bytes.
    pub(crate) fn new(total: Option<u64>) -> Progress {
        let start = Instant::now();
        let next = io::stderr().is_terminal().then(|| start + DELAY);
        Progress { done: 0, total, start, next, shown: 0 }
    }

    /// Starts the progress of a transfer to standard output. No line is shown if standard output is
    /// a terminal, because the data appears there.
    pub(crate) fn to_stdout(total: u64) -> Progress {
        let mut progress = Progress::new(Some(total));
        if io::stdout().is_terminal() {
            progress.next = None;
        }
        progress
    }

    /// Counts `bytes` as transferred.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        let now = Instant::now();
        if self.next.is_some_and(|next| now >= next) {
            self.next = Some(now + PAUSE);
            let line = line(self.done, self.total, now - self.start);
            self.show(&line);
        }
    }

    /// Replaces the line on the screen.
    fn show(&mut self, line: &str) {
        let width = self.shown;
        // Overwrite the old line with spaces, because some terminals do not support the escape
        // sequence that clears a line.
        let text = format!("\r{:width$}\r{line}", "");
        _ = io::stderr().write_all(text.as_bytes());
        self.shown = line.len();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown > 0 {
            self.show("");
        }
    }
}

/// Returns the line for `done` of `total` bytes. `elapsed` is the time since the start, and is not
/// zero.
fn line(done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let per_second = u128::from(done) * 1000 / elapsed.as_millis().max(1);
    let rate = format!("{}/s", human(u64::try_from(per_second).unwrap_or(u64::MAX)));
    let Some(total) = total else { return format!("{}, {rate}", human(done)) };
    let percent = u128::from(done) * 100 / u128::from(total.max(1));
    let left = u128::from(total.saturating_sub(done)).checked_div(per_second);
    let left = left.and_then(|seconds| u64::try_from(seconds).ok()).map_or_else(
        || "stalled".to_owned(),
        |seconds| format!("{} left", humantime::format_duration(Duration::from_secs(seconds))),
    );
    format!("{percent:3}%  {} of {}, {rate}, {left}", human(done), human(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_rate_and_time_left() {
        let second = Duration::from_secs(1);
        assert_eq!(line(1 << 30, Some(4 << 30), second), " 25%  1 GiB of 4 GiB, 1 GiB/s, 3s left");
        assert_eq!(
            line(1 << 20, Some(91 << 20), second),
            "  1%  1 MiB of 91 MiB, 1 MiB/s, 1m 30s left"
        );
        assert_eq!(line(3 << 20, None, 2 * second), "3 MiB, 1.5 MiB/s");
        assert_eq!(line(0, Some(5), second), "  0%  0 B of 5 B, 0 B/s, stalled");
        assert_eq!(line(5, Some(5), second), "100%  5 B of 5 B, 5 B/s, 0s left");
    }
}
