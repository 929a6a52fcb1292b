//! `cargo xtask macos`: type-checks for macOS. No program is run.

use crate::cross::{self, COMPILER};
use crate::task::{Outcome, run};

pub(crate) fn macos() -> Outcome {
    cross::install(&COMPILER)?;
    let mut lint = cross::cargo("clippy", "aarch64-apple-darwin")?;
    lint.args(["-p", "pagemate", "-p", "pagemate-cli", "-p", "pagemate-c", "--all-targets"]);
    run(lint.args(["--", "-D", "warnings"]))
}
