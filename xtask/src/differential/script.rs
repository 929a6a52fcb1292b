//! Random scripts: calls around every edge, and enough that work for something to be there.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::answer::Answer;
use super::dice::Dice;
use super::edges::{
    ARENA, LENGTHS, NAMES, NO_ADDRESSES, NO_HANDLES, OFFSETS, PAGE_ALONE, PROTECTIONS,
    RARE_LENGTHS, RARE_NAMES, RARE_OFFSETS, RARE_PROTECTIONS, RARE_RIGHTS, RARE_SIZES,
    RARE_SYNC_RIGHTS, RARE_VIEW_RIGHTS, RIGHTS, SEC, SELF, SIZES, SYNC_RIGHTS, VIEW_RIGHTS,
    WIDE_NAMES,
};
use super::program::PROCESSES;
use super::sync::Sync;

/// As many as the program has.
pub(super) const SLOTS: usize = 8;

/// Makes up one call after the other, each knowing what the earlier ones came to.
pub(super) struct Author {
    pub(super) dice: Dice,
    pub(super) known: [Known; PROCESSES],
    /// Whether files play along.
    files: bool,
    /// Whether mutexes, events and semaphores do.
    sync: bool,
    /// How many objects without a name were made.
    unnamed: u64,
    /// How many scenes were begun, and the lines of this one that are still to come.
    pub(super) scenes: u64,
    scene: VecDeque<Line>,
}

/// What stands behind a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mapping,
    /// A file that only grows. Others may map it, from whom it could be taken on our side: whether it
    /// is mapped is known there only of mappings in the same process.
    Growing,
    /// A file that also shrinks, of which no mapping has a name.
    File,
    /// What can be waited for, and which one it is, as far as names tell.
    Sync(Sync, u64),
}

/// What a process has.
#[derive(Default)]
pub(super) struct Known {
    pub(super) handles: [Option<Kind>; SLOTS],
    /// By slot, how long the memory in it is.
    views: [Option<u64>; SLOTS],
}

/// A line for one process. `$` stands for what makes the script's names its own.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) process: usize,
    pub(super) text: String,
}

impl Author {
    pub(super) fn new(seed: u64) -> Author {
        let (files, sync) = (seed % 2 == 1, seed.is_multiple_of(3));
        Author {
            dice: Dice::new(seed),
            known: Default::default(),
            files,
            sync,
            unnamed: 0,
            scenes: 0,
            scene: VecDeque::new(),
        }
    }

    /// The next line.
    pub(super) fn next(&mut self) -> Line {
        if self.scene.is_empty() && self.sync && self.dice.one_in(40) {
            self.scene = self.sleepers().into();
        }
        if let Some(line) = self.scene.pop_front() {
            return line;
        }
        let process = self.dice.roll(PROCESSES);
        Line { process, text: self.call(process) }
    }

    /// Takes in what a line came to.
    pub(super) fn learn(&mut self, line: &Line, answer: &Answer) {
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
        // Its source is closed whatever becomes of a duplicate.
        if let (Some(source), Some(&("1" | "3"))) = (source, words.get(7)) {
            known.handles[source] = None;
        }
        let kind = match words[0] {
            _ if !answer.done() => return,
            "create" | "open" => Some(Kind::Mapping),
            "file" if last.contains("grow") => Some(Kind::Growing),
            "file" => Some(Kind::File),
            "dup" => kind,
            "close" => None,
            call => match Sync::made_by(call) {
                Some(made) => Some(Kind::Sync(made, self.which(last))),
                None => return,
            },
        };
        if let Some(slot) = slot(1) {
            self.known[line.process].handles[slot] = kind;
        }
    }

    /// The same number for the same name, and another for each object without one.
    fn which(&mut self, name: &str) -> u64 {
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
        if self.files && self.dice.one_in(4) {
            return self.file_call(process);
        }
        if self.sync && self.dice.one_in(2) {
            return self.sync_call(process);
        }
        let roll = self.dice.roll(100);
        match roll {
            0..50 if !has_mappings && !self.dice.one_in(8) => self.create_or_open(process),
            50..100 if !has_views && has_mappings && !self.dice.one_in(8) => self.map(process),
            50..100 if !has_views && !self.dice.one_in(4) => self.create_or_open(process),
            0..12 => self.create_or_open(process),
            12..19 => self.close(process),
            19..26 => self.dup(process),
            26..29 => format!("info {}", self.handle(process)),
            29..32 => {
                let bits = ["0", "1", "2", "3", "3", "4", "ffffffff"];
                let (mask, flags) = (self.one(&bits), self.one(&bits));
                format!("setinfo {} {mask} {flags}", self.handle(process))
            }
            32..50 => self.map(process),
            50..57 => self.unmap(process),
            57..61 => format!("flush {} {}", self.address(process), self.length()),
            61..66 => {
                let room = if self.dice.one_in(8) { self.one(&["0", "8", "2f"]) } else { "30" };
                format!("query {} {room}", self.address(process))
            }
            66..75 => self.protect(process),
            75..82 => self.allocate(process),
            82..85 => {
                let how = self.one(&["8000", "8000", "4000", "c000", "0", "1000"]);
                format!("free {} {} {how}", self.address(process), self.length())
            }
            _ => {
                let value = self.dice.roll(256);
                format!("write {} {} {value:x}", self.address(process), self.length())
            }
        }
    }

    pub(super) fn close(&mut self, process: usize) -> String {
        let handle = self.handle(process);
        format!("close {handle}{}", self.give_back(process, &handle))
    }

    fn create_or_open(&mut self, process: usize) -> String {
        let slot = self.free_handle(process);
        let which = self.one(&["A", "W"]);
        let name = self.name(which);
        if self.dice.one_in(3) {
            let (rights, inherit) = (self.rights(), self.one(&["0", "0", "1", "2"]));
            return format!("open {slot} {which} {rights} {inherit} {name}");
        }
        let file = if self.dice.one_in(25) {
            self.handle(process)
        } else {
            self.one(&["x-1", "x-1", "x0"]).to_owned()
        };
        // What a file's mapping has no name for cannot be taken from others.
        let name = if self.kind_of(process, &file) == Some(Kind::File) { "null" } else { name };
        let attributes = self.one(&["-", "-", "-", "i", "d", "id"]);
        let size = self.mostly(&SIZES, &RARE_SIZES, 40);
        let rare = if self.dice.one_in(3) { &PAGE_ALONE[..] } else { &RARE_PROTECTIONS };
        let protection = self.mostly(&PROTECTIONS, rare, 12);
        let mut protection = u32::from_str_radix(protection, 16).unwrap_or_default();
        if self.dice.one_in(4) {
            protection |= 0x0400_0000;
        } else if self.dice.one_in(5) {
            protection |= SEC[self.dice.roll(SEC.len())] | SEC[self.dice.roll(SEC.len())];
        }
        format!("create {slot} {which} {file} {attributes} {protection:x} {size} {name}")
    }

    pub(super) fn kind_of(&self, process: usize, handle: &str) -> Option<Kind> {
        self.known[process].handles[handle_slot(handle)?]
    }

    fn dup(&mut self, process: usize) -> String {
        let source = if self.dice.one_in(3) { self.handle(process) } else { self.mapping(process) };
        if source.starts_with("x-") {
            // Processes and threads, which have no handles here.
            return format!("info {source}");
        }
        let (from, to) = (self.this_process(), self.this_process());
        let rights = match self.kind_of(process, &source) {
            Some(Kind::Mapping) | None => self.rights(),
            Some(Kind::Sync(..)) => self.mostly(&SYNC_RIGHTS, &RARE_SYNC_RIGHTS, 5),
            // Not to append alone, for which files here have to be opened.
            Some(_) => self.one(&["c0000000", "80000000", "40000000", "1", "2", "10000000"]),
        };
        let inherit = self.one(&["0", "0", "1"]);
        let options = self.one(&["0", "0", "2", "2", "1", "3", "4", "6", "8"]);
        // A handle that is told to nobody stays open: so not too many of them.
        let twin = if options.ends_with(['1', '3']) || !self.dice.one_in(200) {
            self.free_handle(process)
        } else {
            "-".to_owned()
        };
        let give_back = match options {
            "1" | "3" => self.give_back(process, &source),
            _ => "",
        };
        format!("dup {twin} {from} {source} {to} {rights} {inherit} {options}{give_back}")
    }

    fn map(&mut self, process: usize) -> String {
        let slot = self.free_view(process);
        let handle = self.mapping(process);
        let rights = self.mostly(&VIEW_RIGHTS, &RARE_VIEW_RIGHTS, 15);
        let offset = self.mostly(&OFFSETS, &RARE_OFFSETS, 40);
        let (high, low) = halves(offset);
        let len = if self.dice.one_in(2) { "0" } else { self.length() };
        let base = self.place(process);
        let (this, protection) =
            (self.this_process(), self.mostly(&["4", "2", "8", "1"], &RARE_PROTECTIONS, 15));
        let allocation = if self.dice.one_in(10) { "2000" } else { "0" };
        match self.dice.roll(6) {
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
        match self.dice.roll(6) {
            0 => format!("unmapex {address} 0"),
            1 => format!("unmap2 {} {address} 0", self.this_process()),
            _ => format!("unmap {address}"),
        }
    }

    fn protect(&mut self, process: usize) -> String {
        let protection = self.mostly(&["1", "2", "4", "8"], &RARE_PROTECTIONS, 12);
        let old = if self.dice.one_in(20) { " 1" } else { "" };
        format!("protect {} {} {protection}{old}", self.address(process), self.length())
    }

    fn allocate(&mut self, process: usize) -> String {
        let slot = self.free_view(process);
        let (len, place) = (self.length(), self.place(process));
        let within = self.address(process);
        let (address, how) = match self.dice.roll(8) {
            0 => (place, "2000"),
            1 => (place, "3000"),
            2 => (within, self.one(&["0", "3000", "2000", "101000", "1001"])),
            _ => (within, "1000"),
        };
        let protection = self.mostly(&["4", "4", "2", "1", "8"], &RARE_PROTECTIONS, 15);
        format!("alloc {slot} {address} {len} {how} {protection}")
    }

    pub(super) fn one(&mut self, of: &[&'static str]) -> &'static str {
        of[self.dice.roll(of.len())]
    }

    /// One of the first, and once in so many times one of the second.
    pub(super) fn mostly(
        &mut self,
        of: &[&'static str],
        rare: &[&'static str],
        once: usize,
    ) -> &'static str {
        if self.dice.one_in(once) { self.one(rare) } else { self.one(of) }
    }

    fn rights(&mut self) -> &'static str {
        self.mostly(&RIGHTS, &RARE_RIGHTS, 6)
    }

    fn length(&mut self) -> &'static str {
        self.mostly(&LENGTHS, &RARE_LENGTHS, 30)
    }

    pub(super) fn name(&mut self, which: &str) -> &'static str {
        match which {
            "W" if self.dice.one_in(12) => self.one(&WIDE_NAMES),
            _ => self.mostly(&NAMES, &RARE_NAMES, 8),
        }
    }

    fn this_process(&mut self) -> &'static str {
        if self.dice.one_in(25) { self.one(&["x0", "x7ffffff0"]) } else { SELF }
    }

    /// A handle that is there, or now and then one that was, or never was.
    pub(super) fn handle(&mut self, process: usize) -> String {
        if self.dice.one_in(25) {
            return self.one(&NO_HANDLES).to_owned();
        }
        let stale = self.dice.one_in(15);
        let slot = self.slot(|author, slot| author.known[process].handles[slot].is_some() != stale);
        let tag = if self.dice.one_in(20) { self.one(&["+1", "+2", "+3"]) } else { "" };
        format!("h{slot}{tag}")
    }

    /// A handle to a mapping, if there is one, or now and then another.
    fn mapping(&mut self, process: usize) -> String {
        let is_mapping = |kind: &Option<Kind>| *kind == Some(Kind::Mapping);
        if self.dice.one_in(12) || !self.known[process].handles.iter().any(is_mapping) {
            return self.handle(process);
        }
        let slot = self.slot(|author, slot| is_mapping(&author.known[process].handles[slot]));
        format!("h{slot}")
    }

    pub(super) fn free_handle(&mut self, process: usize) -> String {
        let slot = self.slot(|author, slot| author.known[process].handles[slot].is_none());
        format!("h{slot}")
    }

    fn free_view(&mut self, process: usize) -> String {
        let slot = self.slot(|author, slot| author.known[process].views[slot].is_none());
        format!("v{slot}")
    }

    /// A slot that fits, if there is one.
    pub(super) fn slot(&mut self, fits: impl Fn(&Author, usize) -> bool) -> usize {
        let first = self.dice.roll(SLOTS);
        let mut slots = (first..SLOTS).chain(0..first);
        slots.find(|slot| fits(self, *slot)).unwrap_or(first)
    }

    /// An address in memory that is there, or now and then another.
    fn address(&mut self, process: usize) -> String {
        if self.dice.one_in(25) {
            return self.mostly(&ARENA, &NO_ADDRESSES, 3).to_owned();
        }
        let stale = self.dice.one_in(25);
        let slot = self.slot(|author, slot| author.known[process].views[slot].is_some() != stale);
        let len = self.known[process].views[slot].unwrap_or(0x1_0000);
        let offset = match self.dice.roll(12) {
            0..5 => 0,
            5 => 1,
            6 => len - 1,
            7 => len,
            8 => 0xFFF,
            _ => (self.dice.roll(64) as u64) * 0x1000 % len,
        };
        format!("v{slot}+{offset:x}")
    }

    /// Where to put something: anywhere, or at an address.
    fn place(&mut self, process: usize) -> String {
        match self.dice.roll(8) {
            0 if self.dice.one_in(8) => self.one(&NO_ADDRESSES).to_owned(),
            0..4 => "x0".to_owned(),
            4..7 => self.one(&ARENA).to_owned(),
            _ => {
                let known = &self.known[process].views;
                let taken = known.iter().position(Option::is_some);
                taken.map_or_else(|| "x0".to_owned(), |slot| format!("v{slot}+0"))
            }
        }
    }
}

/// A 64-bit number's halves.
fn halves(hex: &str) -> (u64, u64) {
    let number = u64::from_str_radix(hex, 16).unwrap_or_default();
    (number >> 32, number & 0xFFFF_FFFF)
}

pub(super) fn handle_slot(word: &str) -> Option<usize> {
    let slot = word.strip_prefix('h')?.get(..1)?.parse().ok()?;
    (slot < SLOTS).then_some(slot)
}
