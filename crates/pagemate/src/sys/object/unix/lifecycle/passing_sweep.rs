//! Incremental sweeps: a process that creates an object also inspects a few files of its directory.
//!
//! Each process spends a limited part of its time on this, independently of the number and the
//! owners of the files. A step that does not reach the end of the directory stores its position in
//! the user's directory, and the next step continues there. Therefore short-lived processes, which
//! make only one step each, together sweep the whole directory.

use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Mode, OFlags, RawMode};
use rustix::time::{ClockId, clock_gettime};

use crate::name::Namespace;
use crate::sys::object::Swept;
use crate::sys::object::unix::descriptor::above_standard_streams;
use crate::sys::object::unix::format::trailer;
use crate::sys::object::unix::lifecycle::directory_scan::walk;
use crate::sys::object::unix::lifecycle::sweep::sweep_if_dead;
use crate::sys::object::unix::location::directory::Directory;
use crate::sys::object::unix::location::file_location::{FileLocation, FileName};
use crate::sys::object::unix::location::resolve;

/// The inverse of the part of its time that a process spends on sweeps, on average.
const TIME_DIVISOR: u32 = 50;

/// The approximate maximum duration of a step.
const MAX_STEP: Duration = Duration::from_micros(100);

/// The number of files that a step inspects even after its time has passed.
const MIN_FILES: u32 = 8;

/// The number of other directory entries that count as one inspected file, because they take about as long
/// together. Such an entry is skipped without a system call.
const ENTRIES_PER_FILE: u32 = 16;

/// Sweeps a part of `dir`, unless the last step of this process was too recent for its duration.
pub(crate) fn sweep_in_passing(dir: &Arc<Directory>) {
    static NEXT: [Mutex<Option<Instant>>; 2] = [Mutex::new(None), Mutex::new(None)];
    let Ok(mut next) = NEXT[dir.namespace() as usize].try_lock() else { return };
    let start = Instant::now();
    let time = match *next {
        Some(next) if start < next => return,
        Some(_) => MAX_STEP,
        // A new process may spend only a part of the time that it has used so far.
        None => (cpu_time() / TIME_DIVISOR).min(MAX_STEP),
    };
    step(dir, start + time);
    let pause = (start.elapsed() * TIME_DIVISOR).max(Duration::from_millis(1));
    *next = Some(Instant::now() + pause);
}

/// Returns the processor time of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Inspects files of `dir`, from the stored position on, until `end`.
fn step(dir: &Arc<Directory>, end: Instant) {
    let Ok(opened) = dir.reopened() else { return };
    let user = rustix::process::geteuid();
    let resume_point = ResumePoint::of(dir);
    let from = resume_point.read();
    let (mut entries, mut files) = (0, 0);
    let stopped = walk(opened, from, |name, kind| {
        entries += 1;
        if let Some(location) = FileLocation::of_entry(dir, name, kind) {
            files += 1;
            if can_reclaim(&location, user.as_raw()) {
                sweep_if_dead(&location, &mut Swept::default());
            }
        }
        let enough = files >= MIN_FILES || entries >= MIN_FILES * ENTRIES_PER_FILE;
        if enough && Instant::now() >= end {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    match stopped {
        Ok(Some(at)) => resume_point.write(at),
        // The step reached the end of the directory, or the stored position was invalid.
        Ok(None) | Err(_) if from != 0 => resume_point.remove(),
        Ok(None) | Err(_) => {}
    }
}

/// Removes the stored position of `dir` after a sweep of the whole directory.
pub(crate) fn clear_resume_point(dir: &Arc<Directory>) {
    ResumePoint::of(dir).remove();
}

/// Returns whether `user` has the right to remove this file or to free its memory. In the user's
/// own directory that is always so. In the parent directory most files may belong to other users.
/// One system call is enough to skip such a file.
fn can_reclaim(location: &FileLocation, user: u32) -> bool {
    const OTHERS_WRITE: RawMode = 0o022;
    location.dir.namespace() == Namespace::Local
        || user == 0
        || location.stat().is_ok_and(|stat| {
            let has_memory = u64::try_from(stat.st_blocks).is_ok_and(|n| n * 512 > trailer::LEN);
            stat.st_uid == user || stat.st_mode & OTHERS_WRITE != 0 && has_memory
        })
}

/// The position at which the last step in a directory stopped, stored for each user and each
/// directory. It is a hint: a step may begin at any position.
struct ResumePoint {
    /// The user's directory, which contains the file. `None` if it does not exist.
    dir: Option<Arc<Directory>>,
    file: FileName,
}

impl ResumePoint {
    fn of(dir: &Arc<Directory>) -> ResumePoint {
        let (user_dir, name) = match dir.namespace() {
            Namespace::Local => (Some(Arc::clone(dir)), ".pagemate:swept-local"),
            Namespace::Global => {
                (resolve::existing(Namespace::Local).ok().flatten(), ".pagemate:swept-global")
            }
        };
        let file = FileName::new(name.as_bytes()).expect("a short name");
        ResumePoint { dir: user_dir, file }
    }

    /// Returns the position at which the next step begins.
    fn read(&self) -> u64 {
        let mut bytes = [0; 8];
        let opened = self.dir.as_ref().and_then(|dir| self.open(dir, OFlags::RDONLY));
        let read = opened.and_then(|fd| rustix::io::pread(fd, &mut bytes, 0).ok());
        if read == Some(bytes.len()) { u64::from_ne_bytes(bytes) } else { 0 }
    }

    fn write(self, at: u64) {
        let Some(dir) = self.dir.clone().or_else(|| resolve::user_directory().ok()) else {
            return;
        };
        if let Some(fd) = self.open(&dir, OFlags::WRONLY | OFlags::CREATE) {
            _ = rustix::io::pwrite(fd, &at.to_ne_bytes(), 0);
        }
    }

    fn remove(&self) {
        if let Some(dir) = &self.dir {
            _ = rustix::fs::unlinkat(dir, self.file.as_c_str(), AtFlags::empty());
        }
    }

    fn open(&self, dir: &Directory, flags: OFlags) -> Option<OwnedFd> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        let opened = rustix::fs::openat(dir, self.file.as_c_str(), flags, mode);
        opened.and_then(above_standard_streams).ok()
    }
}
