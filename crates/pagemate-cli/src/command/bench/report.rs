//! The output of the command.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};

use clap::ValueEnum;
use serde::Serialize;

use super::latencies::as_f64;
use super::link::{Kind, WaitingArg};
use super::measure::Row;
use super::processors::Machine;
use crate::bytes;
use crate::color;
use crate::table::{self, Alignment, Cell, Column};

/// More foreign work than this makes a measurement unreliable.
const TOO_MUCH: f64 = 0.05;

/// Formats nanoseconds.
pub(super) fn time(ns: f64) -> String {
    match ns {
        ns if ns < 99.5 => format!("{ns:.1} ns"),
        ns if ns < 999.5 => format!("{ns:.0} ns"),
        ns if ns < 99_500.0 => format!("{:.2} µs", ns / 1e3),
        ns if ns < 999_500.0 => format!("{:.0} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

fn rate(ns: f64) -> String {
    match 1e9 / ns {
        rate if rate >= 1e6 => format!("{:.1} M/s", rate / 1e6),
        rate if rate >= 1e3 => format!("{:.0} k/s", rate / 1e3),
        rate => format!("{rate:.0} /s"),
    }
}

fn waiting_name(waiting: WaitingArg) -> String {
    waiting.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Returns the lines before the table: the machine and the messages.
pub(super) fn introduction(machine: &Machine, size: u64) -> String {
    let mut text = String::new();
    if let Some(processor) = &machine.processor {
        _ = writeln!(text, "{processor}");
    }
    _ = match machine.used[..] {
        [first, last] => {
            let shared = match machine.shared_cache {
                Some(level) => format!("a level {level} cache"),
                None => "no cache".to_owned(),
            };
            write!(text, "Two processes on the processors {first} and {last}, which share {shared}")
        }
        [only] => write!(text, "Two processes that share processor {only}"),
        _ => write!(text, "Two processes on the processors that the system chooses"),
    };
    _ = writeln!(text, "; messages of {}\n", bytes::human(size));
    text
}

/// Shows the row that is measured next, on a terminal.
pub(super) fn show_progress((kind, waiting): (Kind, WaitingArg), done: usize, all: usize) {
    let mut out = io::stderr();
    if out.is_terminal() {
        let line = format!("{}/{all} {}, {}", done + 1, kind.name(), waiting_name(waiting));
        _ = write!(out, "\r{line:40}");
    }
}

/// Removes the line of [`show_progress`].
pub(super) fn clear_progress() {
    let mut out = io::stderr();
    if out.is_terminal() {
        _ = write!(out, "\r{:40}\r", "");
    }
}

const fn column(title: &'static str, alignment: Alignment, rank: u8) -> Column {
    Column { title, alignment, min: 12, keep: 12, rank }
}

const COLUMNS: [Column; 8] = [
    column("KIND", Alignment::Left, 0),
    column("WAITING", Alignment::Left, 0),
    column("ROUND TRIP", Alignment::Right, 0),
    column("99 %", Alignment::Right, 5),
    column("99.9 %", Alignment::Right, 4),
    column("MOST", Alignment::Right, 3),
    column("ONE WAY", Alignment::Right, 6),
    column("RATE", Alignment::Right, 2),
];

/// Returns the table of all rows.
pub(super) fn table(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let percentile = |percentile| time(as_f64(row.trips.percentile(percentile)));
        let one_way = |show: fn(f64) -> String| row.one_way.map_or("-".to_owned(), show);
        [
            row.kind.name().to_owned(),
            waiting_name(row.waiting),
            percentile(50.0),
            percentile(99.0),
            percentile(99.9),
            percentile(100.0),
            one_way(time),
            one_way(rate),
        ]
        .map(Cell::new)
    });
    table::format(COLUMNS, cells.collect(), color::terminal_width())
}

/// Returns a histogram of one row's round trips.
pub(super) fn histogram(row: Option<&Row>) -> String {
    const CLASSES: usize = 12;
    const WIDTH: u64 = 50;
    let Some(row) = row else { return String::new() };
    let classes = row.trips.classes(CLASSES);
    let most = classes.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let mut text =
        format!("\nRound trips of {}, {}:\n", row.kind.name(), waiting_name(row.waiting));
    for (limit, count) in classes {
        let width = usize::try_from((count * WIDTH).div_ceil(most)).unwrap_or(0);
        let share = as_f64(count) / as_f64(row.trips.len()) * 100.0;
        let line = format!("  to {:>8}  {:50}  {share:.1} %", time(limit), "#".repeat(width));
        _ = writeln!(text, "{line}");
    }
    text
}

/// Returns a line about the work of other programs.
pub(super) fn noise(foreign: Option<f64>) -> String {
    match foreign {
        Some(foreign) if foreign > TOO_MUCH => format!(
            "\nOther programs used {foreign:.2} processors meanwhile, so that the numbers are not reliable. Run the \
             command again on an idle machine.\n"
        ),
        Some(foreign) => format!("\nOther programs used {foreign:.2} processors meanwhile.\n"),
        None => String::new(),
    }
}

/// The JSON output. Times are in nanoseconds.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    machine: &'a Machine,
    message_bytes: u64,
    /// How many processors other programs used on average.
    foreign_processors: Option<f64>,
    rows: Vec<JsonRow>,
}

#[derive(Serialize)]
struct JsonRow {
    kind: Kind,
    waiting: String,
    round_trips: u64,
    round_trip: JsonTimes,
    one_way: Option<f64>,
}

#[derive(Serialize)]
struct JsonTimes {
    p50: u64,
    p90: u64,
    p99: u64,
    p99_9: u64,
    p99_99: u64,
    max: u64,
}

pub(super) fn json<'a>(
    machine: &'a Machine,
    size: u64,
    foreign: Option<f64>,
    rows: &[Row],
) -> Json<'a> {
    let row = |row: &Row| JsonRow {
        kind: row.kind,
        waiting: waiting_name(row.waiting),
        round_trips: row.trips.len(),
        round_trip: JsonTimes {
            p50: row.trips.percentile(50.0),
            p90: row.trips.percentile(90.0),
            p99: row.trips.percentile(99.0),
            p99_9: row.trips.percentile(99.9),
            p99_99: row.trips.percentile(99.99),
            max: row.trips.percentile(100.0),
        },
        one_way: row.one_way,
    };
    Json {
        machine,
        message_bytes: size,
        foreign_processors: foreign,
        rows: rows.iter().map(row).collect(),
    }
}
