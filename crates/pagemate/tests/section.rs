//! Sections, through the public API, apart from what they have from Windows: `win32_rows.rs`.

mod harness;

use harness::unique;
use pagemate::{ErrorKind, Section, SectionOptions};

#[test]
fn errors_are_sentences() {
    let name = unique("missing");
    let error = Section::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), format!("open section {name:?}: no process holds it"));
}

#[test]
fn memory_without_a_name_is_shared_by_clones() {
    let section = SectionOptions::new().len(1).create_unnamed().unwrap();
    let clone = section.try_clone().unwrap();
    section.map().unwrap().write_at(0, &[3]).unwrap();
    drop(section);
    assert_eq!(clone.map().unwrap().read::<u8>(0).unwrap(), 3);
}

#[test]
fn wishes_change_nothing() {
    let section = SectionOptions::new().len(1 << 21).create_new(unique("wishes")).unwrap();
    let plain = section.map().unwrap();
    plain.write_at(1_000_000, b"here").unwrap();
    let views = [
        section.view().prefault().map(),
        section.view().huge_pages().map(),
        section.view().prefault().huge_pages().map(),
        section.view().prefault().copy_on_write().map(),
    ];
    for view in views {
        assert_eq!(view.unwrap().read::<[u8; 4]>(1_000_000).unwrap(), *b"here");
    }
    assert_eq!(plain.read::<[u8; 4]>(1_000_000).unwrap(), *b"here");
}
