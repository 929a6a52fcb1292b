//! What `docs/layout.md` says of an object's file, read back from a real one.
#![cfg(unix)]

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use harness::Place;

#[test]
fn actor() {
    harness::actor();
}

/// The rows of the trailer's table: each field's offset and size.
fn documented() -> Vec<(String, usize, usize)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/layout.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (offset, size) = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
        Some((cells.next()?.to_owned(), offset, size))
    });
    rows.collect()
}

#[test]
fn the_trailer_is_as_documented() {
    let place = Place::new("layout");
    let mut actor = place.actor();
    actor.expect("create frames% 5000", "ok");
    actor.expect("write frames% 72", "ok");

    let file = fs::read(place.local().join("frames%25")).unwrap();
    let page = rustix::param::page_size();
    let data_len = 5000_usize.next_multiple_of(page);
    assert_eq!(file.len(), data_len + 4096);
    assert_eq!(file[..8], 72_u64.to_ne_bytes());

    let trailer = &file[data_len..];
    let mut end = 0;
    let mut fields = BTreeMap::new();
    for (field, offset, size) in documented() {
        assert_eq!(offset, end, "a gap before {field}");
        end = offset + size;
        let bytes = &trailer[offset..end];
        if field == "zero" {
            assert!(bytes.iter().all(|byte| *byte == 0), "at {offset}");
        }
        fields.insert(field, bytes);
    }
    assert_eq!(end, trailer.len());
    let number = |field: &str| match *fields[field] {
        [byte] => u64::from(byte),
        [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
        _ => u64::from_ne_bytes(fields[field].try_into().unwrap()),
    };
    assert_eq!(fields["magic"], b"PAGEMATE");
    assert_eq!(number("version"), 1);
    assert_eq!((number("kind"), number("protection")), (1, 2));
    assert_eq!(number("data length"), data_len as u64);
    assert_eq!(number("creator"), u64::from(actor.id()));
    assert!(number("created") > 1_700_000_000_000_000_000);
    assert_eq!(number("name length"), 7);
    assert_eq!(&fields["name"][..8], b"frames%\0");
}

#[test]
fn file_names_are_spelled_as_documented() {
    let place = Place::new("spelling");
    let mut actor = place.actor();
    for (name, file) in [
        ("plain_-+=,@$.", "plain_-+=,@$."),
        (".dot", "%2Edot"),
        ("a/b*ü", "a%2Fb%2A%C3%BC"),
        (r"Local\x", "x"),
    ] {
        actor.expect(&format!("create {name} 1"), "ok");
        assert_eq!(place.files(), [place.local().join(file)]);
        actor.expect(&format!("close {name}"), "ok");
    }
    actor.expect(r"create Global\x 1", "ok");
    assert_eq!(place.files(), [place.path().join("pagemate:x")]);
}
