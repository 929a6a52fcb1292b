//! Shares a typed value that is replaced many times a second and is never read half-written.
//!
//! ```sh
//! cargo run -p pagemate --example typed_data    # in two terminals
//! ```
//!
//! The first process writes poses until Enter. A later process reads five poses and ends.
//!
//! Copies do not order memory, so an atomic sequence number does (a sequence lock). It is odd while
//! a pose is being written. A reader that loads an even number, copies the pose and loads the same
//! number again has copied a consistent pose. Readers take no lock and do not disturb the writer.
//! This works for a single writer.
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::{SectionOptions, View};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A position and a heading. All bytes are a valid `Pose`, and it has no padding, so it can be
/// copied to and from shared memory.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Pose {
    time: u64,
    x: f64,
    y: f64,
    heading: f64,
}

/// The offsets of the sequence number and of the pose.
const SEQUENCE: usize = 0;
const POSE: usize = 64;

/// The longest time that a reader waits for the writer.
const TIMEOUT: Duration = Duration::from_secs(10);

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
    // Pairs with the Acquire fence in `read`: a reader that copied any byte of the new pose also
    // loads the odd number, or a later one.
    fence(Ordering::Release);
    view.write(POSE, pose)?;
    // Pairs with the first load in `read`: a reader that loads this number copies all bytes of the
    // pose.
    sequence.store(before + 2, Ordering::Release);
    Ok(())
}

/// Returns the pose, or `None` if the writer is changing it.
fn read(view: &View) -> pagemate::Result<Option<Pose>> {
    let sequence: &AtomicU64 = view.atomic(SEQUENCE)?;
    let before = sequence.load(Ordering::Acquire);
    let pose = view.read(POSE)?;
    fence(Ordering::Acquire);
    let after = sequence.load(Ordering::Relaxed);
    Ok((before == after && before.is_multiple_of(2)).then_some(pose))
}

/// Returns the first pose that differs from the current one.
fn next_pose(view: &View) -> Result<Pose, Box<dyn Error>> {
    let deadline = Instant::now() + TIMEOUT;
    let mut old = None;
    // The writer may end at any time, also while it writes a pose.
    while Instant::now() < deadline {
        match (read(view)?, old) {
            (Some(pose), Some(old)) if pose != old => return Ok(pose),
            (Some(pose), None) => old = Some(pose),
            _ => spin_loop(),
        }
    }
    Err("nobody writes".into())
}
