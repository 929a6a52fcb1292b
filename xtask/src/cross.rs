//! Builds for other systems, with Debian's Rust compiler and a standard library that is built from
//! source.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::task::{Outcome, run};

/// The packages of the compiler, its lints, and the source of the standard library. Debian packages
/// no standard library for the other systems, so it is built for each target.
pub(crate) const COMPILER: [&str; 4] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];

/// The folder of Debian's programs. Name it explicitly, because `PATH` may find another toolchain
/// first.
const BIN: &str = "/usr/bin";

/// Returns the root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of the workspace")
}

/// Returns the directory in which cargo builds the workspace for this system. It asks cargo,
/// because `CARGO_TARGET_DIR` and the configuration can change the directory.
pub(crate) fn target_dir() -> Result<PathBuf, String> {
    target_dir_of(&mut Command::new("cargo"))
}

/// Returns the target directory that the command `cargo` uses.
fn target_dir_of(cargo: &mut Command) -> Result<PathBuf, String> {
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--offline"]).current_dir(root());
    let answer = cargo.output().map_err(|e| format!("cargo metadata: {e}"))?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let dir = text.split_once("\"target_directory\":\"").and_then(|(_, rest)| rest.split_once('"'));
    dir.map(|(dir, _)| PathBuf::from(dir)).ok_or_else(|| {
        format!(
            "cargo metadata printed no target directory: {}",
            String::from_utf8_lossy(&answer.stderr)
        )
    })
}

/// Installs the Debian packages that are missing or too old.
pub(crate) fn install(packages: &[&str]) -> Outcome {
    // Two tasks can run at the same time, but apt-get fails if another apt-get runs.
    let path = root().join("target/apt.lock");
    let one_at_a_time = std::fs::create_dir_all(root().join("target"))
        .and_then(|()| std::fs::File::create(&path))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|e| format!("{}: {e}", path.display()))?;
    let installed = install_missing(packages);
    drop(one_at_a_time);
    installed
}

fn install_missing(packages: &[&str]) -> Outcome {
    let mut missing = Vec::new();
    for package in packages {
        match version(package) {
            Ok(Some(version)) if !COMPILER.contains(package) || new_enough(&version) => {}
            Ok(_) => missing.push(*package),
            Err(error) => {
                return Err(format!(
                    "dpkg-query: {error}; this task needs Debian, or install {packages:?} first"
                ));
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    run(Command::new("apt-get").args(["-q", "update"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run(install.args(["-qq", "-y", "--no-install-recommends", "install"]).args(missing))
}

/// Returns the version of a package, if it is installed.
fn version(package: &str) -> std::io::Result<Option<String>> {
    let ask = ["--show", "--showformat=${db:Status-Status} ${Version}", package];
    let answer = Command::new("dpkg-query").args(ask).output()?.stdout;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.strip_prefix("installed ").map(str::to_owned))
}

/// Returns whether a compiler of this version can build the project.
fn new_enough(version: &str) -> bool {
    let parts = |text: &str| -> Vec<u32> {
        text.split('.').take(2).filter_map(|part| part.parse().ok()).collect()
    };
    parts(version) >= parts(env!("CARGO_PKG_RUST_VERSION"))
}

/// Returns a `cargo` command for `target` that also builds the standard library.
pub(crate) fn cargo(subcommand: &str, target: &str) -> Result<Command, String> {
    let mut cargo = Command::new(format!("{BIN}/cargo"));
    cargo.arg(subcommand).args(["-Zbuild-std=std,panic_unwind", "--target", target]);
    cargo.arg("--target-dir").arg(root().join("target/cross"));
    // RUSTC_BOOTSTRAP allows -Z options. RUSTC makes cargo use the compiler of the same version.
    cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", format!("{BIN}/rustc"));
    cargo.env("__CARGO_TESTS_ONLY_SRC_ROOT", library()?);
    let path = std::env::var("PATH").unwrap_or_default();
    cargo.env("PATH", format!("{BIN}:{path}")).env_remove("LD_LIBRARY_PATH");
    cargo.current_dir(root());
    Ok(cargo)
}

/// Returns the folder of the standard library's source, of the same version as the compiler.
fn library() -> Result<PathBuf, String> {
    let version = version("rust-web-src").map_err(|e| e.to_string())?.unwrap_or_default();
    let version = version.split('+').next().unwrap_or_default();
    let path = PathBuf::from(format!("/usr/src/rustc-{version}/library"));
    if path.is_dir() { Ok(path) } else { Err(format!("{} is missing", path.display())) }
}

#[test]
fn target_directory_follows_the_environment() {
    let moved = std::env::temp_dir().join("moved");
    let mut cargo = Command::new("cargo");
    let found = target_dir_of(cargo.env("CARGO_TARGET_DIR", &moved));
    assert_eq!(found, Ok(moved));
}

#[test]
fn versions_compare_as_numbers() {
    assert!(new_enough("1.96.0+dfsg1-1~deb12u2"));
    assert!(new_enough("1.100.0"));
    assert!(new_enough("2.0"));
    assert!(!new_enough("1.85.0+dfsg3-1"));
}
