//! Fuzzes the files of two live objects, one in memory and one over a file of the user, by writing
//! arbitrary bytes to them. An open must either fail, or return a section whose bytes are all
//! readable.
#![no_main]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pagemate::{Access, ErrorKind, Section, SectionOptions, inventory};

/// The content of the user's file. It is longer than the part of it that a section over the file
/// shows.
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

/// Returns the directory for these objects. It contains no other objects, because their files get
/// invalid contents.
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

/// Returns the new content of the object's file: `input` itself, or the original content with some
/// bytes changed.
fn image(held: &Held, changes: bool, input: &[u8]) -> Vec<u8> {
    if !changes {
        return input.to_vec();
    }
    let mut image = held.whole.clone();
    for patch in input.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([patch[0], patch[1]]));
        // A position beyond the end makes the file longer or shorter.
        match image.get_mut(at) {
            Some(byte) => *byte = patch[2],
            None => image.resize(at % 12288, patch[2]),
        }
    }
    // Keep the field `removed` zero. A sweep sets it when it removes the name of the object, which
    // never happens to a live object. An open that reads another value tries again for two seconds,
    // which would slow down the fuzzing.
    if let Some(removed) = image.len().checked_sub(4096 - 40).and_then(|at| image.get_mut(at)) {
        *removed = 0;
    }
    image
}

/// Returns whether an open may fail with this kind of error for invalid bytes. It may fail with
/// `PermissionDenied` if the bytes contain the path of an inaccessible file.
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
                // The field `memory` of the trailer: 0 for an object in memory, 1 for an object
                // over a file.
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
