//! `cargo xtask dist PREFIX`: installs the command with its manual pages and completions, and the libraries
//! for C and C++ with their headers and the files for pkg-config and `CMake`.

mod check;
mod names;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::bridge;
use crate::cross;
use crate::task::{Outcome, run};

pub(crate) use check::check;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The system libraries that a program needs in addition to the static library, because Rust's
/// standard library calls them.
const STATIC_LIBS: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

pub(crate) fn dist() -> Outcome {
    let Some(prefix) = std::env::args_os().nth(2).filter(|word| !word.is_empty()) else {
        return Err("no folder to install into: cargo xtask dist PREFIX".to_owned());
    };
    install(&std::path::absolute(prefix).map_err(|e| e.to_string())?)
}

/// Returns the part of the version number that compatible releases have in common: the first two
/// numbers before version 1.0, otherwise the first one.
fn interface() -> String {
    let numbers = if VERSION.starts_with("0.") { 2 } else { 1 };
    VERSION.split('.').take(numbers).collect::<Vec<_>>().join(".")
}

/// A library: its package, its name in the target directory, and its name in the installation.
struct Library {
    package: &'static str,
    built: &'static str,
    name: &'static str,
}

const LIBRARIES: [Library; 2] = [
    Library { package: "pagemate-c", built: "libpagemate_c", name: "libpagemate" },
    Library { package: "pagemate-win32", built: "libpagemate_win32", name: "libpagemate_win32" },
];

impl Library {
    fn soname(&self) -> String {
        format!("{}.so.{}", self.name, interface())
    }
}

fn install(prefix: &Path) -> Outcome {
    build()?;
    let failed = |e: io::Error| format!("install into {}: {e}", prefix.display());
    let crates = cross::root().join("crates");
    for library in &LIBRARIES {
        put_library(library, prefix).map_err(failed)?;
        names::hide(&prefix.join("lib"), library.name)?;
        packages(&crates.join(library.package).join("package"), prefix).map_err(failed)?;
    }
    copy_tree(&crates.join("pagemate-c/include"), &prefix.join("include")).map_err(failed)?;
    // Install the headers of Windows' calls in a folder of their own, because only programs for
    // Windows should find them.
    let windows = prefix.join("include/pagemate/win32");
    copy_tree(&crates.join("pagemate-win32/include"), &windows).map_err(failed)?;
    command(prefix)?;
    helper(prefix)?;
    println!("installed into {}", prefix.display());
    Ok(())
}

/// Installs the helper of `pagemate bridge`. It is a Windows program, which only Debian's compiler builds.
fn helper(prefix: &Path) -> Outcome {
    match bridge::build_helper() {
        Ok(helper) => {
            let to = prefix.join("lib/pagemate").join(bridge::HELPER);
            copy(&helper, &to).map_err(|e| format!("{}: {e}", to.display()))
        }
        Err(why) => {
            println!("without the helper of 'pagemate bridge': {why}");
            Ok(())
        }
    }
}

/// Builds the command and the libraries.
fn build() -> Outcome {
    let mut cli = Command::new("cargo");
    cli.args(["build", "--release", "-p", "pagemate-cli"]);
    run(cli.current_dir(cross::root()))?;
    LIBRARIES.iter().try_for_each(build_library)
}

fn build_library(library: &Library) -> Outcome {
    let build = |kind: &str| {
        let mut build = Command::new("cargo");
        build.args(["rustc", "--release", "-p", library.package, "--lib", "--crate-type", kind]);
        build.current_dir(cross::root());
        build
    };
    run(&mut build("staticlib"))?;
    // With -Bsymbolic the library calls its own functions, even if the program defines functions
    // with the same names.
    let soname = format!("-Clink-arg=-Wl,-soname,{}", library.soname());
    let link = [&soname, "-Clink-arg=-Wl,-Bsymbolic", "-Cstrip=debuginfo"];
    run(build("cdylib").arg("--").args(link))
}

/// Copies a library into the installation, with the usual symbolic links for its versions.
fn put_library(library: &Library, prefix: &Path) -> io::Result<()> {
    let built = cross::target_dir().map_err(io::Error::other)?.join("release");
    let lib = prefix.join("lib");
    let file = |ending: &str| format!("{}.{ending}", library.name);
    let real = file(&format!("so.{VERSION}"));
    copy(&built.join(format!("{}.a", library.built)), &lib.join(file("a")))?;
    copy(&built.join(format!("{}.so", library.built)), &lib.join(&real))?;
    for link in [library.soname(), file("so")] {
        let link = lib.join(link);
        match fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => symlink(&real, link)?,
        }
    }
    Ok(())
}

/// Installs the files by which build systems find the libraries.
fn packages(from: &Path, prefix: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let folder = match path.extension().and_then(|ending| ending.to_str()) {
            Some("pc") => "lib/pkgconfig",
            Some("cmake") => "lib/cmake/pagemate",
            _ => continue,
        };
        let text = fs::read_to_string(&path)?
            .replace("@VERSION@", VERSION)
            .replace("@INTERFACE@", &interface())
            .replace("@INTERFACE_PATTERN@", &interface().replace('.', "\\\\."))
            .replace("@STATIC_LIBS@", STATIC_LIBS);
        let name = path.file_name().expect("a file has a name");
        write(&prefix.join(folder).join(name), text.as_bytes())?;
    }
    Ok(())
}

/// Installs the command, its completions and its manual pages.
fn command(prefix: &Path) -> Outcome {
    let failed = |e: io::Error| format!("install into {}: {e}", prefix.display());
    let program = prefix.join("bin/pagemate");
    copy(&cross::target_dir()?.join("release/pagemate"), &program).map_err(failed)?;
    for (shell, file) in [
        ("bash", "share/bash-completion/completions/pagemate"),
        ("zsh", "share/zsh/site-functions/_pagemate"),
        ("fish", "share/fish/vendor_completions.d/pagemate.fish"),
    ] {
        let script = Command::new(&program).args(["completions", shell]).output();
        let script = script.map_err(failed)?;
        if !script.status.success() {
            return Err(String::from_utf8_lossy(&script.stderr).into_owned());
        }
        write(&prefix.join(file), &script.stdout).map_err(failed)?;
    }
    let man = prefix.join("share/man/man1");
    fs::create_dir_all(&man).map_err(failed)?;
    run(Command::new(&program).arg("man").arg(man))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.parent().expect("a file is in a folder"))?;
    // The system refuses to write to the file of a running program. So write a new file, and rename
    // it over the old one.
    let mut beside = to.as_os_str().to_owned();
    beside.push(OsString::from(".new"));
    fs::copy(from, &beside)?;
    fs::rename(beside, to)
}

fn write(to: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(to.parent().expect("a file is in a folder"))?;
    fs::write(to, bytes)
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let mut folders = vec![from.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let inside = path.strip_prefix(from).expect("it was found there");
                copy(&path, &to.join(inside))?;
            }
        }
    }
    Ok(())
}
