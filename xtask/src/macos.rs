//! `cargo xtask macos`: whether it would compile there. Nothing runs.

use crate::cross::{self, COMPILER};
use crate::task::{Outcome, run};

pub(crate) fn macos() -> Outcome {
    cross::install(&COMPILER)?;
    let mut check = cross::cargo("check", "aarch64-apple-darwin")?;
    run(check.args(["-p", "pagemate", "-p", "pagemate-cli", "--all-targets"]))
}
