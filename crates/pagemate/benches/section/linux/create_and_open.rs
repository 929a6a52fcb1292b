//! Measures creating, opening, closing and listing.
#![allow(unsafe_code, reason = "the raw calls map memory")]

use std::os::fd::OwnedFd;

use pagemate::{Section, SectionOptions, inventory};
use rustix::fs::{FallocateFlags, Mode};
use rustix::mm::{MapFlags, ProtFlags};
use rustix::shm::OFlags;

use super::bare_calls::Bare;
use super::many_holders::Holders;
use super::measure::{Effort, Watch, compare, print_alone, time, titles};
use super::place::Place;

const LEN: u64 = 4096;

fn create(name: &str) {
    let section = SectionOptions::new().len(LEN).create_new(name).expect("a free name");
    drop(section.map().expect("a view"));
}

fn open(name: &str) {
    drop(Section::open(name).expect("a live object").map().expect("a view"));
}

fn raw_create(name: &str) {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR;
    let fd = rustix::shm::open(name, flags, Mode::from_raw_mode(0o600)).expect("a free name");
    // The system call that posix_fallocate(3) makes.
    rustix::fs::fallocate(&fd, FallocateFlags::empty(), 0, LEN).expect("memory");
    raw_map(&fd);
    drop(fd);
    rustix::shm::unlink(name).expect("its name");
}

fn raw_open(name: &str) {
    raw_map(&rustix::shm::open(name, OFlags::RDWR, Mode::empty()).expect("an object"));
}

fn raw_map(fd: &OwnedFd) {
    let len = usize::try_from(LEN).expect("a page is small");
    let prot = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: the kernel chooses the address, so that no existing mapping is replaced.
    let at = unsafe { rustix::mm::mmap(std::ptr::null_mut(), len, prot, MapFlags::SHARED, fd, 0) };
    // SAFETY: exactly the range that was mapped, and no other code has its address.
    unsafe { rustix::mm::munmap(at.expect("a mapping"), len) }.expect("its end");
}

/// Measures each operation in a directory with few objects. The operations are compared with the
/// calls for a POSIX object, and with the bare system calls that pagemate makes.
pub(crate) fn few(place: &Place, effort: Effort) {
    let (raw, new) = (place.raw_name(), place.name("Local", "new"));
    titles("pagemate", "raw");
    let created = compare(effort, || create(&new), || raw_create(&raw));
    created.print("create, map, unmap, close 4 KiB", None);

    let holders = Holders::of(place, "Local", 1);
    let held = holders.first();
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR;
    let fd = rustix::shm::open(&raw, flags, Mode::from_raw_mode(0o600)).expect("a free name");
    rustix::fs::ftruncate(&fd, LEN).expect("a length");
    let opened = compare(effort, || open(&held), || raw_open(&raw));
    opened.print("open, map, unmap, close", None);
    rustix::shm::unlink(&raw).expect("its name");
    titles("pagemate", "its calls");
    let bare = Bare::new(&Place::file_of(&new));
    let created = compare(effort, || create(&new), || bare.create());
    created.print("create, map, unmap, close 4 KiB", Some(1.1));
    let bare = Bare::new(&Place::file_of(&held));
    let opened = compare(effort, || open(&held), || bare.open());
    opened.print("open, map, unmap, close", Some(1.1));
    drop(holders);
    assert_eq!(place.count(), 0, "something was left behind");
}

/// Measures each operation in a directory of many live objects, compared with a directory of ten.
pub(crate) fn among_many(place: &Place, effort: Effort) {
    let many = effort.pick(10_000, 1_000);
    // The two namespaces are two directories that one process can use in alternation.
    let crowd = Holders::of(place, "Global", many);
    let ten = Holders::of(place, "Local", 10);
    let (beside_many, beside_ten) = (place.name("Global", "new"), place.name("Local", "new"));
    let watch = Watch::start();
    create(&beside_many);
    println!("  the first looks for dead objects: {}", time(watch.ns()));
    titles(&format!("{many}"), "10");
    let created = compare(effort, || create(&beside_many), || create(&beside_ten));
    created.print("create, map, unmap, close 4 KiB", Some(1.2));
    let (far, near) = (crowd.first(), ten.first());
    let opened = compare(effort, || open(&far), || open(&near));
    opened.print("open, map, unmap, close", Some(1.2));
    drop((crowd, ten));
    assert_eq!(place.count(), 0, "something was left behind");
}

/// Measures the inventory of many objects.
pub(crate) fn list(place: &Place, effort: Effort) {
    let many = effort.pick(10_000, 1_000);
    let holders = Holders::of(place, "Local", many);
    let times = (0..effort.pick(15, 2)).map(|_| {
        let watch = Watch::start();
        let found = inventory::list().expect("the inventory").entries.len();
        let time = watch.ns();
        assert!(u64::try_from(found).expect("a count") >= many);
        time
    });
    print_alone(&format!("list {many} objects"), times.collect(), 150.0);
    drop(holders);
    assert_eq!(place.count(), 0, "something was left behind");
}
