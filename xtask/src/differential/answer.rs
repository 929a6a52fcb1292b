//! Parses the answer of a process to a call.

use std::fmt;

/// An answer of the test program, split into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The outcome, the last error and the values that the call returned.
    pub(super) head: String,
    /// The memory in each used view slot.
    pub(super) views: Vec<Memory>,
}

/// The memory in one view slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) slot: usize,
    pub(super) ranges: Vec<PageRange>,
    /// The checksum of all readable bytes.
    pub(super) checksum: String,
}

/// Consecutive pages with the same state, protection and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageRange {
    pub(super) at: u64,
    pub(super) len: u64,
    pub(super) state: u32,
    pub(super) protection: u32,
    pub(super) allocation_protection: u32,
    /// The type. A mark follows if the base address is not the expected one.
    pub(super) rest: String,
}

impl Answer {
    pub(super) fn parse(line: &str) -> Option<Answer> {
        let mut parts = line.split(" | ");
        let head = parts.next()?.to_owned();
        Some(Answer { head, views: parts.map(Memory::parse).collect::<Option<_>>()? })
    }

    pub(super) fn succeeded(&self) -> bool {
        self.head.starts_with("ok")
    }

    /// Returns whether the call failed with one of these errors.
    pub(super) fn fails(&self, with: &[u32]) -> bool {
        let error = self.word(1).and_then(|word| word.parse().ok());
        !self.succeeded() && error.is_some_and(|error| with.contains(&error))
    }

    pub(super) fn word(&self, at: usize) -> Option<&str> {
        self.head.split(' ').nth(at)
    }
}

/// Parses a number as the test program prints it, in hexadecimal.
pub(super) fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
}

impl Memory {
    fn parse(text: &str) -> Option<Memory> {
        let mut words = text.split(' ');
        let slot = words.next()?.strip_prefix('v')?.parse().ok()?;
        let (mut ranges, mut checksum) = (Vec::new(), String::new());
        for word in words {
            match word.strip_prefix('#') {
                Some(text) => text.clone_into(&mut checksum),
                None => ranges.push(PageRange::parse(word)?),
            }
        }
        Some(Memory { slot, ranges, checksum })
    }

    pub(super) fn len(&self) -> u64 {
        self.ranges.last().map_or(0, |last| last.at + last.len)
    }
}

impl PageRange {
    fn parse(text: &str) -> Option<PageRange> {
        let (range, fields) = text.split_once('/')?;
        let (at, len) = range.split_once('+')?;
        let mut fields = fields.splitn(4, '/');
        Some(PageRange {
            at: u64::from_str_radix(at, 16).ok()?,
            len: u64::from_str_radix(len, 16).ok()?,
            state: hex(fields.next()?)?,
            protection: hex(fields.next()?)?,
            allocation_protection: hex(fields.next()?)?,
            rest: fields.next()?.to_owned(),
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        for view in &self.views {
            write!(f, "\n        v{} #{}", view.slot, view.checksum)?;
            for range in &view.ranges {
                let PageRange { at, len, state, protection, allocation_protection, rest } = range;
                write!(f, " {at:x}+{len:x}/{state:x}/{protection:x}")?;
                write!(f, "/{allocation_protection:x}/{rest}")?;
            }
        }
        Ok(())
    }
}
