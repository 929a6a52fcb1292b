//! `cargo xtask linux32`: runs the tests of a 32-bit build for i686, and type-checks for armv7.

use std::process::Command;

use crate::cross::{self, COMPILER};
use crate::task::{Outcome, run};

/// The target of the tests. This processor can run its programs.
const RUN: &str = "i686-unknown-linux-gnu";

/// The target that is type-checked.
const CHECKED: &str = "armv7-unknown-linux-gnueabihf";

/// The crates that support 32-bit systems. `pagemate-win32` supports only 64-bit programs.
const CRATES: [&str; 6] = ["-p", "pagemate", "-p", "pagemate-cli", "-p", "pagemate-c"];

/// The linker and the C library for 32-bit programs.
const PACKAGES: [&str; 1] = ["gcc-multilib"];

pub(crate) fn linux32() -> Outcome {
    cross::install(&[&COMPILER[..], &PACKAGES[..]].concat())?;
    run(cross::cargo("check", CHECKED)?.args(CRATES))?;
    run(cross::cargo("check", RUN)?.args(CRATES).arg("--all-targets"))?;
    // All tests would take long, so run only those that depend on the width of an offset or of a
    // pointer.
    let mut core = cross::cargo("test", RUN)?;
    core.args(["-p", "pagemate", "--lib"]);
    for test in ["files", "fork", "inventory", "layout", "section", "sync", "sync_fork"] {
        core.args(["--test", test]);
    }
    run(&mut core)?;
    run(cross::cargo("test", RUN)?.args(["-p", "pagemate-cli"]))?;
    c_programs()
}

/// Builds the C programs of the tests as 32-bit programs, and runs them.
fn c_programs() -> Outcome {
    run(cross::cargo("build", RUN)?.args(["-p", "pagemate-c"]))?;
    let built = cross::root().join("target/cross").join(RUN).join("debug");
    let sources = cross::root().join("crates/pagemate-c");
    let objects = std::path::PathBuf::from(format!("/dev/shm/pagemate-32-{}", std::process::id()));
    std::fs::create_dir(&objects).map_err(|e| format!("{}: {e}", objects.display()))?;
    let ran =
        ["checks.c", "system.c", "sync.c", "shared.c", "null.c"].iter().try_for_each(|name| {
            let program = built.join(format!("native-{name}"));
            let mut compile = Command::new("cc");
            compile.args(["-m32", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
            compile
                .arg("-I")
                .arg(sources.join("include"))
                .arg(sources.join("tests/native").join(name));
            compile.arg(built.join("libpagemate_c.a"));
            run(compile.args(["-lgcc_s", "-lpthread", "-lm", "-ldl"]).arg("-o").arg(&program))?;
            run(Command::new(program).env("PAGEMATE_DIR", &objects))
        });
    std::fs::remove_dir_all(&objects).map_err(|e| format!("{}: {e}", objects.display()))?;
    ran
}
