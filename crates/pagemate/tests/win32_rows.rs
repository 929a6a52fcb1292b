//! The behaviour of Windows' named file mappings on every platform, as numbered statements
//! (*rows*).
//!
//! A row is one statement about Win32 that holds for pagemate too. Comments elsewhere cite rows by
//! number. Some numbers are missing, because Win32 has features that the Rust API does not have.
//! Each row runs separately, so that a failing row prints its name and the others still run.
#![allow(clippy::print_stdout, reason = "a failing row prints its name")]

mod harness;

use std::fs::File;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, thread};

use harness::{Place, Scratch, unique};
use pagemate::{
    Access, ErrorKind, Name, Protection, Section, SectionOptions, Shared, Sharing, inventory,
};

/// The row's number, its statement in terms of pagemate, and its test.
type Row = (u32, &'static str, fn());

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (1, "memory without a file needs a length", no_length_is_refused),
    (3, "a handle knows whether it created the object or opened it", made_or_found),
    (7, "over a file, reserving has no effect", files_are_not_reserved),
    (8, "a length of memory is rounded up, and views reach to the rounded end", memory_is_rounded),
    (9, "a length over a file is exact", file_is_not_rounded),
    (10, "new memory is zeroed", memory_is_zero),
    (11, "length zero means the length of the file, and is refused for an empty file", file_gives_its_length),
    (12, "a greater length makes the file grow at once", file_grows),
    (13, "a read-only section does not make its file grow", read_only_file_does_not_grow),
    (14, "a section gets no more access than its file is open for", file_must_be_open_for_it),
    (15, "an opened object keeps its length and protection", existing_wins),
    (16, "opening an existing object grants the requested access", found_with_the_access_asked_for),
    (17, "creating an object grants the requested access", made_with_the_access_asked_for),
    (18, "bad arguments are refused whether or not the name exists", arguments_come_first),
    (19, "an existing object opens with any requested length", found_at_any_length),
    (21, "creation fails if there is not enough memory", too_much_is_refused),
    (22, "a name of a thousand UTF-16 code units is legal", long_names),
    (24, "names are case-sensitive", case_matters),
    (25, "prefixes are case-sensitive", prefixes_are_exact),
    (26, "no prefix means Local, and prefixes can be repeated", prefixes_are_links),
    (28, "every character except a stray backslash is legal", characters),
    (29, "an empty name is refused", empty_names),
    (30, "private namespaces are refused", private_namespaces),
    (31, "an object without a holder is not found", missing_is_not_found),
    (32, "a name opens only while some process holds it", opens_only_while_held),
    (33, "opening grants the requested access", opened_with_the_access_asked_for),
    (34, "read access is enough for a copy-on-write view", copies_need_only_reading),
    (38, "a read-only object opens for writing", protection_does_not_refuse_handles),
    (41, "a view is writable if that is requested, or if it is copy-on-write", writable_views),
    (44, "a read-only handle gives no writable view", handle_limits_views),
    (46, "an object's protection gives no writable view either", protection_limits_views),
    (47, "every protection allows read-only and copy-on-write views", reading_and_copying_always),
    (48, "a view begins at any offset", any_offset),
    (50, "a view without an end reaches to the end of the object", views_reach_the_end),
    (51, "a view does not reach past the end", no_view_past_the_end),
    (52, "a view does not begin past the end", no_view_beyond_the_end),
    (53, "two views have different addresses and show the same memory", views_are_coherent),
    (55, "a view shows nothing past the end of the file", nothing_past_the_files_end),
    (56, "writes to a copy-on-write view stay in it", copies_are_private),
    (58, "a view outlives the handle that mapped it", views_outlive_handles),
    (65, "flushed bytes are in the file, and memory can be flushed", flush_reaches_the_file),
    (69, "every process can access all of a reserved section", reserved_memory),
    (70, "an opened section knows its length", opened_length),
    (71, "a file under a section is not truncated, or opening reports it", file_cut_short),
    (72, "the name ends with its last holder, and the next object of that name is new", name_dies),
    (74, "the end of a process, of any kind, releases its names", ends_let_go),
    (76, "a clone is a holder of its own", clones_hold),
    (77, "a reader keeps the name and the bytes for a writer that returns", readers_keep_it),
    (78, "the creator fixes the length", first_fixes_the_length),
    (79, "of many concurrent creators exactly one creates", one_creates),
    (82, "by default only the owner may open an object", owner_alone),
    (85, "other users get exactly the granted access", granted_to_others),
    (97, "atomics count across views", atomics_count),
];

/// The rows that fail under Wine 8.0, with the reason.
const NOT_UNDER_WINE: &[(u32, &str)] =
    &[(46, "it maps read-only sections writable, so their protection cannot be determined")];

#[test]
fn actor() {
    harness::actor();
}

#[test]
fn every_row_holds() {
    let wine = env::var_os("WINELOADER").is_some() && cfg!(windows);
    let mut broken = Vec::new();
    for (row, sentence, test) in ROWS {
        let excuse = NOT_UNDER_WINE.iter().find(|(excused, _)| wine && excused == row);
        if let Some((_, why)) = excuse {
            println!("row {row} is not tested under Wine: {why}");
            continue;
        }
        if thread::spawn(test).join().is_err() {
            println!("row {row} is broken: {sentence}");
            broken.push(*row);
        }
    }
    assert!(broken.is_empty(), "broken rows: {broken:?}");
}

#[test]
fn rows_are_in_order() {
    assert!(ROWS.is_sorted_by(|(a, ..), (b, ..)| a < b));
    for (excused, _) in NOT_UNDER_WINE {
        assert!(ROWS.iter().any(|(row, ..)| row == excused));
    }
}

/// More memory than any machine has. The number fits the integer types of all interfaces.
const TOO_MUCH: u64 = 1 << 46;

const MANY: usize = 8;

#[track_caller]
fn refused<T>(result: pagemate::Result<T>, kind: ErrorKind) {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(error) => assert_eq!(error.kind(), kind, "{error}"),
    }
}

#[track_caller]
fn make(name: &str, len: u64) -> Section {
    SectionOptions::new().len(len).create_new(name).unwrap()
}

#[track_caller]
fn is_gone(name: &str) {
    refused(Section::open(name), ErrorKind::NotFound);
}

#[track_caller]
fn byte(section: &Section) -> u8 {
    section.map().unwrap().read(0).unwrap()
}

/// Returns options for a section over `file`.
fn over(file: &File) -> SectionOptions<'_> {
    let mut options = SectionOptions::new();
    options.file(file);
    options
}

fn no_length_is_refused() {
    refused(SectionOptions::new().create_new(unique("rows")), ErrorKind::InvalidInput);
    refused(SectionOptions::new().open_or_create(unique("rows")), ErrorKind::InvalidInput);
    refused(SectionOptions::new().create_unnamed(), ErrorKind::InvalidInput);
}

fn made_or_found() {
    let name = unique("rows");
    let made = SectionOptions::new().len(1).open_or_create(&name).unwrap();
    let found = SectionOptions::new().len(1).open_or_create(&name).unwrap();
    let opened = Section::open(&name).unwrap();
    assert!(made.was_created() && !found.was_created() && !opened.was_created());
    refused(SectionOptions::new().len(1).create_new(&name), ErrorKind::AlreadyExists);
}

fn memory_is_rounded() {
    let section = make(&unique("rows"), 0x3452);
    assert_eq!(section.len(), 0x4000);
    assert_eq!(section.view().range(..0x4000).map().unwrap().len(), 0x4000);
    refused(section.view().range(..=0x4000).map(), ErrorKind::OutOfRange);
}

fn file_is_not_rounded() {
    for len in [36, 0x3456] {
        let scratch = Scratch::new(&vec![1; len]);
        let file = scratch.open(true);
        let name = unique("rows");
        let made = over(&file).create_new(&name).unwrap();
        let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
        let unnamed = over(&file).create_unnamed().unwrap();
        let len = u64::try_from(len).unwrap();
        for section in [&made, &Section::open(&name).unwrap(), &reader, &unnamed] {
            assert_eq!(section.len(), len);
            assert_eq!(section.map().unwrap().len() as u64, len);
            refused(section.view().range(..=len).map(), ErrorKind::OutOfRange);
        }
        assert_eq!(inventory::find(&name).unwrap().len, len);
    }
}

fn memory_is_zero() {
    let section = make(&unique("rows"), 100_000);
    let mut bytes = vec![1; usize::try_from(section.len()).unwrap()];
    section.map().unwrap().read_at(0, &mut bytes).unwrap();
    assert!(bytes.iter().all(|byte| *byte == 0));
}

fn file_gives_its_length() {
    let name = unique("rows");
    let scratch = Scratch::new(b"five!");
    let file = scratch.open(true);
    assert_eq!(over(&file).create_unnamed().unwrap().len(), 5);
    assert_eq!(over(&file).create_new(&name).unwrap().len(), 5);
    let empty = Scratch::new(b"");
    let file = empty.open(true);
    refused(over(&file).create_unnamed(), ErrorKind::InvalidInput);
    refused(over(&file).create_new(&name), ErrorKind::InvalidInput);
    refused(over(&file).open_or_create(&name), ErrorKind::InvalidInput);
    is_gone(&name);
}

fn file_grows() {
    let name = unique("rows");
    let verbs: [fn(&SectionOptions<'_>, &str) -> pagemate::Result<Section>; 3] = [
        |options, _| options.create_unnamed(),
        |options, name| options.create_new(name),
        |options, name| options.open_or_create(name),
    ];
    for verb in verbs {
        let scratch = Scratch::new(b"five!");
        let file = scratch.open(true);
        let section = verb(over(&file).len(5000), &name).unwrap();
        assert!(section.was_created());
        assert_eq!((section.len(), scratch.len()), (5000, 5000));
        let view = section.map().unwrap();
        view.write_at(4999, b"x").unwrap();
        assert_eq!(view.read::<[u8; 5]>(0).unwrap(), *b"five!");
        drop((section, view));
        assert_eq!(scratch.content().last(), Some(&b'x'));
        refused(verb(over(&file).len(1 << 62), &name), ErrorKind::NoSpace);
        refused(verb(over(&file).len(u64::MAX), &name), ErrorKind::NoSpace);
        is_gone(&name);
        assert_eq!(verb(over(&file).len(10), &name).unwrap().len(), 10);
        assert_eq!(scratch.len(), 5000);
    }
}

fn files_are_not_reserved() {
    let scratch = Scratch::new(b"five!");
    let file = scratch.open(true);
    let made = over(&file).len(5000).sparse(true).create_new(unique("rows")).unwrap();
    assert_eq!((made.len(), scratch.len()), (5000, 5000));
    made.map().unwrap().write_at(0, &[7; 5000]).unwrap();
}

fn file_cut_short() {
    let name = unique("rows");
    let scratch = Scratch::new(&vec![7; 100_000]);
    let file = scratch.open(true);
    let made = over(&file).create_new(&name).unwrap();
    if cfg!(windows) {
        let view = made.map().unwrap();
        assert!(file.set_len(1).is_err());
        drop(made);
        assert!(file.set_len(1).is_err());
        drop(view);
        file.set_len(1).unwrap();
    } else {
        file.set_len(1).unwrap();
        refused(Section::open(&name), ErrorKind::Corrupted);
        file.set_len(100_001).unwrap();
        assert_eq!(Section::open(&name).unwrap().len(), made.len());
    }
}

fn read_only_file_does_not_grow() {
    let name = unique("rows");
    let scratch = Scratch::new(b"five!");
    let file = scratch.open(true);
    let (mut for_reading, mut read_only) = (over(&file), over(&file));
    for_reading.access(Access::Read);
    read_only.protection(Protection::ReadOnly);
    for mut options in [for_reading, read_only] {
        options.len(6);
        refused(options.create_unnamed(), ErrorKind::OutOfRange);
        refused(options.create_new(&name), ErrorKind::OutOfRange);
        refused(options.open_or_create(&name), ErrorKind::OutOfRange);
        is_gone(&name);
        assert_eq!(options.len(5).create_new(&name).unwrap().protection(), Protection::ReadOnly);
        assert_eq!(options.len(4).create_unnamed().unwrap().protection(), Protection::ReadOnly);
    }
    assert_eq!(scratch.content(), b"five!");
}

fn file_must_be_open_for_it() {
    let name = unique("rows");
    let scratch = Scratch::new(b"five!");
    let (file, deaf) = (scratch.open(false), File::options().write(true).open(scratch.path()));
    let deaf = deaf.unwrap();
    for file in [&file, &deaf] {
        refused(over(file).create_unnamed(), ErrorKind::PermissionDenied);
        refused(over(file).create_new(&name), ErrorKind::PermissionDenied);
        refused(over(file).open_or_create(&name), ErrorKind::PermissionDenied);
    }
    refused(over(&deaf).access(Access::Read).create_new(&name), ErrorKind::PermissionDenied);
    let (mut for_reading, mut read_only) = (over(&file), over(&file));
    for_reading.access(Access::Read);
    read_only.protection(Protection::ReadOnly);
    for options in [for_reading, read_only] {
        let made = options.create_new(&name).unwrap();
        let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
        for section in [&made, &reader, &options.create_unnamed().unwrap()] {
            assert_eq!(section.map().unwrap().read::<[u8; 5]>(0).unwrap(), *b"five!");
            let copy = section.view().copy_on_write(true).map().unwrap();
            copy.write_at(0, b"F").unwrap();
            refused(section.view().access(Access::ReadWrite).map(), ErrorKind::PermissionDenied);
        }
    }
    assert_eq!(scratch.content(), b"five!");
}

fn existing_wins() {
    let name = unique("rows");
    let made = make(&name, 8192);
    let mut options = SectionOptions::new();
    options.len(1 << 20).protection(Protection::ReadOnly);
    let found = options.open_or_create(&name).unwrap();
    assert_eq!((found.len(), found.protection()), (made.len(), Protection::ReadWrite));
    refused(found.view().range(..1 << 20).map(), ErrorKind::OutOfRange);
    found.map().unwrap().write_at(0, &[7]).unwrap();
    assert_eq!(byte(&made), 7);

    // If the name exists, the file of the second creator does not change, whether the section of
    // that name is over a file or not.
    let (scratch, under) = (Scratch::new(b"five!"), Scratch::new(b"under the name"));
    let (file, under) = (scratch.open(true), under.open(true));
    let second = unique("rows");
    let _over = over(&under).create_new(&second).unwrap();
    for (name, len, first) in [(&name, 8192, 7), (&second, 14, b'u')] {
        refused(over(&file).len(1 << 20).create_new(name), ErrorKind::AlreadyExists);
        let found = over(&file).len(1 << 20).open_or_create(name).unwrap();
        assert_eq!((found.was_created(), found.len(), byte(&found)), (false, len, first));
        let found = SectionOptions::new().len(1 << 20).open_or_create(name).unwrap();
        assert_eq!((found.was_created(), found.len(), byte(&found)), (false, len, first));
    }
    assert_eq!(scratch.content(), b"five!");
}

fn found_with_the_access_asked_for() {
    let name = unique("rows");
    let made = make(&name, 1);
    let found = SectionOptions::new().len(1).access(Access::Read).open_or_create(&name).unwrap();
    refused(found.view().access(Access::ReadWrite).map(), ErrorKind::PermissionDenied);
    assert!(made.map().unwrap().is_writable());
}

fn made_with_the_access_asked_for() {
    let name = unique("rows");
    let made = SectionOptions::new().len(1).access(Access::Read).create_new(&name).unwrap();
    assert_eq!(made.access(), Access::Read);
    refused(made.view().access(Access::ReadWrite).map(), ErrorKind::PermissionDenied);
    let opened = Section::open(&name).unwrap();
    opened.map().unwrap().write_at(0, &[7]).unwrap();
    assert_eq!(byte(&made), 7);
}

fn arguments_come_first() {
    let name = unique("rows");
    let _made = make(&name, 1);
    refused(SectionOptions::new().open_or_create(&name), ErrorKind::InvalidInput);
    refused(SectionOptions::new().create_new(&name), ErrorKind::InvalidInput);
    let (empty, five) = (Scratch::new(b""), Scratch::new(b"five!"));
    let (empty, five) = (empty.open(true), five.open(false));
    refused(over(&empty).open_or_create(&name), ErrorKind::InvalidInput);
    refused(over(&five).open_or_create(&name), ErrorKind::PermissionDenied);
    refused(over(&five).len(6).access(Access::Read).open_or_create(&name), ErrorKind::OutOfRange);
}

fn found_at_any_length() {
    let name = unique("rows");
    let made = make(&name, 1);
    let found = SectionOptions::new().len(TOO_MUCH).open_or_create(&name).unwrap();
    assert_eq!(found.len(), made.len());
    let scratch = Scratch::new(b"five!");
    let file = scratch.open(true);
    let found = over(&file).len(TOO_MUCH).open_or_create(&name).unwrap();
    assert_eq!((found.len(), scratch.len()), (made.len(), 5));
}

fn too_much_is_refused() {
    let name = unique("rows");
    for len in [TOO_MUCH, i64::MAX as u64, u64::MAX] {
        refused(SectionOptions::new().len(len).create_new(&name), ErrorKind::NoSpace);
        refused(SectionOptions::new().len(len).create_unnamed(), ErrorKind::NoSpace);
    }
    is_gone(&name);
    let sparse = SectionOptions::new().len(8 << 30).sparse(true).create_new(&name).unwrap();
    sparse.view().range(4 << 30..=4 << 30).map().unwrap().write_at(0, &[7]).unwrap();
}

fn long_names() {
    let name = format!("{}{}", unique("rows"), "ü".repeat(960));
    let made = make(&name, 1);
    made.map().unwrap().write_at(0, &[7]).unwrap();
    assert_eq!(byte(&Section::open(&name).unwrap()), 7);
    assert_eq!(inventory::find(&name).unwrap().name.bare(), name);
    refused(Section::open("x".repeat(40_000)), ErrorKind::InvalidName);
}

fn case_matters() {
    let name = unique("rows");
    let (lower, upper) = (make(&format!("{name}-a"), 1), make(&format!("{name}-A"), 1));
    lower.map().unwrap().write_at(0, &[7]).unwrap();
    assert_eq!(byte(&upper), 0);
}

fn prefixes_are_exact() {
    let name = unique("rows");
    for prefix in ["local", "LOCAL", "global", " Local"] {
        refused(Section::open(format!(r"{prefix}\{name}")), ErrorKind::InvalidName);
    }
}

fn prefixes_are_links() {
    let name = unique("rows");
    let made = make(&name, 1);
    made.map().unwrap().write_at(0, &[7]).unwrap();
    for prefix in [r"Local\", r"Local\Local\"] {
        assert_eq!(byte(&Section::open(format!("{prefix}{name}")).unwrap()), 7);
    }
    refused(Section::open(format!(r"Global\{name}")), ErrorKind::NotFound);
    for directory in ["Local", "Global", "Session"] {
        refused(SectionOptions::new().len(1).create_new(directory), ErrorKind::WrongKind);
        refused(Section::open(directory), ErrorKind::WrongKind);
    }
}

fn characters() {
    let name = unique("rows");
    for text in ["/", "/..", "$:", "a b", "*?\"<>|", "日本", "é", "%2F", "\n"] {
        let name = format!("{name}{text}");
        let _made = make(&name, 1);
        Section::open(&name).unwrap();
        assert_eq!(inventory::find(&name).unwrap().name, Name::new(&name).unwrap());
    }
    for text in [r"a\b", r"\b", r"Local\", r"Global\", r"Local\a\b", r"Local\\b", "a\0b"] {
        refused(SectionOptions::new().len(1).create_new(text), ErrorKind::InvalidName);
        refused(Section::open(text), ErrorKind::InvalidName);
    }
}

fn empty_names() {
    refused(Section::open(""), ErrorKind::InvalidName);
    refused(SectionOptions::new().len(1).create_new(""), ErrorKind::InvalidName);
    let unnamed = || SectionOptions::new().len(1).create_unnamed().unwrap();
    let (one, other) = (unnamed(), unnamed());
    one.map().unwrap().write_at(0, &[7]).unwrap();
    assert_eq!(byte(&other), 0);
}

fn private_namespaces() {
    let name = unique("rows");
    refused(Section::open(format!(r"mine\{name}")), ErrorKind::InvalidName);
    refused(Section::open(format!(r"Session\1\{name}")), ErrorKind::InvalidName);
}

fn missing_is_not_found() {
    is_gone(&unique("rows"));
    is_gone(&format!(r"Global\{}", unique("rows")));
}

fn opens_only_while_held() {
    let name = unique("rows");
    let made = make(&name, 1);
    let opened = Section::open(&name).unwrap();
    drop(made);
    let again = Section::open(&name).unwrap();
    drop(opened);
    Section::open(&name).unwrap();
    drop(again);
    is_gone(&name);
}

fn opened_with_the_access_asked_for() {
    let name = unique("rows");
    let _made = make(&name, 1);
    for access in [Access::Read, Access::ReadWrite] {
        let opened = SectionOptions::new().access(access).open(&name).unwrap();
        assert_eq!(opened.access(), access);
        assert_eq!(opened.map().unwrap().is_writable(), access == Access::ReadWrite);
    }
}

fn copies_need_only_reading() {
    let name = unique("rows");
    let made = make(&name, 1);
    let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    let copy = reader.view().copy_on_write(true).map().unwrap();
    copy.write_at(0, &[7]).unwrap();
    assert_eq!((copy.read::<u8>(0).unwrap(), byte(&made)), (7, 0));
}

fn protection_does_not_refuse_handles() {
    let name = unique("rows");
    let mut options = SectionOptions::new();
    let _made = options.len(1).protection(Protection::ReadOnly).create_new(&name).unwrap();
    assert_eq!(Section::open(&name).unwrap().access(), Access::ReadWrite);
}

fn writable_views() {
    let section = make(&unique("rows"), 1);
    assert!(section.map().unwrap().is_writable());
    assert!(section.view().access(Access::ReadWrite).map().unwrap().is_writable());
    assert!(section.view().copy_on_write(true).map().unwrap().is_writable());
    let view = section.view().access(Access::Read).map().unwrap();
    assert!(!view.is_writable());
    refused(view.write_at(0, b"x"), ErrorKind::PermissionDenied);
}

fn handle_limits_views() {
    let name = unique("rows");
    let made = make(&name, 1);
    let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    refused(reader.view().access(Access::ReadWrite).map(), ErrorKind::PermissionDenied);
    refused(Shared::<AtomicU32>::map(&reader, 0), ErrorKind::PermissionDenied);
    let number = Shared::<AtomicU32>::map_read_only(&reader, 0).unwrap();
    Shared::<AtomicU32>::map(&made, 0).unwrap().store(9, Ordering::Release);
    assert_eq!(number.load(Ordering::Acquire), 9);
}

fn protection_limits_views() {
    let name = unique("rows");
    let mut options = SectionOptions::new();
    let made = options.len(1).protection(Protection::ReadOnly).create_new(&name).unwrap();
    let opened = Section::open(&name).unwrap();
    assert_eq!(opened.protection(), Protection::ReadOnly);
    for section in [made, opened] {
        let result = section.view().access(Access::ReadWrite).map();
        refused(result, ErrorKind::PermissionDenied);
        assert!(!section.map().unwrap().is_writable());
    }
}

fn reading_and_copying_always() {
    for protection in [Protection::ReadOnly, Protection::ReadWrite] {
        let mut options = SectionOptions::new();
        let section = options.len(1).protection(protection).create_new(unique("rows")).unwrap();
        assert_eq!(section.protection(), protection);
        let view = section.view().access(Access::Read).map().unwrap();
        section.view().copy_on_write(true).map().unwrap().write_at(0, &[7]).unwrap();
        assert_eq!(view.read::<u8>(0).unwrap(), 0);
        assert_eq!(section.map().unwrap().is_writable(), protection == Protection::ReadWrite);
    }
}

fn any_offset() {
    let section = make(&unique("rows"), 1 << 18);
    let whole = section.map().unwrap();
    for offset in [1, 4095, 4096, 5000, 65_535, 65_536, 65_537, 131_077] {
        let view = section.view().range(offset..offset + 4).map().unwrap();
        assert_eq!(view.len(), 4);
        let value = u32::try_from(offset).unwrap();
        view.write(0, &value).unwrap();
        refused(view.write(1, &value), ErrorKind::OutOfRange);
        assert_eq!(whole.read::<u32>(value as usize).unwrap(), value);
    }
}

fn views_reach_the_end() {
    let section = make(&unique("rows"), 1 << 18);
    assert_eq!(section.map().unwrap().len(), 1 << 18);
    assert_eq!(section.view().range(65_536..).map().unwrap().len(), (1 << 18) - 65_536);
    assert_eq!(section.view().range((1 << 18) - 1..).map().unwrap().len(), 1);
}

fn no_view_past_the_end() {
    let section = make(&unique("rows"), 1 << 16);
    for range in [0..(1 << 16) + 1, 65_535..65_537, 0..u64::MAX] {
        refused(section.view().range(range).map(), ErrorKind::OutOfRange);
    }
    refused(section.view().range(5..5).map(), ErrorKind::InvalidInput);
}

fn no_view_beyond_the_end() {
    let section = make(&unique("rows"), 1 << 16);
    for start in [1 << 17, (1 << 17) + 1, u64::MAX] {
        refused(section.view().range(start..).map(), ErrorKind::OutOfRange);
    }
}

fn views_are_coherent() {
    let name = unique("rows");
    let section = make(&name, 4096);
    let (one, other) = (section.map().unwrap(), section.map().unwrap());
    let third = Section::open(&name).unwrap().map().unwrap();
    assert!(one.as_ptr() != other.as_ptr() && other.as_ptr() != third.as_ptr());
    one.write(8, &7_u64).unwrap();
    assert_eq!(other.read::<u64>(8).unwrap(), 7);
    third.write(8, &8_u64).unwrap();
    assert_eq!(one.read::<u64>(8).unwrap(), 8);
}

fn nothing_past_the_files_end() {
    let file = Scratch::new(b"five!");
    let section = over(&file.open(true)).create_unnamed().unwrap();
    let view = section.map().unwrap();
    assert_eq!(view.len(), 5);
    refused(view.read::<u8>(5), ErrorKind::OutOfRange);
    refused(view.read::<[u8; 6]>(0), ErrorKind::OutOfRange);
}

fn copies_are_private() {
    let section = make(&unique("rows"), 1 << 16);
    let (copy, other) = (
        section.view().copy_on_write(true).map().unwrap(),
        section.view().copy_on_write(true).map().unwrap(),
    );
    copy.write_at(0, &[5]).unwrap();
    copy.write_at(10_000, &[6]).unwrap();
    let shared = section.map().unwrap();
    for view in [&shared, &other] {
        assert_eq!((view.read::<u8>(0).unwrap(), view.read::<u8>(10_000).unwrap()), (0, 0));
    }
    shared.write_at(0, &[9]).unwrap();
    assert_eq!((copy.read::<u8>(0).unwrap(), copy.read::<u8>(10_000).unwrap()), (5, 6));
}

fn views_outlive_handles() {
    let name = unique("rows");
    let view = make(&name, 1).map().unwrap();
    view.write_at(0, &[7]).unwrap();
    // Unlike in Win32, a view keeps the name too, so dropping a temporary section does not end the
    // name.
    assert_eq!(byte(&Section::open(&name).unwrap()), 7);
    drop(view);
    is_gone(&name);
}

fn flush_reaches_the_file() {
    let file = Scratch::new(&[0; 5000]);
    let section = over(&file.open(true)).create_unnamed().unwrap();
    let view = section.view().range(4990..).map().unwrap();
    view.write_at(0, b"there").unwrap();
    view.flush().unwrap();
    assert_eq!(file.content()[4990..4995], *b"there");
    make(&unique("rows"), 1).map().unwrap().flush().unwrap();
    let read_only = over(&file.open(false)).access(Access::Read).create_unnamed().unwrap();
    read_only.map().unwrap().flush().unwrap();
    let name = unique("rows");
    let _made = over(&file.open(true)).create_new(&name).unwrap();
    let view = Section::open(&name).unwrap().map().unwrap();
    view.write_at(0, b"here").unwrap();
    view.flush().unwrap();
    assert_eq!(file.content()[..4], *b"here");
}

fn reserved_memory() {
    let name = unique("rows");
    let len = 1 << 20;
    let made = SectionOptions::new().len(len).sparse(true).create_new(&name).unwrap();
    let copy = made.view().copy_on_write(true).map().unwrap();
    copy.write_at(300_000, &[1]).unwrap();
    let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    let seen = reader.view().prefault(true).map().unwrap();
    let part = made.view().range(500_000..500_001).map().unwrap();
    part.write_at(0, &[7]).unwrap();
    let mut bytes = vec![1; seen.len()];
    seen.read_at(0, &mut bytes).unwrap();
    assert_eq!(bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>(), 7);
    let whole = Section::open(&name).unwrap().map().unwrap();
    whole.write_at(0, &vec![1; whole.len()]).unwrap();
    assert_eq!(seen.read::<u8>((1 << 20) - 1).unwrap(), 1);
    assert_eq!(Section::open(&name).unwrap().len(), len);
}

fn opened_length() {
    let name = unique("rows");
    for len in [1, 65_536, 1 << 20] {
        let made = make(&name, len);
        let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
        assert_eq!((Section::open(&name).unwrap().len(), reader.len()), (made.len(), made.len()));
        assert_eq!(inventory::find(&name).unwrap().len, made.len());
    }
}

fn name_dies() {
    let name = unique("rows");
    let made = make(&name, 1);
    let view = Section::open(&name).unwrap().map().unwrap();
    view.write_at(0, &[7]).unwrap();
    drop(made);
    assert_eq!(byte(&Section::open(&name).unwrap()), 7);
    drop(view);
    is_gone(&name);
    assert_eq!(inventory::find(&name).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(byte(&make(&name, 1)), 0);

    let scratch = Scratch::new(b"five!");
    let file = scratch.open(true);
    let made = over(&file).create_new(&name).unwrap();
    let view = Section::open(&name).unwrap().map().unwrap();
    view.write_at(0, &[7]).unwrap();
    drop(made);
    assert_eq!(byte(&Section::open(&name).unwrap()), 7);
    drop(view);
    is_gone(&name);
    assert_eq!(byte(&make(&name, 1)), 0);
    assert_eq!(byte(&over(&file).create_new(&name).unwrap()), 7);
}

fn ends_let_go() {
    let place = Place::new("rows");
    let mut observer = place.actor();
    for way in ["exit", "panic", "kill"] {
        let mut holder = place.actor();
        holder.expect("create x 100000", "ok");
        holder.expect("write x 7", "ok");
        observer.expect("probe x", "ok");
        holder.end(way);
        observer.expect("probe x", "NotFound");
    }
    observer.expect("create x 1", "ok");
    observer.expect("zero x", "true");
}

fn clones_hold() {
    let name = unique("rows");
    let made = make(&name, 1);
    let clone = made.try_clone().unwrap();
    drop(made);
    Section::open(&name).unwrap();
    drop(clone);
    is_gone(&name);
}

fn readers_keep_it() {
    let place = Place::new("rows");
    let (mut writer, mut reader) = (place.actor(), place.actor());
    writer.expect("share x 4096", "created");
    writer.expect("write x 7", "ok");
    reader.expect("open-read x", "ok");
    writer.end("kill");
    let mut writer = place.actor();
    writer.expect("share x 4096", "opened");
    writer.expect("read x", "7");
    reader.expect("close x", "ok");
    writer.expect("close x", "ok");
    writer.expect("share x 4096", "created");
    writer.expect("zero x", "true");
}

fn first_fixes_the_length() {
    let name = unique("rows");
    let consumer = SectionOptions::new().len(4096).open_or_create(&name).unwrap();
    let producer = SectionOptions::new().len(1 << 20).open_or_create(&name).unwrap();
    assert_eq!(producer.len(), consumer.len());
    refused(producer.view().range(..1 << 20).map(), ErrorKind::OutOfRange);
}

fn one_creates() {
    for _ in 0..50 {
        let name = unique("rows");
        let start = Barrier::new(MANY);
        // All threads keep their sections until all threads have created theirs. Otherwise a thread
        // could close its section, and another one would create the name again.
        let sections: Vec<Section> = thread::scope(|scope| {
            let create = || {
                start.wait();
                SectionOptions::new().len(4096).open_or_create(&name).unwrap()
            };
            let threads: Vec<_> = (0..MANY).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(sections.iter().filter(|section| section.was_created()).count(), 1);
        sections[0].map().unwrap().write_at(0, &[7]).unwrap();
        assert!(sections.iter().all(|section| byte(section) == 7));
    }
}

fn owner_alone() {
    let name = unique("rows");
    let _made = make(&name, 1);
    assert_eq!(inventory::find(&name).unwrap().sharing, Sharing::Owner);
}

fn granted_to_others() {
    for namespace in ["", r"Global\"] {
        for access in [Access::Read, Access::ReadWrite] {
            for sharing in [Sharing::Group(access), Sharing::Everyone(access)] {
                let name = format!("{namespace}{}", unique("rows"));
                let mut options = SectionOptions::new();
                let _made = options.len(1).sharing(sharing).create_new(&name).unwrap();
                Section::open(&name).unwrap().map().unwrap().write_at(0, &[7]).unwrap();
                assert_eq!(inventory::find(&name).unwrap().sharing, sharing);
            }
        }
    }
}

fn atomics_count() {
    let name = unique("rows");
    let made = make(&name, 4096);
    thread::scope(|scope| {
        for _ in 0..MANY {
            scope.spawn(|| {
                let counter = Shared::<AtomicU32>::map(&Section::open(&name).unwrap(), 64).unwrap();
                for _ in 0..10_000 {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let counter = Shared::<AtomicU32>::map(&made, 64).unwrap();
    assert_eq!(counter.load(Ordering::Relaxed), 80_000);
}
