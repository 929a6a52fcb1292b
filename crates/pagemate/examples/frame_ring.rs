//! A ring of frames: a camera writes without waiting, and viewers follow as fast as they can.
//!
//! ```sh
//! cargo run -p pagemate --example frame_ring -- camera    # in one terminal
//! cargo run -p pagemate --example frame_ring              # in others
//! ```
//!
//! The camera ends after 1,000 frames. A viewer prints five frames and ends. A viewer that is
//! slower than the camera skips frames, and never shows parts of two frames.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use pagemate::typed::{SeqLock, WaitWord, WakeWord};
use pagemate::{Shareable, Shared};

const FRAMES: usize = 8;

#[derive(Clone, Copy, Shareable)]
#[repr(C)]
struct Frame {
    number: u32,
    pixels: [u8; 160 * 100],
}

#[derive(Shareable)]
#[repr(C)]
struct Ring {
    frames: [SeqLock<Frame>; FRAMES],
    /// The number of the newest frame. Frame `n` is in slot `n % FRAMES`.
    newest: AtomicU32,
    spare: AtomicU32,
}

const NAME: &str = "frame-ring";
const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some_and(|word| word == "camera") {
        return Ok(record()?);
    }
    let ring = Shared::<Ring>::open_read_only_within(NAME, TIMEOUT)?;
    let mut newest = ring.newest.load(Ordering::Acquire);
    for _ in 0..5 {
        newest = ring.newest.wait_while_for(newest, TIMEOUT).ok_or("the camera ended")?;
        let frame = ring.frames[newest as usize % FRAMES].read();
        let whole = frame.pixels.iter().all(|pixel| *pixel == frame.pixels[0]);
        println!("frame {} is {}", frame.number, if whole { "whole" } else { "torn" });
    }
    Ok(())
}

fn record() -> pagemate::Result<()> {
    let ring = Shared::<Ring>::open_or_create(NAME)?;
    let slots = ring.frames.iter().map(|slot| slot.writer(&ring));
    let slots = slots.collect::<pagemate::Result<Vec<_>>>()?;
    for number in 1..=1_000_u32 {
        let pixels = [number.to_le_bytes()[0]; 160 * 100];
        slots[number as usize % FRAMES].write(&Frame { number, pixels })?;
        ring.newest.store(number, Ordering::Release);
        ring.newest.wake_all();
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
