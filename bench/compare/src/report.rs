//! The report in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::duel::by_transport;
use crate::exchange::{EXCHANGES, Exchange};
use crate::machine::{Foreign, Machine, TOO_MUCH};
use crate::results::{Results, Round, Row, Value};
use crate::transport::{ALL, MINIMAL, WAITINGS, Waiting};

/// The median and the middle half of some values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Option<Spread> {
        let mut values = values.to_vec();
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |quarters: usize| values[last * quarters / 4];
        Some(Spread { low: at(1), median: at(2), high: at(3) })
    }
}

/// Formats nanoseconds.
pub(crate) fn time(ns: f64) -> String {
    match ns {
        ns if ns < 99.5 => format!("{ns:.1} ns"),
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e5 => format!("{:.2} µs", ns / 1e3),
        ns if ns < 1e6 => format!("{:.0} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

/// Formats a number of bytes.
pub(crate) fn bytes(count: usize) -> String {
    match count {
        count if count < 1 << 10 => format!("{count} B"),
        count if count < 1 << 20 => format!("{} KiB", count >> 10),
        count => format!("{} MiB", count >> 20),
    }
}

fn rounds(results: &Results, row: Row) -> Vec<&Round> {
    results.rounds.iter().filter(|round| round.row == row).collect()
}

/// Returns the fastest minimal ring's time in each round of a row that has one.
fn limits(rounds: &[&Round]) -> BTreeMap<usize, f64> {
    let mut limits = BTreeMap::new();
    for round in rounds.iter().filter(|round| MINIMAL.contains(&round.transport)) {
        let limit = limits.entry(round.round).or_insert(f64::INFINITY);
        *limit = f64::min(*limit, round.ns);
    }
    limits
}

/// Prints one row while the program runs.
pub(crate) fn progress(results: &Results, row: Row) {
    let all = rounds(results, row);
    if all.is_empty() {
        return;
    }
    let medians = by_transport(&all);
    let of = |name: &str| Spread::of(medians.get(name)?).map(|spread| time(spread.median));
    let limit = MINIMAL.iter().filter_map(|name| Spread::of(medians.get(name)?)).map(|s| s.median);
    let limit = limit.reduce(f64::min).map_or(String::new(), |ns| format!(", limit {}", time(ns)));
    println!(
        "  {}, {}, {}, depth {}: pagemate {}{limit}",
        row.exchange.name(),
        row.waiting.name(),
        bytes(row.bytes()),
        row.depth,
        of("pagemate spsc").unwrap_or_default(),
    );
}

/// Writes the report to a file.
pub(crate) fn write(folder: &Path, machine: &Machine, results: &Results) -> io::Result<()> {
    let mut text = String::from("# Channels and named memory between processes\n\n");
    text += &introduction(machine, results);
    for waiting in WAITINGS {
        for exchange in EXCHANGES {
            text += &pairs(results, waiting, exchange);
        }
    }
    text += &latencies(results);
    text += &tables(results);
    if !results.missing.is_empty() {
        text += "\n## Rows that a library did not finish\n\n";
        for missing in &results.missing {
            let row = missing.row;
            _ = writeln!(
                text,
                "- {} {} in: {}, {}, {}, depth {}",
                missing.transport,
                missing.why,
                row.exchange.name(),
                row.waiting.name(),
                bytes(row.bytes()),
                row.depth
            );
        }
    }
    std::fs::write(folder.join("results.md"), text)
}

fn introduction(machine: &Machine, results: &Results) -> String {
    let Machine { processor, processors, caches, kernel, memory_gib } = machine;
    let mut text = format!(
        "{processor}, {processors} processors, {memory_gib} GiB of memory, Linux {kernel}, {}. According to the \
         system, {caches}. ",
        date()
    );
    let probes: Vec<f64> = results.rounds.iter().map(|round| round.probe_ns).collect();
    if let Some(Spread { low, median, high }) = Spread::of(&probes) {
        _ = write!(
            text,
            "The round trip of a cache line was {} (middle half: {} to {}). ",
            time(median),
            time(low),
            time(high)
        );
    }
    let foreign: Vec<Foreign> = results.rounds.iter().map(|round| round.foreign).collect();
    let noisy = foreign.iter().filter(|foreign| foreign.is_too_much()).count();
    let share = noisy as f64 / foreign.len().max(1) as f64 * 100.0;
    _ = writeln!(
        text,
        "In {share:.0} % of the rounds, other programs or the hypervisor used more than {TOO_MUCH} processors.{}\n",
        if share > 20.0 {
            " **The machine was too busy: do not trust these numbers.**"
        } else {
            ""
        }
    );
    text += "Each number is the median of all rounds, in which the contenders take turns. The number in \
             parentheses is the ratio to the limit: the fastest of three minimal rings in the same round, \
             which check nothing and do not survive a death. `-` stands for a row that a contender does not \
             have. Every byte of a message is written by the sender and read by the receiver.\n";
    text
}

fn date() -> String {
    let seconds = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
    // Days since 1 March of the year 0, by the usual conversion of the proleptic Gregorian calendar.
    let days = seconds.div_euclid(86400) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) =
        (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + i64::from(month <= 2))
}

/// The table of one exchange and one way of waiting.
fn pairs(results: &Results, waiting: Waiting, exchange: Exchange) -> String {
    let mut rows: Vec<Row> = results.rounds.iter().map(|round| round.row).collect();
    rows.retain(|row| row.waiting == waiting && row.exchange == exchange);
    rows.sort_unstable();
    rows.dedup();
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!("\n## {}, {}\n\n|", capital(exchange.name()), waiting.name());
    for row in &rows {
        let depth = if row.words == 8 && exchange != Exchange::Trip {
            format!(", depth {}", row.depth)
        } else {
            String::new()
        };
        _ = write!(text, " | {}{depth}", bytes(row.bytes()));
    }
    text += " |\n|---";
    text += &"|---".repeat(rows.len());
    text += "|\n";
    for entry in ALL.iter().filter(|entry| entry.waitings.contains(&waiting)) {
        let cells: Vec<String> = rows.iter().map(|row| cell(results, *row, entry.name)).collect();
        if cells.iter().all(|cell| cell == "-") {
            continue;
        }
        let version =
            if entry.version.is_empty() { String::new() } else { format!(" {}", entry.version) };
        _ = writeln!(text, "| {}{version} | {} |", entry.name, cells.join(" | "));
    }
    text
}

fn capital(text: &str) -> String {
    text[..1].to_uppercase() + &text[1..]
}

fn cell(results: &Results, row: Row, transport: &str) -> String {
    if let Some(missing) = results.missing.iter().find(|m| m.row == row && m.transport == transport)
    {
        return missing.why.to_owned();
    }
    let all = rounds(results, row);
    let limits = limits(&all);
    let own: Vec<&&Round> =
        all.iter().filter(|round| round.transport == transport && !round.interrupted).collect();
    let times: Vec<f64> = own.iter().map(|round| round.ns).collect();
    let Some(spread) = Spread::of(&times) else { return "-".to_owned() };
    let ratios: Vec<f64> =
        own.iter().filter_map(|round| Some(round.ns / limits.get(&round.round)?)).collect();
    match Spread::of(&ratios) {
        Some(ratio) => format!("{} ({:.2})", time(spread.median), ratio.median),
        None => time(spread.median),
    }
}

fn latencies(results: &Results) -> String {
    if results.latencies.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n## Distribution of round trips, 64 B\n\n| | waiting");
    for (percentile, _) in &results.latencies[0].percentiles {
        _ = match percentile {
            100.0 => write!(text, " | most"),
            _ => write!(text, " | {percentile} %"),
        };
    }
    text += " | round trips |\n|---|---";
    text += &"|---".repeat(results.latencies[0].percentiles.len() + 1);
    text += "|\n";
    for latency in &results.latencies {
        let times: Vec<String> =
            latency.percentiles.iter().map(|(_, ns)| time(*ns as f64)).collect();
        let (name, waiting) = (latency.transport, latency.row.waiting.name());
        _ = writeln!(text, "| {name} | {waiting} | {} | {} |", times.join(" | "), latency.count);
    }
    text
}

/// The tables of the other parts: a row for each subject, and a column for each of their rows.
fn tables(results: &Results) -> String {
    let mut text = String::new();
    let mut tables: Vec<&str> = Vec::new();
    for value in &results.values {
        if !tables.contains(&value.table) {
            tables.push(value.table);
        }
    }
    for table in tables {
        let values: Vec<&Value> =
            results.values.iter().filter(|value| value.table == table).collect();
        let (mut columns, mut subjects) = (Vec::new(), Vec::new());
        for value in &values {
            let column = (value.row.as_str(), value.unit);
            if !columns.contains(&column) {
                columns.push(column);
            }
            if !subjects.contains(&value.subject.as_str()) {
                subjects.push(&value.subject);
            }
        }
        _ = write!(text, "\n## {}\n\n|", capital(table));
        for (row, unit) in &columns {
            _ = write!(text, " | {row}: {unit}");
        }
        text += " |\n|---";
        text += &"|---".repeat(columns.len());
        text += "|\n";
        for subject in subjects {
            _ = write!(text, "| {subject}");
            for column in &columns {
                let is_it = |value: &&&Value| {
                    value.subject == subject && (value.row.as_str(), value.unit) == *column
                };
                let spread = values.iter().find(is_it).and_then(|value| Spread::of(&value.values));
                let shown = spread.map_or("-".to_owned(), |spread| range(spread));
                _ = write!(text, " | {shown}");
            }
            text += " |\n";
        }
    }
    text
}

fn range(Spread { low, median, high }: Spread) -> String {
    let show = |value: f64| match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    };
    if show(low) == show(high) {
        return show(median);
    }
    format!("{} ({} to {})", show(median), show(low), show(high))
}
