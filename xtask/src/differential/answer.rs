//! What a process answers to a call.

use std::fmt;

/// An answer, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whether the call did it, the last error, and what it gave.
    pub(super) head: String,
    /// What stands in each slot for memory.
    pub(super) views: Vec<Memory>,
}

/// What stands in one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) slot: usize,
    pub(super) stretches: Vec<Stretch>,
    /// Of all bytes that can be read.
    pub(super) sum: String,
}

/// Pages that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) at: u64,
    pub(super) len: u64,
    pub(super) state: u32,
    pub(super) protection: u32,
    pub(super) allocation_protection: u32,
    /// The type, and whether the base address is another than expected.
    pub(super) rest: String,
}

impl Answer {
    pub(super) fn parse(line: &str) -> Option<Answer> {
        let mut parts = line.split(" | ");
        let head = parts.next()?.to_owned();
        Some(Answer { head, views: parts.map(Memory::parse).collect::<Option<_>>()? })
    }

    pub(super) fn done(&self) -> bool {
        self.head.starts_with("ok")
    }

    /// Whether it is a failure with one of these errors.
    pub(super) fn fails(&self, with: &[u32]) -> bool {
        let error = self.word(1).and_then(|word| word.parse().ok());
        !self.done() && error.is_some_and(|error| with.contains(&error))
    }

    pub(super) fn word(&self, at: usize) -> Option<&str> {
        self.head.split(' ').nth(at)
    }
}

/// A number as the program writes it.
pub(super) fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
}

impl Memory {
    fn parse(text: &str) -> Option<Memory> {
        let mut words = text.split(' ');
        let slot = words.next()?.strip_prefix('v')?.parse().ok()?;
        let (mut stretches, mut sum) = (Vec::new(), String::new());
        for word in words {
            match word.strip_prefix('#') {
                Some(told) => told.clone_into(&mut sum),
                None => stretches.push(Stretch::parse(word)?),
            }
        }
        Some(Memory { slot, stretches, sum })
    }

    pub(super) fn len(&self) -> u64 {
        self.stretches.last().map_or(0, |last| last.at + last.len)
    }
}

impl Stretch {
    fn parse(text: &str) -> Option<Stretch> {
        let (range, told) = text.split_once('/')?;
        let (at, len) = range.split_once('+')?;
        let mut told = told.splitn(4, '/');
        Some(Stretch {
            at: u64::from_str_radix(at, 16).ok()?,
            len: u64::from_str_radix(len, 16).ok()?,
            state: hex(told.next()?)?,
            protection: hex(told.next()?)?,
            allocation_protection: hex(told.next()?)?,
            rest: told.next()?.to_owned(),
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        for view in &self.views {
            write!(f, "\n        v{} #{}", view.slot, view.sum)?;
            for stretch in &view.stretches {
                let Stretch { at, len, state, protection, allocation_protection, rest } = stretch;
                write!(f, " {at:x}+{len:x}/{state:x}/{protection:x}")?;
                write!(f, "/{allocation_protection:x}/{rest}")?;
            }
        }
        Ok(())
    }
}
