//! Invalid names, sizes and ranges.

use pagemate::{ErrorKind, Name, Section, SectionOptions, inventory};
use proptest::prelude::*;

use super::harness::fork::alone;
use super::{changes_nothing, create, local, refused, share};

#[test]
fn bad_names_are_refused_by_every_verb() {
    alone("arguments::bad_names_are_refused_by_every_verb", |place| {
        create("x").unwrap();
        let long = "ü".repeat(1025);
        let table = [
            ("", ErrorKind::InvalidName, "at least one character"),
            (r"Local\", ErrorKind::InvalidName, "no name follows the prefix"),
            (r"Global\Local\", ErrorKind::InvalidName, "no name follows the prefix"),
            ("a\0b", ErrorKind::InvalidName, "NUL"),
            (r"\a", ErrorKind::InvalidName, "must not begin with a backslash"),
            (r"Global\\a", ErrorKind::InvalidName, "must not begin with a backslash"),
            (r"a\b", ErrorKind::InvalidName, r"Local\ and Global\"),
            (r"GLOBAL\a", ErrorKind::InvalidName, r"Local\ and Global\"),
            (r"Session\1\a", ErrorKind::InvalidName, r"Local\ and Global\"),
            (long.as_str(), ErrorKind::InvalidName, "1024 UTF-16 code units"),
            ("Global", ErrorKind::WrongKind, "reserved for namespaces"),
            (r"Local\Session", ErrorKind::WrongKind, "reserved for namespaces"),
        ];
        changes_nothing(place, || {
            for (name, kind, fact) in table {
                let told = format!("{name:?}").replace(r"\\", r"\");
                let told: String = told.chars().take(100).collect();
                let facts = [fact, &told];
                refused(create(name), kind, &facts);
                refused(share(name), kind, &facts);
                refused(Section::open(name), kind, &facts);
                refused(inventory::find(name), kind, &facts);
            }
        });
    });
}

#[test]
fn bad_sizes_are_refused_before_anything_is_created() {
    alone("arguments::bad_sizes_are_refused_before_anything_is_created", |place| {
        create("x").unwrap();
        let with = |len| {
            let mut options = SectionOptions::new();
            options.len(len);
            options
        };
        changes_nothing(place, || {
            let none = ["at least one byte", "(len)", "\"big\""];
            refused(with(0).create_new("big"), ErrorKind::InvalidInput, &none);
            refused(with(0).open_or_create("big"), ErrorKind::InvalidInput, &none);
            refused(with(0).create_unnamed(), ErrorKind::InvalidInput, &none[..2]);
            refused(with(0).sparse(true).create_new("big"), ErrorKind::InvalidInput, &none);
            let mut both = with(1);
            both.sparse(true).huge_pages(true);
            for result in [both.create_unnamed(), both.create_new("big")] {
                refused(result, ErrorKind::InvalidInput, &["sparse and huge_pages exclude"]);
            }
            both.sparse(false).create_unnamed().unwrap();
            let numbers = ["70368744181760 bytes", "free"];
            let directory = local(place);
            refused(with(1 << 46).create_new("big"), ErrorKind::NoSpace, &numbers);
            let facts = [numbers[0], numbers[1], directory.to_str().unwrap()];
            refused(with(1 << 46).open_or_create("big"), ErrorKind::NoSpace, &facts);
            refused(
                with(1 << 46).create_unnamed(),
                ErrorKind::NoSpace,
                &["70368744177664", "free"],
            );
            for len in [1 << 63, i64::MAX as u64, u64::MAX - 4096, u64::MAX] {
                for result in [
                    with(len).create_new("big"),
                    with(len).open_or_create("big"),
                    with(len).sparse(true).create_new("big"),
                    with(len).create_unnamed(),
                    with(len).sparse(true).create_unnamed(),
                ] {
                    refused(result, ErrorKind::NoSpace, &["more than this system can address"]);
                }
            }
        });
    });
}

#[test]
fn bad_ranges_are_refused_and_map_nothing() {
    alone("arguments::bad_ranges_are_refused_and_map_nothing", |place| {
        let section = SectionOptions::new().len(8192).create_new("x").unwrap();
        let out = ErrorKind::OutOfRange;
        changes_nothing(place, || {
            refused(section.view().range(..8193).map(), out, &["0..8193", "8192 bytes"]);
            refused(section.view().range(8193..).map(), out, &["8193..", "8192 bytes"]);
            refused(section.view().range(..=8192).map(), out, &["0..8193", "8192 bytes"]);
            refused(section.view().range(u64::MAX..).map(), out, &[&u64::MAX.to_string()]);
            refused(section.view().range(..=u64::MAX).map(), out, &[&u64::MAX.to_string()]);
            refused(section.view().range(1..u64::MAX).map(), out, &[&u64::MAX.to_string()]);
            let none = ErrorKind::InvalidInput;
            refused(section.view().range(5..5).map(), none, &["5..5 is empty"]);
            refused(section.view().range(8192..).map(), none, &["8192..8192 is empty"]);
            #[allow(clippy::reversed_empty_ranges, reason = "the test is about reversed ranges")]
            let reversed = section.view().range(9..5).map();
            refused(reversed, none, &["9..5 is empty"]);
        });
        let view = section.view().range(4000..5000).map().unwrap();
        let mut bytes = [0; 2];
        for at in [999, 1000, usize::MAX - 1, usize::MAX] {
            let fact = format!("2 bytes at offset {at}");
            let facts = [fact.as_str(), "1000 bytes"];
            refused(view.read_at(at, &mut bytes), out, &facts);
            refused(view.write_at(at, &bytes), out, &facts);
            refused(view.read::<u16>(at), out, &facts);
            refused(view.write(at, &1_u16), out, &facts);
        }
        view.read_at(1000, &mut []).unwrap();
        refused(view.read_at(1001, &mut []), out, &["offset 1001"]);
    });
}

/// Generates names. Special characters and prefixes are more frequent than in random text.
fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => any::<char>().prop_map(String::from),
        2 => prop::sample::select(vec!["\\", "/", ".", "%", "~", "\0", " ", "%2F", ".."])
            .prop_map(String::from),
        1 => prop::sample::select(vec!["Local\\", "Global\\", "Local", "Session"])
            .prop_map(String::from),
        1 => (any::<char>(), 0..1100_usize).prop_map(|(c, n)| String::from(c).repeat(n)),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Asserts that a text is either a valid name, from creation to removal, or is refused as a name.
fn works_or_is_refused(text: &str) -> Result<(), TestCaseError> {
    let made = match create(text) {
        Ok(made) => made,
        Err(error) => {
            let refusals = [ErrorKind::InvalidName, ErrorKind::WrongKind];
            prop_assert!(refusals.contains(&error.kind()), "{}", error);
            prop_assert!(Name::new(text).is_err());
            return Ok(());
        }
    };
    let name = Name::new(text).unwrap();
    prop_assert_eq!(&name.to_string().parse::<Name>().unwrap(), &name);
    prop_assert_eq!(Section::open(name.to_string()).unwrap().len(), 4096);
    prop_assert_eq!(&inventory::find(text).unwrap().name, &name);
    drop(made);
    prop_assert_eq!(Section::open(text).unwrap_err().kind(), ErrorKind::NotFound);
    prop_assert_eq!(inventory::find(text).unwrap_err().kind(), ErrorKind::NotFound);
    Ok(())
}

#[test]
fn any_text_is_a_name_that_works_or_is_refused() {
    alone("arguments::any_text_is_a_name_that_works_or_is_refused", |_| {
        proptest!(cases(500), |(text in name())| works_or_is_refused(&text)?);
    });
}

/// Generates offsets around boundaries, and some others.
fn border() -> impl Strategy<Value = u64> {
    let near = prop::sample::select(vec![0_u64, 1, 4096, 8192, 12288, 65536, 1 << 32, u64::MAX]);
    prop_oneof![(near, -2..3_i64).prop_map(|(n, d)| n.wrapping_add_signed(d)), 0..20_000_u64]
}

#[test]
fn any_range_is_mapped_to_the_byte_or_refused() {
    alone("arguments::any_range_is_mapped_to_the_byte_or_refused", |_| {
        proptest!(cases(2000), |(len in 1..20_000_u64, start in border(), end in border())| {
            let section = SectionOptions::new().len(len).create_unnamed().unwrap();
            prop_assert_eq!(section.len(), len.next_multiple_of(4096));
            match section.view().range(start..end).map() {
                Ok(view) => {
                    prop_assert!(start < end && end <= section.len());
                    prop_assert_eq!(view.len() as u64, end - start);
                    view.write_at(0, &[1]).unwrap();
                    view.write_at(view.len() - 1, &[2]).unwrap();
                    let whole = section.map().unwrap();
                    let last = usize::try_from(end).unwrap() - 1;
                    prop_assert_eq!(whole.read::<u8>(last).unwrap(), 2);
                }
                Err(error) if error.kind() == ErrorKind::OutOfRange => {
                    prop_assert!(start > section.len() || end > section.len());
                }
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
                    prop_assert!(start >= end);
                }
            }
        });
    });
}
