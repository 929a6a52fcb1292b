//! The report: what is compared, group by group.

#[path = "../../common/mod.rs"]
#[allow(dead_code, reason = "written for more than this")]
mod common;
mod crowd;
mod death;
mod free;
mod means;
mod peer;
mod posix;
mod processor;
mod turns;

use common::{Group, measure, place};

const GROUPS: [Group; 4] = [
    ("free: nobody else wants it", free::table),
    ("turns: two processes, each of which sleeps until the other wakes it", turns::table),
    ("crowd: to wake one of many", crowd::table),
    ("death: from SIGKILL of the owner until a waiter has the mutex", death::table),
];

pub(crate) fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["answer", what] => turns::answer(what),
        ["crowd", what, name, threads] => crowd::gather(what, name, threads),
        ["owner", name] => death::own(name),
        _ => common::report(&GROUPS),
    }
}
