//! Tests an installation: builds and runs programs that use it by pkg-config, by `CMake`, and by
//! the commands of the documentation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::install;
use crate::cross;
use crate::task::{Outcome, run};

/// The Debian packages of pkg-config and `CMake`.
const PACKAGES: [&str; 2] = ["pkg-config", "cmake"];

/// Installs into a folder, and moves the folder, as builders of packages do. Then tests the
/// installation.
pub(crate) fn check() -> Outcome {
    cross::install(&PACKAGES)?;
    let place = cross::root().join("target/dist");
    let prefix = place.join("moved");
    if place.exists() {
        fs::remove_dir_all(&place).map_err(|e| format!("{}: {e}", place.display()))?;
    }
    install(&place.join("installed"))?;
    fs::rename(place.join("installed"), &prefix).map_err(|e| e.to_string())?;
    by_pkg_config(&prefix)?;
    by_cmake(&prefix)?;
    by_documentation(&prefix)
}

/// Compiles Windows programs by the commands in `docs/porting.md`.
fn by_documentation(prefix: &Path) -> Outcome {
    let page = cross::root().join("docs/porting.md");
    let page = fs::read_to_string(&page).map_err(|e| format!("{}: {e}", page.display()))?;
    let place = prefix.join("porting-check");
    let failed = |e: std::io::Error| format!("{}: {e}", place.display());
    fs::create_dir_all(&place).map_err(failed)?;
    let programs = cross::root().join("crates/pagemate-win32/tests/programs");
    for (from, to) in
        [("common_data.c", "program.c"), ("common_data.c", "program.cpp"), ("wide.c", "wide.c")]
    {
        fs::copy(programs.join(from), place.join(to)).map_err(failed)?;
    }
    let lines = page.lines().filter(|line| line.contains("--libs pagemate-win32"));
    let lines = lines.collect::<Vec<_>>();
    if lines.len() != 3 {
        return Err(format!("docs/porting.md has {} compiler commands instead of 3", lines.len()));
    }
    for line in lines {
        let mut shell = Command::new("sh");
        shell.args(["-ec", line]).current_dir(&place);
        run(shell.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")))?;
    }
    Ok(())
}

/// Returns the folder of the programs that test the installation of a package.
fn sources(package: &str) -> PathBuf {
    cross::root().join("crates").join(package).join("package/check")
}

/// Compiles and runs programs with the flags of pkg-config.
fn by_pkg_config(prefix: &Path) -> Outcome {
    let native = ("pagemate", sources("pagemate-c").join("native.c"));
    let win32 = ("pagemate-win32", sources("pagemate-win32").join("win32.c"));
    let both = ("pagemate pagemate-win32", sources("pagemate-win32").join("both.c"));
    for (packages, source) in [native, win32, both] {
        for linking in [&["--cflags", "--libs"][..], &["--cflags", "--libs", "--static"][..]] {
            let mut ask = Command::new("pkg-config");
            ask.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"))
                .args(linking)
                .args(packages.split(' '));
            let answer = ask.output().map_err(|e| format!("pkg-config: {e}"))?;
            if !answer.status.success() {
                return Err(String::from_utf8_lossy(&answer.stderr).into_owned());
            }
            let program = prefix.join("pkg-config-check");
            let flags = String::from_utf8_lossy(&answer.stdout).into_owned();
            let mut compile = Command::new("cc");
            compile.arg("-o").arg(&program).arg(&source);
            run(compile.args(flags.split_whitespace()))?;
            run(Command::new(program).env("LD_LIBRARY_PATH", prefix.join("lib")))?;
        }
    }
    Ok(())
}

/// Builds and runs programs by `CMake`.
fn by_cmake(prefix: &Path) -> Outcome {
    let build = prefix.join("cmake-check");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(sources("pagemate-c")).arg("-B").arg(&build);
    run(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())))?;
    run(Command::new("cmake").arg("--build").arg(&build))?;
    for program in
        ["native", "native-cpp", "native-static", "win32", "win32-static", "both", "both-static"]
    {
        run(&mut Command::new(build.join(program)))?;
    }
    Ok(())
}
