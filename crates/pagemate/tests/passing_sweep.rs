//! Sweeps in passing: each creation examines only a few files, and every dead object is found after
//! a bounded number of creations.
#![cfg(target_os = "linux")]

mod harness;

use std::fs;
use std::path::Path;

use harness::fork::{NOBODY, alone_as_root, become_user, fork};
use harness::{Actor, Place};
use pagemate::{Section, SectionOptions, inventory};
use rustix::fs::inotify;

#[test]
fn actor() {
    harness::actor();
}

/// Counts the times that files in a directory are opened.
struct Opens(std::os::fd::OwnedFd);

impl Opens {
    fn of(dir: &Path) -> Opens {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let watch = inotify::init(flags).unwrap();
        inotify::add_watch(&watch, dir, inotify::WatchFlags::OPEN).unwrap();
        Opens(watch)
    }

    fn count(&self) -> usize {
        let mut bytes = [std::mem::MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.0, &mut bytes);
        std::iter::from_fn(|| events.next().ok().map(|event| event.file_name().is_some()))
            .filter(|is_file| *is_file)
            .count()
    }
}

fn hold(holder: &mut Actor, count: usize) {
    for i in 0..count {
        holder.expect(&format!("sparse live-{i} 1"), "ok");
    }
}

#[test]
fn first_creation_of_a_process_examines_few_of_many_files() {
    const LIVE: usize = 2000;
    let place = Place::new("few");
    let mut holder = place.actor();
    hold(&mut holder, LIVE);
    let mut creator = place.actor();
    let opens = Opens::of(&place.local());
    creator.expect("create new 1", "ok");
    let count = opens.count();
    assert!((1..LIVE / 2).contains(&count), "{count} files of {LIVE} were opened");
    creator.expect("close new", "ok");
}

#[test]
fn processes_that_create_once_each_find_all_dead_objects_among_many() {
    const LIVE: usize = 400;
    let place = Place::new("turns");
    let mut holder = place.actor();
    hold(&mut holder, LIVE / 2);
    let mut dead = place.actor();
    for i in 0..10 {
        dead.expect(&format!("create dead-{i} 1"), "ok");
    }
    dead.end("kill");
    for i in LIVE / 2..LIVE {
        holder.expect(&format!("sparse live-{i} 1"), "ok");
    }
    let is_dead = |path: &Path| path.to_str().unwrap().contains("dead-");
    // Each creation examines at least eight files.
    for _ in 0..LIVE {
        if !place.files().iter().any(|path| is_dead(path)) {
            break;
        }
        let mut creator = place.actor();
        creator.expect("create new 1", "ok");
        creator.expect("close new", "ok");
    }
    assert!(!place.files().iter().any(|path| is_dead(path)));
    holder.expect("probe live-0", "ok");
    // A list examines all files, and removes the stored position at which the next step would
    // continue.
    drop(holder);
    place.actor().ask("list");
    place.assert_empty();
}

#[test]
fn many_files_of_another_user_hide_no_dead_object() {
    alone_as_root("many_files_of_another_user_hide_no_dead_object", |place| {
        let create = |name: &str| SectionOptions::new().len(1).create_new(name).unwrap();
        let live: Vec<Section> =
            (0..200).map(|i| create(&format!(r"Global\roots-{i:03}"))).collect();
        let as_nobody = |body: &dyn Fn()| {
            fork(|| {
                become_user(NOBODY, NOBODY);
                body();
            })
            .join();
        };
        as_nobody(&|| std::mem::forget(create(r"Global\dead")));
        let more: Vec<Section> =
            (200..400).map(|i| create(&format!(r"Global\roots-{i:03}"))).collect();
        let dead = place.join("pagemate:dead");
        for _ in 0..400 {
            if !dead.exists() {
                break;
            }
            as_nobody(&|| drop(create(r"Global\new")));
        }
        assert!(!dead.exists());
        drop((live, more));
        inventory::list().unwrap();
        fs::remove_dir_all(place.join("pagemate-65534")).unwrap_or_default();
    });
}
