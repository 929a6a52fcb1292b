//! Follows a version counter through a read-only view.
//!
//! ```sh
//! cargo run -p pagemate --example read_only -- produce    # in one terminal
//! cargo run -p pagemate --example read_only               # in another
//! ```
//!
//! The producer publishes versions until Enter. The consumer waits for the producer, follows three
//! versions and ends. Its handle and its view are read-only, which the kernel enforces.
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::{Access, ErrorKind, Section, SectionOptions};

const NAME: &str = "read-only";

/// The offsets of the version number and of the value.
const VERSION: usize = 0;
const VALUE: usize = 64;

/// The longest time that the consumer waits for the producer or for a new version.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The time between two polls.
const PAUSE: Duration = Duration::from_millis(1);

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("produce") => Ok(produce()?),
        _ => consume(),
    }
}

fn produce() -> pagemate::Result<()> {
    let section = SectionOptions::new().len(4096).create_new(NAME)?;
    let view = section.map()?;
    let (enter, entered) = channel();
    thread::spawn(move || {
        _ = std::io::stdin().read_line(&mut String::new());
        enter.send(())
    });
    println!("publishing versions; Enter ends");
    for version in 1_u64.. {
        view.write(VALUE, &(version * version))?;
        // Pairs with the Acquire load in `consume`: a reader that sees this version sees this value
        // or a later one.
        view.atomic::<AtomicU64>(VERSION)?.store(version, Ordering::Release);
        if entered.recv_timeout(Duration::from_millis(100)) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    Ok(())
}

fn consume() -> Result<(), Box<dyn Error>> {
    let section = wait_for_producer()?;
    let view = section.map()?;
    let refused = view.write(VALUE, &0_u64).expect_err("the view is read-only");
    println!("it cannot write: {refused}");

    let mut seen = 0;
    for _ in 0..3 {
        let deadline = Instant::now() + TIMEOUT;
        let version = loop {
            let version = view.load::<AtomicU64>(VERSION, Ordering::Acquire)?;
            if version > seen {
                break version;
            }
            if Instant::now() > deadline {
                return Err("no new version".into());
            }
            thread::sleep(PAUSE);
        };
        println!("version {version}: {}", view.read::<u64>(VALUE)?);
        seen = version;
    }
    Ok(())
}

fn wait_for_producer() -> Result<Section, Box<dyn Error>> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match SectionOptions::new().access(Access::Read).open(NAME) {
            Err(error) if error.kind() == ErrorKind::NotFound && Instant::now() < deadline => {
                thread::sleep(PAUSE);
            }
            result => return Ok(result?),
        }
    }
}
