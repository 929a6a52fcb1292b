//! Runs the tests of typed memory, of racing copies and of the steps of sync objects in Miri, an interpreter
//! that detects undefined behaviour. Miri does not support the system calls for shared memory.

use std::process::Command;

use crate::task::{Outcome, run};

/// The components of the nightly toolchain that Miri consists of.
const COMPONENTS: [&str; 2] = ["miri", "rust-src"];

pub(crate) fn miri() -> Outcome {
    if !is_installed() {
        println!("skipped: there is no nightly toolchain with Miri, and rustup cannot install one");
        return Ok(());
    }
    // The first part has threads, whose order differs with the seed.
    run(test(&["typed::"]).env("MIRIFLAGS", "-Zmiri-many-seeds=0..8"))?;
    // The wake of a futex passes a number as a pointer.
    let steps = ["steps::auto_event", "steps::counters", "steps::mutex"];
    let mut steps = test(&[&["sys::copy::tests::every"], &steps[..]].concat());
    run(steps.env("MIRIFLAGS", "-Zmiri-permissive-provenance"))
}

/// Returns a command that interprets the tests of these modules.
fn test(modules: &[&str]) -> Command {
    let mut test = Command::new("cargo");
    test.args([
        "+nightly",
        "miri",
        "test",
        "-p",
        "pagemate",
        "--lib",
        "--target-dir",
        "target/miri",
    ]);
    test.arg("--").args(modules);
    test
}

/// Returns whether Miri is installed. Tries to install it if the nightly toolchain does not have
/// it.
fn is_installed() -> bool {
    let succeeds = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output();
        output.is_ok_and(|output| output.status.success())
    };
    let has = || succeeds("cargo", &["+nightly", "miri", "--version"]);
    let mut add = vec!["component", "add", "--toolchain", "nightly"];
    add.extend(COMPONENTS);
    has() || succeeds("rustup", &add) && has()
}
