//! Measures channels against minimal rings, which check nothing and recover from nothing.
//!
//! ```sh
//! cargo bench -p pagemate --bench channel             # everything, in a minute or two
//! cargo bench -p pagemate --bench channel -- quick    # in seconds: does it still run?
//! cargo bench -p pagemate --bench channel -- trip     # the groups whose names have this word
//! ```
//!
//! Two processes on two processors exchange messages for about 20 ms over one channel, then over the next,
//! and so on in turns. Each ratio compares a channel with the fastest minimal ring of the same round. The
//! benchmark measures elapsed time, so only a quiet machine gives meaningful numbers. The limits
//! are goals of the project, and a missed limit does not fail the run.
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
    println!("the benchmark pins processes to processors, which works on Linux only");
}
