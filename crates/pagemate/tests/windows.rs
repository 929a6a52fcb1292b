//! What Windows alone has: handles, and files that sections keep as they are.
#![cfg(windows)]

mod harness;

use std::fs::File;
use std::os::windows::io::{AsHandle, OwnedHandle};

use harness::unique;
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
    // SetEndOfFile: a mapped file does not shrink.
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
