//! The global names of a static library.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::task::{Outcome, run};

/// Makes one object of a static library, in which only the exports of the shared library are global.
/// Otherwise a program that links both libraries would have each function of Rust's own library twice.
///
/// The names of Windows' calls become weak, so that a program may define functions with the same names.
/// With the shared library it may do so anyway.
pub(super) fn hide(folder: &Path, library: &str) -> Outcome {
    let file = |ending: &str| folder.join(format!("{library}.{ending}"));
    let (archive, object) = (file("a"), file("o"));
    let exports = exports(&file("so"))?;
    let mut link = Command::new("ld");
    link.args(["-r", "--gc-sections"]);
    link.args(exports.iter().map(|name| format!("--undefined={name}")));
    quietly(link.arg("-o").arg(&object).arg("--whole-archive").arg(&archive))?;
    let mut hide = Command::new("objcopy");
    // Only the linker of the same compiler could read the bitcode.
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

/// Runs a command that has too many arguments to print.
fn quietly(command: &mut Command) -> Outcome {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{name}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)))
}
