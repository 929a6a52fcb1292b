//! The groups of measurements in the report.

#[path = "../../common/mod.rs"]
#[allow(dead_code, reason = "shared with other benchmarks, which use the rest")]
mod common;
mod contender;
mod crowd;
mod duel;
mod flat;
mod frames;
mod joining;
mod latest;
mod rings;
mod spread;

use common::measure::titles;

use common::{Group, measure, peer, place, processor};
use duel::{Exchange, Row};

const GROUPS: [Group; 10] = [
    ("trip: round trip, polling", |place, effort| {
        titles("pagemate", "limit");
        duel::row(
            place,
            effort,
            Row { kind: "spsc", exchange: Exchange::Trip, words: 8, depth: 64 },
            1.1,
        );
    }),
    ("way: one way, single messages and batches of 64", |place, effort| {
        titles("pagemate", "limit");
        for depth in [64, 1024] {
            for exchange in [Exchange::Single, Exchange::Batch] {
                duel::row(
                    place,
                    effort,
                    Row { kind: "spsc", exchange, words: 8, depth },
                    1.0 / 0.85,
                );
            }
        }
    }),
    ("pages: one way, 4 KiB", |place, effort| {
        titles("pagemate", "limit");
        let row = Row { kind: "spsc", exchange: Exchange::Single, words: 512, depth: 64 };
        duel::row(place, effort, row, 1.0 / 0.85);
    }),
    ("frames: 1 MiB in place", |place, effort| {
        titles("1 MiB", "64 bytes");
        frames::row(place, effort);
    }),
    ("mpmc: one sender and one receiver, polling", |place, effort| {
        titles("pagemate", "limit");
        for (exchange, depth, limit) in [
            (Exchange::Trip, 64, 1.2),
            (Exchange::Single, 64, 1.2),
            (Exchange::Batch, 64, 1.3),
            (Exchange::Single, 1024, 1.2),
            (Exchange::Batch, 1024, 1.3),
        ] {
            duel::row(place, effort, Row { kind: "mpmc", exchange, words: 8, depth }, limit);
        }
    }),
    ("crowd: mpmc, four senders and four receivers", crowd::row),
    ("spread: broadcast to 1, 2, 4 and 8 receivers", |place, effort| {
        titles("pagemate", "one ring");
        for receivers in [1, 2, 4, 8] {
            spread::rows(place, effort, receivers);
        }
    }),
    ("latest: reads and writes of a watch channel", |place, effort| {
        titles("pagemate", "copy");
        latest::rows::<1>(place, effort);
        latest::rows::<8>(place, effort);
        latest::rows::<512>(place, effort);
        latest::rows::<{ 1 << 17 }>(place, effort);
    }),
    ("joining: create and open a channel", joining::group),
    ("flat: one message against capacity, other channels and time", |place, effort| {
        titles("this one", "a small one");
        flat::group(place, effort);
    }),
];

pub(crate) fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["second"] => duel::second_side(),
        ["crowd"] => crowd::member(),
        ["receiver"] => spread::receiver(),
        _ => common::report(&GROUPS),
    }
}
