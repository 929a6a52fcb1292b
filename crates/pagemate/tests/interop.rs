//! Memory that is shared by name with a C++ program that uses only Win32.
#![cfg(windows)]

mod harness;

use std::process::Command;
use std::time::Duration;

use harness::{Actor, unique};
use pagemate::sync::{
    Event, EventOptions, Mutex, MutexOptions, Reset, Semaphore, SemaphoreOptions, wait_any_for,
};
use pagemate::{Access, ErrorKind, Section, SectionOptions, Sharing, View, inventory};

/// A timeout that is longer than any operation that does not hang.
const LONG: Duration = Duration::from_secs(30);

const TEXT: &str = "This is common data!";

/// Starts the other program.
fn other() -> Actor {
    Actor::start(Command::new(std::env::var_os("PAGEMATE_INTEROP").unwrap()))
}

fn text(view: &View) -> String {
    let mut bytes = [0; TEXT.len()];
    view.read_at(0, &mut bytes).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn is_gone(name: &str) -> bool {
    Section::open(name).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn what_the_other_program_makes_is_ours_to_open() {
    let name = unique("ShareMemory");
    let mut other = other();
    other.expect(&format!("create {name} 5000"), "created");
    other.expect(&format!("write {TEXT}"), TEXT);

    let section = Section::open(&name).unwrap();
    assert_eq!(section.len(), 8192);
    let view = section.map().unwrap();
    assert_eq!(text(&view), TEXT);
    view.write_at(0, b"THIS").unwrap();
    other.expect("read", "THIS is common data!");

    let found = SectionOptions::new().len(1 << 20).open_or_create(&name).unwrap();
    assert!(!found.was_created());
    other.expect("close", "ok");
    drop((section, found));
    assert_eq!(Section::open(&name).unwrap().len(), 8192);
    drop(view);
    assert!(is_gone(&name));
    other.expect(&format!("open {name}"), "error 2");
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn what_we_make_is_the_other_programs_to_open() {
    let name = unique("ShareMemory");
    let mut other = other();
    let section = SectionOptions::new().len(5000).create_new(&name).unwrap();
    let view = section.map().unwrap();
    view.write_at(0, TEXT.as_bytes()).unwrap();

    other.expect(&format!(r"open Local\{name}"), "ok");
    other.expect("length", "8192");
    other.expect("read", TEXT);
    other.expect("write THIS is common data!", "THIS is common data!");
    assert_eq!(text(&view), "THIS is common data!");

    drop((section, view));
    assert_eq!(text(&Section::open(&name).unwrap().map().unwrap()), "THIS is common data!");
    other.end("kill");
    assert!(is_gone(&name));
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn either_program_creates_and_the_other_finds() {
    let name = unique("ShareMemory");
    let mut other = other();
    other.expect(&format!("create {name} 1"), "created");
    let error = SectionOptions::new().len(1).create_new(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    other.expect("close", "ok");
    let section = SectionOptions::new().len(1).create_new(&name).unwrap();
    other.expect(&format!("create {name} 1"), "opened");
    other.expect("close", "ok");
    drop(section);
    assert!(is_gone(&name));
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn a_mutex_of_the_name_is_of_another_kind() {
    // All kinds of objects share one space of names (CreateFileMappingW, Remarks).
    let name = unique("ShareMemory");
    let mut other = other();
    other.expect(&format!("mutex {name}"), "created");
    let new = SectionOptions::new().len(1).create_new(&name);
    let either = SectionOptions::new().len(1).open_or_create(&name);
    let kinds = [Section::open(&name), new, either].map(|result| result.unwrap_err().kind());
    assert_eq!(kinds, [ErrorKind::WrongKind, ErrorKind::AlreadyExists, ErrorKind::WrongKind]);
    other.end("kill");
    SectionOptions::new().len(1).create_new(&name).unwrap();
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn memory_that_was_reserved_elsewhere_can_be_touched_all_over() {
    // Row 69 of `tests/win32_rows.rs`.
    let name = unique("ShareMemory");
    let mut other = other();
    other.expect(&format!("sparse {name} 1048576"), "ok");
    let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    let copy = reader.view().range(600_000..).copy_on_write(true).map().unwrap();
    copy.write_at(0, b"mine").unwrap();
    let (view, seen) = (Section::open(&name).unwrap().map().unwrap(), reader.map().unwrap());
    view.write_at(0, &vec![7; view.len()]).unwrap();
    assert_eq!(view.len(), 1 << 20);
    assert_eq!(seen.read::<[u8; 4]>((1 << 20) - 4).unwrap(), [7; 4]);
    assert_eq!(copy.read::<[u8; 4]>(0).unwrap(), *b"mine");
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn an_object_gives_what_its_descriptor_grants() {
    let name = unique("ShareMemory");
    let mut other = other();
    other.expect(&format!("for-reading {name} 70000"), "ok");
    assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::PermissionDenied);
    // The descriptor does not grant the right to query the length either, so the handle measures it
    // by mapping.
    let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    assert_eq!(reader.len(), 73_728);
    assert_eq!(reader.map().unwrap().read::<u8>(73_727).unwrap(), 0);
    let entry = inventory::find(&name).unwrap();
    assert_eq!((entry.len, entry.sharing), (73_728, Sharing::Everyone(Access::Read)));

    let secret = unique("ShareMemory");
    let mut other = self::other();
    other.expect(&format!("for-nobody {secret} 1"), "ok");
    let reading = SectionOptions::new().access(Access::Read).open(&secret);
    let new = SectionOptions::new().len(1).create_new(&secret);
    assert_eq!(reading.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(new.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(inventory::find(&secret).unwrap_err().kind(), ErrorKind::PermissionDenied);
    let listed = inventory::list().unwrap().entries;
    assert!(listed.iter().any(|entry| entry.name.bare() == name));
    assert!(!listed.iter().any(|entry| entry.name.bare() == secret));
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn a_programs_image_is_not_memory() {
    let name = unique("ShareMemory");
    let mut other = other();
    other.expect(&format!("image {name}"), "ok");
    let section = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    assert_eq!(section.map().unwrap_err().kind(), ErrorKind::WrongKind);
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn a_read_only_section_can_be_read() {
    let name = unique("ShareMemory");
    let mut other = other();
    other.expect(&format!("read-only {name} 1"), "ok");
    let section = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    assert_eq!(section.map().unwrap().read::<u8>(4095).unwrap(), 0);
    section.view().copy_on_write(true).map().unwrap().write_at(0, b"x").unwrap();
    assert_eq!(section.map().unwrap().read::<u8>(0).unwrap(), 0);
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn sync_objects_that_the_other_program_makes_are_ours_to_use() {
    let names = [unique("m"), unique("e"), unique("s")];
    let (mut locker, mut setter, mut releaser) = (other(), other(), other());
    locker.expect(&format!("own-mutex {}", names[0]), "created");
    setter.expect(&format!("event {}", names[1]), "created");
    releaser.expect(&format!("semaphore {} 0 2", names[2]), "created");

    let mutex = Mutex::open(&names[0]).unwrap();
    let event = Event::open(&names[1]).unwrap();
    let semaphore = SemaphoreOptions::new(1, 1).open_or_create(&names[2]).unwrap();
    assert!(!semaphore.was_created());
    assert!(mutex.try_lock().unwrap().is_none());
    assert_eq!(mutex.unlock_forgotten().unwrap_err().kind(), ErrorKind::NotOwner);
    let list = [(&mutex).into(), (&event).into(), (&semaphore).into()];
    assert!(wait_any_for(&list, Duration::ZERO).unwrap().is_none());
    releaser.expect("release 1", "0");
    let acquired = wait_any_for(&list, LONG).unwrap().unwrap();
    assert_eq!(acquired.index, 2);
    acquired.permit.unwrap().forget();
    setter.expect("set", "ok");
    assert_eq!(wait_any_for(&list, LONG).unwrap().unwrap().index, 1);
    locker.expect("unlock", "ok");
    let had = wait_any_for(&list, LONG).unwrap().unwrap();
    assert!(had.index == 0 && !had.guard.as_ref().unwrap().was_abandoned());
    locker.expect("wait 0", "timeout");
    drop(had);
    locker.expect("wait 0", "ok");
    locker.end("kill");
    assert!(mutex.try_lock_for(LONG).unwrap().unwrap().was_abandoned());
    assert_eq!(semaphore.release(2).unwrap(), 0);
    releaser.expect("wait 0", "ok");
    releaser.expect("release 2", "error 298");
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn sync_objects_that_we_make_are_the_other_programs_to_use() {
    let names = [unique("m"), unique("e"), unique("s")];
    let mutex = MutexOptions::new().locked(true).create_new(&names[0]).unwrap();
    let event = EventOptions::new(Reset::Manual).create_new(&names[1]).unwrap();
    let semaphore = SemaphoreOptions::new(0, 2).create_new(&names[2]).unwrap();
    let mut other = other();

    other.expect(&format!(r"open-mutex Local\{}", names[0]), "created");
    other.expect("wait 0", "timeout");
    other.expect("unlock", "error 288");
    mutex.unlock_forgotten().unwrap();
    other.expect("wait 30000", "ok");
    assert!(mutex.try_lock().unwrap().is_none());
    other.end("kill");
    assert!(mutex.try_lock_for(LONG).unwrap().unwrap().was_abandoned());

    let mut other = self::other();
    other.expect(&format!("event {}", names[1]), "opened");
    other.expect("wait 0", "timeout");
    event.set().unwrap();
    other.expect("wait 30000", "ok");
    other.expect("let-go", "ok");
    other.expect(&format!("open-semaphore {}", names[2]), "created");
    semaphore.release(1).unwrap();
    other.expect("wait 30000", "ok");
    drop((mutex, event));
    other.expect(&format!("mutex {}", names[2]), "error 6");
    other.expect(&format!("open-event {}", names[1]), "error 2");
    assert_eq!(Mutex::open(&names[0]).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn what_others_may_only_wait_for_is_ours_to_wait_for() {
    // Row 91 of `tests/sync_rows.rs`.
    let names = [unique("m"), unique("e"), unique("s")];
    let mut other = other();
    other.expect(&format!("for-waiting mutex {}", names[0]), "created");
    let mutex = Mutex::open(&names[0]).unwrap();
    let guard = mutex.try_lock().unwrap().unwrap();
    assert_eq!(mutex.lock().unwrap_err().kind(), ErrorKind::InvalidInput);
    other.expect("wait 0", "timeout");
    drop(guard);
    other.expect("wait 0", "ok");
    assert!(mutex.try_lock().unwrap().is_none());
    assert!(!MutexOptions::new().open_or_create(&names[0]).unwrap().was_created());

    let mut other = self::other();
    other.expect(&format!("for-waiting event {}", names[1]), "created");
    let event = Event::open(&names[1]).unwrap();
    event.wait().unwrap();
    for refused in [event.set(), event.reset(), event.pulse()] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
    let mut other = self::other();
    other.expect(&format!("for-waiting semaphore {}", names[2]), "created");
    let semaphore = Semaphore::open(&names[2]).unwrap();
    assert!(semaphore.try_acquire().unwrap().is_some());
    assert_eq!(semaphore.release(1).unwrap_err().kind(), ErrorKind::PermissionDenied);
}
