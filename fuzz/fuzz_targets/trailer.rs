//! Fuzzes the file of a live object, in memory and over a file, with any bytes. Opening it either
//! fails, or returns a section whose bytes are all readable.
#![no_main]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pagemate::{Access, ErrorKind, Section, SectionOptions, inventory};

/// The content of the user's file, which is longer than any section over it shows.
const DATA: [u8; 5000] = [7; 5000];

/// A live object and its file.
struct Held {
    name: &'static str,
    _section: Section,
    file: File,
    /// The original content of the file.
    whole: Vec<u8>,
}

impl Held {
    fn new(name: &'static str, options: &SectionOptions<'_>) -> Held {
        let section = options.create_new(name).unwrap();
        let owner = std::fs::metadata("/proc/self").unwrap().uid();
        let path = place().join(format!("pagemate-{owner}/{name}"));
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let mut whole = vec![0; 8192];
        file.read_exact_at(&mut whole, 0).unwrap();
        Held { name, _section: section, file, whole }
    }
}

/// A place apart from all other objects, because these objects are filled with arbitrary bytes.
fn place() -> PathBuf {
    PathBuf::from(std::env::var_os("PAGEMATE_DIR").expect("a directory of its own"))
}

static MEMORY: LazyLock<Held> =
    LazyLock::new(|| Held::new("memory", SectionOptions::new().len(4096)));

static OVER_FILE: LazyLock<Held> = LazyLock::new(|| {
    let path = place().join("data");
    std::fs::write(&path, DATA).unwrap();
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    Held::new("over-file", SectionOptions::new().file(&file))
});

/// Returns either exactly these bytes, or the whole object with some bytes changed.
fn image(held: &Held, changes: bool, input: &[u8]) -> Vec<u8> {
    if !changes {
        return input.to_vec();
    }
    let mut image = held.whole.clone();
    for patch in input.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([patch[0], patch[1]]));
        // Some changes make the file longer or shorter.
        match image.get_mut(at) {
            Some(byte) => *byte = patch[2],
            None => image.resize(at % 12288, patch[2]),
        }
    }
    // The field `removed` stays 0. A live object never has the note, and an opener that reads it tries
    // again for two seconds.
    if let Some(removed) = image.len().checked_sub(4096 - 40).and_then(|at| image.get_mut(at)) {
        *removed = 0;
    }
    image
}

/// Returns whether this kind is a correct answer to invalid bytes. `PermissionDenied` is correct if
/// a recorded path leads to an inaccessible file.
fn refused(kind: ErrorKind) -> bool {
    use ErrorKind::{Corrupted, PermissionDenied, WrongKind, WrongVersion};
    matches!(kind, Corrupted | WrongVersion | WrongKind | PermissionDenied)
}

fuzz_target!(|input: &[u8]| {
    let (first, input) = input.split_first().unwrap_or((&0, input));
    let held = if first & 2 == 0 { &*MEMORY } else { &*OVER_FILE };
    let image = image(held, first & 1 == 1, input);
    held.file.set_len(0).unwrap();
    held.file.write_all_at(&image, 0).unwrap();
    for access in [Access::Read, Access::ReadWrite] {
        match SectionOptions::new().access(access).open(held.name) {
            Err(error) => assert!(refused(error.kind()), "{error:?}"),
            Ok(section) => {
                let view = section.view().access(Access::Read).map().unwrap();
                let mut bytes = vec![0; view.len()];
                view.read_at(0, &mut bytes).unwrap();
                // The field `memory` of the trailer.
                let memory = image[image.len() - 4096 + 14];
                let behind = if memory == 0 { &image[..image.len() - 4096] } else { &DATA };
                assert!(behind.starts_with(&bytes));
                assert!(memory == 1 || bytes.len() == behind.len());
            }
        }
    }
    let again = SectionOptions::new().len(1).create_new(held.name);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(inventory::prune().unwrap().objects, 0);
});
