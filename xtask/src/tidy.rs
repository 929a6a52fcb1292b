//! Tests of rules about the source: layers, platforms, `unsafe`, documents.

use std::fs;
use std::path::{Path, PathBuf};

mod calls;
mod circles;
mod locks;
mod prose;
mod public_api;

/// The layers of the core, lowest first. A file imports only files of its own layer and of lower
/// layers.
const LAYERS: [&str; 5] = ["sys", "section", "typed", "sync", "channel"];

/// Finds all Rust files below `dir`, with their texts.
fn sources(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push((path.clone(), fs::read_to_string(path).unwrap()));
        }
    }
}

/// Returns the core's source files by their path below `src`.
fn core() -> Vec<(PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/pagemate/src");
    let mut found = Vec::new();
    sources(&src, &mut found);
    for (path, _) in &mut found {
        *path = path.strip_prefix(&src).unwrap().to_owned();
    }
    assert!(found.len() > 10);
    found
}

/// Returns the layer that a file belongs to.
fn layer(path: &Path) -> String {
    let first = path.iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Returns the number of lines that name a platform outside `sys` and `os`.
fn stray_platforms(path: &Path, text: &str) -> usize {
    let words = [
        "cfg(unix",
        "cfg(windows",
        "target_os",
        "target_family",
        "rustix::",
        "libc::",
        "windows_sys::",
    ];
    if matches!(layer(path).as_str(), "sys" | "os") {
        return 0;
    }
    text.lines().filter(|line| words.iter().any(|word| line.contains(word))).count()
}

/// Returns the first import of a higher layer.
fn upward_import(path: &Path, text: &str) -> Option<&'static str> {
    let own = LAYERS.iter().position(|name| *name == layer(path))?;
    // Ignore comments, because a link in a comment is not an import.
    let code: Vec<&str> =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let imports = |higher: &str| code.iter().any(|line| line.contains(&format!("crate::{higher}")));
    LAYERS[own + 1..].iter().copied().find(|higher| imports(higher))
}

#[test]
fn platforms_live_in_sys() {
    assert_eq!(stray_platforms(Path::new("section/mod.rs"), "#[cfg(unix)]\nfn f() {}"), 1);
    for (path, text) in core() {
        assert_eq!(
            stray_platforms(&path, &text),
            0,
            "{}: names a platform outside sys and os",
            path.display()
        );
    }
}

#[test]
fn files_import_no_higher_layer() {
    assert_eq!(upward_import(Path::new("sys/a.rs"), "use crate::section::View;"), Some("section"));
    assert_eq!(upward_import(Path::new("section/a.rs"), "/// See [x](crate::sync::X)."), None);
    for (path, text) in core() {
        assert_eq!(upward_import(&path, &text), None, "{}: imports a higher layer", path.display());
    }
}

/// On Unix, `std::fs::read_dir` panics if closing the directory fails. `Dir` of rustix does not.
#[test]
fn std_reads_no_directory_on_unix() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut found = Vec::new();
    for name in ["pagemate", "pagemate-c", "pagemate-cli", "pagemate-win32"] {
        sources(&crates.join(name).join("src"), &mut found);
    }
    // This file uses `std::fs::read_dir` only on systems without rustix.
    found.retain(|(path, _)| !path.ends_with("pagemate-cli/src/directory.rs"));
    for (path, text) in found {
        assert!(!text.contains("fs::read_dir("), "{}: use rustix::fs::Dir", path.display());
    }
}

#[test]
fn only_listed_files_allow_unsafe() {
    let allowed = [
        "channel/broadcast/header.rs",
        "channel/broadcast/tests.rs",
        "channel/core.rs",
        "channel/header.rs",
        "channel/mpmc/header.rs",
        "channel/mpmc/tests.rs",
        "channel/spsc/header.rs",
        "channel/tests.rs",
        "channel/watch/header.rs",
        "section/view.rs",
        "shareable.rs",
        "sys/copy/assembly.rs",
        "sys/copy/fallback.rs",
        "sys/copy/mod.rs",
        "sys/fault.rs",
        "sys/liveness/descriptor_slot.rs",
        "sys/liveness/fork.rs",
        "sys/liveness/lock.rs",
        "sys/liveness/wiped_page.rs",
        "sys/object/unix/location/default_dirs.rs",
        "sys/object/unix/memory/mapping.rs",
        "sys/object/unix/memory/pages/linux.rs",
        "sys/object/windows/error.rs",
        "sys/object/windows/inventory.rs",
        "sys/object/windows/mapping.rs",
        "sys/object/windows/named.rs",
        "sys/object/windows/native.rs",
        "sys/object/windows/object.rs",
        "sys/object/windows/security.rs",
        "sys/object/windows/sizes.rs",
        "sys/region.rs",
        "sys/sync/unix/mapped_words.rs",
        "sys/sync/unix/mutex.rs",
        "sys/sync/windows/embedded.rs",
        "sys/sync/windows/event.rs",
        "sys/sync/windows/kernel.rs",
        "sys/sync/windows/mutex.rs",
        "sys/sync/windows/semaphore.rs",
        "sys/sync/windows/wait.rs",
        "sys/wait/apple.rs",
        "sys/wait/word.rs",
        "typed/bytes.rs",
        "typed/memory.rs",
        "typed/racy.rs",
        "typed/seq_bytes.rs",
        "typed/seqlock.rs",
        "typed/shared.rs",
    ];
    let mut found: Vec<String> = core()
        .into_iter()
        .filter(|(_, text)| {
            text.contains("allow(unsafe_code") || text.contains(", allow(unsafe_code")
        })
        .map(|(path, _)| path.to_str().unwrap().to_owned())
        .collect();
    found.sort();
    assert_eq!(found, allowed);
}

#[test]
fn only_listed_files_of_the_python_package_allow_unsafe() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    files.retain(|(_, text)| text.contains("allow(unsafe_code"));
    let mut found: Vec<_> =
        files.iter().map(|(path, _)| path.strip_prefix(&src).unwrap()).collect();
    found.sort();
    let allowed = ["buffer.rs", "os/unix.rs", "os/windows.rs", "view.rs"];
    assert_eq!(found, allowed.map(Path::new));
    for (path, text) in &files {
        assert_eq!(borrowed_derivation(text), None, "{}", path.display());
    }
}

#[test]
fn the_python_program_in_the_readme_is_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, program) = readme.split_once("```python\n").unwrap();
    let (program, _) = program.split_once("```").unwrap();
    let example = fs::read_to_string(root.join("python/examples/first.py")).unwrap();
    assert!(example.ends_with(program), "python/examples/first.py differs from README.md");
    assert!(program.lines().count() <= 10);
}

/// The beginning of a comment that derives the soundness of an `unsafe` block.
const SAFETY: &str = concat!("// ", "SAFETY:");

/// Returns the first `SAFETY` comment that refers to another comment, and does not derive the
/// soundness itself.
fn borrowed_derivation(text: &str) -> Option<&str> {
    let comments = text.split(SAFETY).skip(1).filter_map(|rest| rest.lines().next());
    comments
        .map(str::trim)
        .find(|comment| comment.starts_with("as ") || comment.split(' ').count() < 3)
}

#[test]
fn each_safety_comment_derives() {
    assert_eq!(borrowed_derivation(&format!("{SAFETY} as above.\nunsafe {{}}")), Some("as above."));
    assert_eq!(borrowed_derivation(&format!("{SAFETY} `at` lies in `page`.\nunsafe {{}}")), None);
    for (path, text) in core() {
        let path = path.display();
        assert_eq!(borrowed_derivation(&text), None, "{path}: name the fact and where it is kept");
    }
}

/// Returns the names of the fault points in a source file.
fn fault_points(text: &str) -> impl Iterator<Item = &str> {
    text.split("fault::point(\"").skip(1).filter_map(|call| call.split('"').next())
}

#[test]
fn every_fault_point_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let documents = ["docs/protocol.md", "docs/channels.md"];
    let written = documents.map(|path| fs::read_to_string(root.join(path)).unwrap()).concat();
    let mut count = 0;
    for (path, text) in core() {
        for point in fault_points(&text) {
            count += 1;
            let row = format!("\n| `{point}` |");
            assert!(
                written.contains(&row),
                "{}: {point} has no row in docs/protocol.md or docs/channels.md",
                path.display()
            );
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn the_programs_in_the_readme_are_tested_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let programs: Vec<&str> = readme
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split_once("```").expect("an end of the block").0)
        .collect();
    let examples = ["common_data", "ledger", "notes"];
    assert_eq!(programs.len(), examples.len(), "each program in README.md is an example");
    for (program, name) in programs.into_iter().zip(examples) {
        let example = root.join(format!("crates/pagemate/examples/{name}.rs"));
        let example = fs::read_to_string(example).unwrap();
        let (_, example) = example.split_once("\n\n").unwrap();
        assert_eq!(program, example, "{name}");
        assert!(program.lines().count() <= 20, "{name}");
    }
}

#[test]
fn the_readme_names_examples_tasks_and_paths_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let words = |before: &str| -> Vec<String> {
        let ends = |c: char| c.is_whitespace() || "`\"".contains(c);
        let rest = readme.split(before).skip(1);
        rest.map(|rest| rest.split(ends).next().unwrap_or_default().to_owned()).collect()
    };
    let mut examples = words("--example ");
    let (_, kinds) = readme.split_once("| Kind | Each message | Example |\n").expect("the table");
    for row in kinds.lines().skip(1).take_while(|row| row.starts_with('|')) {
        let names = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        examples.extend(names.split(", ").map(|name| name.trim_matches('`').to_owned()));
    }
    assert!(examples.len() > 5, "{examples:?}");
    for name in examples {
        assert!(root.join(format!("crates/pagemate/examples/{name}.rs")).exists(), "{name}");
    }
    let tasks = fs::read_to_string(root.join("xtask/src/main.rs")).unwrap();
    for task in words("cargo xtask ") {
        assert!(tasks.contains(&format!("(\"{task}\"")), "{task}");
    }
    for path in words("path = \"pagemate/") {
        assert!(root.join(&path).join("Cargo.toml").exists(), "{path}");
    }
}
