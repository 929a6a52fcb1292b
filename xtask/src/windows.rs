//! `cargo xtask windows`: the same tests, as Windows programs, on a Linux machine under Wine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cross::{self, COMPILER};
use crate::task::{Outcome, run};

/// What is needed besides the compiler.
const PACKAGES: [&str; 4] = ["gcc-mingw-w64-x86-64", "g++-mingw-w64-x86-64", "wine", "wine64"];

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
    let wine = Wine::start()?;
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
        "pagemate-c",
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
    let mut compile = Command::new("x86_64-w64-mingw32-g++");
    compile.args(["-static", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&program);
    run(compile.arg(cross::root().join("crates/pagemate/tests/interop.cpp")))?;
    let mut test = cross::cargo("test", TESTED)?;
    wine.under(&mut test).env("PAGEMATE_INTEROP", format!("Z:{}", program.display()));
    // One by one: a listing in one of them holds for a moment what another just let go.
    let one_by_one = ["--", "--ignored", "--test-threads=1"];
    run(test.args(["-p", "pagemate", "--test", "interop"]).args(one_by_one))
}

/// A Windows of our own, with its own names: others' objects are not seen, nor ours by them.
struct Wine {
    prefix: PathBuf,
}

impl Wine {
    fn start() -> Result<Wine, String> {
        let prefix = cross::root().join("target/cross/prefix");
        fresh(&prefix).map_err(|e| format!("{}: {e}", prefix.display()))?;
        let wine = Wine { prefix };
        run(wine.under(Command::new("wine").args(["wineboot", "--init"])))?;
        Ok(wine)
    }

    /// Makes `command` run there, or what it builds.
    fn under<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", "wine");
        command.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        // No offer to install what only .NET programs and web pages need.
        command.env("WINEDLLOVERRIDES", "mscoree,mshtml=")
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // Ends all that runs there; it fails if nothing does.
        _ = self.under(Command::new("wineserver").arg("-k")).status();
    }
}

fn fresh(dir: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(dir)
}
