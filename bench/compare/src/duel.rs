//! Rows of two processes: every transport does the same work in turn.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use rustix::thread::gettid;

use crate::exchange::{BATCH, EXCHANGES, Exchange, Side};
use crate::machine::Noise;
use crate::member::{self, Failure, Member, PATIENCE};
use crate::results::{Latency, Results, Round, Row};
use crate::run::Run;
use crate::transport::{self, Accept, Entry, LENGTHS, Setting, WAITINGS, Waiting};

/// The transport by which the distance of the processors is measured in each round.
const PROBE: &str = "packed ring with sequences";

/// The percentiles of the distributions.
pub(crate) const PERCENTILES: [f64; 7] = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0];

/// Returns the rows of two processes, in the order of the report.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for waiting in WAITINGS {
        for exchange in EXCHANGES {
            for words in LENGTHS {
                let depths: &[usize] = match (exchange, words) {
                    (Exchange::Single | Exchange::Batch, 8) => &[64, 1024],
                    (_, ..=512) => &[64],
                    _ => &[8],
                };
                let row = |depth: &usize| Row { exchange, words, depth: *depth, waiting };
                rows.extend(depths.iter().map(row));
            }
        }
    }
    rows
}

/// Two processes and a connection between them.
struct Connection {
    entry: &'static Entry,
    first: Member,
    second: Member,
    /// The number of messages in a round.
    count: u64,
}

impl Connection {
    fn open(run: &mut Run, entry: &'static Entry, row: Row) -> Result<Connection, Failure> {
        let [near, far] = member::processors();
        let mut first = Member::start("duel", near);
        let mut second = Member::start("duel", far);
        let setting = run.setting(row.depth, row.waiting);
        let words = format!(
            "{}|{}|{}|{}|{}|{}",
            entry.name,
            row.words,
            setting.name,
            setting.folder.display(),
            setting.depth,
            setting.waiting.name()
        );
        first.ask(format!("listen|{words}"))?;
        // Some transports connect only while the first process accepts.
        second.tell(format!("connect|{words}"))?;
        first.tell("accept")?;
        second.hear()?;
        first.hear()?;
        Ok(Connection { entry, first, second, count: 0 })
    }

    /// Exchanges so many messages, and returns the nanoseconds of each, and whether another program
    /// interrupted a process.
    fn play(&mut self, exchange: Exchange, count: u64) -> Result<(f64, bool), Failure> {
        self.second.tell(format!("second|{}|{count}", exchange.name()))?;
        self.second.hear()?;
        let answer = self.first.ask(format!("first|{}|{count}", exchange.name()))?;
        let done = self.second.hear()?;
        let (ns, first) = answer.split_once('|').ok_or(Failure::Failed)?;
        let ns: f64 = ns.parse().map_err(|_| Failure::Failed)?;
        Ok((ns / count as f64, first != "0" || done != "0"))
    }

    /// Chooses the number of messages so that a round takes the time of a chunk.
    fn calibrate(&mut self, exchange: Exchange, chunk_ns: f64) -> Result<(), Failure> {
        let mut count = BATCH;
        loop {
            let (ns, _) = self.play(exchange, count)?;
            let all = ns * count as f64;
            if all > chunk_ns / 8.0 || count > 1 << 22 {
                self.count = ((chunk_ns / ns) as u64).next_multiple_of(BATCH);
                return Ok(());
            }
            count *= 4;
        }
    }
}

/// Measures one row: rounds in which each transport does the same work.
pub(crate) fn measure(run: &mut Run, results: &mut Results, row: Row) {
    let fits = |entry: &&Entry| {
        entry.waitings.contains(&row.waiting)
            && row.words <= entry.most_words
            && (entry.is_queue || row.exchange == Exchange::Trip)
            && run.wants(entry.name)
    };
    let mut connections = Vec::new();
    let entries: Vec<&'static Entry> = transport::ALL.iter().filter(fits).collect();
    for entry in entries {
        let opened = Connection::open(run, entry, row).and_then(|mut connection| {
            connection.calibrate(row.exchange, run.effort.chunk_ns())?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => connections.push(connection),
            Err(failure) => results.fail(row, entry.name, failure.name()),
        }
    }
    let probe_row =
        Row { exchange: Exchange::Trip, words: 1, depth: 64, waiting: Waiting::Polling };
    let mut probe = Connection::open(run, transport::named(PROBE), probe_row).ok();
    let mut noise = Noise::start(&members(&connections, &probe));
    for round in 0..run.effort.rounds() {
        let probe_ns = probe
            .as_mut()
            .and_then(|probe| probe.play(Exchange::Trip, 512).ok())
            .map_or(f64::NAN, |(ns, _)| ns);
        let first = results.rounds.len();
        let mut failed = None;
        for (index, connection) in connections.iter_mut().enumerate() {
            match connection.play(row.exchange, connection.count) {
                Ok((ns, interrupted)) => results.rounds.push(Round {
                    row,
                    transport: connection.entry.name,
                    round,
                    ns,
                    interrupted: interrupted && row.waiting == Waiting::Polling,
                    probe_ns,
                    foreign: Default::default(),
                }),
                Err(failure) => {
                    results.fail(row, connection.entry.name, failure.name());
                    failed = Some(index);
                }
            }
        }
        let foreign = noise.end(&members(&connections, &probe));
        results.rounds[first..].iter_mut().for_each(|round| round.foreign = foreign);
        if let Some(index) = failed {
            connections.remove(index);
        }
        noise = Noise::start(&members(&connections, &probe));
    }
    if row.exchange == Exchange::Trip && row.words == 8 {
        for connection in &mut connections {
            if let Some(latency) = latency(run, connection, row) {
                results.latencies.push(latency);
            }
        }
    }
}

fn members(connections: &[Connection], probe: &Option<Connection>) -> Vec<u32> {
    let all = connections.iter().chain(probe);
    all.flat_map(|one| [one.first.id(), one.second.id()]).chain([std::process::id()]).collect()
}

/// Measures the distribution of round trips.
fn latency(run: &Run, connection: &mut Connection, row: Row) -> Option<Latency> {
    let count = connection.count * run.effort.distribution_chunks();
    connection.second.tell(format!("second|{}|{count}", Exchange::Trip.name())).ok()?;
    connection.second.hear().ok()?;
    connection.first.tell(format!("distribution|{count}")).ok()?;
    let answer = connection.first.hear_within(PATIENCE * 3).ok()?;
    connection.second.hear().ok()?;
    let percentiles: Vec<u64> = answer.split('|').filter_map(|word| word.parse().ok()).collect();
    Some(Latency {
        row,
        transport: connection.entry.name,
        count,
        percentiles: PERCENTILES.into_iter().zip(percentiles).collect(),
    })
}

/// The main function of one of the two processes.
pub(crate) fn member(processor: usize) {
    let mut side: Option<Box<dyn Side>> = None;
    let mut accepting: Option<Accept> = None;
    member::serve(processor, |line| {
        let words: Vec<&str> = line.split('|').collect();
        let number = |word: &str| word.parse::<u64>().expect("a number");
        match words[..] {
            ["listen" | "connect", name, words, own, folder, depth, waiting] => {
                let setting = Setting {
                    name: own.to_owned(),
                    folder: folder.into(),
                    depth: number(depth) as usize,
                    waiting: Waiting::from_name(waiting),
                };
                let (entry, words) = (transport::named(name), number(words) as usize);
                if line.starts_with("listen") {
                    accepting = Some((entry.listen)(words, &setting));
                } else {
                    side = Some((entry.connect)(words, &setting));
                }
                "ready".to_owned()
            }
            ["accept"] => {
                side = accepting.take().map(|accept| accept());
                "ready".to_owned()
            }
            ["first", exchange, count] => {
                let side = side.as_mut().expect("a connection");
                let before = interruptions();
                let ns = side.first(Exchange::from_name(exchange), number(count));
                format!("{ns}|{}", interruptions() - before)
            }
            ["second", exchange, count] => {
                let side = side.as_mut().expect("a connection");
                member::reply("begun");
                let before = interruptions();
                side.second(Exchange::from_name(exchange), number(count));
                (interruptions() - before).to_string()
            }
            ["distribution", count] => {
                let mut times = Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("bounds");
                side.as_mut().expect("a connection").distribution(number(count), &mut times);
                let values = PERCENTILES.map(|p| times.value_at_percentile(p).to_string());
                values.join("|")
            }
            _ => panic!("no member understands {line}"),
        }
    });
}

/// Returns how often the kernel has taken the processor from this thread.
fn interruptions() -> u64 {
    let path = format!("/proc/self/task/{}/status", gettid().as_raw_nonzero());
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("nonvoluntary_ctxt_switches"));
    line.and_then(|line| line.split('\t').nth(1)?.parse().ok()).unwrap_or(0)
}

/// Sorts the medians of a row.
pub(crate) fn by_transport(rounds: &[&Round]) -> BTreeMap<&'static str, Vec<f64>> {
    let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for round in rounds.iter().filter(|round| !round.interrupted) {
        all.entry(round.transport).or_default().push(round.ns);
    }
    all
}
