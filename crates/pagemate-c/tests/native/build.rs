//! Builds the library, the command, and C and C++ programs that use the library.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::{env, fs, process};

use super::harness::Place;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files that cargo builds.
pub(crate) struct Built {
    pub(crate) shared: PathBuf,
    pub(crate) archive: PathBuf,
    pub(crate) command: PathBuf,
}

/// The library and the command. They are built here, because `cargo test` does not build them for
/// other programs.
pub(crate) static BUILT: LazyLock<Built> = LazyLock::new(|| {
    let test = env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--quiet",
        "--message-format=json",
        "-p",
        "pagemate-c",
        "-p",
        "pagemate-cli",
    ]);
    cargo.arg("--target-dir").arg(profile.parent().unwrap()).current_dir(root());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let files: Vec<PathBuf> = messages.lines().flat_map(files).collect();
    let file = |name| files.iter().find(|path| path.file_name() == Some(OsStr::new(name))).unwrap();
    Built {
        shared: file("libpagemate_c.so").clone(),
        archive: file("libpagemate_c.a").clone(),
        command: file("pagemate").clone(),
    }
});

/// Returns the files that a message of cargo lists.
fn files(message: &str) -> Vec<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).unwrap();
    let files = message["filenames"].as_array().into_iter().flatten();
    files.filter_map(|file| file.as_str().map(PathBuf::from)).collect()
}

/// The kind of library that a program links.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Linked {
    Shared,
    Static,
}

/// Compiles a program with all warnings as errors, and links it. Each program is built once for all
/// tests.
pub(crate) fn compile(source: &Path, standard: &'static str, linked: Linked) -> PathBuf {
    compile_with(source, standard, linked, &[])
}

/// As [`compile`], with more flags for the compiler.
pub(crate) fn compile_with(
    source: &Path,
    standard: &'static str,
    linked: Linked,
    flags: &[&str],
) -> PathBuf {
    static DONE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let name = source.file_name().unwrap().to_str().unwrap();
    let program = env!("CARGO_TARGET_TMPDIR");
    let program = Path::new(program)
        .join(format!("{name}-{standard}-{linked:?}{}", flags.concat().replace(['=', ','], "-")));
    if !done.insert(program.clone()) {
        return program;
    }
    let mut compiler = Command::new(if standard.starts_with("c++") { "c++" } else { "cc" });
    compiler.arg(format!("-std={standard}")).args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    compiler.args(flags).arg("-I").arg(root().join("include")).arg(source);
    match linked {
        Linked::Static => _ = compiler.arg(&BUILT.archive),
        Linked::Shared => {
            let dir = BUILT.shared.parent().unwrap();
            compiler.arg("-L").arg(dir).arg("-lpagemate_c");
            compiler.arg(format!("-Wl,-rpath,{}", dir.display()));
        }
    }
    // Another run of the tests may build the same program at the same time. Therefore build it
    // under another name and rename it when it is complete.
    let mut unfinished = program.clone().into_os_string();
    unfinished.push(format!("-{}", process::id()));
    let output = compiler.arg("-o").arg(&unfinished).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    fs::rename(unfinished, &program).unwrap();
    program
}

/// Runs a program, fails unless it exits with 0, and returns its output.
#[track_caller]
pub(crate) fn run(place: &Place, program: &Path, args: &[&str]) -> String {
    run_command(place, Command::new(program).args(args))
}

/// As [`run`], for a prepared command.
#[track_caller]
pub(crate) fn run_command(place: &Place, program: &Command) -> String {
    let mut command = Command::new("timeout");
    command.arg("60").arg(program.get_program()).args(program.get_args());
    command.env("PAGEMATE_DIR", place.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{program:?}: {}: {printed:?}", output.status);
    printed.concat()
}
