//! `cargo xtask windows`: the same tests, as Windows programs, on a Linux machine under Wine.

use std::process::Command;

use crate::cross::{self, COMPILER};
use crate::task::{Outcome, run};
use crate::wine::{self, PACKAGES, Wine};

/// The target whose standard library needs nothing that Debian's Wine lacks.
const TESTED: &str = "x86_64-win7-windows-gnu";

/// The target that people use.
const REAL: &str = "x86_64-pc-windows-gnu";

const CRATES: [&str; 6] = ["-p", "pagemate", "-p", "pagemate-cli", "-p", "pagemate-c"];

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

/// What Windows' own interface does on Linux, it does here: the same C programs, with the same
/// expectations.
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
    // One by one: here all have one space of names.
    test.args(["--", "--test-threads=1"]);
    run(wine.under(&mut test).env("PAGEMATE_UNDER_WINE", "1"))
}

/// Memory shared with a C++ program that knows Win32 alone.
fn interop(wine: &Wine) -> Outcome {
    let program = cross::root().join("target/cross/interop.exe");
    wine::compile("x86_64-w64-mingw32-g++", &program, &["crates/pagemate/tests/interop.cpp"])?;
    let mut test = cross::cargo("test", TESTED)?;
    wine.under(&mut test).env("PAGEMATE_INTEROP", format!("Z:{}", program.display()));
    // One by one: a listing in one of them holds for a moment what another just let go.
    let one_by_one = ["--", "--ignored", "--test-threads=1"];
    run(test.args(["-p", "pagemate", "--test", "interop"]).args(one_by_one))
}
