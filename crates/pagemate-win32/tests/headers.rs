//! Names of headers that differ only in case.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

#[test]
fn a_header_is_the_same_by_every_spelling_of_its_name() {
    // Files whose names differ only in case would overwrite each other on a case-insensitive file
    // system.
    let mut spelt = std::collections::BTreeMap::new();
    for header in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("include")).unwrap() {
        let header = header.unwrap();
        let name = header.file_name().into_string().unwrap();
        let Ok(text) = fs::read_to_string(header.path()) else { continue };
        let first = spelt.entry(name.to_lowercase()).or_insert_with(|| text.clone());
        assert!(*first == text, "{name}");
    }
    assert!(spelt.contains_key("windows.h"));
}
