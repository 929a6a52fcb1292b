//! A consumer that can look and not touch: it follows a version counter.
//!
//! ```sh
//! cargo run -p pagemate --example read_only -- produce    # in one terminal
//! cargo run -p pagemate --example read_only               # in another
//! ```
//!
//! The producer publishes versions until Enter; the consumer waits for it, follows three versions
//! and ends. Its handle and its view are read-only, and the kernel keeps them so.
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::{Access, ErrorKind, Section, SectionOptions};

const NAME: &str = "read-only";

/// Where the version stands, and where what it is the version of.
const VERSION: usize = 0;
const VALUE: usize = 64;

/// The longest that the consumer waits for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it sleeps between two looks.
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
        // Pairs with the load in `consume`: who sees the version sees a value no older.
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
        let deadline = Instant::now() + PATIENCE;
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
    let deadline = Instant::now() + PATIENCE;
    loop {
        match SectionOptions::new().access(Access::Read).open(NAME) {
            Err(error) if error.kind() == ErrorKind::NotFound && Instant::now() < deadline => {
                thread::sleep(PAUSE);
            }
            result => return Ok(result?),
        }
    }
}
