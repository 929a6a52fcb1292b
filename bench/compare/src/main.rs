//! Compares pagemate with other libraries and with facilities of the system, between processes.
//!
//! ```sh
//! cargo run --release                    # some minutes
//! cargo run --release -- --effort full   # half an hour
//! ```
#![allow(clippy::print_stdout, reason = "the program prints a report")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the report rounds the numbers"
)]

mod crowd;
mod duel;
mod exchange;
mod group;
mod kill;
mod latest;
mod life;
mod machine;
mod member;
mod memory;
mod plot;
mod report;
mod results;
mod run;
mod sections;
mod transport;
mod words;

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;

use machine::Machine;
use results::Results;
use run::{Effort, Run};

/// Compares channels and named memory between processes.
#[derive(Parser)]
struct Arguments {
    /// How long to measure
    #[arg(long, value_enum, default_value = "short")]
    effort: Effort,
    /// Measure only transports whose names contain one of these words
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Measure only these parts
    #[arg(long, value_delimiter = ',')]
    parts: Vec<String>,
    /// The folder for the results
    #[arg(long, default_value = "../results")]
    out: PathBuf,
}

/// A part of a run: its name and the function that measures.
type Part = (&'static str, fn(&mut Run, &mut Results));

const PARTS: [Part; 8] = [
    ("pairs", |run, results| {
        for row in duel::rows() {
            duel::measure(run, results, row);
            report::progress(results, row);
        }
    }),
    ("fan-out", crowd::fan_out),
    ("queues", crowd::queues),
    ("latest", latest::measure),
    ("life", life::measure),
    ("memory", memory::measure),
    ("sections", sections::measure),
    ("kills", kill::measure),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, role, processor, ..] = &words[..]
        && first == "member"
    {
        let processor = processor.parse().expect("a number");
        return match role.as_str() {
            "duel" => duel::member(processor),
            "crowd" => crowd::member(processor),
            "memory" => memory::member(processor),
            "kill" => kill::member(processor),
            _ => panic!("no member is called {role}"),
        };
    }
    let Arguments { effort, only, parts, out } = Arguments::parse();
    let (start, mut results) = (Instant::now(), Results::default());
    let machine = Machine::new(member::processors());
    let mut run = Run::new(effort, only);
    for (name, measure) in PARTS {
        if parts.is_empty() || parts.iter().any(|part| part == name) {
            println!("== {name}");
            measure(&mut run, &mut results);
        }
    }
    drop(run);
    std::fs::create_dir_all(&out).expect("a folder for the results");
    results.write(&out).expect("files for the results");
    report::write(&out, &machine, &results).expect("a file for the report");
    plot::write(&out, &results).expect("files for the plots");
    println!("The results of {} s are in {}.", start.elapsed().as_secs(), out.display());
}
