//! Hides names of a static library.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::task::{Outcome, run};

/// Replaces the objects of a static library by one object. Only the exports of the shared library
/// remain global in it. Otherwise a program that links both static libraries would contain each
/// function of Rust's standard library twice.
///
/// The names of Windows' calls become weak. A program may then define functions with the same
/// names, as it may with the shared library.
pub(super) fn hide(folder: &Path, library: &str) -> Outcome {
    let file = |ending: &str| folder.join(format!("{library}.{ending}"));
    let (archive, object) = (file("a"), file("o"));
    let exports = exports(&file("so"))?;
    let mut link = Command::new("ld");
    link.args(["-r", "--gc-sections"]);
    link.args(exports.iter().map(|name| format!("--undefined={name}")));
    quietly(link.arg("-o").arg(&object).arg("--whole-archive").arg(&archive))?;
    let mut hide = Command::new("objcopy");
    // Remove the bitcode, which only the linker of the same compiler can read.
    hide.args(["--remove-section=.llvmbc", "--remove-section=.llvmcmd"]);
    hide.args(exports.iter().map(|name| format!("--keep-global-symbol={name}")));
    let windows = exports.iter().filter(|name| !name.starts_with("pagemate_"));
    hide.args(windows.map(|name| format!("--weaken-symbol={name}")));
    quietly(hide.arg(&object))?;
    let failed = |e: io::Error| format!("{}: {e}", archive.display());
    fs::remove_file(&archive).map_err(failed)?;
    run(Command::new("ar").arg("rcs").arg(&archive).arg(&object))?;
    fs::remove_file(&object).map_err(failed)
}

/// Returns the names that a shared library exports.
fn exports(library: &Path) -> Result<Vec<String>, String> {
    let mut ask = Command::new("nm");
    ask.args(["--dynamic", "--defined-only", "--format=just-symbols"]);
    let answer = ask.arg(library).output().map_err(|e| format!("nm: {e}"))?;
    let names = String::from_utf8_lossy(&answer.stdout).into_owned();
    let names: Vec<_> = names.lines().filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.is_empty() {
        Err(format!("{}: exports nothing", library.display()))
    } else {
        Ok(names)
    }
}

/// Runs a command without printing it, because it has too many arguments.
fn quietly(command: &mut Command) -> Outcome {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{name}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)))
}
