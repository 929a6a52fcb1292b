//! Builds the Python package in a virtual environment, installs it in a fresh one, and runs its tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cross::{self, COMPILER};
use crate::task::{Outcome, run};

/// The folder of the environments, the wheels and the compiler's results.
const TARGET: &str = "target/python";

/// Tools that build the wheel.
const TOOLS: [&str; 1] = ["maturin>=1.9,<2"];

/// Packages of the environment of the tests. None of them is necessary to use the package.
const TESTED_WITH: [&str; 4] = ["pytest", "numpy", "mypy", "pyright[nodejs]"];

/// Runs every check of `python/`.
pub(crate) fn python() -> Outcome {
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo
            .args(arguments)
            .current_dir(absolute("python"))
            .env("CARGO_TARGET_DIR", cargo_target());
        run(&mut cargo)
    };
    cargo(&["fmt", "--check"])?;
    cargo(&["clippy", "--release", "--locked", "--", "-D", "warnings"])?;
    check_windows()?;
    install_venv()?;
    let tools = environment("tools", &TOOLS)?;
    let wheel = build(&tools)?;
    let fresh = environment("tests", &TESTED_WITH)?;
    let wheel = wheel.to_str().ok_or("the path of the wheel is not UTF-8")?;
    pip(&fresh, &["--no-index", "--force-reinstall", wheel])?;
    check_types(&fresh)?;
    test(&fresh)
}

/// Type-checks the package for Windows. The stable ABI needs no Python of that system.
fn check_windows() -> Outcome {
    cross::install(&COMPILER)?;
    let mut lint = cross::cargo("clippy", "x86_64-win7-windows-gnu")?;
    lint.args(["--manifest-path", "python/Cargo.toml", "--locked", "--", "-D", "warnings"]);
    run(lint.env("PYO3_NO_PYTHON", "1"))
}

/// Installs the module that makes virtual environments, which Debian packages separately.
fn install_venv() -> Outcome {
    let found = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    if found.is_ok_and(|found| found.status.success()) {
        return Ok(());
    }
    cross::install(&["python3", "python3-venv"])
}

/// Runs the tests in another folder, so that `import pagemate` finds only the installed package.
fn test(environment: &Path) -> Outcome {
    let package = absolute("python");
    let mut pytest = program(environment, "pytest");
    pytest.args(["-q", "-p", "no:cacheprovider", "-c"]).arg(package.join("pyproject.toml"));
    pytest.arg("--rootdir").arg(&package).arg(package.join("tests"));
    run(pytest.current_dir(absolute(TARGET)))
}

/// Compares the stubs with the module, and checks a program that uses them, in strict mode.
fn check_types(environment: &Path) -> Outcome {
    let tests = absolute("python/tests");
    let folder = absolute(TARGET).join("types");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    std::fs::write(folder.join("pyrightconfig.json"), "{\"typeCheckingMode\": \"strict\"}")
        .map_err(failed)?;
    std::fs::copy(tests.join("typed_program.py"), folder.join("program.py")).map_err(failed)?;
    let check = |name: &str, arguments: &[&str]| {
        let mut check = program(environment, "python");
        run(check.args(["-m", name]).args(arguments).current_dir(&folder))
    };
    let allowed = tests.join("stubtest-allowlist.txt");
    let allowed = allowed.to_str().ok_or("the path of the tests is not UTF-8")?;
    check("mypy.stubtest", &["pagemate", "--allowlist", allowed, "--ignore-unused-allowlist"])?;
    check("mypy", &["--strict", "program.py"])?;
    let python = program(environment, "python");
    let python = python.get_program().to_string_lossy().into_owned();
    check("pyright", &["--pythonpath", &python, "program.py"])
}

/// The folder of the compiler's results. It is not that of the main workspace, whose profile differs.
fn cargo_target() -> PathBuf {
    absolute(TARGET).join("cargo")
}

fn absolute(path: &str) -> PathBuf {
    cross::root().join(path)
}

/// Makes a fresh virtual environment with these packages.
fn environment(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = absolute(TARGET).join(name);
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
    let wheels = absolute(TARGET).join("wheels");
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
    run(maturin.current_dir(cross::root()))?;
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
