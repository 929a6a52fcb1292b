//! Sections through the public API. Behaviour that Windows has too is in `win32_rows.rs`.

mod harness;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use harness::unique;
use pagemate::{ErrorKind, Section, SectionOptions, Shared};

#[test]
fn errors_are_sentences() {
    let name = unique("missing");
    let error = Section::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), format!("open section {name:?}: no process holds it"));
}

#[test]
fn a_taken_name_is_refused_before_memory_is_reserved() {
    // More memory than any machine has: a creation that reserves it fails with `NoSpace`.
    const TOO_MUCH: u64 = 16 << 40;
    let name = unique("taken");
    let held = SectionOptions::new().len(1).create_new(&name).unwrap();
    let error = SectionOptions::new().len(TOO_MUCH).create_new(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    let opened = SectionOptions::new().len(TOO_MUCH).open_or_create(&name).unwrap();
    assert_eq!(opened.len(), held.len());
    drop((held, opened));
    let error = SectionOptions::new().len(TOO_MUCH).create_new(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
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
fn every_order_loads_from_a_view_that_only_reads() {
    let section = SectionOptions::new().len(1).create_unnamed().unwrap();
    section.map().unwrap().write(8, &7_u64).unwrap();
    let number = Shared::<AtomicU64>::map_read_only(&section, 8).unwrap();
    for order in [Ordering::Relaxed, Ordering::Acquire, Ordering::SeqCst] {
        assert_eq!(number.load(order), 7);
    }
    for order in [Ordering::Release, Ordering::AcqRel] {
        assert!(catch_unwind(AssertUnwindSafe(|| number.load(order))).is_err());
    }
}

#[test]
fn wishes_change_nothing() {
    let section = SectionOptions::new().len(1 << 21).create_new(unique("wishes")).unwrap();
    let plain = section.map().unwrap();
    plain.write_at(1_000_000, b"here").unwrap();
    let views = [
        section.view().prefault(true).map(),
        section.view().huge_pages(true).map(),
        section.view().prefault(true).huge_pages(true).map(),
        section.view().prefault(true).copy_on_write(true).map(),
    ];
    for view in views {
        assert_eq!(view.unwrap().read::<[u8; 4]>(1_000_000).unwrap(), *b"here");
    }
    assert_eq!(plain.read::<[u8; 4]>(1_000_000).unwrap(), *b"here");
}

#[test]
fn huge_pages_hold_zeros_and_what_is_written() {
    // A whole number of huge pages, huge pages with a rest of small pages, and less than one huge
    // page.
    for len in [5 << 20, 4 << 20, 4096] {
        let name = unique("huge");
        let section = SectionOptions::new().len(len).huge_pages(true).create_new(&name).unwrap();
        assert_eq!(section.len(), len);
        let view = section.view().prefault(true).map().unwrap();
        let mut bytes = vec![1; view.len()];
        view.read_at(0, &mut bytes).unwrap();
        assert!(bytes.iter().all(|byte| *byte == 0));
        let last = view.len() - 8;
        view.write(last, &7_u64).unwrap();
        let opened = Section::open(&name).unwrap();
        assert_eq!(opened.view().huge_pages(true).map().unwrap().read::<u64>(last).unwrap(), 7);
        let end = opened.view().range(len - 4096 + 1..).prefault(true).map().unwrap();
        assert_eq!(end.read::<u64>(end.len() - 8).unwrap(), 7);
    }
    let unnamed = SectionOptions::new().len(4 << 20).huge_pages(true).create_unnamed().unwrap();
    assert_eq!(unnamed.map().unwrap().read::<u64>(0).unwrap(), 0);
}

#[cfg(all(target_os = "linux", not(pagemate_force_tempname)))]
#[test]
fn memory_without_a_name_keeps_its_length_whoever_has_it() {
    use std::fs::File;
    use std::os::fd::AsFd as _;

    let mut options = SectionOptions::new();
    options.len(8192);
    for section in
        [options.create_unnamed().unwrap(), options.sparse(true).create_unnamed().unwrap()]
    {
        let handed_on = File::from(section.as_fd().try_clone_to_owned().unwrap());
        for len in [0, 4096, 12288] {
            assert!(handed_on.set_len(len).is_err(), "{len}");
        }
        assert_eq!(section.map().unwrap().read::<u8>(8191).unwrap(), 0);
    }
}

#[test]
fn a_section_that_is_too_short_is_refused_where_it_is_opened() {
    let name = unique("min-len");
    let long = 1 << 20;
    let held = SectionOptions::new().len(100).create_new(&name).unwrap();
    let mut options = SectionOptions::new();
    options.len(100).min_len(long);
    for result in [
        options.open(&name),
        options.open_within(&name, std::time::Duration::from_secs(30)),
        options.open_or_create(&name),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), pagemate::ErrorKind::OutOfRange);
        let text = error.to_string();
        assert!(text.contains("1048576") && text.contains(&name), "{text}");
    }
    assert_eq!(options.min_len(held.len()).open(&name).unwrap().len(), held.len());
    drop(held);
    let made = options.min_len(long).open_or_create(&name).unwrap();
    assert_eq!((made.was_created(), made.len()), (true, long));
}

#[test]
fn openers_learn_the_length_that_the_creator_asked_for() {
    let name = unique("requested-len");
    let made = SectionOptions::new().len(100).create_new(&name).unwrap();
    let opened = pagemate::Section::open(&name).unwrap();
    assert_eq!(made.requested_len(), 100);
    assert_eq!(opened.requested_len(), if cfg!(windows) { opened.len() } else { 100 });
    assert!(opened.len() >= 4096);
}
