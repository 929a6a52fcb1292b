//! Conversions of objects into descriptors, and of descriptors into objects.
#![cfg(unix)]

mod harness;

use std::os::fd::{AsFd, OwnedFd};

use harness::unique;
use pagemate::sync::{
    Event, EventOptions, Mutex, MutexOptions, Reset, Semaphore, SemaphoreOptions,
};
use pagemate::{Access, ErrorKind, Section, SectionOptions};

#[test]
fn a_descriptor_holds_the_name_of_the_section_that_became_it() {
    let name = unique("section-to-fd");
    let is_alive = || match Section::open(&name) {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => panic!("{error}"),
    };
    let section = SectionOptions::new().len(4096).create_new(&name).unwrap();
    section.map().unwrap().write(8, &7_u64).unwrap();
    let descriptor = OwnedFd::try_from(section).unwrap();
    assert!(is_alive());
    let again = Section::try_from(descriptor).unwrap();
    assert_eq!((again.len(), again.access(), again.name()), (4096, Access::ReadWrite, None));
    assert_eq!(again.map().unwrap().read::<u64>(8).unwrap(), 7);
    assert!(is_alive());
    drop(OwnedFd::try_from(again).unwrap());
    assert!(!is_alive());
}

#[test]
fn views_and_clones_outlive_the_conversion_of_their_section() {
    let name = unique("views-of-fd");
    let section = SectionOptions::new().len(4096).create_new(&name).unwrap();
    let (view, clone) = (section.map().unwrap(), section.try_clone().unwrap());
    drop(OwnedFd::try_from(section).unwrap());
    view.write(0, &7_u32).unwrap();
    assert_eq!(clone.map().unwrap().read::<u32>(0).unwrap(), 7);
    drop(clone);
    drop(Section::open(&name).unwrap());
    drop(view);
    assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_descriptor_of_a_section_gives_its_data_only() {
    let name = unique("fd-data");
    let section = SectionOptions::new().len(4096).create_new(&name).unwrap();
    let (held, len) = (section.try_clone().unwrap(), section.len());
    let received = Section::try_from(OwnedFd::try_from(section).unwrap()).unwrap();
    assert_eq!(received.len(), len);
    let error = received.view().range(len..=len).map().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    let view = received.map().unwrap();
    let past_end = view.write_at(view.len(), &[7]).unwrap_err();
    assert_eq!(past_end.kind(), ErrorKind::OutOfRange);
    view.write_at(0, &vec![7; view.len()]).unwrap();
    // The descriptor gave no access to the trailer, so the object can still be opened.
    let opened = Section::open(&name).unwrap();
    assert_eq!(opened.requested_len(), held.requested_len());
    assert_eq!(opened.map().unwrap().read::<u8>(4095).unwrap(), 7);
}

#[test]
fn descriptors_of_sync_objects_hold_their_names_and_become_the_same_objects() {
    let names = [unique("m-fd"), unique("e-fd"), unique("s-fd")];
    let opened = || {
        let mutex = Mutex::open(&names[0]).map(drop);
        let event = Event::open(&names[1]).map(drop);
        let semaphore = Semaphore::open(&names[2]).map(drop);
        [mutex, event, semaphore].map(|opened| opened.map_err(|error| error.kind()))
    };
    let mutex = MutexOptions::new().create_new(&names[0]).unwrap();
    let event = EventOptions::new(Reset::Auto).signaled(true).create_new(&names[1]).unwrap();
    let semaphore = SemaphoreOptions::new(2, 3).create_new(&names[2]).unwrap();
    let descriptors =
        [OwnedFd::try_from(mutex), OwnedFd::try_from(event), OwnedFd::try_from(semaphore)];
    let [mutex, event, semaphore] = descriptors.map(Result::unwrap);
    assert_eq!(opened(), [Ok(()); 3]);
    let mutex = Mutex::try_from(mutex).unwrap();
    let event = Event::try_from(event).unwrap();
    let semaphore = Semaphore::try_from(semaphore).unwrap();
    let other = Mutex::open(&names[0]).unwrap();
    let guard = mutex.lock().unwrap();
    assert!(other.try_lock().unwrap().is_none());
    drop(guard);
    assert!(event.try_wait().unwrap() && !event.try_wait().unwrap());
    assert_eq!(semaphore.release(1).unwrap(), 2);
    drop((mutex, event, semaphore, other));
    assert_eq!(opened(), [Err(ErrorKind::NotFound); 3]);
}

#[test]
fn a_mutex_that_becomes_a_descriptor_while_it_is_owned_is_abandoned() {
    let mutex = MutexOptions::new().locked(true).create_new(unique("owned-fd")).unwrap();
    assert!(mutex.is_mine());
    let received = Mutex::try_from(OwnedFd::try_from(mutex).unwrap()).unwrap();
    assert!(received.lock().unwrap().was_abandoned());
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_free_descriptor_a_section_is_not_converted_and_its_name_ends() {
    use std::fs::File;
    use std::iter;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    harness::fork::alone(
        "without_a_free_descriptor_a_section_is_not_converted_and_its_name_ends",
        |_| {
            let section = SectionOptions::new().len(1).create_new("limit").unwrap();
            let before = getrlimit(Resource::Nofile);
            setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..before }).unwrap();
            let others: Vec<File> = iter::from_fn(|| File::open("/dev/null").ok()).collect();
            let error = OwnedFd::try_from(section).unwrap_err();
            drop(others);
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE), "{error}");
            let text = error.to_string();
            assert!(text.starts_with("take descriptor: it cannot be duplicated"), "{text}");
            assert_eq!(Section::open("limit").unwrap_err().kind(), ErrorKind::NotFound);
        },
    );
}

#[test]
fn handles_for_reading_lend_descriptors_for_reading() {
    // A borrowed descriptor or handle grants no more than the section's access.
    let name = unique("lent");
    let mut options = SectionOptions::new();
    let made = options.len(1).access(Access::Read).create_new(&name).unwrap();
    let opened = options.open(&name).unwrap();
    let mut all = vec![made, opened];
    if cfg!(all(target_os = "linux", not(pagemate_force_tempname))) {
        all.push(options.create_unnamed().unwrap());
    }
    for section in all {
        let lent = section.as_fd().try_clone_to_owned().unwrap();
        assert_eq!(Section::try_from(lent).unwrap().access(), Access::Read);
    }
}

#[test]
fn descriptor_of_a_named_section_gives_its_data_and_nothing_else() {
    let name = unique("data-only");
    let section = SectionOptions::new().len(4096).create_new(&name).unwrap();
    let descriptor = || section.as_fd().try_clone_to_owned().unwrap();
    let received = Section::try_from(descriptor()).unwrap();
    assert_eq!(received.len(), section.len());
    let view = received.map().unwrap();
    view.write_at(0, &vec![0; view.len()]).unwrap();
    view.write(8, &7_u64).unwrap();
    // The object is intact: the descriptor gave no access to its trailer.
    let opened = Section::open(&name).unwrap();
    assert_eq!(opened.map().unwrap().read::<u64>(8).unwrap(), 7);

    assert_eq!(Mutex::try_from(descriptor()).unwrap_err().kind(), ErrorKind::WrongKind);
    let event = EventOptions::new(Reset::Auto).create_new(unique("data-only")).unwrap();
    let descriptor = || event.as_fd().try_clone_to_owned().unwrap();
    assert_eq!(Section::try_from(descriptor()).unwrap_err().kind(), ErrorKind::WrongKind);
    Event::try_from(descriptor()).unwrap();
}
