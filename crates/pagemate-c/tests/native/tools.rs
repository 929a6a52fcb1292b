//! Runs programs that use the library under debugging tools.
//!
//! If a tool is missing, its test prints that and is skipped. `cargo xtask tools` installs the
//! tools, and fails if one is missing.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::env;
use std::process::Command;

use super::C_CHECKS;
use super::build::{Linked, compile, compile_with, root, run_command};
use super::harness::Place;

/// The environment variable that makes a missing tool an error.
const DEMANDED: &str = "PAGEMATE_TOOLS";

/// Returns whether a tool can run here.
fn is_there(tool: &[&str]) -> bool {
    let works = Command::new(tool[0]).args(&tool[1..]).output();
    let works = works.is_ok_and(|output| output.status.success());
    assert!(works || env::var_os(DEMANDED).is_none(), "{tool:?} does not work here");
    if !works {
        eprintln!("skipped: {tool:?} does not work here");
    }
    works
}

/// Runs every C program of the tests under `tool`, and checks that none prints anything.
#[track_caller]
fn runs_under(tool: &[&str]) {
    let place = Place::new("native-tools");
    for source in C_CHECKS {
        let path = root().join("tests/native").join(source);
        let mut command = Command::new(tool[0]);
        command.args(&tool[1..]).arg(compile(&path, "c11", Linked::Shared));
        assert_eq!(run_command(&place, &command), "", "{source}");
        place.assert_empty();
    }
}

/// Builds every C program of the tests with a sanitizer, and checks that none reports anything.
#[track_caller]
fn passes(sanitizer: &str) {
    let place = Place::new("native-sanitized");
    for source in C_CHECKS {
        let path = root().join("tests/native").join(source);
        let program = compile_with(&path, "c11", Linked::Shared, &[sanitizer]);
        assert_eq!(run_command(&place, &Command::new(program)), "", "{source}");
        place.assert_empty();
    }
}

#[test]
fn valgrind_runs_programs_and_finds_no_error() {
    if is_there(&["valgrind", "--version"]) {
        // Warnings of valgrind about unknown calls go to a file. For errors that it finds, the
        // program ends with this code.
        let log = env::temp_dir().join(format!("pagemate-valgrind-{}", std::process::id()));
        let log = format!("--log-file={}", log.display());
        runs_under(&["valgrind", "-q", "--error-exitcode=99", &log]);
        std::fs::remove_file(&log["--log-file=".len()..]).unwrap();
    }
}

#[test]
fn strace_follows_programs() {
    if is_there(&["strace", "-o", "/dev/null", "true"]) {
        runs_under(&["strace", "-f", "-o", "/dev/null"]);
    }
}

#[test]
fn gdb_runs_programs_to_their_end() {
    if is_there(&["gdb", "-batch", "-nx", "-ex", "run", "--args", "true"]) {
        // If the program was ended by a signal, `$_exitcode` is void, and `quit` fails in gdb.
        let script = ["-ex", "run", "-ex", "quit $_exitcode"];
        let quiet = ["gdb", "-batch", "-nx", "-ex", "set logging file /dev/null"];
        let silent = ["-ex", "set logging redirect on", "-ex", "set logging enabled on"];
        runs_under(&[&quiet[..], &silent, &script, &["--args"]].concat());
    }
}

#[test]
fn address_and_undefined_behaviour_sanitizers_find_nothing() {
    passes("-fsanitize=address,undefined");
}

#[test]
fn address_and_undefined_behaviour_sanitizers_find_nothing_in_typed_memory_of_cpp() {
    let place = Place::new("native-sanitized-cpp");
    let path = root().join("tests/native/typed.cpp");
    let program = compile_with(&path, "c++17", Linked::Shared, &["-fsanitize=address,undefined"]);
    assert_eq!(run_command(&place, &Command::new(program)), "");
    place.assert_empty();
}

#[test]
fn thread_sanitizer_finds_nothing() {
    passes("-fsanitize=thread");
}
