//! The port of a Windows program: a message board in a file mapping, a mutex and an event.
//!
//! ```sh
//! cargo run -p pagemate --example windows_port -- post "Hello"    # in one terminal
//! cargo run -p pagemate --example windows_port                    # in another, first
//! ```
//!
//! The Windows program maps a `struct BOARD { LONG count; char text[60]; }` from the mapping
//! `Local\\Board`. On Windows this program shares the mapping with the original. The original
//! determines the layout, so the memory has no header of pagemate (`Shared::map`).
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use pagemate::sync::{EventOptions, MutexOptions, Reset};
use pagemate::typed::Racy;
use pagemate::{SectionOptions, Shareable, Shared};

#[derive(Shareable)]
#[repr(C)]
struct Board {
    count: AtomicI32,
    text: Racy<[u8; 60]>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let section = SectionOptions::new().len(64).open_or_create(r"Local\Board")?;
    let board = Shared::<Board>::map(&section, 0)?;
    let mutex = MutexOptions::new().open_or_create(r"Local\Board.Mutex")?;
    let posted = EventOptions::new(Reset::Auto).open_or_create(r"Local\Board.Posted")?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [post, text] = &words[..]
        && post == "post"
    {
        let mut bytes = [0; 60];
        let len = text.len().min(59);
        bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        let _guard = mutex.lock()?;
        board.text.set(&bytes);
        board.count.fetch_add(1, Ordering::Relaxed);
        posted.set()?;
        return Ok(());
    }
    println!("waiting");
    if !posted.wait_for(Duration::from_secs(30))? {
        return Err("nobody posted".into());
    }
    let _guard = mutex.lock()?;
    let text = board.text.get();
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    println!("{}: {}", board.count.load(Ordering::Relaxed), String::from_utf8_lossy(text));
    Ok(())
}
