//! A value of a type of your own, replaced many times a second and never seen half-written.
//!
//! ```sh
//! cargo run -p pagemate --example typed_data    # in two terminals
//! ```
//!
//! The first process writes poses until Enter; a later one reads five of them and ends.
//!
//! Bytes are copied in no order, so an atomic orders them: a sequence number that is odd while a
//! pose is being written. Who sees it even, copies the pose and then sees the same number again
//! has a whole one. That takes no lock, and readers do not disturb the writer. It is for one
//! writer.
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::{SectionOptions, View};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Where something is. Any bytes are a `Pose`, and it has no padding: so it may travel.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Pose {
    time: u64,
    x: f64,
    y: f64,
    heading: f64,
}

/// Where the sequence number stands, and where the pose.
const SEQUENCE: usize = 0;
const POSE: usize = 64;

/// The longest that a reader waits for a writer.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let section = SectionOptions::new().len(4096).open_or_create("typed-data")?;
    let view = section.map()?;
    if section.was_created() {
        println!("writing poses; Enter ends");
        Ok(write_until_enter(&view)?)
    } else {
        for _ in 0..5 {
            let pose = next_pose(&view)?;
            println!("read {pose:?}");
        }
        Ok(())
    }
}

fn write_until_enter(view: &View) -> pagemate::Result<()> {
    let (enter, entered) = channel();
    thread::spawn(move || {
        _ = std::io::stdin().read_line(&mut String::new());
        enter.send(())
    });
    for time in 1_u32.. {
        let angle = f64::from(time) / 100.0;
        let pose = Pose { time: time.into(), x: angle.cos(), y: angle.sin(), heading: angle };
        write(view, &pose)?;
        if entered.recv_timeout(Duration::from_millis(10)) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    Ok(())
}

fn write(view: &View, pose: &Pose) -> pagemate::Result<()> {
    let sequence: &AtomicU64 = view.atomic(SEQUENCE)?;
    let before = sequence.load(Ordering::Relaxed);
    sequence.store(before + 1, Ordering::Relaxed);
    // Pairs with the fence in `read`: who sees any of the new pose sees the odd number too.
    fence(Ordering::Release);
    view.write(POSE, pose)?;
    // Pairs with the first load in `read`: who sees this number sees all of the pose.
    sequence.store(before + 2, Ordering::Release);
    Ok(())
}

/// The pose, unless it is being written.
fn read(view: &View) -> pagemate::Result<Option<Pose>> {
    let sequence: &AtomicU64 = view.atomic(SEQUENCE)?;
    let before = sequence.load(Ordering::Acquire);
    let pose = view.read(POSE)?;
    fence(Ordering::Acquire);
    let after = sequence.load(Ordering::Relaxed);
    Ok((before == after && before.is_multiple_of(2)).then_some(pose))
}

/// The first pose that is newer than the one that stands there now.
fn next_pose(view: &View) -> Result<Pose, Box<dyn Error>> {
    let deadline = Instant::now() + PATIENCE;
    let mut old = None;
    // The writer may end at any time, in the middle of a pose too.
    while Instant::now() < deadline {
        match (read(view)?, old) {
            (Some(pose), Some(old)) if pose != old => return Ok(pose),
            (Some(pose), None) => old = Some(pose),
            _ => spin_loop(),
        }
    }
    Err("nobody writes".into())
}
