//! The behaviour of Windows, row by row, checked by a C program that includes only `<windows.h>`.
//!
//! A row is a statement about Windows that the program checks, as in `docs/platforms.md`. Rows up
//! to 97 have the same numbers in `crates/pagemate/tests/win32_rows.rs`, which checks the rows that
//! the Rust interface can express. Rows above 100 exist only in this program. `docs/platforms.md`
//! lists the rows that do not apply on Linux, with the reasons.
#![cfg(target_os = "linux")]

mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use harness::{Language, Program, TestDir, compile, under_wine};

/// The numbers of all rows.
const ROWS: RangeInclusive<u32> = 1..=97;
const OWN_ROWS: RangeInclusive<u32> = 101..=151;
const PROCESS_ROWS: RangeInclusive<u32> = 201..=222;

/// The rows that fail under Wine 8.0, with the difference between Wine and Windows.
const NOT_UNDER_WINE: &[(u32, &str)] = &[
    (21, "it reserves no memory, and fails with 8 if a file cannot be so long"),
    (37, "it opens without any access"),
    (46, "it maps read-only sections writable"),
    (49, "it checks the alignment first, and never the section's protection"),
    (52, "it fails with 87 beyond the end"),
    (56, "it reports a written page of a copy-on-write view as not copied"),
    (60, "it refuses a null handle for this process"),
    (94, "it releases a semaphore by zero or a negative count"),
    (95, "it waits for all of several objects if one occurs twice"),
    (101, "it moves the file position although a read at the end failed"),
    (104, "it makes no page of a shared view copy-on-write"),
    (105, "it makes no page of a shared view copy-on-write"),
    (106, "it makes no page of a shared view copy-on-write"),
    (111, "it protects zero bytes, checks the handle first, and fails with 87 for free memory"),
    (117, "it requires no privilege"),
    (122, "it accepts 29 February in every year"),
    (124, "it does not terminate a truncated file name"),
    (139, "it grants every right"),
    (140, "it grants every right"),
    (141, "it grants every right"),
    (143, "it grants every right"),
    (138, "it accepts every flag for UTF-8, and converts a string in place"),
    (149, "it accepts every modifier, and reports that of the allocation for all its pages"),
    (217, "it terminates a process that has ended, and opens without any access"),
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

/// Returns the number in each line that begins with `word`.
fn numbers(lines: &[String], word: &str) -> BTreeSet<u32> {
    let after = lines.iter().filter_map(|line| line.strip_prefix(word));
    let digits = after.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap());
    digits.map(|digits| digits.parse().unwrap()).collect()
}

#[test]
fn every_row_holds() {
    for language in [Language::C, Language::Cpp] {
        let (status, lines) = TestDir::new().run(&program(language));
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
    let (_, lines) = TestDir::new().start_command(list).end();
    let kept = numbers(&lines, "row ");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/platforms.md");
    let page = fs::read_to_string(page).unwrap();
    let explained = numbers(&page.lines().map(str::to_owned).collect::<Vec<_>>(), "| row ");
    assert_eq!(kept.intersection(&explained).count(), 0);
    let all: BTreeSet<u32> = kept.union(&explained).copied().collect();
    assert_eq!(all, ROWS.chain(OWN_ROWS).chain(PROCESS_ROWS).collect());
}
