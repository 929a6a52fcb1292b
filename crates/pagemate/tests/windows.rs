//! Behaviour that only Windows has: handles, and files that the kernel protects under a section.
#![cfg(windows)]

mod harness;

use std::fs::File;
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::thread;

use harness::unique;
use pagemate::sync::{
    Event, EventOptions, Mutex, MutexOptions, Reset, Semaphore, SemaphoreOptions, SharedMutex,
};
use pagemate::{Access, ErrorKind, Section, SectionOptions};

#[test]
fn a_handle_is_a_hold_and_becomes_a_section() {
    let name = unique("handle");
    let made = SectionOptions::new().len(5000).create_new(&name).unwrap();
    let handle = made.as_handle().try_clone_to_owned().unwrap();
    drop(made);
    let taken = Section::try_from(handle).unwrap();
    assert_eq!((taken.len(), taken.access()), (8192, Access::ReadWrite));
    taken.map().unwrap().write_at(0, &[7]).unwrap();
    assert_eq!(Section::open(&name).unwrap().map().unwrap().read::<u8>(0).unwrap(), 7);
    drop(taken);
    assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_handle_holds_the_name_of_the_section_that_became_it() {
    let name = unique("section-to-handle");
    let section = SectionOptions::new().len(4096).create_new(&name).unwrap();
    let (view, clone) = (section.map().unwrap(), section.try_clone().unwrap());
    view.write(0, &7_u32).unwrap();
    let handle = OwnedHandle::try_from(section).unwrap();
    drop((view, clone));
    let taken = Section::try_from(handle).unwrap();
    assert_eq!((taken.len(), taken.map().unwrap().read::<u32>(0).unwrap()), (4096, 7));
    drop(Section::open(&name).unwrap());
    drop(OwnedHandle::try_from(taken).unwrap());
    assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn handles_that_sync_objects_became_hold_their_names() {
    let names = [unique("m"), unique("e"), unique("s")];
    let mutex = MutexOptions::new().create_new(&names[0]).unwrap();
    let event = EventOptions::new(Reset::Auto).create_new(&names[1]).unwrap();
    let semaphore = SemaphoreOptions::new(0, 1).create_new(&names[2]).unwrap();
    let handles = [
        OwnedHandle::try_from(mutex),
        OwnedHandle::try_from(event),
        OwnedHandle::try_from(semaphore),
    ];
    let handles = handles.map(Result::unwrap);
    let opened = || {
        let (mutex, event) = (Mutex::open(&names[0]).map(drop), Event::open(&names[1]).map(drop));
        let semaphore = Semaphore::open(&names[2]).map(drop);
        [mutex, event, semaphore].map(|opened| opened.map_err(|error| error.kind()))
    };
    assert_eq!(opened(), [Ok(()); 3]);
    drop(handles);
    assert_eq!(opened(), [Err(ErrorKind::NotFound); 3]);
}

#[test]
fn a_handle_for_reading_stays_one() {
    let mut options = SectionOptions::new();
    let made = options.len(1).access(Access::Read).create_unnamed().unwrap();
    let taken = Section::try_from(made.as_handle().try_clone_to_owned().unwrap()).unwrap();
    assert_eq!(taken.access(), Access::Read);
    let error = taken.view().access(Access::ReadWrite).map().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(!taken.map().unwrap().is_writable());
}

#[test]
fn a_handle_to_something_else_is_refused() {
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    let error = Section::try_from(OwnedHandle::from(file)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_file_under_a_section_is_not_cut_short() {
    // `SetEndOfFile` cannot shrink a mapped file.
    let path = std::env::temp_dir().join(unique("pagemate-windows"));
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    let section = SectionOptions::new().len(100_000).file(&file).create_unnamed().unwrap();
    assert!(file.set_len(1).is_err());
    let view = section.map().unwrap();
    drop(section);
    assert!(file.set_len(1).is_err());
    drop(view);
    file.set_len(1).unwrap();
    drop(file);
    std::fs::remove_file(path).unwrap();
}

fn handle(object: &impl AsHandle) -> OwnedHandle {
    object.as_handle().try_clone_to_owned().unwrap()
}

#[test]
fn handles_of_sync_objects_are_holds_and_become_the_same_objects() {
    let names = [unique("m"), unique("e"), unique("s")];
    let mutex = MutexOptions::new().create_new(&names[0]).unwrap();
    let event = EventOptions::new(Reset::Auto).create_new(&names[1]).unwrap();
    let semaphore = SemaphoreOptions::new(0, 1).create_new(&names[2]).unwrap();
    let taken = (
        Mutex::try_from(handle(&mutex)).unwrap(),
        Event::try_from(handle(&event)).unwrap(),
        Semaphore::try_from(handle(&semaphore)).unwrap(),
    );
    assert!(!taken.0.was_created() && taken.0.name().is_none());
    let guard = mutex.lock().unwrap();
    thread::scope(|scope| {
        let theirs = scope.spawn(|| taken.0.try_lock().unwrap().is_none());
        assert!(theirs.join().unwrap());
    });
    drop(guard);
    event.set().unwrap();
    taken.1.wait().unwrap();
    taken.2.release(1).unwrap();
    assert!(semaphore.try_acquire().unwrap().is_some());
    drop((mutex, event, semaphore));
    let opened = || {
        let (mutex, event) = (Mutex::open(&names[0]).map(drop), Event::open(&names[1]).map(drop));
        let semaphore = Semaphore::open(&names[2]).map(drop);
        [mutex, event, semaphore].map(|opened| opened.map_err(|error| error.kind()))
    };
    assert_eq!(opened(), [Ok(()); 3]);
    drop(taken);
    assert_eq!(opened(), [Err(ErrorKind::NotFound); 3]);
}

#[test]
fn a_handle_to_an_object_of_another_kind_is_refused() {
    let mutex = MutexOptions::new().create_unnamed().unwrap();
    let event = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
    let semaphore = SemaphoreOptions::new(0, 1).create_unnamed().unwrap();
    let section = SectionOptions::new().len(1).create_unnamed().unwrap();
    let results = [
        Mutex::try_from(handle(&event)).map(drop),
        Mutex::try_from(handle(&section)).map(drop),
        Event::try_from(handle(&semaphore)).map(drop),
        Semaphore::try_from(handle(&mutex)).map(drop),
        Section::try_from(handle(&mutex)).map(drop),
    ];
    for result in results {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

/// Returns whether both handles use the same lock at the beginning of the memory.
fn is_one_lock(a: &Section, b: &Section) -> bool {
    let a = SharedMutex::open_or_init(a, 0, || 7_u64).unwrap();
    let b = SharedMutex::<u64>::open(b, 0).unwrap();
    let guard = a.lock().unwrap();
    let is_one = thread::scope(|scope| {
        let theirs = scope.spawn(|| b.try_lock().unwrap().is_none());
        theirs.join().unwrap()
    });
    drop(guard);
    is_one && !b.lock().unwrap().was_abandoned()
}

#[test]
fn a_lock_beside_its_value_is_one_by_whatever_handle() {
    let unnamed = SectionOptions::new().len(1).create_unnamed().unwrap();
    assert!(is_one_lock(&unnamed, &Section::try_from(handle(&unnamed)).unwrap()));
    for prefix in ["", r"Global\"] {
        for by_name_first in [true, false] {
            let name = format!("{prefix}{}", unique("shared"));
            let named = SectionOptions::new().len(1).create_new(&name).unwrap();
            let handed_on = Section::try_from(handle(&named)).unwrap();
            let (a, b) = if by_name_first { (&named, &handed_on) } else { (&handed_on, &named) };
            assert!(is_one_lock(a, b), "{name} {by_name_first}");
            assert!(is_one_lock(a, &Section::open(&name).unwrap()));
        }
    }
}

#[test]
fn a_lock_of_another_session_is_refused() {
    let section = SectionOptions::new().len(1).create_unnamed().unwrap();
    let shared = SharedMutex::open_or_init(&section, 0, || 7_u64).unwrap();
    let view = section.map().unwrap();
    // The bytes are the field `space` of docs/layout.md. No session has the greatest number.
    view.write(8, &u32::MAX).unwrap();
    // A process that has the lock open can still use it.
    assert_eq!(shared.lock().unwrap().get(), 7);
    let other = SharedMutex::<u64>::open(&section, 0).unwrap();
    assert_eq!(other.try_lock().unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn what_is_no_lock_is_left_as_it_is() {
    let section = SectionOptions::new().len(1).create_unnamed().unwrap();
    let view = section.map().unwrap();
    let error = SharedMutex::<u64>::open(&section, 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(view.read::<[u8; 80]>(0).unwrap(), [0; 80]);
    let bytes = std::array::from_fn(|i| if i < 32 { 0 } else { 7 });
    view.write::<[u8; 80]>(0, &bytes).unwrap();
    let errors = [
        SharedMutex::<u64>::open(&section, 0).unwrap_err(),
        SharedMutex::open_or_init(&section, 0, || 7_u64).unwrap_err(),
    ];
    assert_eq!(errors.map(|error| error.kind()), [ErrorKind::Corrupted; 2]);
    assert_eq!(view.read::<[u8; 80]>(0).unwrap(), bytes);
}

#[test]
fn words_that_nobody_wrote_make_a_lock_or_are_refused() {
    for word in [0_u32, 1, 2, 3, 77, u32::MAX] {
        for id in [0_u64, 1, u64::MAX] {
            let section = SectionOptions::new().len(1).create_unnamed().unwrap();
            let view = section.map().unwrap();
            view.write(0, &id).unwrap();
            view.write(8, &word).unwrap();
            view.write(12, &word).unwrap();
            match SharedMutex::open_or_init(&section, 0, || 7_u64) {
                Ok(shared) => {
                    let guard = shared.lock().unwrap();
                    assert_eq!((guard.get(), guard.was_abandoned()), (7, false));
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported),
            }
        }
    }
}
