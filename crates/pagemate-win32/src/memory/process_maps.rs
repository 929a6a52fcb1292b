//! The mappings of this process that are not regions of this library, from `/proc/self/maps`.

use std::io::BufRead;

use crate::error::Result;
use crate::memory::page_protection::{NOACCESS, READONLY, READWRITE};
use crate::memory::region::END;

/// The types of memory.
pub(super) const MEM_PRIVATE: u32 = 0x2_0000;
pub(super) const MEM_MAPPED: u32 = 0x4_0000;
pub(super) const MEM_IMAGE: u32 = 0x100_0000;

/// The result of a lookup: a mapping or free memory.
pub(super) enum Found {
    Mapping(Mapped),
    /// Free memory up to this address.
    FreeUpTo(usize),
}

/// Looks up the mapping or the free memory at an address.
pub(super) fn find(address: usize) -> Result<Found> {
    let maps = std::fs::File::open("/proc/self/maps")?;
    for line in std::io::BufReader::new(maps).lines() {
        let Some(map) = Mapped::parse(&line?) else { continue };
        if address < map.start {
            return Ok(Found::FreeUpTo(map.start));
        }
        if address < map.end {
            return Ok(Found::Mapping(map));
        }
    }
    Ok(Found::FreeUpTo(END))
}

/// A line of `/proc/self/maps`.
pub(super) struct Mapped {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) protection: u32,
    pub(super) kind: u32,
}

impl Mapped {
    fn parse(line: &str) -> Option<Mapped> {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let may = words.next()?.as_bytes();
        let path = words.nth(3).unwrap_or_default();
        let executable = may.get(2) == Some(&b'x');
        let protection = match (may.first()?, may.get(1)?) {
            (_, b'w') => READWRITE,
            (b'r', _) => READONLY,
            _ => NOACCESS,
        };
        let file = path.starts_with('/');
        let shared = may.get(3) == Some(&b's');
        Some(Mapped {
            start: usize::from_str_radix(start, 16).ok()?,
            end: usize::from_str_radix(end, 16).ok()?,
            // Each `PAGE_EXECUTE_` constant is the plain protection shifted by four bits.
            protection: if executable && protection != NOACCESS {
                protection << 4
            } else {
                protection
            },
            kind: match (file, shared) {
                (true, false) => MEM_IMAGE,
                (_, true) => MEM_MAPPED,
                _ => MEM_PRIVATE,
            },
        })
    }
}
