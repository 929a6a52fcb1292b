//! Builds the test program for both systems, and runs processes of it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::answer::Answer;
use crate::cross;
use crate::task::run;
use crate::wine::{self, Wine};

const SOURCE: &str = "crates/pagemate-win32/tests/differential.c";

/// The number of processes on each system.
pub(super) const PROCESSES: usize = 3;

/// If a process does not answer within this time, it counts as hanging, and is killed.
const ANSWER_TIMEOUT_SECONDS: u64 = 60;

/// The test program, compiled for both systems.
pub(super) struct Programs {
    native: PathBuf,
    windows: PathBuf,
    wine: Wine,
    /// The folder for the objects of our processes, and for the files of both sides.
    temp_dir: TempDir,
}

/// A folder in memory, removed on drop.
struct TempDir(PathBuf);

impl Drop for TempDir {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

impl Programs {
    pub(super) fn build(dir: &Path) -> Result<Programs, String> {
        let (native, windows) = (dir.join("native"), dir.join("windows.exe"));
        run(Command::new("cargo")
            .args(["build", "-p", "pagemate-win32"])
            .current_dir(cross::root()))?;
        let library = cross::target_dir()?.join("debug");
        let mut compile = Command::new("cc");
        compile.args(["-O2", "-Wall", "-Wextra", "-Werror", "-Icrates/pagemate-win32/include"]);
        compile.arg(SOURCE).arg("-o").arg(&native).arg("-L").arg(&library).arg("-lpagemate_win32");
        compile.arg(format!("-Wl,-rpath,{}", library.display()));
        run(compile.current_dir(cross::root()))?;
        let kernelbase = kernelbase(dir)?;
        let newest = ["-D_WIN32_WINNT=0x0A00", "-DNTDDI_VERSION=0x0A000005"];
        let arguments = [&["-O2", SOURCE, &kernelbase][..], &newest[..]].concat();
        wine::compile("x86_64-w64-mingw32-gcc", &windows, &arguments)?;
        let temp_dir =
            PathBuf::from(format!("/dev/shm/pagemate-differential-{}", std::process::id()));
        // Each side has a folder for its files. It contains a folder whose name is `folder`, for
        // calls that expect a file.
        for folder in ["objects", "ours/folder", "wine/folder"] {
            let folder = temp_dir.join(folder);
            wine::fresh(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        let temp_dir = TempDir(temp_dir);
        Ok(Programs { native, windows, wine: Wine::start("differential")?, temp_dir })
    }

    fn native(&self) -> Result<Process, String> {
        let mut command = Command::new(&self.native);
        command.env("PAGEMATE_DIR", self.temp_dir.0.join("objects"));
        Process::start(command.current_dir(self.temp_dir.0.join("ours")))
    }

    fn windows(&self) -> Result<Process, String> {
        let mut command = Command::new("wine");
        let command = self.wine.under(command.arg(&self.windows));
        Process::start(command.current_dir(self.temp_dir.0.join("wine")))
    }
}

/// Builds an import library for the functions of `kernelbase.dll` that the compiler does not
/// provide. Wine and Windows have them.
fn kernelbase(dir: &Path) -> Result<String, String> {
    const EXPORTS: &str =
        "LIBRARY kernelbase.dll\nEXPORTS\nMapViewOfFile3\nUnmapViewOfFile2\nUnmapViewOfFileEx\n";
    let (list, library) = (dir.join("kernelbase.def"), dir.join("kernelbase.a"));
    fs::write(&list, EXPORTS).map_err(|e| format!("{}: {e}", list.display()))?;
    let mut tool = Command::new("x86_64-w64-mingw32-dlltool");
    run(tool.arg("-d").arg(&list).arg("-l").arg(&library))?;
    Ok(library.display().to_string())
}

/// A process of the test program.
struct Process {
    child: Arc<Mutex<Child>>,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// The number of answers for which the runner has waited so far.
    progress: Arc<AtomicU64>,
}

impl Process {
    fn start(command: &mut Command) -> Result<Process, String> {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|e| format!("{command:?}: {e}"))?;
        let stdin = child.stdin.take().ok_or("the process has no standard input")?;
        let stdout =
            BufReader::new(child.stdout.take().ok_or("the process has no standard output")?);
        let (child, progress) = (Arc::new(Mutex::new(child)), Arc::new(AtomicU64::new(0)));
        let (watched, seen) = (Arc::downgrade(&child), Arc::clone(&progress));
        thread::spawn(move || watch(&watched, &seen));
        Ok(Process { child, stdin, stdout, progress })
    }

    fn send(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.stdin, "{line}").map_err(|e| format!("its standard input is closed: {e}"))
    }

    fn answer(&mut self) -> Result<Answer, String> {
        let mut line = String::new();
        self.progress.fetch_add(1, Ordering::Relaxed);
        match self.stdout.read_line(&mut line) {
            Ok(1..) => {
                let line = line.trim_end();
                Answer::parse(line).ok_or_else(|| format!("its answer has no known form: {line:?}"))
            }
            Ok(0) => {
                let status = lock(&self.child).wait();
                Err(status.map_or_else(|e| e.to_string(), |status| status.to_string()))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        _ = child.kill();
        _ = child.wait();
    }
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills a process that does not answer for too long, because the runner waits for the answer
/// without a timeout.
fn watch(child: &Weak<Mutex<Child>>, progress: &AtomicU64) {
    let mut last = progress.load(Ordering::Relaxed);
    let mut idle = 0;
    while let Some(child) = child.upgrade() {
        let now = progress.load(Ordering::Relaxed);
        idle = if now == last { idle + 1 } else { 0 };
        last = now;
        if idle >= ANSWER_TIMEOUT_SECONDS {
            _ = lock(&child).kill();
        }
        drop(child);
        thread::sleep(Duration::from_secs(1));
    }
}

/// The processes of both sides. Each process has a counterpart on the other side.
pub(super) struct Processes {
    ours: Vec<Process>,
    wine: Vec<Process>,
}

/// The answers of our process and of Wine's.
pub(super) type Pair = (Answer, Answer);

impl Processes {
    pub(super) fn start(programs: &Programs) -> Result<Processes, String> {
        let ours = (0..PROCESSES).map(|_| programs.native()).collect::<Result<_, _>>()?;
        let wine = (0..PROCESSES).map(|_| programs.windows()).collect::<Result<_, _>>()?;
        Ok(Processes { ours, wine })
    }

    /// Sends a line to the process with this number on both systems, and returns their answers.
    pub(super) fn step(&mut self, process: usize, line: &str) -> Result<Pair, String> {
        let (ours, wine) = (&mut self.ours[process], &mut self.wine[process]);
        ours.send(line).map_err(|e| format!("ours ended: {e}"))?;
        wine.send(line).map_err(|e| format!("Wine's ended: {e}"))?;
        let ours = ours.answer().map_err(|e| format!("ours ended: {e}"))?;
        let wine = wine.answer().map_err(|e| format!("Wine's ended: {e}"))?;
        Ok((ours, wine))
    }

    /// Makes every process close all of its handles and views.
    pub(super) fn reset(&mut self) -> Result<(), String> {
        (0..PROCESSES).try_for_each(|process| self.step(process, "reset").map(drop))
    }
}
