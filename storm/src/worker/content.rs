//! The content of an object: its number, and an area of each slot, which only that slot writes.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use pagemate::{Section, View};

use crate::board::{Board, SLOTS};

/// The areas begin here, and each has this length.
const AREAS: usize = 1024;
const AREA: usize = 256;

/// A view of an object that this process holds.
pub(super) struct Content {
    view: View,
    slot: usize,
    id: u64,
    /// The counter of each area, as it was seen last. Counters only grow.
    seen: [u64; SLOTS],
    /// The bytes of the own area, once they were written.
    written: Option<[u8; AREA]>,
}

impl Content {
    /// Maps an object. The first process that comes gives it its number.
    pub(super) fn enter(board: &Board, slot: usize, section: &Section) -> Result<Content, String> {
        let view = section.map().map_err(|e| e.to_string())?;
        let id = board.new_id();
        let number = view.atomic::<AtomicU64>(0).map_err(|e| e.to_string())?;
        let id = number.compare_exchange(0, id, SeqCst, SeqCst).map_or_else(|found| found, |_| id);
        let mut content = Content { view, slot, id, seen: [0; SLOTS], written: None };
        content.look()?;
        Ok(content)
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    fn counter(&self, slot: usize) -> Result<&AtomicU64, String> {
        self.view.atomic(AREAS + slot * AREA).map_err(|e| e.to_string())
    }

    /// Demands that the object is the same and that no counter went back.
    pub(super) fn look(&mut self) -> Result<(), String> {
        let number = self.view.atomic::<AtomicU64>(0).map_err(|e| e.to_string())?.load(SeqCst);
        if number != self.id {
            return Err(format!("object {} has become {number}", self.id));
        }
        for slot in 0..SLOTS {
            let count = self.counter(slot)?.load(SeqCst);
            let seen = self.seen[slot];
            if count < seen {
                return Err(format!("object {} lost a write: {seen} became {count}", self.id));
            }
            self.seen[slot] = count;
        }
        Ok(())
    }

    /// Demands that the own area is as it was written, and writes it anew.
    pub(super) fn check_and_write(&mut self, number: u64) -> Result<(), String> {
        self.look()?;
        let (at, mut bytes) = (AREAS + self.slot * AREA, [0; AREA]);
        if let Some(written) = &self.written {
            self.view.read_at(at, &mut bytes).map_err(|e| e.to_string())?;
            if bytes != *written {
                return Err(format!("object {} has other bytes than were written", self.id));
            }
        }
        let next = self.seen[self.slot] + 1;
        for (i, byte) in bytes.iter_mut().enumerate().skip(8) {
            *byte =
                number.rotate_left(u32::try_from(i % 64).expect("it is small")).to_le_bytes()[0];
        }
        bytes[..8].copy_from_slice(&next.to_ne_bytes());
        // The rest first, so that a process which is killed in between leaves a counter that is whole.
        self.view.write_at(at + 8, &bytes[8..]).map_err(|e| e.to_string())?;
        self.counter(self.slot)?.store(next, SeqCst);
        self.seen[self.slot] = next;
        self.written = Some(bytes);
        Ok(())
    }
}
