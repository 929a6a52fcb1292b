//! Any bytes in the file of an object that somebody holds: opening it is refused, or gives a
//! section whose every byte can be read.
#![no_main]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pagemate::{Access, ErrorKind, Section, SectionOptions, inventory};

const NAME: &str = "fuzz";

/// An object that is held, and its file.
struct Held {
    _section: Section,
    file: File,
    /// What stood in the file at first.
    whole: Vec<u8>,
}

static HELD: LazyLock<Held> = LazyLock::new(|| {
    let section = SectionOptions::new().len(4096).create_new(NAME).unwrap();
    // Apart from all other objects, because it is filled with rubbish.
    let place = PathBuf::from(std::env::var_os("PAGEMATE_DIR").expect("a directory of its own"));
    let owner = std::fs::metadata("/proc/self").unwrap().uid();
    let path = place.join(format!("pagemate-{owner}/{NAME}"));
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut whole = vec![0; 8192];
    file.read_exact_at(&mut whole, 0).unwrap();
    Held { _section: section, file, whole }
});

/// Either just these bytes, or the whole object with some bytes changed.
fn image(input: &[u8]) -> Vec<u8> {
    let Some((1, patches)) = input.split_first().map(|(first, rest)| (first % 2, rest)) else {
        return input.to_vec();
    };
    let mut image = HELD.whole.clone();
    for patch in patches.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([patch[0], patch[1]]));
        // Some of them make it longer or shorter.
        match image.get_mut(at) {
            Some(byte) => *byte = patch[2],
            None => image.resize(at % 12288, patch[2]),
        }
    }
    image
}

fn refused(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Corrupted | ErrorKind::WrongVersion | ErrorKind::WrongKind)
}

fuzz_target!(|input: &[u8]| {
    let image = image(input);
    HELD.file.set_len(0).unwrap();
    HELD.file.write_all_at(&image, 0).unwrap();
    for access in [Access::Read, Access::ReadWrite] {
        match SectionOptions::new().access(access).open(NAME) {
            Err(error) => assert!(refused(error.kind()), "{error:?}"),
            Ok(section) => {
                assert_eq!(section.len() + 4096, image.len() as u64);
                let view = section.view().access(Access::Read).map().unwrap();
                let mut bytes = vec![0; view.len()];
                view.read_at(0, &mut bytes).unwrap();
                assert_eq!(bytes, image[..bytes.len()]);
            }
        }
    }
    let again = SectionOptions::new().len(1).create_new(NAME);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(inventory::prune().unwrap().objects, 0);
});
