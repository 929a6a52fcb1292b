//! The program that both systems run, and processes of it.

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

/// How many processes play together on each system.
pub(super) const PROCESSES: usize = 3;

/// No call takes so long; a process that lets so many seconds pass is ended.
const PATIENCE: u64 = 60;

/// The program as compiled for both.
pub(super) struct Programs {
    native: PathBuf,
    windows: PathBuf,
    wine: Wine,
    /// Where the native one's objects are, and both sides' files.
    place: Place,
}

/// A folder in memory, which goes with this.
struct Place(PathBuf);

impl Drop for Place {
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
        let place = PathBuf::from(format!("/dev/shm/pagemate-differential-{}", std::process::id()));
        // Each side has a folder for its files, with a folder in it.
        for folder in ["objects", "ours/folder", "wine/folder"] {
            let folder = place.join(folder);
            wine::fresh(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        let place = Place(place);
        Ok(Programs { native, windows, wine: Wine::start("differential")?, place })
    }

    fn native(&self) -> Result<Process, String> {
        let mut command = Command::new(&self.native);
        command.env("PAGEMATE_DIR", self.place.0.join("objects"));
        Process::start(command.current_dir(self.place.0.join("ours")))
    }

    fn windows(&self) -> Result<Process, String> {
        let mut command = Command::new("wine");
        let command = self.wine.under(command.arg(&self.windows));
        Process::start(command.current_dir(self.place.0.join("wine")))
    }
}

/// A library of what Wine and Windows have in `kernelbase.dll`, where the compiler has none.
fn kernelbase(dir: &Path) -> Result<String, String> {
    const EXPORTS: &str =
        "LIBRARY kernelbase.dll\nEXPORTS\nMapViewOfFile3\nUnmapViewOfFile2\nUnmapViewOfFileEx\n";
    let (list, library) = (dir.join("kernelbase.def"), dir.join("kernelbase.a"));
    fs::write(&list, EXPORTS).map_err(|e| format!("{}: {e}", list.display()))?;
    let mut tool = Command::new("x86_64-w64-mingw32-dlltool");
    run(tool.arg("-d").arg(&list).arg("-l").arg(&library))?;
    Ok(library.display().to_string())
}

/// One process of the program.
struct Process {
    child: Arc<Mutex<Child>>,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// How many answers it gave.
    progress: Arc<AtomicU64>,
}

impl Process {
    fn start(command: &mut Command) -> Result<Process, String> {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|e| format!("{command:?}: {e}"))?;
        let to = child.stdin.take().ok_or("no way in")?;
        let from = BufReader::new(child.stdout.take().ok_or("no way out")?);
        let (child, progress) = (Arc::new(Mutex::new(child)), Arc::new(AtomicU64::new(0)));
        let (watched, seen) = (Arc::downgrade(&child), Arc::clone(&progress));
        thread::spawn(move || watch(&watched, &seen));
        Ok(Process { child, to, from, progress })
    }

    fn send(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.to, "{line}").map_err(|e| format!("it took no more: {e}"))
    }

    fn answer(&mut self) -> Result<Answer, String> {
        let mut line = String::new();
        self.progress.fetch_add(1, Ordering::Relaxed);
        match self.from.read_line(&mut line) {
            Ok(1..) => {
                let line = line.trim_end();
                Answer::parse(line).ok_or_else(|| format!("what is {line:?}?"))
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

/// Ends a process that does not answer, so that nobody waits for ever.
fn watch(child: &Weak<Mutex<Child>>, progress: &AtomicU64) {
    let mut last = progress.load(Ordering::Relaxed);
    let mut idle = 0;
    while let Some(child) = child.upgrade() {
        let now = progress.load(Ordering::Relaxed);
        idle = if now == last { idle + 1 } else { 0 };
        last = now;
        if idle >= PATIENCE {
            _ = lock(&child).kill();
        }
        drop(child);
        thread::sleep(Duration::from_secs(1));
    }
}

/// The same processes on both systems.
pub(super) struct Fleet {
    ours: Vec<Process>,
    wine: Vec<Process>,
}

/// What ours and Wine answered.
pub(super) type Pair = (Answer, Answer);

impl Fleet {
    pub(super) fn start(programs: &Programs) -> Result<Fleet, String> {
        let ours = (0..PROCESSES).map(|_| programs.native()).collect::<Result<_, _>>()?;
        let wine = (0..PROCESSES).map(|_| programs.windows()).collect::<Result<_, _>>()?;
        Ok(Fleet { ours, wine })
    }

    /// Gives one line to the process with this number, on both systems.
    pub(super) fn step(&mut self, process: usize, line: &str) -> Result<Pair, String> {
        let (ours, wine) = (&mut self.ours[process], &mut self.wine[process]);
        ours.send(line).map_err(|e| format!("ours ended: {e}"))?;
        wine.send(line).map_err(|e| format!("Wine's ended: {e}"))?;
        let ours = ours.answer().map_err(|e| format!("ours ended: {e}"))?;
        let wine = wine.answer().map_err(|e| format!("Wine's ended: {e}"))?;
        Ok((ours, wine))
    }

    /// Lets everything go.
    pub(super) fn reset(&mut self) -> Result<(), String> {
        (0..PROCESSES).try_for_each(|process| self.step(process, "reset").map(drop))
    }
}
