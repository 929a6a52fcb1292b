//! Runs the tests of typed memory in Miri, an interpreter that detects undefined behaviour. Miri
//! does not support the system calls for shared memory.

use std::process::Command;

use crate::task::{Outcome, run};

/// The components of the nightly toolchain that Miri consists of.
const COMPONENTS: [&str; 2] = ["miri", "rust-src"];

pub(crate) fn miri() -> Outcome {
    if !is_installed() {
        println!("skipped: there is no nightly toolchain with Miri, and rustup cannot install one");
        return Ok(());
    }
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
    test.args(["--", "typed::"]);
    run(test.env("MIRIFLAGS", "-Zmiri-many-seeds=0..8"))
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
