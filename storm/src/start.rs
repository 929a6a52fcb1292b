//! Parses the command line, and starts the judge or a worker.

use std::env;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{judge, worker};

pub(crate) fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["worker", board, slot, seed] => {
            let number = |word: &str| word.parse().expect("the judge gives numbers");
            let slot = usize::try_from(number(slot)).expect("a slot");
            let board = i32::try_from(number(board)).expect("a descriptor");
            worker::run(board, slot, number(seed))
        }
        [seconds] => start(seconds, None),
        [seconds, seed] => start(seconds, Some(seed)),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: storm SECONDS [SEED]");
    ExitCode::from(2)
}

fn start(seconds: &str, seed: Option<&str>) -> ExitCode {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let by_clock = u64::from(now.subsec_nanos()) ^ now.as_secs() << 20;
    let Ok(seed) = seed.map_or(Ok(by_clock), str::parse) else { return usage() };
    let Ok(seconds) = seconds.parse() else { return usage() };
    judge::run(Duration::from_secs(seconds), seed)
}
