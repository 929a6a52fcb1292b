//! Passes notes to whichever process waits for one.
//!
//! ```sh
//! cargo run -p pagemate --example notes            # in one terminal, or in several
//! cargo run -p pagemate --example notes -- hello   # in another: one of the others prints it
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use pagemate::channel::{Options, mpmc};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(text) = std::env::args().nth(1) {
        return Ok(mpmc::Sender::<[u8]>::open("notes")?.send(text.as_bytes())?);
    }
    let mut notes: mpmc::Receiver<[u8]> =
        Options::new().await_successor(true).open_or_create("notes")?;
    loop {
        println!("{}", String::from_utf8_lossy(&notes.recv()?));
    }
}
