//! Counts its runs in a file that all processes share as memory.
//!
//! ```sh
//! cargo run -p pagemate --example over_file -- counter.bin    # again and again
//! ```
//!
//! Unlike a named section, the file stays when no process holds it: each run continues the count.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use pagemate::{SectionOptions, Shared};

fn main() -> Result<(), Box<dyn Error>> {
    let path: PathBuf = std::env::args_os().nth(1).ok_or("usage: over_file FILE")?.into();
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
    // A new file grows to this length.
    let section = SectionOptions::new().len(4096).file(&file).create_unnamed()?;
    let runs = Shared::<AtomicU64>::map(&section, 0)?;
    // Concurrent processes share the memory, so that no increment is lost.
    let run = 1 + runs.fetch_add(1, Ordering::Relaxed);
    Shared::flush(&runs)?;
    println!("run {run} of {}", path.display());
    Ok(())
}
