//! Clients that ask servers for squares. A client goes on with the next server when one is killed.
//!
//! ```sh
//! cargo run -p pagemate --example request -- serve        # in one terminal, or in several
//! cargo run -p pagemate --example request                 # in others, before or after
//! cargo run -p pagemate --example request -- serve 500    # a slow server: 500 ms for each request
//! ```
//!
//! A client sends 20 requests, one after another. If the server that has the request is killed, the client gets an
//! error, because the server may have acted on the request. This client then asks again, since to compute
//! a square twice does no harm.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::process;
use std::thread;
use std::time::Duration;

use pagemate::Shareable;
use pagemate::channel::Options;
use pagemate::channel::request::{Client, RequestError, Server};

#[derive(Clone, Copy, Shareable)]
#[repr(C)]
struct Response {
    square: u64,
    server: u32,
    spare: u32,
}

const NAME: &str = "request";
const TIMEOUT: Duration = Duration::from_mins(1);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|word| word == "serve") {
        let pause = args.get(1).map_or(Ok(10), |millis| millis.parse())?;
        return serve(Duration::from_millis(pause));
    }
    // Without servers, wait for the next one.
    let mut options = Options::new();
    let mut client: Client<u64, Response> = options.await_successor(true).open_or_create(NAME)?;
    for number in 1..=20 {
        let response = ask(&mut client, number)?;
        println!("the square of {number} is {}, says process {}", response.square, response.server);
    }
    Ok(())
}

fn ask(client: &mut Client<u64, Response>, number: u64) -> Result<Response, RequestError> {
    loop {
        match client.call_timeout(&number, TIMEOUT) {
            Err(RequestError::ServerDied) => println!("the server died; asking the next one"),
            response => return response,
        }
    }
}

fn serve(pause: Duration) -> Result<(), Box<dyn Error>> {
    let mut options = Options::new();
    let mut server: Server<u64, Response> = options.await_successor(true).open_or_create(NAME)?;
    loop {
        let request = server.recv()?;
        println!("has the request {}", request.message());
        thread::sleep(pause);
        let square = request.message() * request.message();
        // A client that has ended needs no response.
        _ = request.respond(&Response { square, server: process::id(), spare: 0 });
    }
}
