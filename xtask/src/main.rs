//! Tasks of developers and of continuous integration: `cargo xtask TASK`.
#![allow(clippy::print_stdout, reason = "a task prints the commands that it runs")]

use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

mod bridge;
mod ci;
mod cross;
mod differential;
mod dist;
mod inject;
mod linux32;
mod macos;
mod miri;
mod msrv;
mod python;
mod stress;
mod task;
mod threads;
#[cfg(test)]
mod tidy;
mod windows;
mod wine;

use stress::{channels, fuzz, hostile, storm, torture};
use task::{Outcome, run};

/// A task: its name, its description and its function.
type Task = (&'static str, &'static str, fn() -> Outcome);

const TASKS: &[Task] = &[
    ("ci", "runs every check that a change must pass", ci::ci),
    ("format", "checks the format of every file", format),
    ("tests", "runs `cargo test --workspace`", tests),
    ("lints", "runs clippy and rustdoc, with warnings as errors", lints),
    ("packages", "creates the packages for crates.io, and builds each from its contents", packages),
    ("benches", "runs the benchmarks and the demo, only to check that they work", benches),
    ("faults", "runs the tests that kill or stop a process at every fault point", faults),
    ("tempname", "runs the tests with objects created by rename, as on macOS", tempname),
    ("headers", "generates include/pagemate.h", headers),
    ("api", "writes the public API of the core to docs/public-api.txt", api),
    (
        "futexwait",
        "runs the tests of sync objects without futex_waitv, as on older Linux kernels",
        futexwait,
    ),
    ("loom", "explores the interleavings of the sync protocols with loom, up to a bound", loom),
    ("windows", "runs the tests as Windows programs under Wine", windows::windows),
    ("bridge", "runs the tests of the bridge to Windows programs under Wine", bridge::bridge),
    (
        "differential",
        "compares random Win32 calls here and in Wine: a few minutes, or `long`",
        differential::differential,
    ),
    ("linux32", "runs the tests as 32-bit programs, and type-checks for armv7", linux32::linux32),
    (
        "inject",
        "makes each system call of the command fail once: a few minutes, or `long` for more errors",
        inject::inject,
    ),
    ("miri", "finds undefined behaviour in typed memory, if Miri is installed", miri::miri),
    ("msrv", "type-checks with the oldest Rust that the crates support", msrv::msrv),
    ("macos", "type-checks for macOS", macos::macos),
    (
        "python",
        "builds the Python package, installs it in a fresh environment and tests it",
        python::python,
    ),
    (
        "torture",
        "races processes for the same names while killing others: a minute, or `long`",
        torture,
    ),
    (
        "storm",
        "kills, stops and forks processes at random, and checks every result: a minute, or an hour with `long`",
        storm,
    ),
    (
        "channels",
        "kills endpoints of channels at random and at every fault point: a minute, or longer with `long`",
        channels,
    ),
    (
        "hostile",
        "overwrites channels in use, under AddressSanitizer: a minute, or longer with `long`",
        hostile,
    ),
    (
        "threads",
        "runs the thread tests of the Win32 library under ThreadSanitizer",
        threads::threads,
    ),
    ("tools", "runs C programs under valgrind, gdb, strace and the sanitizers", tools),
    ("dist", "installs the libraries, headers, command and manual: dist PREFIX", dist::dist),
    ("distcheck", "installs into a temporary prefix, and checks the installed files", dist::check),
    ("fuzz", "fuzzes names, objects' files and channels, ten seconds each", fuzz),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((_, _, task)) = TASKS.iter().find(|(name, ..)| *name == wanted) else {
        println!("usage: cargo xtask TASK\n");
        for (name, purpose, _) in TASKS {
            println!("  {name:12} {purpose}");
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

/// Checks the format of every file.
fn format() -> Outcome {
    run(Command::new("cargo").args(["fmt", "--all", "--check"]))
}

/// Runs the tests, by the command that README.md names.
fn tests() -> Outcome {
    run(Command::new("cargo").args(["test", "--workspace"]))
}

/// Runs clippy and rustdoc, with warnings as errors.
fn lints() -> Outcome {
    let mut clippy = Command::new("cargo");
    clippy.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    run(&mut clippy)?;
    let mut doc = Command::new("cargo");
    doc.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    run(&mut doc)
}

/// Runs the benchmarks and the demo only to check that they work. The results are not compared
/// with anything.
fn benches() -> Outcome {
    let benches = ["--bench", "section", "--bench", "sync", "--bench", "win32"];
    let of = ["-p", "pagemate", "-p", "pagemate-win32"];
    run(Command::new("cargo").arg("bench").args(of).args(benches).args(["--", "quick"]))?;
    run(Command::new("cargo").args(["run", "--release", "--", "demo"]))
}

/// Generates the C header from the library. `cargo test` checks that it is up to date.
fn headers() -> Outcome {
    let mut test = Command::new("cargo");
    test.args(["test", "-p", "pagemate-c", "--test", "headers"]);
    run(test.env("PAGEMATE_HEADERS", "write"))
}

fn api() -> Outcome {
    let mut test = Command::new("cargo");
    test.args(["test", "-p", "xtask", "public_api"]);
    run(test.env("PAGEMATE_API", "write"))
}

/// Installs the tools of C programmers, and checks that programs run under each of them.
fn tools() -> Outcome {
    cross::install(&["gdb", "strace", "valgrind"])?;
    let mut test = Command::new("cargo");
    test.args(["test", "-p", "pagemate-c", "--test", "native", "tools::"]);
    run(test.env("PAGEMATE_TOOLS", "demanded"))
}

/// Creates the packages for crates.io, and builds each from its contents.
fn packages() -> Outcome {
    // Use a new folder for each run. Cargo caches packages by version and folder, and would use a
    // cached package that has the same version and older contents.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let folder = format!("target/package/{now}");
    let mut package = Command::new("cargo");
    package.args(["package", "--allow-dirty", "--target-dir", &folder]);
    let made = run(package.args([
        "-p",
        "pagemate-derive",
        "-p",
        "pagemate",
        "-p",
        "pagemate-wine",
        "-p",
        "pagemate-cli",
    ]));
    std::fs::remove_dir_all(&folder).map_err(|e| format!("{folder}: {e}"))?;
    made
}

/// Runs the tests that need fault points, with a build that has them.
fn faults() -> Outcome {
    test_with(
        "--cfg pagemate_fault",
        "target/fault",
        &[
            "--test",
            "crash",
            "--test",
            "sync_death",
            "--test",
            "channel_death",
            "--test",
            "channel_broadcast_death",
            "--test",
            "channel_watch_death",
            "--test",
            "channel_mpmc_death",
            "--test",
            "locks_death",
        ],
    )
}

/// Runs the tests with the fallback for systems without `O_TMPFILE`: objects get their names by
/// `rename`.
fn tempname() -> Outcome {
    test_with("--cfg pagemate_force_tempname", "target/tempname", &[])?;
    let both = "--cfg pagemate_force_tempname --cfg pagemate_fault";
    test_with(both, "target/tempname-fault", &["--test", "crash"])
}

/// Runs the tests of sync objects with the fallback for kernels without `futex_waitv(2)`.
fn futexwait() -> Outcome {
    let which = ["--lib", "--test", "sync", "--test", "sync_event", "--test", "sync_stress"];
    test_with("--cfg pagemate_force_futex_wait", "target/futexwait", &which)
}

/// Checks the protocols of sync objects with loom's atomics.
fn loom() -> Outcome {
    test_with(
        "--cfg loom",
        "target/loom",
        &["--lib", "--release", "--", "sync::words", "sync::typed", "channel::"],
    )
}

/// Runs tests of the core. They are built with these flags, in a target directory that no other
/// task uses.
fn test_with(flags: &str, target_dir: &str, which: &[&str]) -> Outcome {
    let mut test = Command::new("cargo");
    test.args(["test", "-p", "pagemate", "--target-dir", target_dir]).args(which);
    run(test.env("RUSTFLAGS", flags))
}
