//! The groups of measurements in the report.

mod bare_calls;
#[path = "../../common/mod.rs"]
#[allow(dead_code, reason = "shared with other benchmarks, which use the rest")]
mod common;
mod copying;
mod create_and_open;
mod huge_sections;
mod many_holders;
mod private_memory;
mod typed_access;

use common::{Group, measure, place};

const GROUPS: [Group; 7] = [
    ("create and open", create_and_open::few),
    ("create and open among many", create_and_open::among_many),
    ("list", create_and_open::list),
    ("small values", copying::small),
    ("typed access", typed_access::table),
    ("copying", copying::large),
    ("huge sections", huge_sections::table),
];

pub(crate) fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let ["hold", prefix, count] = &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return many_holders::hold(prefix, count.parse().expect("a number"));
    }
    common::report(&GROUPS);
}
