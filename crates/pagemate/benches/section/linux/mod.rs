//! The groups of the report.

mod bare;
#[path = "../../common/mod.rs"]
#[allow(dead_code, reason = "written for more than this")]
mod common;
mod copying;
mod giant;
mod holders;
mod life;
mod private;

use common::{Group, measure, place};

const GROUPS: [Group; 6] = [
    ("create and open", life::few),
    ("create and open among many", life::among_many),
    ("list", life::list),
    ("small values", copying::small),
    ("copying", copying::large),
    ("giant", giant::table),
];

pub(crate) fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let ["hold", prefix, count] = &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return holders::hold(prefix, count.parse().expect("a number"));
    }
    common::report(&GROUPS);
}
