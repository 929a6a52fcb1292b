//! Sections that are created with their content.

mod harness;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use harness::{Scratch, unique};
use pagemate::{Access, ErrorKind, Protection, Section, SectionOptions, View};

fn is_missing(name: &str) -> bool {
    Section::open(name).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

#[test]
fn openers_find_the_complete_content_or_no_section() {
    for namespace in ["", r"Global\"] {
        let name = format!("{namespace}{}", unique("content"));
        let mut options = SectionOptions::new();
        let made = options.len(8192).create_new_with(&name, |section| {
            assert!(section.was_created() && section.name().is_some());
            assert_eq!((section.len(), section.requested_len()), (8192, 8192));
            section.view().range(4096..).map()?.write(0, &7_u64)?;
            assert!(cfg!(windows) || is_missing(&name));
            section.map()?.write_at(0, b"begin")
        });
        let made = made.unwrap();
        assert!(made.was_created());
        let opened = Section::open(&name).unwrap().map().unwrap();
        assert_eq!(&opened.read::<[u8; 5]>(0).unwrap(), b"begin");
        assert_eq!(opened.read::<u64>(4096).unwrap(), 7);
        drop((made, opened));
        assert!(is_missing(&name));
    }
}

#[test]
fn the_content_of_a_section_that_exists_does_not_change() {
    let name = unique("content-exists");
    let held = SectionOptions::new().len(1).create_new(&name).unwrap();
    let init = |_: &Section| -> pagemate::Result<()> { panic!("the section exists") };
    let opened = SectionOptions::new().len(1).open_or_create_with(&name, init).unwrap();
    assert!(!opened.was_created());
    let error = SectionOptions::new().len(1).create_new_with(&name, init).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    drop((held, opened));
    assert!(is_missing(&name));
}

#[test]
fn a_failed_or_panicking_init_leaves_no_name() {
    let name = unique("content-fails");
    let mut options = SectionOptions::new();
    options.len(1);
    let failed = options.create_new_with(&name, |_| {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends early").into())
    });
    let text = format!("{:#}", failed.unwrap_err());
    assert_eq!(text, format!("create section {name:?}: reading or writing failed: it ends early"));
    assert!(is_missing(&name));
    let error = options.open_or_create_with(&name, |section| section.map()?.write(8192, &1_u64));
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    assert!(error.to_string().starts_with(&format!("write view of section {name:?}: ")), "{error}");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        options.create_new_with(&name, |_| panic!("in the middle"))
    }));
    assert!(panicked.is_err());
    assert!(is_missing(&name));
}

#[test]
fn a_view_that_init_keeps_holds_the_name() {
    let name = unique("content-view");
    let mut kept: Option<View> = None;
    let mut options = SectionOptions::new();
    let made = options.len(1).create_new_with(&name, |section| {
        kept = Some(section.map()?);
        Ok(())
    });
    drop(made.unwrap());
    kept.as_ref().unwrap().write(0, &7_u32).unwrap();
    let opened = Section::open(&name).unwrap();
    assert_eq!(opened.map().unwrap().read::<u32>(0).unwrap(), 7);
    drop((opened, kept));
    assert!(is_missing(&name));
}

#[test]
fn init_writes_to_memory_that_is_read_only_afterwards() {
    let write = |section: &Section| section.map()?.write(0, &7_u32);
    let name = unique("content-read-only");
    let mut options = SectionOptions::new();
    let made = options.len(1).access(Access::Read).create_new_with(&name, write).unwrap();
    assert_eq!(made.map().unwrap().read::<u32>(0).unwrap(), 7);
    assert!(!made.map().unwrap().is_writable());
    drop(made);
    let protected =
        SectionOptions::new().len(1).protection(Protection::ReadOnly).create_new_with(&name, write);
    if cfg!(windows) {
        assert_eq!(protected.unwrap_err().kind(), ErrorKind::Unsupported);
        return;
    }
    let protected = protected.unwrap();
    let opened = Section::open(&name).unwrap();
    assert_eq!(opened.map().unwrap().read::<u32>(0).unwrap(), 7);
    let error = protected.view().access(Access::ReadWrite).map().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[test]
fn a_section_over_a_file_has_a_content_already() {
    let scratch = Scratch::new(b"file");
    let file = scratch.open(true);
    let made =
        SectionOptions::new().file(&file).create_new_with(unique("content-file"), |_| Ok(()));
    assert_eq!(made.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(scratch.content(), b"file");
}

#[test]
fn errors_survive_the_way_through_io() {
    let error = Section::open(unique("round-trip")).unwrap_err();
    let text = error.to_string();
    let error = pagemate::Error::from(io::Error::from(error));
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::NotFound, text));
    let error = pagemate::Error::from(io::Error::from_raw_os_error(2));
    assert_eq!((error.kind(), error.raw_os_error()), (ErrorKind::NotFound, Some(2)));
}
