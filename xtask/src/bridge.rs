//! `cargo xtask bridge`: runs the tests of the bridge to Windows programs under Wine.

use std::path::PathBuf;
use std::process::Command;

use crate::cross::{self, COMPILER};
use crate::task::{Outcome, run};
use crate::wine::{self, PACKAGES, TESTED, Wine};

/// The file name of the helper.
pub(crate) const HELPER: &str = "pagemate-wine-helper.exe";

pub(crate) fn bridge() -> Outcome {
    let helper = build_helper()?;
    let actor = cross::root().join("target/cross/bridge-actor.exe");
    let source = ["-std=gnu11", "crates/pagemate-cli/tests/bridge/actor.c", "-lwinmm"];
    wine::compile("x86_64-w64-mingw32-gcc", &actor, &source)?;
    let wine = Wine::start("bridge")?;
    let mut test = Command::new("cargo");
    test.args(["test", "-p", "pagemate-cli", "--test", "bridge"]);
    test.args(["--", "--test-threads=1", "--nocapture"]).current_dir(cross::root());
    test.env("PAGEMATE_WINE_HELPER", helper).env("PAGEMATE_WINE_ACTOR", actor);
    run(wine.under(&mut test))
}

/// Builds the helper of `pagemate bridge` and returns its path.
pub(crate) fn build_helper() -> Result<PathBuf, String> {
    cross::install(&[&COMPILER[..], &PACKAGES[..]].concat())?;
    let mut build = cross::cargo("build", TESTED)?;
    build.args(["--release", "-p", "pagemate-wine", "--bin", "pagemate-wine-helper"]);
    run(build.env("CARGO_PROFILE_RELEASE_STRIP", "true"))?;
    Ok(cross::root().join("target/cross").join(TESTED).join("release").join(HELPER))
}
