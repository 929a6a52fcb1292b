//! Sweeping in passing: a process that creates an object looks at a few files of its directory.
//!
//! The time for that is bounded for each process, however many files there are and whosever they
//! are. A step that does not reach the end of the directory leaves a note of where it stopped, in the
//! user's directory, so that processes that live too short for more than one step go on where others
//! stopped.

use std::ffi::CStr;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawMode};
use rustix::time::{ClockId, clock_gettime};

use crate::name::Namespace;
use crate::sys::object::Swept;
use crate::sys::object::unix::beside_the_streams;
use crate::sys::object::unix::format::trailer;
use crate::sys::object::unix::inventory::sweep_if_dead;
use crate::sys::object::unix::lifecycle::scan::walk;
use crate::sys::object::unix::location::directory::{self, Directory};
use crate::sys::object::unix::location::file_location::{FileLocation, FileName};

/// Sweeping takes at most one part in this many of a process' time.
const SHARE: u32 = 50;

/// A step goes on for at most about so long.
const LONGEST: Duration = Duration::from_micros(100);

/// It looks at so many files even if the process has had no time yet.
const FEWEST: u32 = 8;

/// How many entries that cost no system call weigh as much as one file.
const CHEAP: u32 = 16;

/// Sweeps a part of `dir`, unless this process did so a moment ago, measured by what it cost.
pub(crate) fn sweep_in_passing(dir: &Arc<Directory>) {
    static NEXT: [Mutex<Option<Instant>>; 2] = [Mutex::new(None), Mutex::new(None)];
    let Ok(mut next) = NEXT[dir.namespace() as usize].try_lock() else { return };
    let start = Instant::now();
    let time = match *next {
        Some(next) if start < next => return,
        Some(_) => LONGEST,
        // A process that has just begun has no more to spend than a part of what it took so far.
        None => (time_so_far() / SHARE).min(LONGEST),
    };
    step(dir, start + time);
    let pause = (start.elapsed() * SHARE).max(Duration::from_millis(1));
    *next = Some(Instant::now() + pause);
}

/// The processor's time that this process has had.
fn time_so_far() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Looks at files of `dir`, from where an earlier step stopped, until it is late.
fn step(dir: &Arc<Directory>, end: Instant) {
    let Ok(opened) = dir.reopened() else { return };
    let user = rustix::process::geteuid();
    let note = Note::of(dir);
    let from = note.read();
    let (mut inspected, mut looked) = (0, 0);
    let stopped = walk(opened, from, |name, kind| {
        inspected += 1;
        if let Some(location) = worth_a_look(dir, name, kind) {
            looked += 1;
            if may_give_back(&location, user.as_raw()) {
                sweep_if_dead(&location, &mut Swept::default());
            }
        }
        let enough = looked >= FEWEST || inspected >= FEWEST * CHEAP;
        if enough && Instant::now() >= end {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    match stopped {
        Ok(Some(at)) => note.write(at),
        // All of the directory was seen, or the note was no place in it.
        Ok(None) | Err(_) if from != 0 => note.remove(),
        Ok(None) | Err(_) => {}
    }
}

/// Forgets where the last step in `dir` stopped, after all of it was looked at.
pub(crate) fn forget(dir: &Arc<Directory>) {
    Note::of(dir).remove();
}

fn worth_a_look(dir: &Arc<Directory>, name: &CStr, kind: FileType) -> Option<FileLocation> {
    let file = FileName::new(&[name.to_bytes()])?;
    let is_file = matches!(kind, FileType::RegularFile | FileType::Unknown);
    let is_ours = file.is_unfinished() || file.is_objects(dir.namespace());
    (is_file && is_ours).then(|| FileLocation { dir: Arc::clone(dir), file })
}

/// Whether `user` could remove this file if it is dead, or give its memory back. In a user's own
/// directory that is always so. Of the files beside the directories most may be others', and one look
/// is enough for those.
fn may_give_back(location: &FileLocation, user: u32) -> bool {
    const OTHERS_WRITE: RawMode = 0o022;
    location.dir.namespace() == Namespace::Local
        || user == 0
        || location.stat().is_ok_and(|stat| {
            let has_memory = u64::try_from(stat.st_blocks).is_ok_and(|n| n * 512 > trailer::LEN);
            stat.st_uid == user || stat.st_mode & OTHERS_WRITE != 0 && has_memory
        })
}

/// Where the last step in a directory stopped. Each user has a note of each directory. It is a hint: any
/// number in it is a place to begin, if not a good one.
struct Note {
    /// The user's directory, if there is one.
    home: Option<Arc<Directory>>,
    file: FileName,
}

impl Note {
    fn of(dir: &Arc<Directory>) -> Note {
        let (home, name) = match dir.namespace() {
            Namespace::Local => (Some(Arc::clone(dir)), "local"),
            Namespace::Global => (directory::existing(Namespace::Local).ok().flatten(), "global"),
        };
        let file = FileName::new(&[b".pagemate:swept-", name.as_bytes()]);
        Note { home, file: file.expect("two short words") }
    }

    /// Where to begin.
    fn read(&self) -> u64 {
        let mut bytes = [0; 8];
        let opened = self.home.as_ref().and_then(|home| self.open(home, OFlags::RDONLY));
        let read = opened.and_then(|fd| rustix::io::pread(fd, &mut bytes, 0).ok());
        if read == Some(bytes.len()) { u64::from_ne_bytes(bytes) } else { 0 }
    }

    fn write(self, at: u64) {
        let Some(home) = self.home.clone().or_else(|| directory::home().ok()) else { return };
        if let Some(fd) = self.open(&home, OFlags::WRONLY | OFlags::CREATE) {
            _ = rustix::io::pwrite(fd, &at.to_ne_bytes(), 0);
        }
    }

    fn remove(&self) {
        if let Some(home) = &self.home {
            _ = rustix::fs::unlinkat(home, self.file.as_c_str(), AtFlags::empty());
        }
    }

    fn open(&self, home: &Directory, flags: OFlags) -> Option<OwnedFd> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        let opened = rustix::fs::openat(home, self.file.as_c_str(), flags, mode);
        opened.and_then(beside_the_streams).ok()
    }
}
