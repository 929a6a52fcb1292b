//! The holders of objects on Linux, read from `/proc`.
//!
//! Only links and lock tables of `/proc` are read. The files that processes have open are never
//! touched: the server of a network file system may not answer, and a `stat` of one unrelated file
//! would then block the whole listing.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fs::{CWD, Dir, Mode, OFlags, Stat};

/// The suffix that the kernel appends to the path of a file without a directory entry.
const DELETED: &[u8] = b" (deleted)";

/// The length of the longest target that the kernel writes for a link in `/proc`: one page.
const LONGEST_TARGET: usize = 4096;

/// The number of bytes that one read of a lock table asks for. Nearly every table is shorter.
const TABLE_PIECE: usize = 4096;

/// A live object whose holders are looked up.
#[derive(Debug)]
pub(crate) struct Query {
    path: PathBuf,
    device: (u32, u32),
    inode: u64,
}

impl Query {
    pub(crate) fn new(path: PathBuf, stat: &Stat) -> Query {
        let device = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
        Query { path, device, inode: stat.st_ino }
    }

    /// Returns the last components that the path of a handle can have. In the description of its
    /// creator, a file made by `O_TMPFILE` keeps its inode as its path, also after it was linked to
    /// a name.
    fn path_names(&self) -> [Vec<u8>; 2] {
        let name = self.path.file_name().unwrap_or_default().as_bytes().to_vec();
        let unlinked = [format!("#{}", self.inode).as_bytes(), DELETED].concat();
        [name, unlinked]
    }

    /// Returns whether this line of `/proc/PID/fdinfo/N` shows the lock of a handle to the object.
    fn is_held_by(&self, line: &str, target: &Path) -> bool {
        if !line.starts_with("lock:") {
            return false;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["lock:", _, "OFDLCK", "ADVISORY", "READ", _, file, "0", _] = words[..] else {
            return false;
        };
        let mut parts = file.split(':');
        let mut hex = || u32::from_str_radix(parts.next()?, 16).ok();
        let device = hex().zip(hex());
        let inode = parts.next().and_then(|number| number.parse().ok());
        // On a file system with subvolumes, `stat` returns another device than the lock table.
        // Compare the directory instead.
        let is_same_device = device == Some(self.device) || target.parent() == self.path.parent();
        inode == Some(self.inode) && is_same_device
    }
}

/// Returns the processes that hold each of these objects, as far as this user may inspect them.
pub(crate) fn of(objects: &[Query]) -> Vec<Vec<u32>> {
    let mut holders = vec![Vec::new(); objects.len()];
    let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (index, object) in objects.iter().enumerate() {
        for name in object.path_names() {
            by_name.entry(name).or_default().push(index);
        }
    }
    if objects.is_empty() {
        return holders;
    }
    let search = Search { objects, by_name };
    for pid in numbers(Path::new("/proc")) {
        for index in search.held_by(pid) {
            holders[index].push(pid);
        }
    }
    for pids in &mut holders {
        pids.sort_unstable();
    }
    holders
}

struct Search<'a> {
    objects: &'a [Query],
    by_name: HashMap<Vec<u8>, Vec<usize>>,
}

impl Search<'_> {
    /// Returns the objects that a process holds, each once.
    fn held_by(&self, pid: u32) -> Vec<usize> {
        let process = PathBuf::from(format!("/proc/{pid}"));
        let mut held = self.held_in(&process);
        if held.is_none() {
            // If the first thread of a process has ended, only its other threads show the
            // descriptors.
            let tasks = process.join("task");
            held = numbers(&tasks).find_map(|task| self.held_in(&tasks.join(task.to_string())));
        }
        let mut held = held.unwrap_or_default();
        held.sort_unstable();
        held.dedup();
        held
    }

    /// Returns the objects that the descriptors of one task hold. `None` if it shows no descriptor.
    fn held_in(&self, task: &Path) -> Option<Vec<usize>> {
        let mut task = Task::open(task)?;
        let mut any = false;
        let mut held = Vec::new();
        for entry in Dir::read_from(&task.fds).ok()?.flatten() {
            let number = entry.file_name();
            if number.to_bytes().starts_with(b".") {
                continue;
            }
            any = true;
            held.extend(self.held_through(&mut task, number));
        }
        any.then_some(held)
    }

    /// Returns the object that one descriptor holds.
    fn held_through(&self, task: &mut Task<'_>, number: &CStr) -> Option<usize> {
        let mut buffer = [MaybeUninit::uninit(); LONGEST_TARGET];
        let (target, _) = rustix::fs::readlinkat_raw(&task.fds, number, &mut buffer).ok()?;
        let target = Path::new(OsStr::from_bytes(target));
        let candidates = self.by_name.get(target.file_name()?.as_bytes())?;
        let table = task.lock_table(number)?;
        candidates
            .iter()
            .copied()
            .find(|index| table.lines().any(|line| self.objects[*index].is_held_by(line, target)))
    }
}

/// The directories of a task in `/proc`.
///
/// The files of a descriptor are opened relative to these directories: there may be many
/// descriptors, and a whole path costs more.
struct Task<'a> {
    path: &'a Path,
    fds: OwnedFd,
    /// The directory of the lock tables. Opened for the first descriptor that may hold an object.
    tables: OnceCell<Option<OwnedFd>>,
    /// The memory for a lock table, which all descriptors use.
    table: Vec<u8>,
}

impl Task<'_> {
    fn open(path: &Path) -> Option<Task<'_>> {
        let fds = open_dir(&path.join("fd"))?;
        Some(Task { path, fds, tables: OnceCell::new(), table: Vec::new() })
    }

    /// Reads the lock table of a descriptor.
    fn lock_table(&mut self, number: &CStr) -> Option<&str> {
        let tables = self.tables.get_or_init(|| open_dir(&self.path.join("fdinfo"))).as_ref()?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(tables, number, flags, Mode::empty()).ok()?;
        self.table.clear();
        loop {
            self.table.reserve(TABLE_PIECE);
            let asked = self.table.capacity() - self.table.len();
            // The kernel writes the whole table into a buffer, and copies from it. So a read that
            // does not fill its space has reached the end.
            if rustix::io::read(&file, spare_capacity(&mut self.table)).ok()? < asked {
                return str::from_utf8(&self.table).ok();
            }
        }
    }
}

fn open_dir(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty()).ok()
}

/// Returns the entries of a directory that are numbers.
fn numbers(dir: &Path) -> impl Iterator<Item = u32> {
    let entries = open_dir(dir).and_then(|dir| Dir::read_from(dir).ok());
    entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lock_of_a_handle_counts() {
        let query = Query { path: "/dev/shm/pagemate-0/x".into(), device: (0, 0x1b), inode: 17 };
        let elsewhere = Path::new("/mnt/pagemate-0/x");
        let held = |line: &str| query.is_held_by(line, elsewhere);
        assert!(held("lock:\t1: OFDLCK ADVISORY  READ  -1 00:1b:17 0 0"));
        assert!(held("lock:\t1: OFDLCK ADVISORY  READ  -1 00:1b:17 0 EOF"));
        for other in [
            "lock:\t1: OFDLCK ADVISORY  WRITE -1 00:1b:17 0 0",
            "lock:\t1: OFDLCK ADVISORY  READ  -1 00:1b:17 1 1",
            "lock:\t1: OFDLCK ADVISORY  READ  -1 00:1b:18 0 0",
            "lock:\t1: OFDLCK ADVISORY  READ  -1 00:1c:17 0 0",
            "lock:\t1: POSIX  ADVISORY  READ  7 00:1b:17 0 0",
            "pos:\t0",
            "",
        ] {
            assert!(!held(other), "{other}");
        }
        let beside = Path::new("/dev/shm/pagemate-0/#17 (deleted)");
        assert!(query.is_held_by("lock:\t1: OFDLCK ADVISORY  READ  -1 00:1c:17 0 0", beside));
    }
}
