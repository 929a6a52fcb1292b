mod latencies;
mod link;
mod measure;
mod peer;
#[cfg(feature = "plot")]
mod plot;
mod processors;
mod report;

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use self::link::{Kind, WaitingArg};
use self::measure::{Plan, Row};
use crate::bytes;
use crate::color;
use crate::failure::{Failure, Outcome};
use crate::json::print_json;

/// Measure the channels of this machine: round trips and messages per second between two processes.
///
/// Each row is measured next to a raw cache line, which is the limit of the hardware, and next to a pipe. Two
/// processes run on processors of their own if there are two. Run it on an idle machine: other programs make the
/// numbers worse, and the command says how much of the machine they used.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate bench
  pagemate bench --kind spsc --kind mpmc --size 4K --seconds 5
  pagemate bench --waiting sleep --json
  pagemate bench --plot latency.svg

Columns:
  ROUND TRIP   the median time for a message and its answer
  99 %         99 of 100 round trips are at least as fast
  ONE WAY      the time of a message when one process sends without a pause
  RATE         messages per second, one way
  A watch channel replaces its value, so that it has round trips only.

The JSON is an object with the fields machine and rows; times are in nanoseconds.")]
pub(crate) struct Bench {
    /// The kinds to measure. May be given several times. Without it: all.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<Kind>,
    /// The length of the messages: 64, 4K, 1M. A cache line always carries 8 bytes.
    #[arg(long, value_name = "SIZE", default_value = "64", value_parser = bytes::parse)]
    size: u64,
    /// How an endpoint waits. May be given several times. Without it: spin and spin-then-sleep.
    #[arg(long = "waiting", value_name = "HOW")]
    waitings: Vec<WaitingArg>,
    /// The time for all measurements together, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    seconds: f64,
    /// Print JSON at the end, for scripts.
    #[arg(long)]
    json: bool,
    /// Write a plot of the distribution of round trips to this file, whose name ends with .svg or .png.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

/// The longest message. More would measure the memory and not the channel.
const MOST: u64 = 1 << 26;

fn seconds(text: &str) -> Result<f64, String> {
    let seconds =
        text.parse::<f64>().map_err(|_| "give a number of seconds, such as 10".to_owned())?;
    if (0.1..=3600.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("give from 0.1 to 3600 seconds".to_owned())
    }
}

impl Bench {
    pub(crate) fn run(self) -> Outcome {
        if let Ok(setting) = env::var(peer::SETTING) {
            return peer::run(&setting);
        }
        if !(1..=MOST).contains(&self.size) {
            let why = format!("--size is from 1 byte to {}", bytes::human(MOST));
            return Err(Failure::new(format!("measure messages of {} bytes: {why}", self.size)));
        }
        if let Some(file) = &self.plot {
            check_plot(file)?;
        }
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let plan = Plan::new(&self.kinds, &self.waitings);
        let rows_wanted = u32::try_from(plan.rows().len()).unwrap_or(u32::MAX);
        let each = Duration::from_secs_f64(self.seconds) / rows_wanted;
        let machine = processors::Machine::new();
        if !self.json {
            write!(color::stdout(), "{}", report::introduction(&machine, self.size))?;
        }
        let watch = processors::ForeignWork::start();
        let mut rows = Vec::new();
        for wanted in plan.rows() {
            report::show_progress(*wanted, rows.len(), plan.rows().len());
            rows.push(measure::row(*wanted, size, each, &machine)?);
        }
        report::clear_progress();
        let foreign = watch.end();
        if self.json {
            print_json(&report::json(&machine, self.size, foreign, &rows), io::stdout().lock())?;
        } else {
            let mut out = color::stdout();
            write!(out, "{}", report::table(&rows))?;
            write!(out, "{}{}", report::histogram(chosen(&rows)), report::noise(foreign))?;
        }
        match &self.plot {
            Some(file) => plot(file, &rows),
            None => Ok(()),
        }
    }
}

/// Returns the row whose distribution is shown: that of the first channel.
fn chosen(rows: &[Row]) -> Option<&Row> {
    rows.iter().find(|row| row.kind.is_channel()).or_else(|| rows.first())
}

#[cfg(feature = "plot")]
fn check_plot(file: &std::path::Path) -> Outcome {
    plot::check(file)
}

#[cfg(feature = "plot")]
fn plot(file: &std::path::Path, rows: &[Row]) -> Outcome {
    plot::draw(file, rows)
}

#[cfg(not(feature = "plot"))]
fn check_plot(file: &std::path::Path) -> Outcome {
    let why = "this pagemate was built without plots; install it with 'cargo install pagemate-cli --features plot', \
               or draw the output of --json";
    Err(Failure::new(format!("draw {}: {why}", file.display())))
}

#[cfg(not(feature = "plot"))]
fn plot(file: &std::path::Path, _: &[Row]) -> Outcome {
    check_plot(file)
}
