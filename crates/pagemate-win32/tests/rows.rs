//! Windows' behaviour, row by row, by a C program that knows only `<windows.h>`.
//!
//! The numbers are those of `crates/pagemate/tests/win32_rows.rs`, where the Rust interface keeps what
//! it has a word for; those above a hundred are this program's own. Rows that make no sense on Linux
//! stand in `docs/platforms.md`, with the reason.
#![cfg(target_os = "linux")]

mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use harness::{Language, Place, Program, compile, under_wine};

/// The rows there are.
const ROWS: RangeInclusive<u32> = 1..=97;
const OWN_ROWS: RangeInclusive<u32> = 101..=151;
const PROCESS_ROWS: RangeInclusive<u32> = 201..=222;

/// Rows that Wine 8.0 breaks, and how.
const NOT_UNDER_WINE: &[(u32, &str)] = &[
    (21, "it charges nothing, and fails with 8 where a file cannot be so long"),
    (37, "it opens without any access"),
    (46, "it maps read-only sections writable"),
    (49, "it looks at the alignment first, and never at the section's protection"),
    (52, "beyond the end it says 87"),
    (56, "it reports a copying view as it was mapped, whatever was written"),
    (60, "it takes no null for this process"),
    (94, "it adds nothing or less than nothing to a semaphore"),
    (95, "it waits for all of several where one is there twice"),
    (101, "where nothing was left to read of a file, it stands nevertheless"),
    (104, "it copies no page of a shared view"),
    (105, "it copies no page of a shared view"),
    (106, "it copies no page of a shared view"),
    (111, "it protects no bytes, looks for the handle first, and says 87 where nothing is"),
    (117, "it asks for no privilege"),
    (122, "every February has 29 days where a calendar day becomes a time"),
    (124, "the name of a file that does not fit has no end"),
    (139, "it grants every right"),
    (140, "it grants every right"),
    (141, "it grants every right"),
    (143, "it grants every right"),
    (138, "it takes every flag for UTF-8, and converts a text over itself"),
    (149, "it takes every modifier, and reports that of the allocation for all its pages"),
    (217, "it ends what has ended, and opens without any access"),
];

const SOURCES: &[&str] = &[
    "rows/main.c",
    "rows/create.c",
    "rows/names.c",
    "rows/open.c",
    "rows/map.c",
    "rows/memory.c",
    "rows/life.c",
    "rows/sync.c",
    "rows/wait.c",
    "rows/files.c",
    "rows/pages.c",
    "rows/around.c",
    "rows/threads.c",
    "rows/messages.c",
    "rows/rights.c",
    "rows/processes.c",
    "rows/slim.c",
];

fn program(language: Language) -> Program {
    compile(SOURCES, language, &[])
}

/// The numbers after a word, one a line.
fn numbers(lines: &[String], word: &str) -> BTreeSet<u32> {
    let after = lines.iter().filter_map(|line| line.strip_prefix(word));
    let digits = after.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap());
    digits.map(|digits| digits.parse().unwrap()).collect()
}

#[test]
fn every_row_holds() {
    for language in [Language::C, Language::Cpp] {
        let (status, lines) = Place::new().run(&program(language));
        let excused = NOT_UNDER_WINE.iter().filter(|_| under_wine()).map(|(row, _)| *row);
        let broken = numbers(&lines, "broken: ");
        assert_eq!(broken, excused.collect(), "{language:?}\n{}", lines.join("\n"));
        let held = numbers(&lines, "row ").len() - broken.len();
        assert_eq!(lines.last().unwrap(), &format!("{held} held, {} broken", broken.len()));
        assert_eq!(status, 0);
    }
}

#[test]
fn every_row_is_kept_or_explained() {
    let program = program(Language::C);
    let mut list = program.command();
    list.arg("list");
    let (_, lines) = Place::new().start_command(list).end();
    let kept = numbers(&lines, "row ");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/platforms.md");
    let page = fs::read_to_string(page).unwrap();
    let explained = numbers(&page.lines().map(str::to_owned).collect::<Vec<_>>(), "| row ");
    assert_eq!(kept.intersection(&explained).count(), 0);
    let all: BTreeSet<u32> = kept.union(&explained).copied().collect();
    assert_eq!(all, ROWS.chain(OWN_ROWS).chain(PROCESS_ROWS).collect());
}
