//! `storm SECONDS [SEED]`: processes create, open, map, read, write, lock, wait, fork and exec at random,
//! and are stopped and killed at random moments. A judge checks that
//!
//! - a name is there exactly while a process holds its object,
//! - no two objects have one name at the same time,
//! - a live object loses no content,
//! - a mutex has one owner at a time, and the next owner learns of an owner's death, once and in time,
//! - one `set` of an auto-reset event ends one wait at most,
//! - nothing is left at the end.
//!
//! The judge knows the truth from a board in shared memory that pagemate has no part in: each process
//! lists there the objects that it holds, from the end of the acquisition to the begin of the release.
//!
//! The exit code is 1 after an anomaly, with the history of the name.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

#[cfg(target_os = "linux")]
mod board;
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
