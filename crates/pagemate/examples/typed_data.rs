//! Shares a typed value that is replaced many times a second and is never read half-written.
//!
//! ```sh
//! cargo run -p pagemate --example typed_data    # in two terminals
//! ```
//!
//! The first process writes poses until Enter. A later process reads five poses and ends.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pagemate::typed::SeqLock;
use pagemate::{Shareable, Shared};

/// A position and a heading.
#[derive(Clone, Copy, Debug, PartialEq, Shareable)]
#[repr(C)]
struct Pose {
    time: u64,
    x: f64,
    y: f64,
    heading: f64,
}

/// The time between two poses.
const PERIOD: Duration = Duration::from_millis(10);

fn main() -> Result<(), Box<dyn Error>> {
    let pose = Shared::<SeqLock<Pose>>::open_or_create("typed-data")?;
    if Shared::was_initialised(&pose) {
        println!("writing poses; Enter ends");
        write_until_enter(&pose)
    } else {
        for _ in 0..5 {
            println!("read {:?}", pose.read());
            thread::sleep(PERIOD);
        }
        Ok(())
    }
}

fn write_until_enter(pose: &Shared<SeqLock<Pose>>) -> Result<(), Box<dyn Error>> {
    let (enter, entered) = channel();
    thread::spawn(move || {
        _ = std::io::stdin().read_line(&mut String::new());
        enter.send(())
    });
    let writer = pose.writer(pose)?;
    for time in 1_u32.. {
        let angle = f64::from(time) / 100.0;
        writer.write(&Pose {
            time: time.into(),
            x: angle.cos(),
            y: angle.sin(),
            heading: angle,
        })?;
        if entered.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    Ok(())
}
