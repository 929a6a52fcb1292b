//! Mirrors: names for memory that belongs to another system of names. The name lives exactly as long as its
//! creator holds it, and other processes open the creator's descriptor.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "a skipped test prints the reason")]

mod harness;

use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;

use harness::{Place, Scratch, unique};
use pagemate::os::unix::SectionOptionsExt as _;
use pagemate::{Access, ErrorKind, Protection, Section, SectionOptions, Sharing, inventory};
use rustix::fs::MemfdFlags;

#[test]
fn actor() {
    harness::actor();
}

/// Returns memory without a path, as Wine has for a section.
fn memory(len: u64) -> File {
    let file = File::from(rustix::fs::memfd_create("mirrored", MemfdFlags::CLOEXEC).unwrap());
    file.set_len(len).unwrap();
    file
}

#[test]
fn processes_share_the_memory_and_its_creator_alone_holds_the_name() {
    let place = Place::new("mirror");
    let (mut creator, mut one, mut other) = (place.actor(), place.actor(), place.actor());
    let (first, second) = (memory(5000), memory(8192));
    let path = |file: &File| format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    creator.expect(&format!("mirror x {}", path(&first)), "ok");
    creator.expect(&format!("mirror x {}", path(&second)), "AlreadyExists");
    one.expect("open x", "ok");
    other.expect("open-read x", "ok");
    one.expect("write x 7", "ok");
    creator.expect("read x", "7");
    other.expect("read x", "7");
    one.expect("list", "x");
    one.expect("check x", "ok");

    // The openers keep the memory, and not the name.
    creator.expect("close x", "ok");
    place.assert_empty();
    one.expect("check x", "Orphaned");
    other.expect("read x", "7");
    one.expect("probe x", "NotFound");

    // A new mirror gets the name, and an old opener does not remove it.
    creator.expect(&format!("mirror x {}", path(&second)), "ok");
    one.expect("close x", "ok");
    other.expect("check x", "Orphaned");
    other.expect("close x", "ok");
    one.expect("open x", "ok");
    one.expect("zero x", "true");

    // A killed creator holds nothing.
    creator.end("kill");
    one.expect("check x", "Orphaned");
    one.expect("probe x", "NotFound");
    one.expect("close x", "ok");
    other.expect("create x 4096", "ok");
    other.expect("close x", "ok");
    place.assert_empty();
}

#[test]
fn killed_or_closing_openers_leave_the_name() {
    let place = Place::new("mirror-openers");
    let file = memory(4096);
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    let mut creator = place.actor();
    creator.expect(&format!("mirror x {path}"), "ok");
    let mut opener = place.actor();
    opener.expect("open x", "ok");
    opener.end("kill");
    let mut other = place.actor();
    for command in ["open x", "open-read x"] {
        other.expect(command, "ok");
        other.expect("close x", "ok");
    }
    other.expect("probe x", "ok");
    creator.expect("close x", "ok");
    other.expect("probe x", "NotFound");
    place.assert_empty();
}

#[test]
fn list_shows_the_origin_and_the_creator() {
    let name = unique("mirror-listed");
    let file = memory(5000);
    let mirror = SectionOptions::new().mirror(&file, "an origin").create_new(&name).unwrap();
    let _opened = Section::open(&name).unwrap();
    let entry = inventory::find(&name).unwrap();
    assert_eq!((entry.len, entry.origin.as_deref()), (5000, Some("an origin")));
    // A child of another test, between `fork` and `exec`, may share the handle for a moment.
    assert!(entry.holders.contains(&std::process::id()));
    assert_eq!(mirror.len(), 5000);
    drop(mirror);
    assert_eq!(inventory::find(&name).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn read_only_memory_makes_a_read_only_mirror() {
    let name = unique("mirror-read-only");
    let scratch = Scratch::new(b"eight...");
    let file = scratch.open(false);
    let mut options = SectionOptions::new();
    let _mirror = options.mirror(&file, "a test").access(Access::Read).create_new(&name).unwrap();
    let opened = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    assert_eq!(opened.protection(), Protection::ReadOnly);
    assert_eq!(&opened.map().unwrap().read::<[u8; 8]>(0).unwrap(), b"eight...");
}

#[test]
fn impossible_mirrors_are_refused() {
    let name = unique("mirror-refused");
    let file = memory(4096);
    let kind = |options: &SectionOptions<'_>| options.create_new(&name).unwrap_err().kind();
    let options = |origin| {
        let mut options = SectionOptions::new();
        options.mirror(&file, origin);
        options
    };
    assert_eq!(kind(options("x").len(4097)), ErrorKind::OutOfRange);
    assert_eq!(kind(&options("")), ErrorKind::InvalidInput);
    assert_eq!(kind(&options("a\nb")), ErrorKind::InvalidInput);
    let long = "x".repeat(1025);
    assert_eq!(kind(&options(&long)), ErrorKind::InvalidInput);
    assert_eq!(
        kind(options("x").sharing(Sharing::Everyone(Access::Read))),
        ErrorKind::InvalidInput
    );
    assert_eq!(file.metadata().unwrap().len(), 4096);
}

#[test]
fn memory_that_was_cut_short_is_refused() {
    let name = unique("mirror-short");
    let file = memory(8192);
    let _mirror = SectionOptions::new().mirror(&file, "a test").create_new(&name).unwrap();
    file.set_len(4096).unwrap();
    assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::Corrupted);
}

#[test]
fn records_that_lead_elsewhere_are_refused() {
    let name = unique("mirror-forged");
    let file = memory(4096);
    let mirror = SectionOptions::new().mirror(&file, "a test").create_new(&name).unwrap();
    let uid = rustix::process::geteuid().as_raw();
    let path = fs::read_dir("/dev/shm").unwrap().flatten().find_map(|entry| {
        let dir = entry.file_name().to_str()?.starts_with(&format!("pagemate-{uid}"));
        dir.then(|| entry.path().join(&name)).filter(|path| path.exists())
    });
    let path = path.unwrap();
    let whole = fs::read(&path).unwrap();
    let stored = format!("/proc/{}/fd/", std::process::id());
    assert!(whole[32..].starts_with(stored.as_bytes()));
    let refused = |at: usize, bytes: &[u8]| {
        let mut forged = whole.clone();
        forged[at..at + bytes.len()].copy_from_slice(bytes);
        // Write into the existing file, which the mirror holds.
        let mut object = File::options().write(true).open(&path).unwrap();
        object.write_all(&forged).unwrap();
        assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::Corrupted, "{at}");
    };
    refused(32, b"/proc/self/fd/0\0"); // not a number
    refused(32, b"/etc/passwd");
    refused(8, &[1, 2, 3, 4, 5, 6, 7, 8]); // another inode
    refused(28, &0_u32.to_ne_bytes()); // no origin
    refused(28, &u32::MAX.to_ne_bytes());
    drop(mirror);
    assert!(!path.exists());
}

#[test]
fn another_user_cannot_open_a_mirror() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    // A record of a user is followed only to a file of that user: this mirror is root's, so its record is
    // trusted, and the kernel refuses the descriptor of another user's process.
    let name = format!(r"Global\{}", unique("mirror-other"));
    let file = memory(4096);
    let _mirror = SectionOptions::new().mirror(&file, "a test").create_new(&name).unwrap();
    let status = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(std::env::current_exe().unwrap())
        .args(["open_as_other_user", "--exact", "--ignored", "--nocapture"])
        .env("PAGEMATE_TEST_NAME", &name)
        .output();
    let output = status.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "the other user of another_user_cannot_open_a_mirror"]
fn open_as_other_user() {
    let name = std::env::var("PAGEMATE_TEST_NAME").unwrap();
    assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::PermissionDenied);
}
