//! Checks which processes `list` and `info` report as holders, and that finding them does not open
//! other files.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "a skipped test prints the reason")]

mod harness;

use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;
use std::{env, process};

use harness::Place;
use rustix::fs::{Mode, OFlags, open};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::{Value, json};

/// A mounted file system whose server never answers, so that access to its files blocks.
struct DeadServer {
    dir: std::path::PathBuf,
    /// Closing this file ends the file system, and with it every call that waits for an answer.
    _connection: File,
}

impl DeadServer {
    fn mount(place: &Place) -> DeadServer {
        let dir = place.path().join("mounted");
        fs::create_dir(&dir).unwrap();
        let connection = File::options().read(true).write(true).open("/dev/fuse").unwrap();
        let number = connection.as_raw_fd();
        let options = format!("fd={number},rootmode=40000,user_id=0,group_id=0");
        let options = CString::new(options).unwrap();
        mount("dead", &dir, "fuse", MountFlags::empty(), &*options).unwrap();
        DeadServer { dir, _connection: connection }
    }

    /// Opens the root of the file system by `O_PATH`, for which the kernel does not ask the server.
    fn open(&self) -> OwnedFd {
        open(&self.dir, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap()
    }
}

impl Drop for DeadServer {
    fn drop(&mut self) {
        _ = unmount(&self.dir, UnmountFlags::DETACH);
    }
}

#[test]
fn file_system_that_does_not_answer_delays_nobody() {
    const ALONE: &str = "PAGEMATE_TEST_ALONE";
    if !rustix::process::geteuid().is_root() || File::open("/dev/fuse").is_err() {
        eprintln!("skipped: it takes root and /dev/fuse to mount a file system");
        return;
    }
    if env::var_os(ALONE).is_none() {
        // Run the test in a mount namespace of its own, so that its mounts end with it.
        let mut again = Command::new("unshare");
        again.args(["--mount", "--propagation", "private"]).arg(env::current_exe().unwrap());
        again.args(["file_system_that_does_not_answer_delays_nobody", "--exact"]);
        assert!(again.env(ALONE, "").status().unwrap().success());
        return;
    }
    let place = Place::new();
    let server = DeadServer::mount(&place);
    let _unrelated = server.open();
    let held = place.hold(&["share", "x", "--size", "1"]);
    let listed: Value = serde_json::from_str(&place.run(&["list", "--json"]).text()).unwrap();
    let holders = json!([{ "pid": held.id(), "command": "pagemate" }]);
    assert_eq!(listed[0]["holders"], holders);
    let info: Value = serde_json::from_str(&place.run(&["info", "x", "--json"]).text()).unwrap();
    assert_eq!(info["holders"], holders);
}

#[test]
fn process_that_only_has_the_file_open_is_no_holder() {
    let place = Place::new();
    let creator = place.hold(&["share", "x", "--size", "1"]);
    let opener = place.hold(&["share", "x", "--size", "1"]);
    let _open = File::open(&place.objects()[0]).unwrap();
    let info: Value = serde_json::from_str(&place.run(&["info", "x", "--json"]).text()).unwrap();
    let mut pids = [creator.id(), opener.id()];
    pids.sort_unstable();
    let found: Vec<u64> = info["holders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|holder| holder["pid"].as_u64().unwrap())
        .collect();
    assert_eq!(found, pids.map(u64::from));
    assert!(!pids.contains(&process::id()));
}
