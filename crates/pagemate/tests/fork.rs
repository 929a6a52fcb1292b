//! A forked child, and whoever was handed a descriptor, holds what its parent held.
#![cfg(unix)]
#![allow(unsafe_code, reason = "fork(2)")]

use std::fs::File;
use std::io::{PipeReader, Read, pipe};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pagemate::{Access, ErrorKind, Section, SectionOptions, inventory};

/// A child has what any test of this process has open, so that they go one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unique(test: &str) -> String {
    format!("{test}-{}", std::process::id())
}

fn is_alive(name: &str) -> bool {
    match Section::open(name) {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => panic!("{error}"),
    }
}

/// A child that does `what` and ends when its gate is dropped, at the latest with its parent.
struct Fork {
    pid: libc::pid_t,
    gate: Option<std::io::PipeWriter>,
}

impl Fork {
    /// The child waits for the gate to be shut before it does `what`, or after it.
    fn new(what: impl FnOnce(&mut PipeReader)) -> Fork {
        let (mut shut, gate) = pipe().unwrap();
        let (mut done, ready) = pipe().unwrap();
        // SAFETY: the child runs `what`, which takes no lock that another thread may hold at this
        // moment but the allocator's, and that one is whole after a fork; then it ends at once.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            drop(gate);
            what(&mut shut);
            drop(ready);
            _ = shut.read(&mut [0]);
            // SAFETY: ends this process without running what its parent has to run.
            unsafe { libc::_exit(0) };
        }
        assert!(pid > 0);
        drop(ready);
        _ = done.read(&mut [0]);
        Fork { pid, gate: Some(gate) }
    }

    fn end(self) {
        drop(self);
    }
}

impl Drop for Fork {
    fn drop(&mut self) {
        self.gate = None;
        // SAFETY: waits for a child of ours; the status goes nowhere.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), 0) };
    }
}

/// Both kinds of handle: one can sweep through its own descriptor, the other cannot.
fn handles(test: &str) -> [(String, Section); 2] {
    [Access::ReadWrite, Access::Read].map(|access| {
        let name = unique(&format!("{test}-{access:?}"));
        let section = SectionOptions::new().len(1).access(access).create_new(&name).unwrap();
        (name, section)
    })
}

#[test]
fn child_holds_what_its_parent_lets_go() {
    let _alone = alone();
    for (name, section) in handles("child-holds") {
        let child = Fork::new(|_| {});
        drop(section);
        assert!(is_alive(&name));
        child.end();
        assert!(!is_alive(&name));
    }
}

#[test]
fn child_that_lets_go_leaves_its_parent_the_name() {
    let _alone = alone();
    for (name, section) in handles("parent-holds") {
        let mut handle = Some(section);
        let child = Fork::new(|_| drop(handle.take()));
        assert!(is_alive(&name));
        child.end();
        assert!(is_alive(&name));
        drop(handle);
        assert!(!is_alive(&name));
    }
}

#[test]
fn view_alone_makes_a_child_a_holder() {
    let _alone = alone();
    for (name, section) in handles("child-views") {
        let mut view = Some(section.map().unwrap());
        let mut handle = Some(section);
        let child = Fork::new(|_| drop(handle.take()));
        drop((view.take(), handle.take()));
        assert!(is_alive(&name));
        child.end();
        assert!(!is_alive(&name));
    }
}

#[test]
fn child_can_hold_names_of_its_own() {
    let _alone = alone();
    let name = unique("own");
    let mut made = None;
    let child = Fork::new(|_| made = SectionOptions::new().len(1).create_new(&name).ok());
    assert!(is_alive(&name));
    child.end();
    assert!(!is_alive(&name));
}

#[test]
fn descriptor_handed_on_holds_the_name() {
    let _alone = alone();
    for (name, section) in handles("handed-on") {
        let copy = File::from(section.as_fd().try_clone_to_owned().unwrap());
        drop(section);
        assert!(is_alive(&name));
        drop(copy);
        assert!(!is_alive(&name));
    }
}

#[test]
fn last_to_let_go_removes_the_file_also_after_a_fork() {
    let _alone = alone();
    let name = unique("gone");
    let section = SectionOptions::new().len(1).create_new(&name).unwrap();
    Fork::new(|_| {}).end();
    drop(section);
    assert!(inventory::find(&name).is_err());
}
