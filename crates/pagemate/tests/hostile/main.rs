//! Bad input, bad places and bad company: each gets a clear error, and what was shared stays as it
//! was.
#![cfg(target_os = "linux")]

mod arguments;
mod directories;
mod files;
#[path = "../harness/mod.rs"]
mod harness;
mod limits;
mod privileged;
mod records;
mod removed;
mod seats;
mod sync;
mod users;

use std::fmt::Debug;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pagemate::{ErrorKind, Result, Section, SectionOptions};

#[test]
fn actor() {
    harness::actor();
}

/// Demands the kind, and each of these facts in the message.
#[track_caller]
fn refused<T: Debug>(result: Result<T>, kind: ErrorKind, facts: &[&str]) {
    let error = result.expect_err("it should be refused");
    assert_eq!(error.kind(), kind, "{error}");
    for fact in facts {
        assert!(error.to_string().contains(fact), "`{error}` does not say `{fact}`");
    }
}

fn create(name: &str) -> Result<Section> {
    SectionOptions::new().len(4096).create_new(name)
}

fn share(name: &str) -> Result<Section> {
    SectionOptions::new().len(4096).open_or_create(name)
}

/// Demands that `body` leaves this process' descriptors, and what stands below `place`, alone.
#[track_caller]
fn changes_nothing<T>(place: &Path, body: impl FnOnce() -> T) -> T {
    let before = (descriptors(), tree(place));
    let result = body();
    assert_eq!((descriptors(), tree(place)), before);
    result
}

/// How many descriptors there are, but for those of directories: a process keeps one for each that
/// it has objects in.
fn descriptors() -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    open.filter(|fd| !fd.as_ref().is_ok_and(|fd| fd.path().is_dir())).count()
}

/// Every entry below `dir`: its path, its mode and its length.
fn tree(dir: &Path) -> Vec<(PathBuf, u32, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let stat = path.symlink_metadata().unwrap();
        if stat.is_dir() {
            found.extend(tree(&path));
        }
        let len = if stat.is_dir() { 0 } else { stat.len() };
        found.push((path, stat.mode(), len));
    }
    found.sort();
    found
}

/// Where this user's objects stand in `place`.
fn local(place: &Path) -> PathBuf {
    place.join(format!("pagemate-{}", rustix::process::geteuid().as_raw()))
}
