//! `cargo xtask msrv`: type-checks the crates with the oldest supported version of Rust.

use std::process::Command;

use crate::task::{Outcome, run};

/// The oldest supported version: the major and minor number of `rust-version` in the workspace.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Type-checks the crates with the oldest supported version. Does nothing if the compiler in use is
/// of this version.
pub(crate) fn msrv() -> Outcome {
    let used = version_of("rustc", &[])?;
    if is_oldest(&used) {
        println!("{used} is the oldest supported version, so the other checks cover it");
        return Ok(());
    }
    let toolchain = format!("{OLDEST}.0");
    if version_of("rustup", &["run", &toolchain, "rustc"]).is_err() {
        let mut install = Command::new("rustup");
        install.args(["toolchain", "install", &toolchain, "--profile", "minimal"]);
        run(&mut install)?;
    }
    let mut check = Command::new("rustup");
    check.args(["run", &toolchain, "cargo", "check", "--workspace", "--all-features"]);
    // Cargo sets these variables for this program. They would make the older cargo run the newer
    // compiler.
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        check.env_remove(variable);
    }
    run(check.args(["--target-dir", "target/msrv"]))
}

/// Returns whether this is the version of the oldest supported Rust: `rustc 1.95.0 (59807616e 2026-04-14)`.
fn is_oldest(version: &str) -> bool {
    let number = version.split_whitespace().nth(1).unwrap_or_default();
    number.strip_prefix(OLDEST).is_some_and(|rest| rest.starts_with('.'))
        && !number.contains(['-', '+'])
}

/// Returns the line that a compiler prints about its version.
fn version_of(program: &str, args: &[&str]) -> Result<String, String> {
    let command = format!("{program} {} --version", args.join(" "));
    let output = Command::new(program).args(args).arg("--version").output();
    let output = output.map_err(|error| format!("{command}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[test]
fn only_the_release_of_the_promised_version_is_the_oldest() {
    assert!(is_oldest(&format!("rustc {OLDEST}.0 (59807616e 2026-04-14)")));
    assert!(is_oldest(&format!("rustc {OLDEST}.1 (59807616e 2026-05-14)")));
    assert!(!is_oldest(&format!("rustc {OLDEST}1.0 (59807616e 2036-04-14)")));
    assert!(!is_oldest(&format!("rustc {OLDEST}.0-nightly (59807616e 2026-02-14)")));
    assert!(!is_oldest("rustc 1.0.0"));
    assert!(!is_oldest(""));
}
