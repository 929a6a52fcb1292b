//! A gauge that sends every reading to one logger. No reading is lost or received twice, also if the gauge
//! or the logger is killed and started again.
//!
//! ```sh
//! cargo run -p pagemate --example messages -- gauge    # in one terminal
//! cargo run -p pagemate --example messages             # in another, before or after
//! ```
//!
//! The gauge sends 40 readings, ten in a second, and waits until the logger has received them. If one of the
//! two is killed, the other one waits for its successor. The channel keeps the readings that are not yet
//! received as long as one process has it open.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::thread;
use std::time::Duration;

use pagemate::Shareable;
use pagemate::channel::{Options, spsc};

#[derive(Clone, Copy, Debug, Shareable)]
#[repr(C)]
struct Reading {
    number: u32,
    celsius: f32,
}

const NAME: &str = "messages";
const LAST: u8 = 40;
const TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::new();
    options.capacity(128).await_successor(true);
    if std::env::args().nth(1).is_some_and(|word| word == "gauge") {
        return measure(options.open_or_create(NAME)?);
    }
    let mut readings: spsc::Receiver<Reading> = options.open_or_create(NAME)?;
    loop {
        let reading = readings.recv_timeout(TIMEOUT)?;
        println!("{reading:?}");
        if reading.number == u32::from(LAST) {
            return Ok(());
        }
    }
}

fn measure(mut readings: spsc::Sender<Reading>) -> Result<(), Box<dyn Error>> {
    for number in 1..=LAST {
        let celsius = 20.0 + f32::from(number) * 0.25;
        readings.send(&Reading { number: number.into(), celsius })?;
        thread::sleep(Duration::from_millis(100));
    }
    let all = readings.wait_until_received(TIMEOUT)?;
    println!("{}", if all { "all readings were received" } else { "the logger is missing" });
    Ok(())
}
