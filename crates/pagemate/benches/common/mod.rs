//! The code that the benchmarks of the core share.

pub(crate) mod measure;
pub(crate) mod peer;
pub(crate) mod place;
pub(crate) mod processor;
pub(crate) mod turns;

use measure::Effort;
use place::Place;

/// A part of a report: its name and the function that prints it.
pub(crate) type Group = (&'static str, fn(&Place, Effort));

/// Prints the groups that the command line selects.
pub(crate) fn report(groups: &[Group]) {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    // Cargo passes `--bench` for `cargo bench`, and no argument for `cargo test`.
    let full = words.iter().any(|word| word == "--bench");
    words.retain(|word| !word.starts_with("--"));
    let quick = words.iter().any(|word| word == "quick") || !full;
    words.retain(|word| word != "quick");
    let effort = if quick { Effort::Quick } else { Effort::Full };
    let place = Place::new();
    for (name, group) in groups {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            println!("\n{name}");
            group(&place, effort);
        }
    }
}
