//! A camera that sends frames of 8 MiB, and viewers that look at them in place.
//!
//! ```sh
//! cargo run -p pagemate --example camera -- record       # in one terminal
//! cargo run -p pagemate --example camera                 # in others, before or after
//! cargo run -p pagemate --example camera -- view 200     # a slow viewer: 200 ms for each frame
//! ```
//!
//! The camera writes 3,000 frames, one each 10 ms, directly into shared memory. A viewer reads the pixels
//! that it needs directly from there. It prints ten frames and ends. The channel is lossy: a slow viewer misses
//! frames and does not stop the camera. A frame that a viewer looks at is never overwritten.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::thread;
use std::time::Duration;

use pagemate::channel::{Options, broadcast};

const NAME: &str = "camera";
const ROWS: usize = 2048;
const ROW_LEN: usize = 4096;
const PERIOD: Duration = Duration::from_millis(10);
const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // The process that comes first creates the channel.
    let mut options = Options::new();
    options.max_len(ROWS * ROW_LEN).capacity(4).lossy(true).receivers(8);
    if args.first().is_some_and(|word| word == "record") {
        return record(options.open_or_create(NAME)?);
    }
    let pause = args.get(1).map_or(Ok(0), |millis| millis.parse())?;
    view(options.open_or_create(NAME)?, Duration::from_millis(pause))
}

fn record(mut frames: broadcast::Sender<[u8]>) -> Result<(), Box<dyn Error>> {
    for number in 1..=3_000_u32 {
        let shade = number.to_le_bytes()[0];
        let mut frame = frames.loan()?;
        for row in 0..ROWS {
            frame.write_at(row * ROW_LEN, &[shade; ROW_LEN]);
        }
        frame.write_at(0, &number.to_le_bytes());
        frame.send(ROWS * ROW_LEN)?;
        thread::sleep(PERIOD);
    }
    Ok(())
}

fn view(mut frames: broadcast::Receiver<[u8]>, pause: Duration) -> Result<(), Box<dyn Error>> {
    for _ in 0..10 {
        let frame = frames.sample_timeout(TIMEOUT)?;
        let mut number = [0; 4];
        frame.read_at(0, &mut number);
        thread::sleep(pause);
        // The last pixel of each row, after the time in which the camera wrote other frames.
        let has_shade = |row: usize| {
            let mut pixel = [0];
            frame.read_at((row + 1) * ROW_LEN - 1, &mut pixel);
            pixel == number[..1]
        };
        let state = if (0..ROWS).all(has_shade) { "whole" } else { "torn" };
        let number = u32::from_le_bytes(number);
        println!("frame {number} is {state}, {} missed before it", frame.missed());
    }
    Ok(())
}
