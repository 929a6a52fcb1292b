//! Calls every Win32 function with random arguments.
#![cfg(target_os = "linux")]

mod harness;

use std::fs;
use std::path::Path;

use harness::{Language, TestDir, compile};

const ROUNDS: &str = "20000";
const SEEDS: u32 = 8;

/// The functions that need no random arguments: they have no parameters, or accept every value.
const HARMLESS: [&str; 14] = [
    "GetCurrentThread",
    "GetCurrentProcess",
    "GetCurrentProcessId",
    "GetCurrentThreadId",
    "GetLargePageMinimum",
    "GetLastError",
    "GetTickCount",
    "GetTickCount64",
    "SetLastError",
    "Sleep",
    "ExitProcess",
    "ExitThread",
    "LocalAlloc",
    "LocalFree",
];

#[test]
fn nothing_crashes_and_failures_have_windows_codes() {
    let program = compile(&["fuzz/arguments.c"], Language::C, &["-Wno-format", "-Wno-nonnull"]);
    for seed in 1..=SEEDS {
        let mut command = program.command();
        command.args([&seed.to_string(), ROUNDS]);
        let ran = TestDir::new().start_command(command).end();
        assert_eq!(ran, (0, vec!["both success and failure".to_owned()]), "seed {seed}");
    }
}

#[test]
fn every_function_is_fuzzed() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["arguments.c", "processes.h"];
    let sources =
        sources.map(|file| fs::read_to_string(here.join("tests/fuzz").join(file)).unwrap());
    let sources = sources.concat();
    let mut count = 0;
    let folders = ["include", "include/crt"].map(|folder| fs::read_dir(here.join(folder)).unwrap());
    for header in folders.into_iter().flatten() {
        let Ok(header) = fs::read_to_string(header.unwrap().path()) else { continue };
        for after in header.split(" WINAPI ").skip(1) {
            let name = after.split('(').next().unwrap();
            count += 1;
            let called = sources.contains(&format!("{name}("));
            assert!(called || HARMLESS.contains(&name), "{name}");
        }
    }
    assert!(count > 60, "{count}");
}
