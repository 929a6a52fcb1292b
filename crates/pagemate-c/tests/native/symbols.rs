//! Reads the global names in a library, as linkers see them.

use std::path::Path;
use std::process::Command;

/// Names in a static library that are the compiler's own: mangled Rust, and what compiled code calls by
/// itself.
const COMPILERS: [&str; 5] = ["_ZN", "_R", "__", "DW.ref.", "rust_"];

fn names(library: &Path, options: &[&str]) -> Vec<String> {
    let mut nm = Command::new("nm");
    nm.args(["--defined-only", "--format=posix"]).args(options).arg(library);
    let output = nm.output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    // A line is a name, a letter and numbers. Other lines name members of an archive, or complain about
    // those with bitcode.
    let words = lines.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let symbols = words.filter(|words| words.len() > 2 && words[1].len() == 1);
    symbols.map(|words| words[0].to_owned()).collect()
}

/// Returns the names that a shared library exports.
pub(crate) fn dynamic(library: &Path) -> Vec<String> {
    let found = names(library, &["--dynamic"]);
    assert!(found.len() > 50, "{}: {found:?}", library.display());
    found
}

/// Returns the names that a program cannot define beside a static library.
pub(crate) fn global(archive: &Path) -> Vec<String> {
    let mut found = names(archive, &["--extern-only"]);
    found.retain(|name| !COMPILERS.iter().any(|start| name.starts_with(start)));
    assert!(found.len() > 50, "{}: {found:?}", archive.display());
    found
}
