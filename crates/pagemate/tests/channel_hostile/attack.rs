//! The hostile side: writes to the file of a channel.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io, thread};

use super::users::{NAME, User};

/// The number of bytes at the end of the file that do not belong to the channel.
const TRAILER_LEN: u64 = 4096;

/// The length of the part of the header that the creator of a channel writes, in bytes.
const CREATED_LEN: usize = 96;

/// The offsets of the fields of the header that describe the slots.
const CAPACITY_AT: usize = 16;
const FIRST_AT: usize = 48;
const STRIDE_AT: usize = 56;

/// The number of writes after which the hostile process opens the file of the name again: all endpoints may
/// have left the channel, and created another one.
const WRITES: u64 = 500;

/// A generator of random numbers (splitmix64).
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// The directory of the channels, the beginning of the name of the channel to attack, and the bytes that the first such
/// channel had before the attack.
pub(crate) struct Attack {
    dir: PathBuf,
    prefix: &'static str,
    fresh: Vec<u8>,
}

impl Attack {
    /// Attacks the channel of the test.
    pub(crate) fn new(place: &Path) -> Attack {
        Attack::on(place, NAME)
    }

    /// Attacks a channel whose name begins with `prefix`. All such channels have the same options.
    pub(crate) fn on(place: &Path, prefix: &'static str) -> Attack {
        let user = rustix::process::geteuid().as_raw();
        Attack { dir: place.join(format!("pagemate-{user}")), prefix, fresh: Vec::new() }
    }

    /// Opens the file of a channel.
    fn open(&self) -> Option<File> {
        let path = if self.prefix == NAME {
            self.dir.join(NAME)
        } else {
            let entries = fs::read_dir(&self.dir).ok()?.flatten();
            let name = |entry: fs::DirEntry| entry.file_name().into_string().ok();
            let mut names = entries.filter_map(name).filter(|name| name.starts_with(self.prefix));
            self.dir.join(names.next()?)
        };
        OpenOptions::new().read(true).write(true).open(path).ok()
    }

    /// Overwrites the channel until the users end.
    pub(crate) fn run(mut self, user: &User<'_>, random: &mut Random) {
        while user.goes_on() {
            match self.open() {
                Some(file) => self.overwrite(&file, user, random),
                None => thread::yield_now(),
            }
        }
    }

    fn overwrite(&mut self, file: &File, user: &User<'_>, random: &mut Random) {
        if self.fresh.is_empty() {
            let len = file.metadata().unwrap().len() - TRAILER_LEN;
            self.fresh = vec![0; len.try_into().unwrap()];
            file.read_exact_at(&mut self.fresh, 0).unwrap();
        }
        // Long pauses let the endpoints do some correct work, and short ones hit them in the middle of it.
        let writes_per_pause = [4, 32, 256][usize::try_from(random.below(3)).unwrap()];
        for _ in 0..random.below(WRITES) {
            // A file that was truncated is that of a dead channel.
            if !user.goes_on() || self.write(file, random).is_err() {
                return;
            }
            match random.below(writes_per_pause) {
                0 => thread::sleep(Duration::from_micros(random.below(3000))),
                1..4 => thread::yield_now(),
                _ => {}
            }
        }
    }

    fn write(&self, file: &File, random: &mut Random) -> io::Result<()> {
        let len = self.fresh.len() as u64;
        match random.below(20) {
            // With a correct header the endpoints can open the channel again.
            0..3 => file.write_all_at(&self.fresh[..CREATED_LEN], 0),
            3 => file.write_all_at(&self.fresh, 0),
            4 => {
                let page = random.below(len / 4096) * 4096;
                let bytes = [vec![0; 4096], vec![0xff; 4096], random.bytes(4096)];
                file.write_all_at(&bytes[usize::try_from(random.below(3)).unwrap()], page)
            }
            5 | 6 => {
                let at = random.below(len - 64);
                let bytes = random.bytes(64);
                file.write_all_at(&bytes[..random.below(64).try_into().unwrap()], at)
            }
            _ => {
                let at = self.word(random);
                let value = self.value(file, at, random)?.to_ne_bytes();
                // Half of the words have four bytes.
                let range = [0..8, 0..4, 4..8][usize::try_from(random.below(3)).unwrap()].clone();
                file.write_all_at(&value[range.clone()], at + range.start as u64)
            }
        }
    }

    fn number(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.fresh[at..at + 8].try_into().unwrap())
    }

    /// Returns the offset of a word: one of the header, or the word of a slot, or the first one of a message.
    fn word(&self, random: &mut Random) -> u64 {
        let (first, count) = (self.number(FIRST_AT), self.number(CAPACITY_AT));
        let slot = first + random.below(count) * self.number(STRIDE_AT);
        match random.below(8) {
            0 => slot,
            1..4 => slot - 8,
            // The fields that the creator wrote: if they are wrong, an open fails before it does anything.
            4 => random.below(CREATED_LEN as u64 / 8) * 8,
            // The header of some kinds begins with few words, and has many places behind.
            5 | 6 => 128 + random.below((first - 128).min(512) / 8) * 8,
            _ => 128 + random.below((first - 128) / 8) * 8,
        }
    }

    /// Returns a number that an endpoint might take for a correct one in place of the word at `at`.
    fn value(&self, file: &File, at: u64, random: &mut Random) -> io::Result<u64> {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, at)?;
        let word = u64::from_ne_bytes(bytes);
        let count = self.number(CAPACITY_AT);
        Ok(match random.below(12) {
            0 => 0,
            1 => u64::MAX - random.below(3),
            2 => i64::MAX as u64 + random.below(3),
            3 => random.next(),
            4 => random.next() >> random.below(64),
            5 => random.below(10),
            6 => word ^ 1 << random.below(64),
            7 => word.wrapping_add(random.below(2 * count)),
            8 => word.wrapping_sub(random.below(2 * count)),
            9 => word.wrapping_add(1 << 32),
            _ => {
                file.read_exact_at(&mut bytes, self.word(random))?;
                u64::from_ne_bytes(bytes)
            }
        })
    }
}
