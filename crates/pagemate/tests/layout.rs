//! Compares `docs/layout.md` with the bytes of real objects.
#![cfg(unix)]

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use harness::{Place, Scratch};
use pagemate::sync::{SharedCondvar, SharedOnceCell, SharedRwLock};
use pagemate::{SectionOptions, Shareable as _};

#[test]
fn actor() {
    harness::actor();
}

/// Reads the table under this heading of the document: the offset and size of each field.
fn documented(heading: &str) -> Vec<(String, usize, usize)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/layout.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, text) = text.split_once(&format!("\n### {heading}\n")).unwrap();
    let text = text.split("\n#").next().unwrap();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (offset, size) = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
        Some((cells.next()?.to_owned(), offset, size))
    });
    rows.collect()
}

/// The bytes of each field that the document lists under a heading.
struct Fields<'a>(BTreeMap<String, &'a [u8]>);

impl Fields<'_> {
    fn new<'a>(heading: &str, all: &'a [u8]) -> Fields<'a> {
        let mut end = 0;
        let mut fields = BTreeMap::new();
        for (field, offset, size) in documented(heading) {
            assert_eq!(offset, end, "a gap before {field}");
            end = offset + size;
            let bytes = &all[offset..end];
            if field == "zero" {
                assert!(bytes.iter().all(|byte| *byte == 0), "at {offset}");
            }
            fields.insert(field, bytes);
        }
        assert_eq!(end, all.len());
        Fields(fields)
    }

    fn number(&self, field: &str) -> u64 {
        match *self.0[field] {
            [byte] => u64::from(byte),
            [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
            _ => u64::from_ne_bytes(self.0[field].try_into().unwrap()),
        }
    }

    /// Asserts that a field contains `bytes`, padded with zeros.
    #[track_caller]
    fn begins(&self, field: &str, with: &[u8]) {
        let (begin, rest) = self.0[field].split_at(with.len());
        assert_eq!(begin, with, "{field}");
        assert!(rest.iter().all(|byte| *byte == 0), "{field}");
    }
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

    let trailer = Fields::new("The trailer", &file[data_len..]);
    trailer.begins("magic", b"PAGEMATE");
    assert_eq!(trailer.number("version"), 1);
    assert_eq!((trailer.number("kind"), trailer.number("protection")), (1, 2));
    assert_eq!((trailer.number("memory"), trailer.number("others write")), (0, 0));
    assert_eq!(trailer.number("data length"), data_len as u64);
    assert_eq!(trailer.number("creator"), u64::from(actor.id()));
    assert!(trailer.number("created") > 1_700_000_000_000_000_000);
    assert_eq!(trailer.number("name length"), 7);
    assert_eq!(trailer.number("features"), 0);
    trailer.begins("name", b"frames%");
}

#[test]
fn the_record_of_a_file_is_as_documented() {
    let place = Place::new("layout-file");
    let scratch = Scratch::new(b"five!");
    let path = fs::canonicalize(scratch.path()).unwrap();
    let mut actor = place.actor();
    actor.expect(&format!("create-over frames {} 5000", scratch.path().display()), "ok");

    let object = fs::read(place.local().join("frames")).unwrap();
    assert_eq!(object.len(), 2 * 4096);
    let stat = fs::metadata(&path).unwrap();
    let record = Fields::new("The record of a file", &object[..4096]);
    assert_eq!((record.number("device"), record.number("inode")), (stat.dev(), stat.ino()));
    assert_eq!((record.number("length"), stat.len()), (5000, 5000));
    assert_eq!(record.number("path length"), path.as_os_str().len() as u64);
    assert_eq!(record.number("origin length"), 0);
    record.begins("path and origin", path.as_os_str().as_bytes());

    let trailer = Fields::new("The trailer", &object[4096..]);
    assert_eq!((trailer.number("memory"), trailer.number("others write")), (1, 0));
    assert_eq!((trailer.number("kind"), trailer.number("protection")), (1, 2));
    assert_eq!(trailer.number("data length"), 4096);
    trailer.begins("name", b"frames");
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

/// Elsewhere the numbers have other alignments.
#[cfg(target_pointer_width = "64")]
#[test]
fn fingerprints_are_as_documented() {
    use pagemate::Shareable;

    #[derive(Shareable)]
    #[repr(C)]
    struct Point {
        x: f64,
        y: f64,
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/layout.md");
    let text = fs::read_to_string(path).unwrap().replace('\n', " ");
    let examples = text.split_once("Examples: ").unwrap().1;
    let examples = examples.split_once("`#[derive").unwrap().0;
    let words = examples.split('`').filter(|word| word.len() == 16);
    let documented: Vec<u64> = words.map(|word| u64::from_str_radix(word, 16).unwrap()).collect();
    let computed = [u32::FINGERPRINT, <[u32; 4]>::FINGERPRINT, Point::FINGERPRINT];
    assert_eq!(documented, computed);
}

#[test]
fn once_cells_and_condition_variables_are_as_documented() {
    let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
    let header = |at| {
        let mut bytes = [0; 64];
        section.map().unwrap().read_at(at, &mut bytes).unwrap();
        (bytes[32..40].to_vec(), u32::from_ne_bytes(bytes[56..60].try_into().unwrap()))
    };
    let cell = SharedOnceCell::<u64>::open_or_create(&section, 0).unwrap();
    assert_eq!(header(0), (b"PMONCEC1".to_vec(), 0));
    cell.get_or_init(|| {
        assert_eq!(header(0).1, 1);
        7
    })
    .unwrap();
    assert_eq!(header(0).1, 2);
    assert_eq!(section.map().unwrap().read::<u64>(64).unwrap(), 7);
    let condvar = SharedCondvar::open_or_create(&section, 128).unwrap();
    condvar.notify_one();
    condvar.notify_all();
    assert_eq!(header(128), (b"PMCONDV1".to_vec(), 2));
}

#[test]
fn a_read_write_lock_is_as_documented() {
    let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
    let lock = SharedRwLock::open_or_init(&section, 8, || 7_u64).unwrap();
    let bytes = || {
        let mut bytes = [0; 384 + 8];
        section.map().unwrap().read_at(8, &mut bytes).unwrap();
        bytes
    };
    let (reader, second) = (lock.read().unwrap(), lock.read().unwrap());
    let held = bytes();
    let fields = Fields::new("A read-write lock beside its value", &held[..384]);
    let header = fields.0["header"];
    assert_eq!(header[32..40], *b"PMRWLCK1");
    assert_eq!(header[40..48], u64::FINGERPRINT.to_ne_bytes());
    assert_eq!((header[48], header[56], header[60]), (8, 0, 1));
    assert_eq!((fields.number("gate"), fields.number("seats")), (0, 1));
    let readers = fields.0["places"].chunks(4).filter(|seat| *seat == 1_u32.to_ne_bytes()).count();
    assert_eq!(readers, 2);
    assert_eq!(held[384..], 7_u64.to_ne_bytes());
    drop((reader, second));
    let writer = lock.write().unwrap();
    assert_eq!(bytes()[64], 2);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _writer = writer;
        panic!("a test wants this panic");
    }));
    assert!(panicked.is_err());
    assert_eq!(bytes()[64], 4);
}
