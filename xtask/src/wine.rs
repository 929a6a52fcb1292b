//! Installations of Wine, one for each task.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cross;
use crate::task::{Outcome, run};

/// The Debian packages of Wine and of compilers for Windows.
pub(crate) const PACKAGES: [&str; 4] =
    ["gcc-mingw-w64-x86-64", "g++-mingw-w64-x86-64", "wine", "wine64"];

/// The target of the tests. Unlike for the other target, its standard library calls no function
/// that Debian's Wine lacks.
pub(crate) const TESTED: &str = "x86_64-win7-windows-gnu";

/// A Wine prefix. Each prefix has a namespace of objects of its own.
pub(crate) struct Wine {
    prefix: PathBuf,
}

impl Wine {
    /// Creates and starts the prefix for a task.
    pub(crate) fn start(task: &str) -> Result<Wine, String> {
        let prefix = cross::root().join("target/cross/prefix").join(task);
        fresh(&prefix).map_err(|e| format!("{}: {e}", prefix.display()))?;
        let wine = Wine { prefix };
        run(wine.under(Command::new("wine").args(["wineboot", "--init"])))?;
        Ok(wine)
    }

    /// Sets the environment of `command`, so that it, or the program that it builds, runs in this
    /// prefix.
    pub(crate) fn under<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", "wine");
        command.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        // Disable these libraries, because Wine would otherwise offer to install components for
        // .NET and web pages.
        command.env("WINEDLLOVERRIDES", "mscoree,mshtml=")
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // End all processes of the prefix. The command fails if there are none.
        _ = self.under(Command::new("wineserver").arg("-k")).status();
    }
}

/// Compiles a Windows program with all warnings as errors.
pub(crate) fn compile(compiler: &str, program: &Path, arguments: &[&str]) -> Outcome {
    let mut compile = Command::new(compiler);
    compile.args(["-static", "-Wall", "-Wextra", "-Werror", "-o"]).arg(program);
    run(compile.args(arguments).current_dir(cross::root()))
}

/// Creates an empty folder. Empties the folder if it exists.
pub(crate) fn fresh(dir: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(dir)
}
