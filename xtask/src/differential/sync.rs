//! Generates the calls of a script for mutexes, events and semaphores: it creates, changes and
//! waits for them.

use super::edges::{COUNTS, INVALID_WAIT_HANDLES, RARE_SYNC_RIGHTS, RELEASE_COUNTS, SYNC_RIGHTS};
use super::object_kind::SyncKind;
use super::script::{Kind, SLOTS, ScriptGenerator, handle_slot};

impl ScriptGenerator {
    pub(super) fn sync_call(&mut self, process: usize) -> String {
        let is_sync = |kind: &Option<Kind>| matches!(kind, Some(Kind::Sync(..)));
        let has_any = self.known[process].handles.iter().any(is_sync);
        match self.rng.below(100) {
            0..90 if !has_any && !self.rng.one_in(8) => self.make_sync(process),
            0..16 => self.make_sync(process),
            16..24 => format!("release {}", self.sync(process, Some(SyncKind::Mutex))),
            24..32 => format!("set {}", self.sync(process, Some(SyncKind::Event))),
            32..36 => format!("unset {}", self.sync(process, Some(SyncKind::Event))),
            36..39 => format!("pulse {}", self.sync(process, Some(SyncKind::Event))),
            39..47 => {
                let silent = if self.rng.one_in(10) { " 1" } else { "" };
                let (by, handle) =
                    (self.pick(&RELEASE_COUNTS), self.sync(process, Some(SyncKind::Semaphore)));
                format!("post {handle} {by}{silent}")
            }
            47..66 => format!("wait {} 0", self.sync(process, None)),
            66..82 => self.wait_many(process),
            82..88 => format!("signal {} {} 0", self.sync(process, None), self.sync(process, None)),
            88..91 => format!("abandon {}", self.sync(process, Some(SyncKind::Mutex))),
            _ => self.close(process),
        }
    }

    fn make_sync(&mut self, process: usize) -> String {
        let slot = self.free_handle(process);
        let width = self.pick(&["A", "W"]);
        let name = self.name(width);
        let kind = self.pick(&["mutex", "event", "semaphore"]);
        let rights = self.pick_mostly(&SYNC_RIGHTS, &RARE_SYNC_RIGHTS, 5);
        if self.rng.one_in(3) {
            let inherit = self.pick(&["0", "0", "1", "2"]);
            return format!("open{kind} {slot} {width} {rights} {inherit} {name}");
        }
        let attributes = self.pick(&["-", "-", "-", "i", "d", "id"]);
        let counts = self.pick_mostly(&["0 1", "1 1", "0 2", "2 3", "0 7fffffff"], &COUNTS, 4);
        let flags = self.pick_mostly(&["0", "1", "2", "3"], &["4", "80000000", "ffffffff"], 12);
        let start = format!("{slot} {width} {attributes}");
        match (kind, self.rng.one_in(3)) {
            ("mutex", false) => format!("mutex {start} {} {name}", self.pick(&["0", "1", "2"])),
            ("event", false) => {
                let (manual, set) = (self.pick(&["0", "1", "2"]), self.pick(&["0", "1", "2"]));
                format!("event {start} {manual} {set} {name}")
            }
            (_, false) => format!("semaphore {start} {counts} {name}"),
            ("semaphore", true) => {
                let flags = if self.rng.one_in(8) { flags } else { "0" };
                format!("semaphoreex {start} {counts} {flags} {rights} {name}")
            }
            (_, true) => format!("{kind}ex {start} {flags} {rights} {name}"),
        }
    }

    fn wait_many(&mut self, process: usize) -> String {
        let all = self.pick(&["0", "0", "1", "2"]);
        let mut list = Vec::new();
        let mut semaphores = Vec::new();
        for _ in 0..self.pick(&["1", "2", "2", "3", "4"]).parse().unwrap_or(1) {
            let handle = self.sync(process, None);
            // Windows and Wine differ for a handle that occurs twice in a wait, and a rule explains
            // that. So pick mostly distinct handles.
            if list.contains(&handle) && !self.rng.one_in(8) {
                continue;
            }
            let kind = self.kind_of(process, &handle);
            if let (true, Some(Kind::Sync(SyncKind::Semaphore, _))) = (all != "0", kind) {
                // Wine's server crashes if a wait for all takes two from a semaphore whose count is
                // one. So wait for one semaphore only.
                if semaphores.contains(&kind) {
                    continue;
                }
                semaphores.push(kind);
            }
            list.push(handle);
        }
        let len = match self.pick(&["0", "40", "41", "ffffffff"]) {
            "40" if !semaphores.is_empty() => format!("{:x}", list.len()),
            odd if self.rng.one_in(10) => odd.to_owned(),
            _ => format!("{:x}", list.len()),
        };
        format!("waitmany {all} {len} 0 {}", list.join(" "))
    }

    /// Picks a handle to an object of this kind if there is one, or rarely another handle. Never
    /// picks a file, nor the pseudo-handles of this process and this thread, because our side
    /// cannot wait for them.
    fn sync(&mut self, process: usize, wanted: Option<SyncKind>) -> String {
        let matches = |kind: &Option<Kind>| match kind {
            Some(Kind::Sync(kind, _)) => wanted.is_none_or(|wanted| wanted == *kind),
            _ => false,
        };
        if self.rng.one_in(25) {
            return self.pick(&INVALID_WAIT_HANDLES).to_owned();
        }
        if self.rng.one_in(12) || !self.known[process].handles.iter().any(matches) {
            let handle = self.handle(process);
            let is_file =
                matches!(self.kind_of(process, &handle), Some(Kind::File | Kind::Growing));
            return if is_file || handle.starts_with("x-") { "x0".to_owned() } else { handle };
        }
        let slot = self.slot(|generator, slot| matches(&generator.known[process].handles[slot]));
        format!("h{slot}")
    }

    /// Returns the suffix that makes a call release the mutex before it closes the handle. It is
    /// empty unless the handle may be the process's last handle to a mutex. On our side, closing
    /// the last handle abandons a mutex that a thread of the process owns. On Windows, the thread
    /// continues to own the mutex until it ends.
    pub(super) fn release_before_close(&self, process: usize, handle: &str) -> &'static str {
        let handles = &self.known[process].handles;
        let Some(slot) = handle_slot(handle) else { return " 1" };
        let others =
            (0..SLOTS).filter(|other| *other != slot).any(|other| handles[other] == handles[slot]);
        match handles[slot] {
            Some(Kind::Sync(SyncKind::Mutex, _)) if others => "",
            Some(Kind::Sync(SyncKind::Mutex, _)) | None => " 1",
            Some(_) => "",
        }
    }
}
