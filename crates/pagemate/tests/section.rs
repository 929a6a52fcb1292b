//! Sections, through the public API.

use std::sync::atomic::{AtomicU32, Ordering};

use pagemate::{Access, ErrorKind, Protection, Section, SectionOptions};

fn unique(test: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{test}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn kind<T: std::fmt::Debug>(result: pagemate::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn open_missing_is_not_found() {
    // Row 31.
    let name = unique("missing");
    let error = Section::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), format!("open section {name:?}: no process holds it"));
}

#[test]
fn two_handles_see_one_memory() {
    let name = unique("shared");
    let made = SectionOptions::new().len(100).create_new(&name).unwrap();
    let opened = Section::open(&name).unwrap();
    made.map().unwrap().write_at(10, b"hello").unwrap();
    let mut seen = [0; 5];
    opened.map().unwrap().read_at(10, &mut seen).unwrap();
    assert_eq!(&seen, b"hello");
}

#[test]
fn memory_is_whole_pages_and_zero() {
    // Rows 8 and 10.
    let section = SectionOptions::new().len(5000).create_new(unique("pages")).unwrap();
    assert_eq!(section.len() % 4096, 0);
    let mut bytes = vec![1; usize::try_from(section.len()).unwrap()];
    section.map().unwrap().read_at(0, &mut bytes).unwrap();
    assert!(bytes.iter().all(|byte| *byte == 0));
}

#[test]
fn existing_object_keeps_its_size() {
    // Rows 15 and 79.
    let name = unique("size");
    let made = SectionOptions::new().len(8192).open_or_create(&name).unwrap();
    let found = SectionOptions::new().len(1 << 20).open_or_create(&name).unwrap();
    assert!(made.was_created() && !found.was_created());
    assert_eq!(found.len(), made.len());
    let again = SectionOptions::new().len(1).create_new(&name);
    assert_eq!(kind(again), ErrorKind::AlreadyExists);
}

#[test]
fn name_dies_with_the_last_handle_or_view() {
    let name = unique("lifetime");
    let made = SectionOptions::new().len(1).create_new(&name).unwrap();
    let view = Section::open(&name).unwrap().map().unwrap();
    drop(made);
    view.write_at(0, &[7]).unwrap();
    assert_eq!(Section::open(&name).unwrap().map().unwrap().read::<u8>(0).unwrap(), 7);
    drop(view);
    assert_eq!(kind(Section::open(&name)), ErrorKind::NotFound);
    let fresh = SectionOptions::new().len(1).create_new(&name).unwrap();
    assert_eq!(fresh.map().unwrap().read::<u8>(0).unwrap(), 0);
}

#[test]
fn ranges_past_the_end_are_refused() {
    // Rows 51 and 52.
    let section = SectionOptions::new().len(8192).create_new(unique("range")).unwrap();
    assert_eq!(kind(section.view().range(..8193).map()), ErrorKind::OutOfRange);
    assert_eq!(kind(section.view().range(65536 * 4..).map()), ErrorKind::OutOfRange);
    assert_eq!(kind(section.view().range(5..5).map()), ErrorKind::InvalidInput);
    let view = section.view().range(5000..5004).map().unwrap();
    assert_eq!(view.len(), 4);
    view.write(0, &7_u32).unwrap();
    assert_eq!(kind(view.write(1, &7_u32)), ErrorKind::OutOfRange);
    assert_eq!(section.map().unwrap().read::<u32>(5000).unwrap(), 7);
}

#[test]
fn read_only_is_read_only() {
    // Rows 44 and 47.
    let name = unique("read-only");
    let made = SectionOptions::new().len(1).create_new(&name).unwrap();
    let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    assert_eq!(kind(reader.view().access(Access::ReadWrite).map()), ErrorKind::PermissionDenied);
    let view = reader.map().unwrap();
    assert_eq!(kind(view.write_at(0, b"x")), ErrorKind::PermissionDenied);
    assert_eq!(kind(view.atomic::<AtomicU32>(0)), ErrorKind::PermissionDenied);
    made.map().unwrap().atomic::<AtomicU32>(0).unwrap().store(9, Ordering::Release);
    assert_eq!(view.load::<AtomicU32>(0, Ordering::Acquire).unwrap(), 9);
    drop(made);
    drop((reader, view));
    assert_eq!(kind(Section::open(&name)), ErrorKind::NotFound);
}

#[test]
fn protection_outlives_access() {
    let name = unique("protection");
    let mut options = SectionOptions::new();
    let _made = options.len(1).protection(Protection::ReadOnly).create_new(&name).unwrap();
    let opened = Section::open(&name).unwrap();
    assert_eq!(kind(opened.view().access(Access::ReadWrite).map()), ErrorKind::PermissionDenied);
    assert!(!opened.map().unwrap().is_writable());
}

#[test]
fn copy_on_write_keeps_writes_to_itself() {
    // Row 56.
    let section = SectionOptions::new().len(1).create_new(unique("cow")).unwrap();
    let copy = section.view().copy_on_write().map().unwrap();
    copy.write_at(0, &[5]).unwrap();
    assert_eq!(section.map().unwrap().read::<u8>(0).unwrap(), 0);
}

#[test]
fn no_length_and_too_much_fail_at_creation() {
    // Rows 1 and 21.
    let name = unique("sizes");
    assert_eq!(kind(SectionOptions::new().create_new(&name)), ErrorKind::InvalidInput);
    for len in [1 << 46, i64::MAX as u64, u64::MAX] {
        let error = SectionOptions::new().len(len).create_new(&name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
    }
    assert_eq!(kind(Section::open(&name)), ErrorKind::NotFound);
}

#[test]
fn unnamed_sections_and_clones_share() {
    let section = SectionOptions::new().len(1).create_unnamed().unwrap();
    let clone = section.try_clone().unwrap();
    section.map().unwrap().write_at(0, &[3]).unwrap();
    drop(section);
    assert_eq!(clone.map().unwrap().read::<u8>(0).unwrap(), 3);
}

#[test]
fn odd_and_long_names_work() {
    let base = unique("odd");
    for name in [format!("{base}/..$ é:*?"), format!("{base}{}", "ü".repeat(900))] {
        let _made = SectionOptions::new().len(1).create_new(&name).unwrap();
        Section::open(&name).unwrap();
        assert!(pagemate::inventory::list().unwrap().iter().any(|e| e.name.as_str() == name));
    }
}

#[test]
fn huge_pages_hold_zeros_and_what_is_written() {
    // Whole huge pages, a rest of small ones, and less than one.
    for len in [5 << 20, 4 << 20, 4096] {
        let name = unique("huge");
        let section = SectionOptions::new().len(len).huge_pages().create_new(&name).unwrap();
        assert_eq!(section.len(), len);
        let view = section.view().prefault().map().unwrap();
        let mut bytes = vec![1; view.len()];
        view.read_at(0, &mut bytes).unwrap();
        assert!(bytes.iter().all(|byte| *byte == 0));
        let last = view.len() - 8;
        view.write(last, &7_u64).unwrap();
        let opened = Section::open(&name).unwrap();
        assert_eq!(opened.view().huge_pages().map().unwrap().read::<u64>(last).unwrap(), 7);
        let end = opened.view().range(len - 4096 + 1..).prefault().map().unwrap();
        assert_eq!(end.read::<u64>(end.len() - 8).unwrap(), 7);
    }
    let unnamed = SectionOptions::new().len(4 << 20).huge_pages().create_unnamed().unwrap();
    assert_eq!(unnamed.map().unwrap().read::<u64>(0).unwrap(), 0);
}
