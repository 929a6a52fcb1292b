//! Compares the lists of supported and unsupported calls in `docs/porting.md` with the headers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

/// Returns every word of the headers outside of comments.
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

/// Returns the names of calls in a text: the single words between backticks.
fn names(text: &str) -> BTreeSet<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|name| words(name).len() == 1 && !name.is_empty()).collect()
}

fn is_declared(name: &str, declared: &BTreeSet<String>) -> bool {
    ["", "A", "W"].iter().any(|width| declared.contains(&format!("{name}{width}")))
}

#[test]
fn the_page_lists_supported_and_unsupported_calls_as_the_headers_do() {
    let page = read("../../docs/porting.md");
    let (_, page) = page.split_once("## Supported calls").unwrap();
    let (supported, rest) = page.split_once("**Not supported**").unwrap();
    let (unsupported, _) = rest.split_once("##").unwrap();
    let declared = declared();
    let supported = names(supported);
    assert!(supported.len() > 80, "{}", supported.len());
    for name in supported {
        assert!(
            is_declared(name, &declared),
            "{name} is listed as supported, but no header declares it"
        );
    }
    let first_columns =
        unsupported.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let first_columns = first_columns.collect::<Vec<_>>().join("\n");
    let unsupported = names(&first_columns);
    assert!(unsupported.len() > 80, "{}", unsupported.len());
    for name in unsupported {
        assert!(
            !is_declared(name, &declared),
            "{name} is listed as unsupported, but a header declares it"
        );
    }
}
