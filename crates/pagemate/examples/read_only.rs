//! Follows a version counter through a read-only view.
//!
//! ```sh
//! cargo run -p pagemate --example read_only -- produce    # in one terminal
//! cargo run -p pagemate --example read_only               # in another
//! ```
//!
//! Every user may read the memory: the second terminal may be another user's.
//!
//! The producer publishes versions until Enter. The consumer waits for the producer, follows three
//! versions and ends. Its handle and its view are read-only, which the kernel enforces.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::typed::{SeqLock, SharedReader};
use pagemate::{Access, SectionOptions, Shareable, Shared, Sharing};

/// A name of the whole machine.
const NAME: &str = r"Global\read-only";

#[derive(Clone, Copy, Shareable)]
#[repr(C)]
struct Release {
    version: u64,
    value: u64,
}

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
    let mut options = SectionOptions::new();
    options.len(Shared::<SeqLock<Release>>::LEN).sharing(Sharing::Everyone(Access::Read));
    let section = options.open_or_create(NAME)?;
    let release = Shared::<SeqLock<Release>>::open_or_init(&section, 0, |_| Ok(()))?;
    let writer = release.writer(&release)?;
    let (enter, entered) = channel();
    thread::spawn(move || {
        _ = std::io::stdin().read_line(&mut String::new());
        enter.send(())
    });
    println!("publishing versions; Enter ends");
    for version in 1_u64.. {
        writer.write(&Release { version, value: version * version })?;
        if entered.recv_timeout(Duration::from_millis(100)) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    Ok(())
}

fn consume() -> Result<(), Box<dyn Error>> {
    let reader = Shared::<SeqLock<Release>>::open_read_only_within(NAME, TIMEOUT)?;
    let mut seen = 0;
    for _ in 0..3 {
        let Release { version, value } = next(&reader, seen)?;
        println!("version {version}: {value}");
        seen = version;
    }
    Ok(())
}

/// Returns the next release after the version `seen`.
fn next(reader: &SharedReader<SeqLock<Release>>, seen: u64) -> Result<Release, Box<dyn Error>> {
    let deadline = Instant::now() + TIMEOUT;
    while Instant::now() < deadline {
        let release = reader.read();
        if release.version > seen {
            return Ok(release);
        }
        thread::sleep(PAUSE);
    }
    Err("no new version".into())
}
