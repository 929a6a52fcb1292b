//! The groups of measurements in the report.

#[path = "../../common/mod.rs"]
#[allow(dead_code, reason = "shared with other benchmarks, which use the rest")]
mod common;
mod contender;
mod duel;
mod rings;

use common::measure::titles;

use common::{Group, measure, peer, place, processor};
use duel::{Exchange, Row};

const GROUPS: [Group; 3] = [
    ("trip: round trip, polling", |place, effort| {
        titles("pagemate", "limit");
        duel::row(place, effort, Row { exchange: Exchange::Trip, words: 8, depth: 64 }, 1.1);
    }),
    ("way: one way, single messages and batches of 64", |place, effort| {
        titles("pagemate", "limit");
        for depth in [64, 1024] {
            for exchange in [Exchange::Single, Exchange::Batch] {
                duel::row(place, effort, Row { exchange, words: 8, depth }, 1.0 / 0.85);
            }
        }
    }),
    ("pages: one way, 4 KiB", |place, effort| {
        titles("pagemate", "limit");
        let row = Row { exchange: Exchange::Single, words: 512, depth: 64 };
        duel::row(place, effort, row, 1.0 / 0.85);
    }),
];

pub(crate) fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["second"] => duel::second_side(),
        _ => common::report(&GROUPS),
    }
}
