//! The groups of measurements in the report.

#[path = "../../common/mod.rs"]
#[allow(dead_code, reason = "shared with other benchmarks, which use the rest")]
mod common;
mod lock;
mod many_waiters;
mod mechanisms;
mod owner_death;
mod posix;
mod sleeping_lock;
mod uncontended;
mod word;

use common::measure::{Effort, titles};
use common::{Group, measure, peer, place, processor, turns};

const GROUPS: [Group; 5] = [
    ("uncontended: locks without contention", uncontended::table),
    ("turns: two processes, each of which waits until the other releases it", take_turns),
    ("contention: two processes that lock and unlock without a pause", contend),
    ("many waiters: waking one of many waiters", many_waiters::table),
    ("death: from SIGKILL of the owner until a waiter has the mutex", owner_death::table),
];

/// The mechanisms by which the sides take turns, each with the limit of its time as a multiple of a
/// turn by a bare futex.
const TAKE_TURNS: [(&str, Option<f64>); 12] = [
    ("wait for a word", Some(1.1)),
    ("event", Some(1.15)),
    ("mutex", Some(1.15)),
    ("semaphore", None),
    ("sleeping lock", None),
    ("futex with a time-out", None),
    ("pthread robust mutex", None),
    ("pthread mutex", None),
    ("pthread condition", None),
    ("sem_t", None),
    ("eventfd", None),
    ("pipe", None),
];

fn take_turns(_: &place::Place, effort: Effort) {
    turns::tables(|second| {
        titles("this", "bare futex");
        for (what, limit) in TAKE_TURNS {
            turns::row(mechanisms::open, [what, "bare futex"], second, effort, limit);
        }
    });
}

fn contend(_: &place::Place, effort: Effort) {
    let rows = [
        ("contended mutex", Some(1.0)),
        ("contended pthread mutex", None),
        ("contended robust mutex", None),
    ];
    turns::tables(|second| {
        titles("this", "sleeping lock");
        for (what, limit) in rows {
            let pair = [what, "contended sleeping lock"];
            turns::row(mechanisms::open, pair, second, effort, limit);
        }
    });
}

pub(crate) fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["answer", what] => turns::answer(mechanisms::open, what),
        ["crowd", what, name, threads] => many_waiters::gather(what, name, threads),
        ["owner", name] => owner_death::own(name),
        _ => common::report(&GROUPS),
    }
}
