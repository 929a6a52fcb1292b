//! Measures sync objects against atomic instructions and against the kernel's primitives.
//!
//! ```sh
//! cargo bench -p pagemate --bench sync             # everything, in two or three minutes
//! cargo bench -p pagemate --bench sync -- quick    # in seconds: does it still run?
//! cargo bench -p pagemate --bench sync -- turns    # the groups whose names have this word
//! ```
//!
//! Both sides run alternately, so that a disturbance affects both, and each result is the ratio of
//! their times. Code that never sleeps is measured in processor time. Processes that wait for each
//! other are measured in elapsed time, which other load on the machine increases. On a machine that
//! is not quiet, build first (`--no-run`) and start the program under `chrt -f 1`, with `--bench`.
//! The limits are goals of the project, and a missed limit does not fail the run.
#![allow(clippy::print_stdout, reason = "it is a report")]
#![allow(clippy::cast_precision_loss, reason = "the report rounds them")]

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the primitives to compare with exist only on Linux");
}
