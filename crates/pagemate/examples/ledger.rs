//! Locks a mutex that processes share, and tells whether its last owner died.
//!
//! ```sh
//! cargo run -p pagemate --example ledger
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use pagemate::sync::MutexOptions;

fn main() -> pagemate::Result<()> {
    let mutex = MutexOptions::new().open_or_create("ledger")?;
    let guard = mutex.lock()?;
    if guard.was_abandoned() {
        println!("the last owner died; check the data that the mutex protects");
    }
    Ok(())
}
