//! One thread that waits for messages, for commands and for an event that ends it.
//!
//! ```sh
//! cargo run -p pagemate --example several                     # in one terminal
//! cargo run -p pagemate --example several -- say Hello        # in another: a message
//! cargo run -p pagemate --example several -- command pause    # a command
//! cargo run -p pagemate --example several -- quit             # the event
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;

use pagemate::channel::{Options, RecvError, mpmc};
use pagemate::sync::{Event, EventOptions, Reset, wait_any};

const MESSAGES: &str = "several-messages";
const COMMANDS: &str = "several-commands";
const QUIT: &str = "several-quit";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["say", text] => Ok(mpmc::Sender::<[u8]>::open(MESSAGES)?.send(text.as_bytes())?),
        ["command", text] => Ok(mpmc::Sender::<[u8]>::open(COMMANDS)?.send(text.as_bytes())?),
        ["quit"] => Ok(Event::open(QUIT)?.set()?),
        _ => listen(),
    }
}

fn listen() -> Result<(), Box<dyn Error>> {
    // Senders come and go.
    let mut options = Options::new();
    options.await_successor(true);
    let mut messages: mpmc::Receiver<[u8]> = options.open_or_create(MESSAGES)?;
    let mut commands: mpmc::Receiver<[u8]> = options.open_or_create(COMMANDS)?;
    let quit = EventOptions::new(Reset::Manual).open_or_create(QUIT)?;
    println!("waiting");
    loop {
        // The first object of the list that is ready has priority.
        let index = {
            let (message, command) = (messages.ready(), commands.ready());
            wait_any(&[(&quit).into(), (&command).into(), (&message).into()])?.index
        };
        let (kind, found) = match index {
            0 => return Ok(()),
            1 => ("command", commands.try_recv()),
            _ => ("message", messages.try_recv()),
        };
        match found {
            // Another listener has received it first.
            Err(RecvError::Empty) => {}
            text => println!("{kind}: {}", String::from_utf8_lossy(&text?)),
        }
    }
}
