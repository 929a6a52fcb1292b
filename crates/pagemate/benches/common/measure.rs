//! Measures two implementations in alternation, and prints the comparison.

use std::fmt;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The duration of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Long enough for reliable numbers.
    Full,
    /// Long enough to see that the benchmark runs.
    Quick,
}

impl Effort {
    /// Returns the first value for a full measurement, the second for a quick one.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Effort::Full => full,
            Effort::Quick => quick,
        }
    }
}

/// The clock of a measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The processor time of this thread: for code that never sleeps.
    #[default]
    Processor,
    /// Elapsed time: for code that sleeps or that involves several processes.
    Wall,
}

impl Clock {
    pub(crate) fn ns(self) -> f64 {
        let time = clock_gettime(match self {
            Clock::Processor => ClockId::ThreadCPUTime,
            Clock::Wall => ClockId::Monotonic,
        });
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    }
}

/// A stopwatch, started at its creation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch(Clock, f64);

impl Watch {
    /// Starts a stopwatch of this thread's processor time.
    pub(crate) fn start() -> Watch {
        Watch::by(Clock::Processor)
    }

    pub(crate) fn by(clock: Clock) -> Watch {
        Watch(clock, clock.ns())
    }

    /// Returns the nanoseconds since the start.
    pub(crate) fn ns(self) -> f64 {
        self.0.ns() - self.1
    }
}

/// The minimum duration of a block of calls. In a block of this length the time to read the clock
/// is negligible.
const BLOCK: Duration = Duration::from_micros(500);

/// The median and the quartiles of many values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let at = |quarters: usize| values[(values.len() - 1) * quarters / 4];
        Spread { low: at(1), median: at(2), high: at(3) }
    }

    fn map(self, change: impl Fn(f64) -> f64) -> Spread {
        let (a, b) = (change(self.low), change(self.high));
        Spread { low: a.min(b), median: change(self.median), high: a.max(b) }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.median, self.low, self.high)
    }
}

/// The results of two implementations, one entry for each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comparison {
    /// The time of pagemate divided by the time of the other implementation.
    ratios: Vec<f64>,
    /// Nanoseconds of one call.
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// Runs both implementations in rounds of four blocks (pagemate, other, other, pagemate), so that a
/// steady change of the machine's speed affects both equally.
pub(crate) fn compare(effort: Effort, ours: impl FnMut(), theirs: impl FnMut()) -> Comparison {
    let mut comparison = Comparison::default();
    let time = effort.pick(Duration::from_secs(4), Duration::from_millis(200));
    comparison.add_rounds(time, ours, theirs);
    comparison
}

fn calls_per_block(block: &mut impl FnMut(u32) -> f64) -> u32 {
    let mut calls = 1;
    while calls < 1 << 24 {
        if block(calls) >= BLOCK.as_nanos() as f64 {
            break;
        }
        calls *= 2;
    }
    calls
}

/// Returns the nanoseconds of `calls` calls.
fn block(calls: u32, call: &mut impl FnMut()) -> f64 {
    let watch = Watch::start();
    for _ in 0..calls {
        call();
    }
    watch.ns()
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

/// Prints the column titles for [`Comparison::print`].
pub(crate) fn titles(ours: &str, theirs: &str) {
    println!(
        "  {:34} {ours:>12} {theirs:>12}   {:26} {:>6}  limit",
        "", "ratio (middle half)", "rounds"
    );
}

impl Comparison {
    /// Adds rounds until `time` has passed, and at least three.
    pub(crate) fn add_rounds(
        &mut self,
        time: Duration,
        mut ours: impl FnMut(),
        mut theirs: impl FnMut(),
    ) {
        let ours = |calls| block(calls, &mut ours);
        self.add_block_rounds(time, ours, |calls| block(calls, &mut theirs));
    }

    /// Adds rounds of two functions, each of which makes the given number of calls and returns the
    /// nanoseconds of all of them.
    pub(crate) fn add_block_rounds(
        &mut self,
        time: Duration,
        mut ours: impl FnMut(u32) -> f64,
        mut theirs: impl FnMut(u32) -> f64,
    ) {
        let calls = calls_per_block(&mut ours).max(calls_per_block(&mut theirs));
        let (end, enough) = (Instant::now() + time, self.ratios.len() + 3);
        while self.ratios.len() < enough || Instant::now() < end {
            let first = ours(calls);
            let theirs = theirs(calls) + theirs(calls);
            let ours = first + ours(calls);
            self.add(ours / f64::from(2 * calls), theirs / f64::from(2 * calls));
        }
    }

    /// Adds a round. The arguments are the nanoseconds of one call.
    pub(crate) fn add(&mut self, ours: f64, theirs: f64) {
        self.ratios.push(ours / theirs);
        self.ours.push(ours);
        self.theirs.push(theirs);
    }

    /// Prints one line. pagemate may take at most `limit` times as long as the other
    /// implementation.
    pub(crate) fn print(self, what: &str, limit: Option<f64>) {
        let ratio = Spread::of(self.ratios.clone());
        let limit = limit.map_or(String::new(), |limit| {
            format!("{limit:.2} {}", verdict(ratio.median <= limit))
        });
        self.line(what, ratio, &limit, time);
    }

    /// Prints one line about copies of `bytes` bytes. pagemate must reach at least `limit` times
    /// the rate of the other implementation.
    pub(crate) fn print_rate(self, what: &str, bytes: usize, limit: f64) {
        let ratio = Spread::of(self.ratios.clone()).map(|ratio| 1.0 / ratio);
        let limit = format!("{limit:.2} {}", verdict(ratio.median >= limit));
        self.line(what, ratio, &limit, |ns| format!("{:.1} GB/s", bytes as f64 / ns));
    }

    fn line(self, what: &str, ratio: Spread, limit: &str, show: impl Fn(f64) -> String) {
        println!(
            "  {what:34} {:>12} {:>12}   {:26} {:>6}  {limit}",
            show(Spread::of(self.ours).median),
            show(Spread::of(self.theirs).median),
            ratio.to_string(),
            self.ratios.len()
        );
    }
}

/// Formats nanoseconds for a report.
pub(crate) fn time(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.2} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

/// Prints one line about one implementation with an absolute limit in milliseconds.
pub(crate) fn print_alone(what: &str, times: Vec<f64>, limit_ms: f64) {
    let rounds = times.len();
    let spread = Spread::of(times).map(|ns| ns / 1e6);
    let verdict = verdict(spread.median < limit_ms);
    println!("  {what:34} {spread} ms of {rounds} rounds; limit {limit_ms:.0} ms {verdict}");
}
