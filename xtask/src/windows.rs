//! `cargo xtask windows`: runs the tests as Windows programs under Wine.

use std::process::Command;

use crate::cross::{self, COMPILER};
use crate::task::{Outcome, run};
use crate::wine::{self, PACKAGES, TESTED, Wine};

/// The target for which programs are usually built.
const REAL: &str = "x86_64-pc-windows-gnu";

const CRATES: [&str; 8] =
    ["-p", "pagemate", "-p", "pagemate-cli", "-p", "pagemate-c", "-p", "pagemate-wine"];

pub(crate) fn windows() -> Outcome {
    cross::install(&[&COMPILER[..], &PACKAGES[..]].concat())?;
    let mut lint = cross::cargo("clippy", TESTED)?;
    run(lint.args(CRATES).args(["--all-targets", "--", "-D", "warnings"]))?;
    run(cross::cargo("check", REAL)?.args(CRATES).arg("--all-targets"))?;
    let wine = Wine::start("windows")?;
    run(wine.under(&mut cross::cargo("test", TESTED)?).args(CRATES))?;
    let mut demo = cross::cargo("run", TESTED)?;
    run(wine.under(&mut demo).args(["-p", "pagemate-cli", "--", "demo"]))?;
    interop(&wine)?;
    programs(&wine)
}

/// Runs the C programs that test the Win32 library on Linux under Wine, which must produce the same
/// results.
fn programs(wine: &Wine) -> Outcome {
    let mut test = Command::new("cargo");
    test.args([
        "test",
        "-p",
        "pagemate-win32",
        "--test",
        "crt",
        "--test",
        "programs",
        "--test",
        "rows",
    ]);
    // Run one test at a time, because all programs share Wine's namespace of objects.
    test.args(["--", "--test-threads=1"]);
    run(wine.under(&mut test).env("PAGEMATE_UNDER_WINE", "1"))
}

/// Tests that the core shares memory with a C++ program that uses only Win32 calls.
fn interop(wine: &Wine) -> Outcome {
    let program = cross::root().join("target/cross/interop.exe");
    wine::compile("x86_64-w64-mingw32-g++", &program, &["crates/pagemate/tests/interop.cpp"])?;
    let mut test = cross::cargo("test", TESTED)?;
    wine.under(&mut test).env("PAGEMATE_INTEROP", format!("Z:{}", program.display()));
    // Run one test at a time. The listing of objects opens each of them for a moment, and so would
    // keep an object of another test alive after its last handle is closed.
    let one_by_one = ["--", "--ignored", "--test-threads=1"];
    run(test.args(["-p", "pagemate", "--test", "interop"]).args(one_by_one))
}
