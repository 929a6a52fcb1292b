//! Publishes releases to every user of the machine. Readers have read-only memory, and sleep until the
//! next release.
//!
//! ```sh
//! cargo run -p pagemate --example read_only -- publish    # in one terminal
//! cargo run -p pagemate --example read_only               # in another, also as another user
//! ```
//!
//! The publisher ends after 1,000 releases. A reader waits for the publisher, prints three releases and
//! ends. Its handle and its view are read-only, which the kernel enforces.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use pagemate::typed::{SeqLock, WaitWord, WakeWord};
use pagemate::{Access, SectionOptions, Shareable, Shared, Sharing};

#[derive(Clone, Copy, Shareable)]
#[repr(C)]
struct Release {
    version: u64,
    value: u64,
}

#[derive(Shareable)]
#[repr(C)]
struct Board {
    newest: SeqLock<Release>,
    count: AtomicU32,
    spare: AtomicU32,
}

/// A name of the whole machine.
const NAME: &str = r"Global\read-only";
const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some_and(|word| word == "publish") {
        return Ok(publish()?);
    }
    let board = Shared::<Board>::open_read_only_within(NAME, TIMEOUT)?;
    let mut count = board.count.load(Ordering::Acquire);
    for _ in 0..3 {
        count = board.count.wait_while_for(count, TIMEOUT).ok_or("the publisher ended")?;
        let Release { version, value } = board.newest.read();
        println!("version {version}: {value}");
    }
    Ok(())
}

fn publish() -> pagemate::Result<()> {
    let mut options = SectionOptions::new();
    options.len(Shared::<Board>::LEN).sharing(Sharing::Everyone(Access::Read));
    let section = options.open_or_create(NAME)?;
    let board = Shared::<Board>::open_or_init(&section, 0, |_| Ok(()))?;
    let writer = board.newest.writer(&board)?;
    for version in 1..=1_000 {
        writer.write(&Release { version, value: version * version })?;
        board.count.fetch_add(1, Ordering::Release);
        board.count.wake_all();
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
