//! A queue of jobs that any number of workers share. If a worker is killed, another one gets its job.
//!
//! ```sh
//! cargo run -p pagemate --example work_queue -- submit       # in one terminal
//! cargo run -p pagemate --example work_queue                 # in several others, before or after
//! cargo run -p pagemate --example work_queue -- work 5000    # a slow worker: 5,000 ms for each job
//! ```
//!
//! The submitter sends 40 jobs, and ends when all of them are done. Kill workers and start others meanwhile: no
//! job is lost. A job whose worker was killed is done again, and the new worker knows that.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::thread;
use std::time::Duration;

use pagemate::channel::{Options, RecvError, mpmc};

const NAME: &str = "work-queue";
const TIMEOUT: Duration = Duration::from_mins(1);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|word| word == "submit") {
        return submit();
    }
    let pause = args.get(1).map_or(Ok(100), |millis| millis.parse())?;
    work(Duration::from_millis(pause))
}

fn submit() -> Result<(), Box<dyn Error>> {
    // If the last worker is killed, wait for the next one.
    let mut jobs: mpmc::Sender<u32> = Options::new().await_successor(true).open_or_create(NAME)?;
    for job in 1..=40 {
        jobs.send(&job)?;
    }
    let all = jobs.wait_until_received(TIMEOUT)?;
    println!("{}", if all { "all jobs are done" } else { "jobs are left" });
    Ok(())
}

fn work(pause: Duration) -> Result<(), Box<dyn Error>> {
    let mut jobs = mpmc::Receiver::<u32>::open_or_create(NAME)?;
    loop {
        // A job is finished when its sample is dropped. If this process is killed before, another one gets it.
        let job = match jobs.sample_timeout(TIMEOUT) {
            Err(RecvError::Disconnected) => return Ok(()),
            job => job?,
        };
        let note = if job.redelivered() { ", whose last worker was killed" } else { "" };
        let number = job.read();
        println!("begins job {number}{note}");
        thread::sleep(pause);
        println!("has done job {number}");
    }
}
