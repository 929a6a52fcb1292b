//! Random scripts: calls around every edge, and enough that work for something to be there.

use super::answer::Answer;
use super::dice::Dice;
use super::program::PROCESSES;

/// As many as the program has.
const SLOTS: usize = 8;

/// Makes up one call after the other, each knowing what the earlier ones came to.
pub(super) struct Author {
    dice: Dice,
    known: [Known; PROCESSES],
}

/// What a process has.
#[derive(Default)]
struct Known {
    handles: [bool; SLOTS],
    /// By slot, how long the memory in it is.
    views: [Option<u64>; SLOTS],
}

/// A line for one process. `$` stands for what makes the script's names its own.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) process: usize,
    pub(super) text: String,
}

const SELF: &str = "x-1";

/// Handles that are none.
const NO_HANDLES: [&str; 7] = ["x0", "x1", "x3", "x7ffffff0", "x-1", "x-2", "x-6"];

/// Names, the ones that work more often. Some are too long, and some none.
const NAMES: [&str; 16] = [
    "$a",
    "$a",
    "$a",
    "$b",
    "$b",
    "$c",
    "Local\\$a",
    "Local\\$b",
    "Global\\$a",
    "Global\\$b",
    "Local\\Local\\$a",
    "$A",
    "null",
    "null",
    "empty",
    "$a%0020/%003A*?<>|",
];

const RARE_NAMES: [&str; 26] = [
    "local\\$a",
    "LOCAL\\$a",
    "global\\$a",
    "$a\\b",
    "\\$a",
    "\\Local\\$a",
    "\\",
    "$a\\",
    "Local\\",
    "Global\\",
    "Local\\\\$a",
    "Local",
    "Global",
    "Local\\Local",
    "Local\\Global",
    "Local\\$a\\b",
    "Global\\$a\\",
    "Global\\Global\\$a",
    "Local\\Global\\$a",
    "Global\\Local\\$a",
    "$@250",
    "$@251",
    "$@252",
    "Local\\$@245",
    "Local\\$@246",
    "$@992",
];

/// Beyond ASCII, where the calls for bytes depend on a code page.
const WIDE_NAMES: [&str; 3] = ["$%00E9", "$%4E2D%6587", "$%D83D%DE00"];

/// Sizes as their two halves.
const SIZES: [&str; 12] = [
    "0 1000", "0 1000", "0 1", "0 fff", "0 1001", "0 10000", "0 10001", "0 20000", "0 20000",
    "0 23456", "0 40000", "0 0",
];
const RARE_SIZES: [&str; 4] =
    ["7fffffff 0", "80000000 0", "ffffffff ffffffff", "7fffffff fffff000"];

const PROTECTIONS: [&str; 4] = ["4", "4", "2", "8"];
const RARE_PROTECTIONS: [&str; 10] = ["0", "1", "3", "6", "a", "c", "e", "f", "80004", "200004"];
/// What only pages can have, and no section.
const PAGE_ALONE: [&str; 4] = ["100", "104", "204", "402"];

const SEC: [u32; 8] = [
    0x0080_0000, // FILE
    0x0100_0000, // IMAGE
    0x0400_0000, // RESERVE
    0x0800_0000, // COMMIT
    0x1000_0000, // NOCACHE
    0x4000_0000, // WRITECOMBINE
    0x8000_0000, // LARGE_PAGES
    0x0400_0000,
];

const RIGHTS: [&str; 12] = [
    "f001f", "f001f", "f001f", "2", "4", "4", "6", "1", "c0000000", "80000000", "40000000",
    "10000000",
];
const RARE_RIGHTS: [&str; 14] = [
    "0", "3", "5", "7", "8", "10", "1f", "20000", "100000", "f0000", "2000000", "2000004",
    "1000004", "20000000",
];

/// What a view is asked for with; `FILE_MAP_EXECUTE` is left out.
const VIEW_RIGHTS: [&str; 14] =
    ["f001f", "2", "2", "2", "4", "4", "6", "1", "1", "0", "5", "3", "7", "f0008"];
const RARE_VIEW_RIGHTS: [&str; 6] = ["8", "10", "80000000", "40000000", "10000000", "10004"];

const OFFSETS: [&str; 10] = ["0", "0", "0", "0", "0", "10000", "10000", "20000", "1000", "1"];
const RARE_OFFSETS: [&str; 5] =
    ["50000", "ffff0000", "100000000", "7fffffffffff0000", "ffffffffffff0000"];

const LENGTHS: [&str; 12] =
    ["0", "0", "0", "1", "fff", "1000", "1001", "2000", "8000", "10000", "10001", "20000"];
/// None that some allocation can have, all of which is read.
const RARE_LENGTHS: [&str; 4] = ["30000", "7fffffffffff", "7fffffffffffffff", "ffffffffffffffff"];

const ARENA: [&str; 8] =
    ["a+0", "a+10000", "a+20000", "a+30000", "a+40000", "a+50000", "a+1000", "a+1"];
const NO_ADDRESSES: [&str; 5] =
    ["x0", "x0", "x800000000000", "xffff800000000000", "xfffffffffffff000"];

impl Author {
    pub(super) fn new(seed: u64) -> Author {
        Author { dice: Dice::new(seed), known: Default::default() }
    }

    /// The next line.
    pub(super) fn next(&mut self) -> Line {
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
        let mut words = line.text.split(' ');
        let (call, slot) = (words.next(), words.next().and_then(handle_slot));
        if !answer.done() {
            return;
        }
        match (call, slot) {
            (Some("create" | "open" | "dup"), Some(slot)) => known.handles[slot] = true,
            (Some("close" | "reset"), Some(slot)) => known.handles[slot] = false,
            _ => {}
        }
    }

    fn call(&mut self, process: usize) -> String {
        let has_handles = self.known[process].handles.contains(&true);
        let has_views = self.known[process].views.iter().any(Option::is_some);
        let roll = self.dice.roll(100);
        match roll {
            0..45 if !has_handles && !self.dice.one_in(5) => self.create_or_open(process),
            45..80 if !has_views && !self.dice.one_in(5) => self.map(process),
            0..12 => self.create_or_open(process),
            12..19 => format!("close {}", self.handle(process)),
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

    fn create_or_open(&mut self, process: usize) -> String {
        let slot = self.free_handle(process);
        let which = self.one(&["A", "W"]);
        let name = self.name(which);
        if self.dice.one_in(3) {
            let (rights, inherit) = (self.rights(), self.one(&["0", "0", "1", "2"]));
            return format!("open {slot} {which} {rights} {inherit} {name}");
        }
        let file = if self.dice.one_in(12) {
            self.handle(process)
        } else {
            self.one(&["x-1", "x-1", "x0"]).to_owned()
        };
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

    fn dup(&mut self, process: usize) -> String {
        let source = self.handle(process);
        if source.starts_with("x-") {
            // Processes and threads, which have no handles here.
            return format!("info {source}");
        }
        let (from, to) = (self.this_process(), self.this_process());
        let rights = self.rights();
        let inherit = self.one(&["0", "0", "1"]);
        let options = self.one(&["0", "0", "2", "2", "1", "3", "4", "6", "8"]);
        // A handle that is told to nobody stays open: so not too many of them.
        let twin = if options.ends_with(['1', '3']) || !self.dice.one_in(200) {
            self.free_handle(process)
        } else {
            "-".to_owned()
        };
        format!("dup {twin} {from} {source} {to} {rights} {inherit} {options}")
    }

    fn map(&mut self, process: usize) -> String {
        let slot = self.free_view(process);
        let handle = self.handle(process);
        let rights = self.mostly(&VIEW_RIGHTS, &RARE_VIEW_RIGHTS, 15);
        let offset = self.mostly(&OFFSETS, &RARE_OFFSETS, 20);
        let (high, low) = halves(offset);
        let len = self.length();
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

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        of[self.dice.roll(of.len())]
    }

    /// One of the first, and once in so many times one of the second.
    fn mostly(&mut self, of: &[&'static str], rare: &[&'static str], once: usize) -> &'static str {
        if self.dice.one_in(once) { self.one(rare) } else { self.one(of) }
    }

    fn rights(&mut self) -> &'static str {
        self.mostly(&RIGHTS, &RARE_RIGHTS, 6)
    }

    fn length(&mut self) -> &'static str {
        self.mostly(&LENGTHS, &RARE_LENGTHS, 20)
    }

    fn name(&mut self, which: &str) -> &'static str {
        match which {
            "W" if self.dice.one_in(12) => self.one(&WIDE_NAMES),
            _ => self.mostly(&NAMES, &RARE_NAMES, 8),
        }
    }

    fn this_process(&mut self) -> &'static str {
        if self.dice.one_in(25) { self.one(&["x0", "x7ffffff0"]) } else { SELF }
    }

    /// A handle that is there, or now and then one that was, or never was.
    fn handle(&mut self, process: usize) -> String {
        if self.dice.one_in(25) {
            return self.one(&NO_HANDLES).to_owned();
        }
        let stale = self.dice.one_in(15);
        let slot = self.slot(|author, slot| author.known[process].handles[slot] != stale);
        let tag = if self.dice.one_in(20) { self.one(&["+1", "+2", "+3"]) } else { "" };
        format!("h{slot}{tag}")
    }

    fn free_handle(&mut self, process: usize) -> String {
        let slot = self.slot(|author, slot| !author.known[process].handles[slot]);
        format!("h{slot}")
    }

    fn free_view(&mut self, process: usize) -> String {
        let slot = self.slot(|author, slot| author.known[process].views[slot].is_none());
        format!("v{slot}")
    }

    /// A slot that fits, if there is one.
    fn slot(&mut self, fits: impl Fn(&Author, usize) -> bool) -> usize {
        let first = self.dice.roll(SLOTS);
        let mut slots = (first..SLOTS).chain(0..first);
        slots.find(|slot| fits(self, *slot)).unwrap_or(first)
    }

    /// An address in memory that is there, or now and then another.
    fn address(&mut self, process: usize) -> String {
        if self.dice.one_in(15) {
            return self.mostly(&ARENA, &NO_ADDRESSES, 3).to_owned();
        }
        let stale = self.dice.one_in(15);
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

fn handle_slot(word: &str) -> Option<usize> {
    let slot = word.strip_prefix('h')?.get(..1)?.parse().ok()?;
    (slot < SLOTS).then_some(slot)
}
