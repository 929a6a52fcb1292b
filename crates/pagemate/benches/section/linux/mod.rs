//! The report: what is compared, group by group.

mod copying;
mod giant;
mod life;
mod measure;
mod place;
mod private;

use measure::Effort;

/// A part of the report: its name, and what prints it.
type Group = (&'static str, fn(&place::Place, Effort));

const GROUPS: [Group; 6] = [
    ("create and open", life::few),
    ("create and open among many", life::among_many),
    ("list", life::list),
    ("small values", copying::small),
    ("copying", copying::large),
    ("giant", giant::table),
];

pub(crate) fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if let ["hold", namespace, count] = &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return place::hold(namespace, count.parse().expect("a number"));
    }
    // Cargo says `--bench` when it measures, and nothing when it only tests.
    let full = words.iter().any(|word| word == "--bench");
    words.retain(|word| !word.starts_with("--"));
    let quick = words.iter().any(|word| word == "quick") || !full;
    words.retain(|word| word != "quick");
    let effort = if quick { Effort::Quick } else { Effort::Full };
    let place = place::Place::new();
    for (name, group) in GROUPS {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            println!("\n{name}");
            group(&place, effort);
        }
    }
}
