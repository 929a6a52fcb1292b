//! The content of an object: a number that identifies the object, and one area for each slot. Only
//! the process of a slot writes to the slot's area.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use pagemate::typed::Racy;
use pagemate::{Section, Shareable, Shared};

use crate::board::{Board, SLOTS};

/// The length of an area in bytes.
const AREA: usize = 256;

/// The layout of the content.
#[derive(Shareable)]
#[repr(C)]
struct Object {
    number: AtomicU64,
    unused: [AtomicU64; 127],
    areas: [Area; SLOTS],
}

#[derive(Shareable)]
#[repr(C)]
struct Area {
    counter: AtomicU64,
    rest: Racy<[u8; AREA - 8]>,
}

/// The content of an object that this process holds.
pub(super) struct Content {
    object: Shared<Object>,
    slot: usize,
    id: u64,
    /// The counter of each area when this process last read it. Counters only grow.
    seen: [u64; SLOTS],
    /// The bytes that this process wrote to its own area; `None` before the first write.
    written: Option<[u8; AREA - 8]>,
}

impl Content {
    /// Maps the content of an object. The first process stores the number of the object.
    pub(super) fn enter(board: &Board, slot: usize, section: &Section) -> Result<Content, String> {
        let object = Shared::<Object>::map(section, 0).map_err(|e| e.to_string())?;
        let id = board.new_id();
        let number = object.number.compare_exchange(0, id, SeqCst, SeqCst);
        let id = number.map_or_else(|found| found, |_| id);
        let mut content = Content { object, slot, id, seen: [0; SLOTS], written: None };
        content.check()?;
        Ok(content)
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Checks that the number of the object is unchanged, and that no counter has decreased.
    pub(super) fn check(&mut self) -> Result<(), String> {
        let number = self.object.number.load(SeqCst);
        if number != self.id {
            return Err(format!("object {} has become {number}", self.id));
        }
        for slot in 0..SLOTS {
            let count = self.object.areas[slot].counter.load(SeqCst);
            let seen = self.seen[slot];
            if count < seen {
                return Err(format!("object {} lost a write: {seen} became {count}", self.id));
            }
            self.seen[slot] = count;
        }
        Ok(())
    }

    /// Checks that the own area has the bytes that this process wrote, and writes new ones.
    pub(super) fn check_and_write(&mut self, number: u64) -> Result<(), String> {
        self.check()?;
        let (area, mut bytes) = (&self.object.areas[self.slot], [0; AREA - 8]);
        let next = self.seen[self.slot] + 1;
        if let Some(written) = &self.written
            && (area.rest.get() != *written || area.counter.load(SeqCst) + 1 != next)
        {
            return Err(format!("object {} has other bytes than were written", self.id));
        }
        for (i, byte) in (8..).zip(&mut bytes) {
            *byte = number.rotate_left(i % 64).to_le_bytes()[0];
        }
        // Write the bytes before the counter. If the process is killed in between, the counter is
        // still valid.
        area.rest.set(&bytes);
        area.counter.store(next, SeqCst);
        self.seen[self.slot] = next;
        self.written = Some(bytes);
        Ok(())
    }
}
