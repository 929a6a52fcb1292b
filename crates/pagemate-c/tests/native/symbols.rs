//! Reads the global names of a library, as linkers do.

use std::path::Path;
use std::process::Command;

/// The beginnings of names in a static library that the compiler chooses: mangled Rust names, and
/// functions that compiled code calls.
const COMPILERS: [&str; 5] = ["_ZN", "_R", "__", "DW.ref.", "rust_"];

fn names(library: &Path, options: &[&str]) -> Vec<String> {
    let mut nm = Command::new("nm");
    nm.args(["--defined-only", "--format=posix"]).args(options).arg(library);
    let output = nm.output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    // Each line about a name consists of the name, a letter and numbers. Other lines contain names
    // of archive members, or complaints about members with bitcode.
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

/// Returns the names that a program must not define itself if it links a static library.
pub(crate) fn global(archive: &Path) -> Vec<String> {
    let mut found = names(archive, &["--extern-only"]);
    found.retain(|name| !COMPILERS.iter().any(|start| name.starts_with(start)));
    assert!(found.len() > 50, "{}: {found:?}", archive.display());
    found
}
