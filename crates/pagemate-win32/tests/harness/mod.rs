//! Compiles C and C++ programs against this library and runs them as real processes.
//!
//! With `PAGEMATE_UNDER_WINE` set, the programs are compiled for Windows and run under Wine
//! instead, with the same checks. `cargo xtask windows` sets it.
#![allow(dead_code, reason = "each test program uses its part")]

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// The longest time that a program may run before the test fails.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(2);

/// The system libraries that the static library needs.
const SYSTEM_LIBRARIES: [&str; 7] =
    ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];

/// Returns whether the programs are compiled for Windows and run under Wine.
pub(crate) fn under_wine() -> bool {
    env::var_os("PAGEMATE_UNDER_WINE").is_some()
}

/// Returns the path of the static library that was built along with this test.
pub(crate) fn library() -> PathBuf {
    let path = env::current_exe().unwrap().with_file_name("libpagemate_win32.a");
    assert!(path.is_file(), "{} is missing: build the package first", path.display());
    path
}

/// Builds an artifact with `cargo build` and returns its path, beside this test.
pub(crate) fn build(what: &[&str], path: &str) -> PathBuf {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let mut cargo = Command::new(env!("CARGO"));
    let cargo = cargo.args(["build", "--quiet", "--profile", profile]).args(what).output().unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let built = env::current_exe().unwrap().parent().unwrap().with_file_name(path);
    assert!(built.is_file(), "{} is missing: build the package first", built.display());
    built
}

/// Returns the folder with `windows.h`.
pub(crate) fn include() -> PathBuf {
    manifest_dir().join("include")
}

/// The language that a program is compiled as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Cpp,
}

impl Language {
    fn compiler(self) -> &'static str {
        match (self, under_wine()) {
            (Language::C, false) => "gcc",
            (Language::Cpp, false) => "g++",
            (Language::C, true) => "x86_64-w64-mingw32-gcc",
            (Language::Cpp, true) => "x86_64-w64-mingw32-g++",
        }
    }
}

fn manifest_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns a name that no other test and no other run uses.
pub(crate) fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Compiles source files of the folder `tests` without warnings, and links them with the static
/// library.
#[track_caller]
pub(crate) fn compile(sources: &[&str], language: Language, flags: &[&str]) -> Program {
    let libraries = if under_wine() { vec![] } else { vec![library().display().to_string()] };
    compile_with(sources, language, flags, &libraries)
}

/// Compiles source files of the folder `tests` without warnings, and links them with the given
/// libraries.
#[track_caller]
pub(crate) fn compile_with(
    sources: &[&str],
    language: Language,
    flags: &[&str],
    libraries: &[String],
) -> Program {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique("program"));
    let path = if under_wine() { path.with_extension("exe") } else { path };
    let mut compiler = Command::new(language.compiler());
    let language_name = if language == Language::C { "c" } else { "c++" };
    compiler.args(["-O2", "-Wall", "-Wno-unknown-pragmas", "-Werror", "-o"]).arg(&path);
    compiler.args(flags).args(["-x", language_name]);
    compiler.args(sources.iter().map(|source| manifest_dir().join("tests").join(source)));
    compiler.args(["-x", "none"]).args(libraries);
    if under_wine() {
        compiler.args(["-static", "-lpthread"]);
    } else {
        compiler.arg("-I").arg(include()).args(SYSTEM_LIBRARIES);
    }
    let built = compiler.output().unwrap_or_else(|error| panic!("{compiler:?}: {error}"));
    let warnings = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{compiler:?}\n{warnings}");
    Program { path }
}

/// A compiled program, removed on drop.
pub(crate) struct Program {
    path: PathBuf,
}

impl Program {
    pub(crate) fn command(&self) -> Command {
        if under_wine() {
            let mut wine = Command::new("wine");
            wine.arg(&self.path);
            wine
        } else {
            Command::new(&self.path)
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.path);
    }
}

/// A folder for the objects of one test, in which its programs run. Removed with its contents on
/// drop.
pub(crate) struct TestDir {
    path: PathBuf,
}

impl TestDir {
    pub(crate) fn new() -> TestDir {
        let path = Path::new("/dev/shm").join(unique("pagemate-test-c"));
        fs::create_dir(&path).unwrap();
        TestDir { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts a program in this folder.
    pub(crate) fn start(&self, program: &Program) -> Running {
        self.start_command(program.command())
    }

    pub(crate) fn start_command(&self, mut command: Command) -> Running {
        command.env("PAGEMATE_DIR", &self.path).current_dir(&self.path);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut lines = output.lines().map_while(Result::ok);
            lines.try_for_each(|line| sender.send(line.trim_end_matches('\r').to_owned()))
        });
        Running { child, lines }
    }

    /// Starts a program on a terminal.
    pub(crate) fn start_on_terminal(&self, program: &Program, terminal: &OwnedFd) -> Running {
        // A shell starts background processes with some signals ignored, and programs inherit that.
        // Restore the default actions, so that the program receives the signals of the terminal.
        let mut command = Command::new("env");
        command.arg("--default-signal").arg(program.command().get_program());
        command.env("PAGEMATE_DIR", &self.path).current_dir(&self.path);
        command.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap());
        Running { child: command.spawn().unwrap(), lines: channel().1 }
    }

    /// Runs a program to its end. Returns its exit code and its lines.
    pub(crate) fn run(&self, program: &Program) -> (i32, Vec<String>) {
        self.start(program).end()
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.path);
    }
}

/// A running program, killed and reaped on drop.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Returns the next line that the program prints.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        self.lines
            .recv_timeout(TIMEOUT)
            .expect("the program ended or hangs before it printed the expected line")
    }

    /// Sends a newline, waits for the program to end, and returns its exit code and its remaining
    /// lines.
    #[track_caller]
    pub(crate) fn end(mut self) -> (i32, Vec<String>) {
        // The write fails if the program has ended already.
        _ = self.child.stdin.take().map(|mut input| input.write_all(b"\n"));
        let status = self.wait_for_end();
        (status.code().unwrap_or(-1), self.lines.iter().collect())
    }

    /// Waits for the program to end.
    #[track_caller]
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.wait_for_end()
    }

    #[track_caller]
    fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                panic!(
                    "the program did not end in time; its remaining lines: {:?}",
                    self.lines.try_iter().collect::<Vec<_>>()
                );
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Kills the program, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
