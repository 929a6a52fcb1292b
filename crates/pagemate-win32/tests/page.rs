//! `docs/porting.md` says which of Windows' calls are there and which are not: so do the headers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

/// Every word of the headers, without what they say about themselves.
fn declared() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let headers = ["include", "include/crt"]
        .map(|folder| fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap());
    for entry in headers.into_iter().flatten() {
        let Ok(text) = fs::read_to_string(entry.unwrap().path()) else { continue };
        for part in text.split("/*") {
            let code = part.split_once("*/").map_or(part, |(_, code)| code);
            found.extend(words(code).into_iter().map(str::to_owned));
        }
    }
    found
}

/// The names of calls in a text: what is a word from one backtick to the other.
fn names(text: &str) -> BTreeSet<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|name| words(name).len() == 1 && !name.is_empty()).collect()
}

fn is_declared(name: &str, declared: &BTreeSet<String>) -> bool {
    ["", "A", "W"].iter().any(|width| declared.contains(&format!("{name}{width}")))
}

#[test]
fn what_the_page_says_is_there_is_there_and_nothing_else() {
    let page = read("../../docs/porting.md");
    let (_, page) = page.split_once("## Is it in there?").unwrap();
    let (there, rest) = page.split_once("**Not there**").unwrap();
    let (missing, _) = rest.split_once("##").unwrap();
    let declared = declared();
    let there = names(there);
    assert!(there.len() > 80, "{}", there.len());
    for name in there {
        assert!(is_declared(name, &declared), "{name} is not there");
    }
    let first_columns =
        missing.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let first_columns = first_columns.collect::<Vec<_>>().join("\n");
    let missing = names(&first_columns);
    assert!(missing.len() > 80, "{}", missing.len());
    for name in missing {
        assert!(!is_declared(name, &declared), "{name} is there");
    }
}
