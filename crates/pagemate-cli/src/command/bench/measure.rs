//! The measurements of one row.

use std::time::{Duration, Instant};

use super::latencies::{Latencies, as_f64};
use super::link::{Kind, WaitingArg};
use super::peer::{Peer, Setting};
use super::processors::{self, Machine};
use crate::failure::Outcome;

/// The rows to measure.
#[derive(Clone, Debug)]
pub(super) struct Plan(Vec<(Kind, WaitingArg)>);

/// A measured row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) waiting: WaitingArg,
    pub(super) trips: Latencies,
    /// The nanoseconds of a message one way, the median of the blocks. `None` if the kind holds only one
    /// message.
    pub(super) one_way: Option<f64>,
}

const KINDS: [Kind; 6] =
    [Kind::CacheLine, Kind::Spsc, Kind::Mpmc, Kind::Broadcast, Kind::Watch, Kind::Pipe];

impl Plan {
    /// Returns the rows of these kinds and ways of waiting. The cache line and the pipe, which the others
    /// are compared with, are always measured.
    pub(super) fn new(kinds: &[Kind], waitings: &[WaitingArg]) -> Plan {
        let waitings = match waitings {
            [] => &[WaitingArg::Spin, WaitingArg::SpinThenSleep],
            _ => waitings,
        };
        let wanted = |kind: &Kind| kinds.is_empty() || kinds.contains(kind) || !kind.is_channel();
        let rows = KINDS.into_iter().filter(wanted).flat_map(|kind| {
            let own = match kind {
                Kind::CacheLine => &[WaitingArg::Spin],
                Kind::Pipe => &[WaitingArg::Sleep],
                _ => waitings,
            };
            own.iter().map(move |waiting| (kind, *waiting))
        });
        Plan(rows.collect())
    }

    pub(super) fn rows(&self) -> &[(Kind, WaitingArg)] {
        &self.0
    }
}

/// The time of one block of messages.
const BLOCK: Duration = Duration::from_millis(10);

/// Measures one row for about this time.
pub(super) fn row(
    (kind, waiting): (Kind, WaitingArg),
    size: usize,
    time: Duration,
    machine: &Machine,
) -> Outcome<Row> {
    let name = format!("pagemate-bench-{}-{}", std::process::id(), kind.name().replace(' ', "-"));
    let [own, other] = machine.pair();
    if let Some(own) = own {
        processors::pin(own);
    }
    let setting = Setting { kind, waiting, name, size, processor: other };
    let mut peer = Peer::start(&setting)?;
    let half = if kind.is_queue() { time / 2 } else { time };
    let trips = trips(&mut peer, half)?;
    let one_way = if kind.is_queue() { Some(one_way(&mut peer, half)?) } else { None };
    Ok(Row { kind, waiting, trips, one_way })
}

fn trips(peer: &mut Peer, time: Duration) -> Outcome<Latencies> {
    let end = Instant::now() + time;
    let mut count = 64;
    // The first block is not recorded: it shows how many trips a block has.
    let mut times = None;
    loop {
        peer.echo(count + 1)?;
        peer.link.send()?;
        peer.link.receive()?;
        let start = Instant::now();
        let mut last = start;
        for _ in 0..count {
            peer.link.send()?;
            peer.link.receive()?;
            let now = Instant::now();
            if let Some(times) = &mut times {
                Latencies::record(times, now - last);
            }
            last = now;
        }
        match times {
            None => {
                count = per_block(count, last - start);
                times = Some(Latencies::new());
            }
            Some(times) if last >= end => return Ok(times),
            Some(_) => {}
        }
    }
}

/// Returns the nanoseconds of a message, the median of the blocks.
fn one_way(peer: &mut Peer, time: Duration) -> Outcome<f64> {
    let end = Instant::now() + time;
    let mut count = 64;
    let mut blocks = Vec::new();
    loop {
        peer.take(count)?;
        let start = Instant::now();
        for _ in 0..count {
            peer.link.send()?;
        }
        // The process sends one message when it has received all of these.
        peer.link.receive()?;
        let block = start.elapsed();
        if blocks.is_empty() && block < BLOCK / 2 && count < 1 << 30 {
            count = per_block(count, block).max(count * 2);
            continue;
        }
        blocks.push(as_f64(u64::try_from(block.as_nanos()).unwrap_or(u64::MAX)) / as_f64(count));
        if Instant::now() >= end {
            blocks.sort_by(f64::total_cmp);
            return Ok(blocks[blocks.len() / 2]);
        }
    }
}

/// Returns how many messages take the time of a block, if `count` messages took `time`.
fn per_block(count: u64, time: Duration) -> u64 {
    let each = time.as_nanos() / u128::from(count);
    u64::try_from(BLOCK.as_nanos() / each.max(1)).unwrap_or(u64::MAX).clamp(2, 1 << 30)
}
