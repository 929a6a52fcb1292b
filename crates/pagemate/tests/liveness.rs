//! Seats: the locks by which processes see that an owner is alive, and how long they last.
#![cfg(target_os = "linux")]

mod harness;

use std::fs;
use std::os::fd::AsFd as _;

use harness::fork::alone;
use pagemate::SectionOptions;
use pagemate::sync::SharedMutex;

/// How many locks this process has on the file of an open descriptor, by any descriptor.
fn locks_on(fd: std::os::fd::BorrowedFd<'_>) -> usize {
    let stat = rustix::fs::fstat(fd).unwrap();
    let file = format!(":{} ", stat.st_ino);
    let infos = fs::read_dir("/proc/self/fdinfo").unwrap();
    infos
        .filter_map(|info| fs::read_to_string(info.unwrap().path()).ok())
        .map(|info| {
            info.lines().filter(|line| line.starts_with("lock:") && line.contains(&file)).count()
        })
        .sum()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn shared_mutex_leaves_its_seat_when_it_is_dropped() {
    alone("shared_mutex_leaves_its_seat_when_it_is_dropped", |_| {
        let section = SectionOptions::new().len(4096).create_new("x").unwrap();
        for offset in (0..1000).step_by(200) {
            let mutex = SharedMutex::open_or_init(&section, offset, || 1_u64).unwrap();
            drop(mutex.lock().unwrap());
        }
        assert_eq!(locks_on(section.as_fd()), 1, "the section's own");
        let before = descriptors();
        for _ in 0..100 {
            let mutex = SharedMutex::<u64>::open(&section, 200).unwrap();
            drop(mutex.lock().unwrap());
        }
        assert_eq!((locks_on(section.as_fd()), descriptors()), (1, before));
        // A guard that was forgotten is given up first.
        let mutex = SharedMutex::<u64>::open(&section, 200).unwrap();
        std::mem::forget(mutex.lock().unwrap());
        drop(mutex);
        assert_eq!(locks_on(section.as_fd()), 1);
        let mutex = SharedMutex::<u64>::open(&section, 200).unwrap();
        assert!(mutex.try_lock().unwrap().expect("it was given up").was_abandoned());
    });
}
