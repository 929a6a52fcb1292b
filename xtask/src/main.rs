//! `cargo xtask TASK`: the project's own commands.
#![allow(clippy::print_stdout, reason = "it tells what it runs")]

use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

mod cross;
mod differential;
mod dist;
mod inject;
mod linux32;
mod macos;
mod stress;
mod task;
mod threads;
#[cfg(test)]
mod tidy;
mod windows;
mod wine;

use stress::{fuzz, torture};
use task::{Outcome, run};

/// A task: its name, what it is for, and how it is done.
type Task = (&'static str, &'static str, fn() -> Outcome);

const TASKS: &[Task] = &[
    ("ci", "every check that decides whether a change is good", ci),
    ("faults", "the tests in which a process dies or stops at every step", faults),
    ("tempname", "the tests, with objects made the way macOS needs", tempname),
    ("headers", "writes include/pagemate.h anew", headers),
    ("turns", "the tests of sync objects, as on a Linux that cannot sleep on several words", turns),
    ("loom", "every order of steps in the protocols of sync objects, up to a bound", loom),
    ("windows", "the tests as Windows programs, under Wine", windows::windows),
    (
        "differential",
        "random calls to the Win32 face and to Wine say the same: a few minutes, or `long`",
        differential::differential,
    ),
    (
        "linux32",
        "the tests as 32-bit programs, and whether it compiles for armv7",
        linux32::linux32,
    ),
    (
        "inject",
        "every system call of the command fails once: a few minutes, or more errors with `long`",
        inject::inject,
    ),
    ("macos", "whether it compiles for macOS", macos::macos),
    (
        "torture",
        "processes race for the same names while others are killed: a minute, or `long`",
        torture,
    ),
    ("threads", "what threads share in the Win32 face, under ThreadSanitizer", threads::threads),
    ("tools", "C programs under valgrind, gdb, strace and the sanitizers", tools),
    ("dist", "installs all of it for C, C++ and the shell: dist PREFIX", dist::dist),
    ("fuzz", "any text as a name, any bytes as an object's file: ten seconds each", fuzz),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((_, _, task)) = TASKS.iter().find(|(name, ..)| *name == wanted) else {
        println!("usage: cargo xtask TASK\n");
        for (name, purpose, _) in TASKS {
            println!("  {name:10} {purpose}");
        }
        return ExitCode::from(2);
    };
    match task() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("failed: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn ci() -> Outcome {
    run(Command::new("cargo").args(["fmt", "--all", "--check"]))?;
    run(Command::new("cargo").args(["test", "--workspace"]))?;
    run(Command::new("cargo").args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    let mut doc = Command::new("cargo");
    doc.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    run(&mut doc)?;
    packages()?;
    faults()?;
    tempname()?;
    turns()?;
    loom()?;
    threads::threads()?;
    tools()?;
    inject::inject()?;
    windows::windows()?;
    differential::differential()?;
    linux32::linux32()?;
    macos::macos()?;
    torture()?;
    fuzz()?;
    dist::check()?;
    // Whether it runs: what it measures decides nothing.
    let benches = ["--bench", "section", "--bench", "sync", "--bench", "win32"];
    let of = ["-p", "pagemate", "-p", "pagemate-win32"];
    run(Command::new("cargo").arg("bench").args(of).args(benches).args(["--", "quick"]))?;
    run(Command::new("cargo").args(["run", "--release", "--", "demo"]))
}

/// Writes the C header as the library is now; `cargo test` says whether it is.
fn headers() -> Outcome {
    let mut test = Command::new("cargo");
    test.args(["test", "-p", "pagemate-c", "--test", "headers"]);
    run(test.env("PAGEMATE_HEADERS", "write"))
}

/// Installs the tools of C programmers, and demands that programs run under each.
fn tools() -> Outcome {
    cross::install(&["gdb", "strace", "valgrind"])?;
    let mut test = Command::new("cargo");
    test.args(["test", "-p", "pagemate-c", "--test", "native", "tools::"]);
    run(test.env("PAGEMATE_TOOLS", "demanded"))
}

/// Makes the packages, and builds them from what is in them.
fn packages() -> Outcome {
    // Cargo remembers a package by its version and the folder it was made in, and takes an earlier
    // one for this one: so each time it is another folder.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let folder = format!("target/package/{now}");
    let mut package = Command::new("cargo");
    package.args(["package", "--allow-dirty", "--target-dir", &folder]);
    let made = run(package.args(["-p", "pagemate", "-p", "pagemate-cli"]));
    std::fs::remove_dir_all(&folder).map_err(|e| format!("{folder}: {e}"))?;
    made
}

/// Builds with fault points and runs what needs them.
fn faults() -> Outcome {
    test_with("--cfg pagemate_fault", "target/fault", &["--test", "crash", "--test", "sync_death"])
}

/// Files that are renamed to their name instead of linked, on a system that could do either.
fn tempname() -> Outcome {
    test_with("--cfg pagemate_force_tempname", "target/tempname", &[])?;
    let both = "--cfg pagemate_force_tempname --cfg pagemate_fault";
    test_with(both, "target/tempname-fault", &["--test", "crash"])
}

/// Sync objects without `futex_waitv(2)`.
fn turns() -> Outcome {
    let which = ["--lib", "--test", "sync", "--test", "sync_event", "--test", "sync_stress"];
    test_with("--cfg pagemate_force_turns", "target/turns", &which)
}

/// The protocols of sync objects over words that loom watches.
fn loom() -> Outcome {
    test_with("--cfg loom", "target/loom", &["--lib", "--release", "sync::words"])
}

/// The core's tests, built with these flags apart from other builds.
fn test_with(flags: &str, target_dir: &str, which: &[&str]) -> Outcome {
    let mut test = Command::new("cargo");
    test.args(["test", "-p", "pagemate", "--target-dir", target_dir]).args(which);
    run(test.env("RUSTFLAGS", flags))
}
