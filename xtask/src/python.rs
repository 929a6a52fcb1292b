//! Builds the Python package in a virtual environment, installs it in a fresh one, and runs its tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::task::{Outcome, run};

/// The folder of the environments, the wheels and the compiler's results.
const TARGET: &str = "target/python";

/// Tools that build the wheel and check types.
const TOOLS: [&str; 3] = ["maturin>=1.9,<2", "mypy", "typing_extensions"];

/// Packages that the tests import.
const TESTED_WITH: [&str; 2] = ["pytest", "numpy"];

/// Runs every check of `python/`.
pub(crate) fn python() -> Outcome {
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo.args(arguments).current_dir("python").env("CARGO_TARGET_DIR", cargo_target());
        run(&mut cargo)
    };
    cargo(&["fmt", "--check"])?;
    cargo(&["clippy", "--release", "--locked", "--", "-D", "warnings"])?;
    let tools = environment("tools", &TOOLS)?;
    let wheel = build(&tools)?;
    let fresh = environment("tests", &TESTED_WITH)?;
    let wheel = wheel.to_str().ok_or("the path of the wheel is not UTF-8")?;
    pip(&fresh, &["--no-index", "--force-reinstall", wheel])?;
    // Start the tests in another folder, so that `import pagemate` finds only the installed package.
    let tests = absolute("python")?;
    run(program(&fresh, "pytest")
        .args(["-q", "-c"])
        .arg(tests.join("pyproject.toml"))
        .arg("--rootdir")
        .arg(&tests)
        .arg(tests.join("tests"))
        .current_dir(TARGET))
}

/// The folder of the compiler's results. It is not that of the main workspace, whose profile differs.
fn cargo_target() -> PathBuf {
    absolute(TARGET).unwrap_or_default().join("cargo")
}

fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| format!("{path}: {error}"))
}

/// Makes a fresh virtual environment with these packages.
fn environment(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = absolute(TARGET)?.join(name);
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    pip(&folder, packages)?;
    Ok(folder)
}

fn pip(environment: &Path, arguments: &[&str]) -> Outcome {
    let mut pip = program(environment, "python");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    run(pip.args(arguments))
}

/// Builds the wheel and returns its path.
fn build(tools: &Path) -> Result<PathBuf, String> {
    let wheels = absolute(TARGET)?.join("wheels");
    if wheels.exists() {
        std::fs::remove_dir_all(&wheels)
            .map_err(|error| format!("{}: {error}", wheels.display()))?;
    }
    let mut maturin = program(tools, "maturin");
    maturin.args([
        "build",
        "--release",
        "--locked",
        "--manifest-path",
        "python/Cargo.toml",
        "--out",
    ]);
    maturin.arg(&wheels).env("CARGO_TARGET_DIR", cargo_target());
    run(&mut maturin)?;
    let entries =
        std::fs::read_dir(&wheels).map_err(|error| format!("{}: {error}", wheels.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    paths.next().ok_or_else(|| format!("maturin made no wheel in {}", wheels.display()))
}

/// Returns a program of a virtual environment.
fn program(environment: &Path, name: &str) -> Command {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    Command::new(environment.join(folder).join(name))
}
