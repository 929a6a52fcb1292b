//! The channels of the fuzz targets: the bytes that the fuzzer writes to them, and the calls that use them.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use pagemate::ErrorKind;
use pagemate::channel::{Endpoint, Options};

mod operations;

pub use operations::{Payload, read, receive, send, write};

/// The length of the part of the header that the creator of a channel writes, in bytes.
pub const CREATED_LEN: usize = 96;

/// The length of the part of an object's file that is not memory of the object.
const TRAILER_LEN: usize = 4096;

/// A live channel and its file.
pub struct Channel {
    pub name: &'static str,
    file: File,
    /// The bytes of the new channel, which no endpoint uses.
    fresh: Vec<u8>,
}

impl Channel {
    /// Creates the channel `name` with the usual [`options`]: see [`with`](Channel::with).
    pub fn new<E: Endpoint>(name: &'static str) -> Channel {
        Channel::with::<E>(name, &options())
    }

    /// Creates the channel `name` by an endpoint of type `E`, which stays open and is not used. `PAGEMATE_DIR`
    /// names a directory that contains no other objects, because their files get invalid contents.
    pub fn with<E: Endpoint>(name: &'static str, options: &Options) -> Channel {
        let keeper: E = options.create_new(name).unwrap();
        std::mem::forget(keeper);
        let place =
            PathBuf::from(std::env::var_os("PAGEMATE_DIR").expect("a directory of its own"));
        let owner = std::fs::metadata("/proc/self").unwrap().uid();
        let path = place.join(format!("pagemate-{owner}/{name}"));
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let len = usize::try_from(file.metadata().unwrap().len()).unwrap() - TRAILER_LEN;
        let mut fresh = vec![0; len];
        file.read_exact_at(&mut fresh[..CREATED_LEN], 0).unwrap();
        Channel { name, file, fresh }
    }

    /// Returns the length of its memory in bytes.
    pub fn len(&self) -> usize {
        self.fresh.len()
    }

    /// Makes the channel a new one again.
    pub fn restore(&self) {
        self.file.write_all_at(&self.fresh, 0).unwrap();
    }

    /// Writes bytes at an offset, as far as they lie in the channel.
    pub fn write(&self, at: usize, bytes: &[u8]) {
        let len = self.len().saturating_sub(at).min(bytes.len());
        self.file.write_all_at(&bytes[..len], at as u64).unwrap();
    }

    /// Returns the part of the header that the creator writes.
    pub fn header(&self) -> [u8; CREATED_LEN] {
        let mut header = [0; CREATED_LEN];
        self.file.read_exact_at(&mut header, 0).unwrap();
        header
    }

    /// Changes a word of the channel. The four bytes of `patch` are its offset, an operation and an operand.
    pub fn patch(&self, patch: [u8; 4]) {
        let at = usize::from(u16::from_le_bytes([patch[0], patch[1]])) * 4 % self.len();
        let mut word = [0; 8];
        let len = word.len().min(self.len() - at);
        self.file.read_exact_at(&mut word[..len], at as u64).unwrap();
        let (word, operand) = (u64::from_ne_bytes(word), u64::from(patch[3]));
        let new = match patch[2] % 8 {
            0 => operand,
            1 => u64::MAX - operand,
            2 => word.wrapping_add(operand),
            3 => word.wrapping_sub(operand),
            4 => word ^ 1 << (operand % 64),
            5 => operand << (patch[2] / 8),
            6 => word.wrapping_add(operand << 32),
            _ => word.wrapping_sub(operand << 32),
        };
        self.write(at, &new.to_ne_bytes());
    }
}

/// Returns the options of the channels.
pub fn options() -> Options {
    let mut options = Options::new();
    options.capacity(4).max_len(20);
    options
}

/// Opens an endpoint. Returns `None` after an error that is documented for a channel with invalid bytes.
pub fn open<E: Endpoint>(name: &str, options: &Options) -> Option<E> {
    use ErrorKind::{AlreadyExists, Corrupted, WrongKind, WrongVersion};
    match options.open(name) {
        Ok(endpoint) => Some(endpoint),
        Err(error) => {
            let kinds = [AlreadyExists, Corrupted, WrongKind, WrongVersion];
            assert!(kinds.contains(&error.kind()), "{error:#}");
            None
        }
    }
}
