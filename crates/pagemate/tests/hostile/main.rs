//! Invalid input, unsafe directories and hostile processes: each call returns a clear error, and
//! shared objects do not change.
#![cfg(target_os = "linux")]

mod arguments;
mod directories;
mod files;
#[path = "../harness/mod.rs"]
mod harness;
mod limits;
mod locks;
mod privileged;
mod records;
mod removed_names;
mod sandbox;
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

/// Asserts the kind of an error, and that its message contains each of these facts.
#[track_caller]
fn refused<T: Debug>(result: Result<T>, kind: ErrorKind, facts: &[&str]) {
    let error = result.expect_err("it should be refused");
    assert_eq!(error.kind(), kind, "{error}");
    for fact in facts {
        assert!(format!("{error:#}").contains(fact), "`{error:#}` does not say `{fact}`");
    }
}

fn create(name: &str) -> Result<Section> {
    SectionOptions::new().len(4096).create_new(name)
}

fn share(name: &str) -> Result<Section> {
    SectionOptions::new().len(4096).open_or_create(name)
}

/// Asserts that `body` changes neither the descriptors of this process nor the files below `place`.
#[track_caller]
fn changes_nothing<T>(place: &Path, body: impl FnOnce() -> T) -> T {
    let before = (descriptors(), tree(place));
    let result = body();
    assert_eq!((descriptors(), tree(place)), before);
    result
}

/// Returns the number of descriptors without those of directories, because a process keeps one for
/// each directory in which it has objects.
fn descriptors() -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    open.filter(|fd| !fd.as_ref().is_ok_and(|fd| fd.path().is_dir())).count()
}

/// Returns every entry below `dir`: its path, its mode and its length.
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

/// Returns the directory of this user's objects in `place`.
fn local(place: &Path) -> PathBuf {
    place.join(format!("pagemate-{}", rustix::process::geteuid().as_raw()))
}
