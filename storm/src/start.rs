//! Parses the command line, and starts the judge or a worker.

use std::env;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{channels, judge, worker};

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
        ["channels", rounds] => start_channels(rounds, None, None),
        ["channels", rounds, kind] => start_channels(rounds, Some(kind), None),
        ["channels", rounds, kind, seed] => start_channels(rounds, Some(kind), Some(seed)),
        [seconds] => start(seconds, None),
        [seconds, seed] => start(seconds, Some(seed)),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: storm SECONDS [SEED]");
    eprintln!("       storm channels ROUNDS [KIND [SEED]]");
    ExitCode::from(2)
}

/// Parses a seed. Without one, returns a number that depends on the time.
fn parse_seed(seed: Option<&str>) -> Option<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let by_clock = u64::from(now.subsec_nanos()) ^ now.as_secs() << 20;
    seed.map_or(Some(by_clock), |seed| seed.parse().ok())
}

fn start_channels(rounds: &str, kind: Option<&str>, seed: Option<&str>) -> ExitCode {
    match (rounds.parse(), parse_seed(seed)) {
        (Ok(rounds), Some(seed)) if channels::is_kind(kind) => channels::run(rounds, kind, seed),
        _ => usage(),
    }
}

fn start(seconds: &str, seed: Option<&str>) -> ExitCode {
    match (seconds.parse(), parse_seed(seed)) {
        (Ok(seconds), Some(seed)) => judge::run(Duration::from_secs(seconds), seed),
        _ => usage(),
    }
}
