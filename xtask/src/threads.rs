//! `cargo xtask threads`: runs the thread tests of the Win32 library under `ThreadSanitizer`. The
//! standard library is built with the sanitizer as well.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cross::{self, COMPILER};
use crate::task::{Outcome, run};

const TARGET: &str = "x86_64-unknown-linux-gnu";

pub(crate) fn threads() -> Outcome {
    cross::install(&COMPILER)?;
    let runtime = runtime()?;
    let mut build = cross::cargo("rustc", TARGET)?;
    build.env("RUSTFLAGS", "-Zsanitizer=thread -Zexternal-clangrt");
    build.args(["-p", "pagemate-win32", "--test", "threads", "--"]);
    build.arg(format!(
        "-Zpre-link-args=-Wl,--whole-archive,{},--no-whole-archive,--export-dynamic",
        runtime.display()
    ));
    run(&mut build)?;
    let mut test =
        Command::new(newest(&cross::root().join("target/cross").join(TARGET).join("debug/deps"))?);
    run(test.env("TSAN_OPTIONS", "halt_on_error=1"))
}

/// Returns the sanitizer's runtime library, which is part of the ordinary compiler.
fn runtime() -> Result<PathBuf, String> {
    let asked = Command::new("rustc").args(["--print", "target-libdir"]).output();
    let asked = asked.map_err(|e| format!("rustc: {e}"))?;
    let dir = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    find(&dir, |name| name.starts_with("librustc") && name.ends_with("_rt.tsan.a"))
        .ok_or_else(|| format!("{}: has no ThreadSanitizer runtime", dir.display()))
}

/// Returns the test program that was built last.
fn newest(dir: &Path) -> Result<PathBuf, String> {
    find(dir, |name| name.starts_with("threads-") && !name.contains('.'))
        .ok_or_else(|| format!("{}: has no program of the thread tests", dir.display()))
}

/// Returns the newest file in a folder whose name matches.
fn find(dir: &Path, matches: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let files = std::fs::read_dir(dir).ok()?.flatten();
    files
        .filter(|file| file.file_name().to_str().is_some_and(&matches))
        .max_by_key(|file| file.metadata().and_then(|data| data.modified()).ok())
        .map(|file| file.path())
}
