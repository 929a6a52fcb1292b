//! The results of a run, and the files with every one of them.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::exchange::Exchange;
use crate::machine::Foreign;
use crate::transport::Waiting;

/// A row of two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) waiting: Waiting,
    pub(crate) exchange: Exchange,
    pub(crate) words: usize,
    pub(crate) depth: usize,
}

impl Row {
    pub(crate) fn bytes(self) -> usize {
        self.words * 8
    }
}

/// One transport's work in one round.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) row: Row,
    pub(crate) transport: &'static str,
    pub(crate) round: usize,
    /// The time of one round trip or of one message.
    pub(crate) ns: f64,
    /// Whether another program interrupted one of the processes. Such a round does not count.
    pub(crate) interrupted: bool,
    /// The round trip of a minimal ring at the beginning of the round, which shows how far apart the
    /// processors are.
    pub(crate) probe_ns: f64,
    pub(crate) foreign: Foreign,
}

/// The distribution of round trips of one transport.
#[derive(Clone, Debug)]
pub(crate) struct Latency {
    pub(crate) row: Row,
    pub(crate) transport: &'static str,
    pub(crate) count: u64,
    /// Percentiles and their nanoseconds.
    pub(crate) percentiles: Vec<(f64, u64)>,
}

/// A value of a row that is not one of two processes.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// The table that the value belongs to.
    pub(crate) table: &'static str,
    pub(crate) row: String,
    pub(crate) subject: String,
    pub(crate) unit: &'static str,
    /// One value for each repetition.
    pub(crate) values: Vec<f64>,
}

/// A row that a transport could not do.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    pub(crate) row: Row,
    pub(crate) transport: &'static str,
    pub(crate) why: &'static str,
}

#[derive(Default)]
pub(crate) struct Results {
    pub(crate) rounds: Vec<Round>,
    pub(crate) latencies: Vec<Latency>,
    pub(crate) values: Vec<Value>,
    pub(crate) missing: Vec<Missing>,
}

impl Results {
    pub(crate) fn fail(&mut self, row: Row, transport: &'static str, why: &'static str) {
        self.missing.push(Missing { row, transport, why });
    }

    /// Writes every result to files in a folder.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = String::from(
            "transport,waiting,exchange,bytes,depth,round,ns,interrupted,probe_ns,\
             foreign_processors,stolen_processors\n",
        );
        for Round { row, transport, round, ns, interrupted, probe_ns, foreign } in &self.rounds {
            _ = writeln!(
                text,
                "{transport},{},{},{},{},{round},{ns:.2},{interrupted},{probe_ns:.1},{:.3},{:.3}",
                row.waiting.name(),
                row.exchange.name(),
                row.bytes(),
                row.depth,
                foreign.programs,
                foreign.stolen
            );
        }
        std::fs::write(folder.join("rounds.csv"), text)?;
        let mut text = String::from("transport,waiting,bytes,round_trips,percentile,ns\n");
        for Latency { row, transport, count, percentiles } in &self.latencies {
            for (percentile, ns) in percentiles {
                let (waiting, bytes) = (row.waiting.name(), row.bytes());
                _ = writeln!(text, "{transport},{waiting},{bytes},{count},{percentile},{ns}");
            }
        }
        std::fs::write(folder.join("latencies.csv"), text)?;
        let mut text = String::from("table,row,subject,unit,repetition,value\n");
        for Value { table, row, subject, unit, values } in &self.values {
            for (repetition, value) in values.iter().enumerate() {
                _ = writeln!(text, "{table},{row},{subject},{unit},{repetition},{value:.3}");
            }
        }
        std::fs::write(folder.join("values.csv"), text)
    }
}
