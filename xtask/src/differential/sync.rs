//! The part of random scripts that makes mutexes, events and semaphores, changes them and waits.

use super::edges::{COUNTS, NO_WAITABLES, POSTS, RARE_SYNC_RIGHTS, SYNC_RIGHTS};
use super::script::{Author, Kind, SLOTS, handle_slot};

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    Mutex,
    Event,
    Semaphore,
}

impl Sync {
    /// What a call makes or opens.
    pub(super) fn made_by(call: &str) -> Option<Sync> {
        match call {
            "mutex" | "mutexex" | "openmutex" => Some(Sync::Mutex),
            "event" | "eventex" | "openevent" => Some(Sync::Event),
            "semaphore" | "semaphoreex" | "opensemaphore" => Some(Sync::Semaphore),
            _ => None,
        }
    }
}

impl Author {
    pub(super) fn sync_call(&mut self, process: usize) -> String {
        let is_sync = |kind: &Option<Kind>| matches!(kind, Some(Kind::Sync(..)));
        let some = self.known[process].handles.iter().any(is_sync);
        match self.dice.roll(100) {
            0..90 if !some && !self.dice.one_in(8) => self.make_sync(process),
            0..16 => self.make_sync(process),
            16..24 => format!("release {}", self.sync(process, Some(Sync::Mutex))),
            24..32 => format!("set {}", self.sync(process, Some(Sync::Event))),
            32..36 => format!("unset {}", self.sync(process, Some(Sync::Event))),
            36..39 => format!("pulse {}", self.sync(process, Some(Sync::Event))),
            39..47 => {
                let silent = if self.dice.one_in(10) { " 1" } else { "" };
                let (by, handle) = (self.one(&POSTS), self.sync(process, Some(Sync::Semaphore)));
                format!("post {handle} {by}{silent}")
            }
            47..66 => format!("wait {} 0", self.sync(process, None)),
            66..82 => self.wait_many(process),
            82..88 => format!("signal {} {} 0", self.sync(process, None), self.sync(process, None)),
            88..91 => format!("abandon {}", self.sync(process, Some(Sync::Mutex))),
            _ => self.close(process),
        }
    }

    fn make_sync(&mut self, process: usize) -> String {
        let slot = self.free_handle(process);
        let which = self.one(&["A", "W"]);
        let name = self.name(which);
        let kind = self.one(&["mutex", "event", "semaphore"]);
        let rights = self.mostly(&SYNC_RIGHTS, &RARE_SYNC_RIGHTS, 5);
        if self.dice.one_in(3) {
            let inherit = self.one(&["0", "0", "1", "2"]);
            return format!("open{kind} {slot} {which} {rights} {inherit} {name}");
        }
        let attributes = self.one(&["-", "-", "-", "i", "d", "id"]);
        let counts = self.mostly(&["0 1", "1 1", "0 2", "2 3", "0 7fffffff"], &COUNTS, 4);
        let flags = self.mostly(&["0", "1", "2", "3"], &["4", "80000000", "ffffffff"], 12);
        let start = format!("{slot} {which} {attributes}");
        match (kind, self.dice.one_in(3)) {
            ("mutex", false) => format!("mutex {start} {} {name}", self.one(&["0", "1", "2"])),
            ("event", false) => {
                let (manual, set) = (self.one(&["0", "1", "2"]), self.one(&["0", "1", "2"]));
                format!("event {start} {manual} {set} {name}")
            }
            (_, false) => format!("semaphore {start} {counts} {name}"),
            ("semaphore", true) => {
                let flags = if self.dice.one_in(8) { flags } else { "0" };
                format!("semaphoreex {start} {counts} {flags} {rights} {name}")
            }
            (_, true) => format!("{kind}ex {start} {flags} {rights} {name}"),
        }
    }

    fn wait_many(&mut self, process: usize) -> String {
        let all = self.one(&["0", "0", "1", "2"]);
        let mut list = Vec::new();
        let mut semaphores = Vec::new();
        for _ in 0..self.one(&["1", "2", "2", "3", "4"]).parse().unwrap_or(1) {
            let handle = self.sync(process, None);
            // For the same one twice there is a rule; mostly each is another.
            if list.contains(&handle) && !self.dice.one_in(8) {
                continue;
            }
            let kind = self.kind_of(process, &handle);
            if let (true, Some(Kind::Sync(Sync::Semaphore, _))) = (all != "0", kind) {
                // Wine's server ends when it takes one off a semaphore twice that has but one.
                if semaphores.contains(&kind) {
                    continue;
                }
                semaphores.push(kind);
            }
            list.push(handle);
        }
        let len = match self.one(&["0", "40", "41", "ffffffff"]) {
            "40" if !semaphores.is_empty() => format!("{:x}", list.len()),
            odd if self.dice.one_in(10) => odd.to_owned(),
            _ => format!("{:x}", list.len()),
        };
        format!("waitmany {all} {len} 0 {}", list.join(" "))
    }

    /// A handle to such an object, if there is one, or now and then another. Never this process or
    /// thread, which have no handles here, nor a file, for which nobody waits here.
    fn sync(&mut self, process: usize, wanted: Option<Sync>) -> String {
        let fits = |kind: &Option<Kind>| match kind {
            Some(Kind::Sync(kind, _)) => wanted.is_none_or(|wanted| wanted == *kind),
            _ => false,
        };
        if self.dice.one_in(25) {
            return self.one(&NO_WAITABLES).to_owned();
        }
        if self.dice.one_in(12) || !self.known[process].handles.iter().any(fits) {
            let handle = self.handle(process);
            let is_file =
                matches!(self.kind_of(process, &handle), Some(Kind::File | Kind::Growing));
            return if is_file || handle.starts_with("x-") { "x0".to_owned() } else { handle };
        }
        let slot = self.slot(|author, slot| fits(&author.known[process].handles[slot]));
        format!("h{slot}")
    }

    /// What makes a call that closes a handle give the mutex back before, if it may be this process'
    /// last handle to it: a thread that still has it then abandons it here, while on Windows it has it
    /// until it ends.
    pub(super) fn give_back(&self, process: usize, handle: &str) -> &'static str {
        let handles = &self.known[process].handles;
        let Some(slot) = handle_slot(handle) else { return " 1" };
        let others =
            (0..SLOTS).filter(|other| *other != slot).any(|other| handles[other] == handles[slot]);
        match handles[slot] {
            Some(Kind::Sync(Sync::Mutex, _)) if others => "",
            Some(Kind::Sync(Sync::Mutex, _)) | None => " 1",
            Some(_) => "",
        }
    }
}
