//! Generates random scripts. Many arguments are at a limit, and enough calls are valid that objects
//! and views exist.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::answer::Answer;
use super::edges::{
    ARENA, INVALID_ADDRESSES, INVALID_HANDLES, LENGTHS, NAMES, OFFSETS, PAGE_ONLY_PROTECTIONS,
    PROTECTIONS, RARE_LENGTHS, RARE_NAMES, RARE_OFFSETS, RARE_PROTECTIONS, RARE_RIGHTS, RARE_SIZES,
    RARE_SYNC_RIGHTS, RARE_VIEW_RIGHTS, RIGHTS, SECTION_FLAGS, SIZES, SYNC_RIGHTS, THIS_PROCESS,
    VIEW_RIGHTS, WIDE_NAMES,
};
use super::object_kind::SyncKind;
use super::program::PROCESSES;
use super::rng::Rng;

/// The number of handle slots, and of view slots, in each test process.
pub(super) const SLOTS: usize = 8;

/// Generates the calls of a script one after the other. Each call depends on the answers to the
/// calls before it.
pub(super) struct ScriptGenerator {
    pub(super) rng: Rng,
    pub(super) known: [KnownState; PROCESSES],
    /// Whether the script uses files.
    files: bool,
    /// Whether the script uses mutexes, events and semaphores.
    sync: bool,
    /// The number of unnamed objects created so far.
    unnamed: u64,
    /// The number of scenes begun so far.
    pub(super) scenes: u64,
    /// The remaining lines of the current scene.
    scene: VecDeque<Line>,
}

/// The object that a handle refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mapping,
    /// A file that is never truncated, so that other processes may map it. A process on our side
    /// does not know the mappings of other processes, so it would truncate a file that they map,
    /// which Windows refuses.
    Growing,
    /// A file that may be truncated. Its mappings have no names, so that no other process can open
    /// them.
    File,
    /// A synchronization object and its number. Objects with the same name have the same number.
    Sync(SyncKind, u64),
}

/// The handles and views of one process, as the answers so far show them.
#[derive(Default)]
pub(super) struct KnownState {
    pub(super) handles: [Option<Kind>; SLOTS],
    /// The length of the memory in each view slot.
    views: [Option<u64>; SLOTS],
}

/// A line for one process. The runner replaces each `$` by a prefix that no other script uses.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) process: usize,
    pub(super) text: String,
}

impl ScriptGenerator {
    pub(super) fn new(seed: u64) -> ScriptGenerator {
        let (files, sync) = (seed % 2 == 1, seed.is_multiple_of(3));
        ScriptGenerator {
            rng: Rng::new(seed),
            known: Default::default(),
            files,
            sync,
            unnamed: 0,
            scenes: 0,
            scene: VecDeque::new(),
        }
    }

    /// Returns the next line.
    pub(super) fn next(&mut self) -> Line {
        if self.scene.is_empty() && self.sync && self.rng.one_in(40) {
            self.scene = self.sleep_scene().into();
        }
        if let Some(line) = self.scene.pop_front() {
            return line;
        }
        let process = self.rng.below(PROCESSES);
        Line { process, text: self.call(process) }
    }

    /// Updates the known state after the answer to a line.
    pub(super) fn record_answer(&mut self, line: &Line, answer: &Answer) {
        let known = &mut self.known[line.process];
        known.views = [None; SLOTS];
        for view in &answer.views {
            known.views[view.slot] = Some(view.len());
        }
        let words: Vec<&str> = line.text.split(' ').collect();
        let slot = |at: usize| words.get(at).and_then(|word| handle_slot(word));
        let last = words.last().copied().unwrap_or_default();
        let source = if words[0] == "dup" { slot(3) } else { None };
        let kind = source.and_then(|source| known.handles[source]);
        // `DUPLICATE_CLOSE_SOURCE` closes the source even if the call fails.
        if let (Some(source), Some(&("1" | "3"))) = (source, words.get(7)) {
            known.handles[source] = None;
        }
        let kind = match words[0] {
            _ if !answer.succeeded() => return,
            "create" | "open" => Some(Kind::Mapping),
            "file" if last.contains("grow") => Some(Kind::Growing),
            "file" => Some(Kind::File),
            "dup" => kind,
            "close" => None,
            call => match SyncKind::made_by(call) {
                Some(made) => Some(Kind::Sync(made, self.object_number(last))),
                None => return,
            },
        };
        if let Some(slot) = slot(1) {
            self.known[line.process].handles[slot] = kind;
        }
    }

    /// Returns the same number for the same name, and a new number for each unnamed object.
    fn object_number(&mut self, name: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        match name {
            "null" | "empty" => {
                self.unnamed += 1;
                self.unnamed.hash(&mut hasher);
            }
            name => name.trim_start_matches(r"Local\").hash(&mut hasher),
        }
        hasher.finish()
    }

    fn call(&mut self, process: usize) -> String {
        let has_mappings = self.known[process].handles.contains(&Some(Kind::Mapping));
        let has_views = self.known[process].views.iter().any(Option::is_some);
        if self.files && self.rng.one_in(4) {
            return self.file_call(process);
        }
        if self.sync && self.rng.one_in(2) {
            return self.sync_call(process);
        }
        let choice = self.rng.below(100);
        match choice {
            0..50 if !has_mappings && !self.rng.one_in(8) => self.create_or_open(process),
            50..100 if !has_views && has_mappings && !self.rng.one_in(8) => self.map(process),
            50..100 if !has_views && !self.rng.one_in(4) => self.create_or_open(process),
            0..12 => self.create_or_open(process),
            12..19 => self.close(process),
            19..26 => self.dup(process),
            26..29 => format!("info {}", self.handle(process)),
            29..32 => {
                let bits = ["0", "1", "2", "3", "3", "4", "ffffffff"];
                let (mask, flags) = (self.pick(&bits), self.pick(&bits));
                format!("setinfo {} {mask} {flags}", self.handle(process))
            }
            32..50 => self.map(process),
            50..57 => self.unmap(process),
            57..61 => format!("flush {} {}", self.address(process), self.length()),
            61..66 => {
                let room = if self.rng.one_in(8) { self.pick(&["0", "8", "2f"]) } else { "30" };
                format!("query {} {room}", self.address(process))
            }
            66..75 => self.protect(process),
            75..82 => self.allocate(process),
            82..85 => {
                let how = self.pick(&["8000", "8000", "4000", "c000", "0", "1000"]);
                format!("free {} {} {how}", self.address(process), self.length())
            }
            _ => {
                let value = self.rng.below(256);
                format!("write {} {} {value:x}", self.address(process), self.length())
            }
        }
    }

    pub(super) fn close(&mut self, process: usize) -> String {
        let handle = self.handle(process);
        format!("close {handle}{}", self.release_before_close(process, &handle))
    }

    fn create_or_open(&mut self, process: usize) -> String {
        let slot = self.free_handle(process);
        let width = self.pick(&["A", "W"]);
        let name = self.name(width);
        if self.rng.one_in(3) {
            let (rights, inherit) = (self.rights(), self.pick(&["0", "0", "1", "2"]));
            return format!("open {slot} {width} {rights} {inherit} {name}");
        }
        let file = if self.rng.one_in(25) {
            self.handle(process)
        } else {
            self.pick(&["x-1", "x-1", "x0"]).to_owned()
        };
        // The mapping of a file that may be truncated must not have a name, because another process
        // could open it.
        let name = if self.kind_of(process, &file) == Some(Kind::File) { "null" } else { name };
        let attributes = self.pick(&["-", "-", "-", "i", "d", "id"]);
        let size = self.pick_mostly(&SIZES, &RARE_SIZES, 40);
        let rare = if self.rng.one_in(3) { &PAGE_ONLY_PROTECTIONS[..] } else { &RARE_PROTECTIONS };
        let protection = self.pick_mostly(&PROTECTIONS, rare, 12);
        let mut protection = u32::from_str_radix(protection, 16).unwrap_or_default();
        if self.rng.one_in(4) {
            protection |= 0x0400_0000;
        } else if self.rng.one_in(5) {
            protection |= SECTION_FLAGS[self.rng.below(SECTION_FLAGS.len())]
                | SECTION_FLAGS[self.rng.below(SECTION_FLAGS.len())];
        }
        format!("create {slot} {width} {file} {attributes} {protection:x} {size} {name}")
    }

    pub(super) fn kind_of(&self, process: usize, handle: &str) -> Option<Kind> {
        self.known[process].handles[handle_slot(handle)?]
    }

    fn dup(&mut self, process: usize) -> String {
        let source = if self.rng.one_in(3) { self.handle(process) } else { self.mapping(process) };
        if source.starts_with("x-") {
            // Do not duplicate pseudo-handles, because our side does not support it.
            return format!("info {source}");
        }
        let (from, to) = (self.this_process(), self.this_process());
        let rights = match self.kind_of(process, &source) {
            Some(Kind::Mapping) | None => self.rights(),
            Some(Kind::Sync(..)) => self.pick_mostly(&SYNC_RIGHTS, &RARE_SYNC_RIGHTS, 5),
            // Do not request append-only access, because on our side only CreateFile can grant it.
            Some(_) => self.pick(&["c0000000", "80000000", "40000000", "1", "2", "10000000"]),
        };
        let inherit = self.pick(&["0", "0", "1"]);
        let options = self.pick(&["0", "0", "2", "2", "1", "3", "4", "6", "8"]);
        // If the call does not return the new handle, the handle stays open for ever, so generate
        // few such calls.
        let target = if options.ends_with(['1', '3']) || !self.rng.one_in(200) {
            self.free_handle(process)
        } else {
            "-".to_owned()
        };
        let release_before_close = match options {
            "1" | "3" => self.release_before_close(process, &source),
            _ => "",
        };
        format!(
            "dup {target} {from} {source} {to} {rights} {inherit} {options}{release_before_close}"
        )
    }

    fn map(&mut self, process: usize) -> String {
        let slot = self.free_view(process);
        let handle = self.mapping(process);
        let rights = self.pick_mostly(&VIEW_RIGHTS, &RARE_VIEW_RIGHTS, 15);
        let offset = self.pick_mostly(&OFFSETS, &RARE_OFFSETS, 40);
        let (high, low) = halves(offset);
        let len = if self.rng.one_in(2) { "0" } else { self.length() };
        let base = self.target_address(process);
        let (this, protection) =
            (self.this_process(), self.pick_mostly(&["4", "2", "8", "1"], &RARE_PROTECTIONS, 15));
        let allocation = if self.rng.one_in(10) { "2000" } else { "0" };
        match self.rng.below(6) {
            0..3 => format!("map {slot} {handle} {rights} {high:x} {low:x} {len}"),
            3 => format!("mapex {slot} {handle} {rights} {high:x} {low:x} {len} {base}"),
            4 => format!(
                "map2 {slot} {handle} {this} {offset} {base} {len} {allocation} {protection}"
            ),
            _ => format!(
                "map3 {slot} {handle} {this} {offset} {base} {len} {allocation} {protection}"
            ),
        }
    }

    fn unmap(&mut self, process: usize) -> String {
        let address = self.address(process);
        match self.rng.below(6) {
            0 => format!("unmapex {address} 0"),
            1 => format!("unmap2 {} {address} 0", self.this_process()),
            _ => format!("unmap {address}"),
        }
    }

    fn protect(&mut self, process: usize) -> String {
        let protection = self.pick_mostly(&["1", "2", "4", "8"], &RARE_PROTECTIONS, 12);
        let old = if self.rng.one_in(20) { " 1" } else { "" };
        format!("protect {} {} {protection}{old}", self.address(process), self.length())
    }

    fn allocate(&mut self, process: usize) -> String {
        let slot = self.free_view(process);
        let (len, target_address) = (self.length(), self.target_address(process));
        let within = self.address(process);
        let (address, how) = match self.rng.below(8) {
            0 => (target_address, "2000"),
            1 => (target_address, "3000"),
            2 => (within, self.pick(&["0", "3000", "2000", "101000", "1001"])),
            _ => (within, "1000"),
        };
        let protection = self.pick_mostly(&["4", "4", "2", "1", "8"], &RARE_PROTECTIONS, 15);
        format!("alloc {slot} {address} {len} {how} {protection}")
    }

    pub(super) fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of[self.rng.below(of.len())]
    }

    /// Picks from `of`, and with the probability `1 / once` from `rare`.
    pub(super) fn pick_mostly(
        &mut self,
        of: &[&'static str],
        rare: &[&'static str],
        once: usize,
    ) -> &'static str {
        if self.rng.one_in(once) { self.pick(rare) } else { self.pick(of) }
    }

    fn rights(&mut self) -> &'static str {
        self.pick_mostly(&RIGHTS, &RARE_RIGHTS, 6)
    }

    fn length(&mut self) -> &'static str {
        self.pick_mostly(&LENGTHS, &RARE_LENGTHS, 30)
    }

    pub(super) fn name(&mut self, width: &str) -> &'static str {
        match width {
            "W" if self.rng.one_in(12) => self.pick(&WIDE_NAMES),
            _ => self.pick_mostly(&NAMES, &RARE_NAMES, 8),
        }
    }

    fn this_process(&mut self) -> &'static str {
        if self.rng.one_in(25) { self.pick(&["x0", "x7ffffff0"]) } else { THIS_PROCESS }
    }

    /// Picks an open handle, or rarely a closed or an invalid one.
    pub(super) fn handle(&mut self, process: usize) -> String {
        if self.rng.one_in(25) {
            return self.pick(&INVALID_HANDLES).to_owned();
        }
        let stale = self.rng.one_in(15);
        let slot =
            self.slot(|generator, slot| generator.known[process].handles[slot].is_some() != stale);
        let tag = if self.rng.one_in(20) { self.pick(&["+1", "+2", "+3"]) } else { "" };
        format!("h{slot}{tag}")
    }

    /// Picks a handle to a mapping if there is one, or rarely another handle.
    fn mapping(&mut self, process: usize) -> String {
        let is_mapping = |kind: &Option<Kind>| *kind == Some(Kind::Mapping);
        if self.rng.one_in(12) || !self.known[process].handles.iter().any(is_mapping) {
            return self.handle(process);
        }
        let slot = self.slot(|generator, slot| is_mapping(&generator.known[process].handles[slot]));
        format!("h{slot}")
    }

    pub(super) fn free_handle(&mut self, process: usize) -> String {
        let slot = self.slot(|generator, slot| generator.known[process].handles[slot].is_none());
        format!("h{slot}")
    }

    fn free_view(&mut self, process: usize) -> String {
        let slot = self.slot(|generator, slot| generator.known[process].views[slot].is_none());
        format!("v{slot}")
    }

    /// Picks a slot for which `matches` holds, or any slot if there is none.
    pub(super) fn slot(&mut self, matches: impl Fn(&ScriptGenerator, usize) -> bool) -> usize {
        let first = self.rng.below(SLOTS);
        let mut slots = (first..SLOTS).chain(0..first);
        slots.find(|slot| matches(self, *slot)).unwrap_or(first)
    }

    /// Picks an address in mapped memory, or rarely another address.
    fn address(&mut self, process: usize) -> String {
        if self.rng.one_in(25) {
            return self.pick_mostly(&ARENA, &INVALID_ADDRESSES, 3).to_owned();
        }
        let stale = self.rng.one_in(25);
        let slot =
            self.slot(|generator, slot| generator.known[process].views[slot].is_some() != stale);
        let len = self.known[process].views[slot].unwrap_or(0x1_0000);
        let offset = match self.rng.below(12) {
            0..5 => 0,
            5 => 1,
            6 => len - 1,
            7 => len,
            8 => 0xFFF,
            _ => (self.rng.below(64) as u64) * 0x1000 % len,
        };
        format!("v{slot}+{offset:x}")
    }

    /// Picks the address for a new mapping or allocation: none, or a specific one.
    fn target_address(&mut self, process: usize) -> String {
        match self.rng.below(8) {
            0 if self.rng.one_in(8) => self.pick(&INVALID_ADDRESSES).to_owned(),
            0..4 => "x0".to_owned(),
            4..7 => self.pick(&ARENA).to_owned(),
            _ => {
                let known = &self.known[process].views;
                let taken = known.iter().position(Option::is_some);
                taken.map_or_else(|| "x0".to_owned(), |slot| format!("v{slot}+0"))
            }
        }
    }
}

/// Splits a 64-bit number into its high and its low half.
fn halves(hex: &str) -> (u64, u64) {
    let number = u64::from_str_radix(hex, 16).unwrap_or_default();
    (number >> 32, number & 0xFFFF_FFFF)
}

pub(super) fn handle_slot(word: &str) -> Option<usize> {
    let slot = word.strip_prefix('h')?.get(..1)?.parse().ok()?;
    (slot < SLOTS).then_some(slot)
}
