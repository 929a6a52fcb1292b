//! A car that publishes its latest state 333 times a second, and displays that show it at their own rate.
//!
//! ```sh
//! cargo run -p pagemate --example telemetry -- drive    # in one terminal
//! cargo run -p pagemate --example telemetry             # in others, before or after
//! ```
//!
//! The car drives for 30 seconds. A display prints the state five times in a second, and ends. It skips the
//! states between, and never sees half of one.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use pagemate::Shareable;
use pagemate::channel::watch::{Reader, Writer};

#[derive(Clone, Copy, Debug, Shareable)]
#[repr(C)]
struct Car {
    metres: f32,
    metres_per_second: f32,
    gear: u32,
}

const NAME: &str = "telemetry";
const PERIOD: Duration = Duration::from_millis(3);
const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some_and(|word| word == "drive") {
        return drive();
    }
    let mut car = Reader::<Car>::open_or_create(NAME)?;
    for _ in 0..5 {
        car.wait_for_change_timeout(TIMEOUT)?;
        let last = car.version();
        let state = car.read()?;
        println!("{state:?}, {} states later", car.version() - last);
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn drive() -> Result<(), Box<dyn Error>> {
    let mut writer = Writer::<Car>::open_or_create(NAME)?;
    let mut next = Instant::now();
    for step in 1..=10_000_u16 {
        writer.write(&Car { metres: f32::from(step) * 0.1, metres_per_second: 33.3, gear: 4 })?;
        next += PERIOD;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}
