//! Two processes that exchange messages: one of them measures.

use std::hint::black_box;
use std::time::Instant;

use hdrhistogram::Histogram;

use crate::transport::{Incoming, Outgoing};

/// The pattern in which the two sides exchange messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Exchange {
    /// Each message in one direction is answered by one message in the other.
    Trip,
    /// Messages in one direction, one by one.
    Single,
    /// Messages in one direction, 64 at a time.
    Batch,
}

pub(crate) const EXCHANGES: [Exchange; 3] = [Exchange::Trip, Exchange::Single, Exchange::Batch];

pub(crate) const BATCH: u64 = 64;

impl Exchange {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Exchange::Trip => "round trip",
            Exchange::Single => "one way",
            Exchange::Batch => "one way in batches",
        }
    }

    pub(crate) fn from_name(name: &str) -> Exchange {
        EXCHANGES.into_iter().find(|exchange| exchange.name() == name).expect("an exchange")
    }
}

/// One side of a connection.
pub(crate) trait Side {
    /// Exchanges so many messages as the side that measures, and returns the nanoseconds of all.
    fn first(&mut self, exchange: Exchange, count: u64) -> f64;
    fn second(&mut self, exchange: Exchange, count: u64);
    /// Makes so many round trips, and records the nanoseconds of each.
    fn distribution(&mut self, count: u64, times: &mut Histogram<u64>);
}

/// The two directions of a connection, seen from one side.
pub(crate) struct Pair<O, I> {
    pub(crate) to: O,
    pub(crate) from: I,
}

fn check(received: u64, expected: u64) {
    assert_eq!(received, expected, "a message is lost or out of order");
}

impl<O: Outgoing, I: Incoming> Side for Pair<O, I> {
    fn first(&mut self, exchange: Exchange, count: u64) -> f64 {
        let start = Instant::now();
        match exchange {
            Exchange::Trip => {
                for number in 0..count {
                    self.to.send(black_box(number));
                    check(self.from.receive(), number);
                }
            }
            Exchange::Single => {
                for number in 0..count {
                    self.to.send(black_box(number));
                }
            }
            Exchange::Batch => {
                for batch in 0..count / BATCH {
                    self.to.send_batch(black_box(batch * BATCH), BATCH);
                }
            }
        }
        if exchange != Exchange::Trip {
            // The other side sends one message when it has received all of these.
            check(self.from.receive(), count);
        }
        start.elapsed().as_nanos() as f64
    }

    fn second(&mut self, exchange: Exchange, count: u64) {
        match exchange {
            Exchange::Trip => {
                for _ in 0..count {
                    let number = self.from.receive();
                    self.to.send(number);
                }
                return;
            }
            Exchange::Single => {
                for number in 0..count {
                    check(self.from.receive(), number);
                }
            }
            Exchange::Batch => {
                let (mut next, end) = (0, count / BATCH * BATCH);
                while next < end {
                    next += self.from.receive_batch(next, BATCH.min(end - next));
                }
            }
        }
        self.to.send(count);
    }

    fn distribution(&mut self, count: u64, times: &mut Histogram<u64>) {
        for number in 0..count {
            let start = Instant::now();
            self.to.send(number);
            check(self.from.receive(), number);
            let ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            times.saturating_record(ns);
        }
    }
}
