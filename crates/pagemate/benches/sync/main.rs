//! How fast sync objects are, beside the processor's and the kernel's own means of doing the same.
//!
//! ```sh
//! cargo bench -p pagemate --bench sync             # everything, in two or three minutes
//! cargo bench -p pagemate --bench sync -- quick    # in seconds: does it still run?
//! cargo bench -p pagemate --bench sync -- turns    # the groups whose names have this word
//! ```
//!
//! Both sides run alternately, so that what disturbs the machine disturbs both; what counts is their
//! ratio. What never sleeps is measured by the time that its processor gives it. Where processes wait
//! for each other the time is the clock's on the wall, and other load adds to it: on a machine that is
//! not quiet, build first (`--no-run`) and start the program under `chrt -f 1`, with `--bench`. The
//! limits are the project's own, and missing one fails nothing.
#![allow(clippy::print_stdout, reason = "it is a report")]
#![allow(clippy::cast_precision_loss, reason = "rounded for people anyway")]

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the means to compare with are Linux'");
}
