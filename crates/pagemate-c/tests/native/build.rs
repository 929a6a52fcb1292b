//! The library, the command, and programs in C and C++ that use the library.

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

/// What cargo makes of the workspace.
pub(crate) struct Built {
    pub(crate) shared: PathBuf,
    pub(crate) archive: PathBuf,
    pub(crate) command: PathBuf,
}

/// A test is built with the library's code in it, but `cargo test` makes no library for others.
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

/// The files that a message of cargo's tells of.
fn files(message: &str) -> Vec<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).unwrap();
    let files = message["filenames"].as_array().into_iter().flatten();
    files.filter_map(|file| file.as_str().map(PathBuf::from)).collect()
}

/// How a program comes to the library.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Linked {
    Shared,
    Static,
}

/// Compiles a program as strictly as compilers are, and links it; once for all tests.
pub(crate) fn compile(source: &Path, standard: &'static str, linked: Linked) -> PathBuf {
    compile_with(source, standard, linked, &[])
}

/// The same with more flags for the compiler.
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
    // Another run of the tests may be at it too: each puts its own in place as a whole.
    let mut unfinished = program.clone().into_os_string();
    unfinished.push(format!("-{}", process::id()));
    let output = compiler.arg("-o").arg(&unfinished).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    fs::rename(unfinished, &program).unwrap();
    program
}

/// Runs a program to its end, which has to be a good one, and returns what it printed.
#[track_caller]
pub(crate) fn run(place: &Place, program: &Path, args: &[&str]) -> String {
    run_command(place, Command::new(program).args(args))
}

/// The same with a program's arguments.
#[track_caller]
pub(crate) fn run_command(place: &Place, words: &Command) -> String {
    let mut command = Command::new("timeout");
    command.arg("60").arg(words.get_program()).args(words.get_args());
    command.env("PAGEMATE_DIR", place.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{words:?}: {}: {said:?}", output.status);
    said.concat()
}
