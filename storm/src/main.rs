//! `storm SECONDS [SEED]`: a random test of names and locks with real processes.
//!
//! Worker processes create, open, map, read, write, lock, wait, fork and exec at random. A process
//! called the judge starts them, and stops and kills them at random moments. Judge and workers
//! check that
//!
//! - a name exists exactly while a process holds its object,
//! - no two objects have one name at the same time,
//! - a live object keeps its content,
//! - a mutex has one owner at a time, and after the death of an owner exactly the next owner learns
//!   of it, in time,
//! - one `set` of an auto-reset event ends one wait at most,
//! - no object is left at the end.
//!
//! The checks need to know which process holds which object, without help from pagemate. So each
//! process writes its holdings to the *board*, shared memory that the judge creates by plain system
//! calls. A process writes there that it holds an object after it has acquired the object, and
//! removes this entry before it releases the object.
//!
//! `storm channels ROUNDS [KIND [SEED]]` does the same for channels: see `channels/mod.rs`.
//!
//! If a check fails, the program prints the last steps of the name that is concerned. The exit code
//! is then 1.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

#[cfg(target_os = "linux")]
mod board;
#[cfg(target_os = "linux")]
mod channels;
#[cfg(target_os = "linux")]
mod judge;
#[cfg(target_os = "linux")]
mod locks;
#[cfg(target_os = "linux")]
mod random;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod worker;

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("storm: it runs on Linux alone");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    start::main()
}
