//! Tests that the Win32 crate uses no locks except those of `locks.rs`, each of which has a rank.

use std::path::Path;

use super::sources;

/// The types of `std::sync` that block a thread. If another thread holds such a lock during `fork`,
/// the child would wait for it for ever.
const BLOCKING: [&str; 9] = [
    "Mutex",
    "RwLock",
    "ReentrantLock",
    "Condvar",
    "Once",
    "OnceLock",
    "LazyLock",
    "Barrier",
    "mpsc",
];

/// Returns the blocking types of `std::sync` that a source file names.
fn blocking_types(text: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for part in text.split("std::sync::").skip(1) {
        let end = if part.starts_with('{') { part.find('}') } else { part.find([';', '(']) };
        let named = &part[..end.unwrap_or(part.len())];
        let mut words = named.split(|c: char| !c.is_alphanumeric());
        found
            .extend(words.find_map(|word| BLOCKING.into_iter().find(|blocking| word == *blocking)));
    }
    found
}

#[test]
fn locks_of_the_win32_crate_are_ranked() {
    assert_eq!(blocking_types("use std::sync::{Arc,\n    Mutex};\nfn f() {}"), ["Mutex"]);
    assert_eq!(blocking_types("static A: std::sync::OnceLock<u8> = f();"), ["OnceLock"]);
    assert_eq!(blocking_types("use std::sync::Arc;\nuse pagemate::sync::Mutex;"), [""; 0]);
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/pagemate-win32/src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 10);
    for (path, text) in files.iter().filter(|(path, _)| !path.ends_with("locks.rs")) {
        assert_eq!(
            blocking_types(text),
            [""; 0],
            "{}: use locks::Protected, which fork acquires, or an atomic",
            path.display()
        );
    }
}
