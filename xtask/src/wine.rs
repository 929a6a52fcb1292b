//! Windows as Wine has it, of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cross;
use crate::task::{Outcome, run};

/// What it and programs for it need.
pub(crate) const PACKAGES: [&str; 4] =
    ["gcc-mingw-w64-x86-64", "g++-mingw-w64-x86-64", "wine", "wine64"];

/// A Windows with its own names: others' objects are not seen, nor ours by them.
pub(crate) struct Wine {
    prefix: PathBuf,
}

impl Wine {
    /// Starts one for a task.
    pub(crate) fn start(task: &str) -> Result<Wine, String> {
        let prefix = cross::root().join("target/cross/prefix").join(task);
        fresh(&prefix).map_err(|e| format!("{}: {e}", prefix.display()))?;
        let wine = Wine { prefix };
        run(wine.under(Command::new("wine").args(["wineboot", "--init"])))?;
        Ok(wine)
    }

    /// Makes `command` run there, or what it builds.
    pub(crate) fn under<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", "wine");
        command.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        // No offer to install what only .NET programs and web pages need.
        command.env("WINEDLLOVERRIDES", "mscoree,mshtml=")
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // Ends all that runs there; it fails if nothing does.
        _ = self.under(Command::new("wineserver").arg("-k")).status();
    }
}

/// Compiles programs for it, with all warnings.
pub(crate) fn compile(compiler: &str, program: &Path, arguments: &[&str]) -> Outcome {
    let mut compile = Command::new(compiler);
    compile.args(["-static", "-Wall", "-Wextra", "-Werror", "-o"]).arg(program);
    run(compile.args(arguments).current_dir(cross::root()))
}

/// A folder with nothing in it.
pub(crate) fn fresh(dir: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(dir)
}
