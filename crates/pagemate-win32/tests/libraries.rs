//! The library's exported names, and programs that use this library and the one for `pagemate.h`.
#![cfg(target_os = "linux")]

mod harness;
#[path = "../../pagemate-c/tests/native/symbols.rs"]
mod symbols;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use harness::{Language, TestDir, build, compile, compile_with, include, unique};
use symbols::{dynamic, global};

/// Returns every word in the headers.
fn words() -> BTreeSet<String> {
    let folders = [include(), include().join("crt")];
    let entries = folders.into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
    let text = texts.collect::<Vec<_>>().join("\n");
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.map(str::to_owned).collect()
}

#[test]
fn every_exported_name_is_declared_and_none_is_of_the_other_library() {
    let declared = words();
    let package = ["-p", "pagemate-win32"];
    let [shared, archive] =
        ["libpagemate_win32.so", "libpagemate_win32.a"].map(|file| build(&package, file));
    for name in dynamic(&shared).iter().chain(&global(&archive)) {
        assert!(declared.contains(name), "{name} is not declared");
        let ours = name.starts_with("pagemate_");
        assert!(
            !ours || name.starts_with("pagemate_win32_"),
            "{name} may clash with the other library"
        );
    }
}

/// Returns the linker arguments for a static or a shared library.
fn linked(file: &str, package: &str) -> Vec<String> {
    let built = build(&["-p", package], file);
    let folder = built.parent().unwrap().display();
    match built.extension().unwrap().to_str().unwrap() {
        "a" => vec![built.display().to_string()],
        _ => vec![built.display().to_string(), format!("-Wl,-rpath,{folder}")],
    }
}

#[test]
fn a_program_uses_both_libraries_however_it_links_them() {
    let native = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pagemate-c/include");
    let flags = ["-I", native.to_str().unwrap(), "-D_GNU_SOURCE"];
    for native in ["libpagemate_c.a", "libpagemate_c.so"] {
        for windows in ["libpagemate_win32.a", "libpagemate_win32.so"] {
            let (native, windows) =
                (linked(native, "pagemate-c"), linked(windows, "pagemate-win32"));
            for libraries in
                [[&native[..], &windows[..]].concat(), [&windows[..], &native[..]].concat()]
            {
                let program = compile_with(&["linux/both.c"], Language::C, &flags, &libraries);
                let mut command = program.command();
                command.arg(unique("both"));
                let ran = TestDir::new().start_command(command).end();
                assert_eq!(ran, (0, vec!["done".to_owned()]), "{libraries:?}");
            }
        }
    }
}

#[test]
fn a_handle_is_inherited_by_one_copy_of_the_library() {
    let library = build(&["-p", "pagemate-win32"], "libpagemate_win32.so");
    let program = compile(&["linux/copies.c"], Language::C, &["-D_GNU_SOURCE"]);
    let mut command = program.command();
    command.arg(library);
    let ran = TestDir::new().start_command(command).end();
    // WAIT_TIMEOUT; ERROR_INVALID_HANDLE.
    let line = "the first: 258, the second: 0, error 6, the first: 258";
    // The lines come from a child process, from the process that created the event, and from that
    // process after an `exec`.
    assert_eq!(ran, (0, vec![line.to_owned(); 3]));
}
