//! One channel between a C program and a Rust program: this display prints the measurements that
//! `thermometer.c`, beside this file, sends. The comment there has the commands.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;

use pagemate::Shareable;
use pagemate::channel::RecvError;
use pagemate::channel::spsc::Receiver;

/// The same structure as in `thermometer.c`.
#[derive(Clone, Copy, Debug, Shareable)]
#[repr(C)]
struct Measurement {
    celsius: f64,
    number: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut receiver = Receiver::<Measurement>::open_or_create("thermometer")?;
    loop {
        match receiver.recv() {
            Ok(Measurement { celsius, number }) => println!("{number}: {celsius:.1} °C"),
            // The thermometer has ended.
            Err(RecvError::Disconnected) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
