//! A producer of a thousand samples a second, and consumers that wait for each of them.
//!
//! ```sh
//! cargo run -p pagemate --example producer_consumer -- produce    # in one terminal
//! cargo run -p pagemate --example producer_consumer               # in others
//! ```
//!
//! The producer ends after 10,000 samples. A consumer prints the age of five samples and ends.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::typed::{SeqLock, WaitWord, WakeWord};
use pagemate::{Shareable, Shared};

#[derive(Clone, Copy, Debug, Shareable)]
#[repr(C)]
struct Sample {
    number: u64,
    volts: [f32; 4],
}

#[derive(Shareable)]
#[repr(C)]
struct Feed {
    sample: SeqLock<Sample>,
    count: AtomicU32,
    spare: AtomicU32,
}

const NAME: &str = "feed";
const PERIOD: Duration = Duration::from_millis(1);
const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some_and(|word| word == "produce") {
        return Ok(produce()?);
    }
    let feed = Shared::<Feed>::open_read_only_within(NAME, TIMEOUT)?;
    let mut seen = feed.count.load(Ordering::Acquire);
    for _ in 0..5 {
        seen = feed.count.wait_while_for(seen, TIMEOUT).ok_or("the producer ended")?;
        println!("{:?}", feed.sample.read());
    }
    Ok(())
}

fn produce() -> pagemate::Result<()> {
    let feed = Shared::<Feed>::open_or_create(NAME)?;
    let writer = feed.sample.writer(&feed)?;
    let mut next = Instant::now();
    for number in 1..=10_000 {
        writer.write(&Sample { number, volts: [0.5; 4] })?;
        feed.count.fetch_add(1, Ordering::Release);
        feed.count.wake_all();
        next += PERIOD;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}
