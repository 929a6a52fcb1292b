//! The part of random scripts that opens files, reads and writes them, and makes mappings over them.

use super::edges::{FILE_SIZES, PROTECTIONS, RARE_SIZES};
use super::script::{Author, Kind};

impl Author {
    /// A mapping over a file.
    fn create_over_file(&mut self, process: usize) -> String {
        let slot = self.free_handle(process);
        let file = self.file(process);
        let which = self.one(&["A", "W"]);
        let growing = self.kind_of(process, &file) == Some(Kind::Growing);
        let name = if growing { self.name(which) } else { "null" };
        let size = self.mostly(&FILE_SIZES, &RARE_SIZES, 25);
        let protection = self.mostly(&PROTECTIONS, &["4000004", "8000004", "1000002"], 12);
        format!("create {slot} {which} {file} - {protection} {size} {name}")
    }

    pub(super) fn file_call(&mut self, process: usize) -> String {
        let file = self.file(process);
        let growing = self.kind_of(process, &file) == Some(Kind::Growing);
        let has_file = self
            .kind_of(process, &file)
            .is_some_and(|kind| matches!(kind, Kind::File | Kind::Growing));
        let len = self.one(&["0", "1", "fff", "1000", "1001", "8000"]);
        let place = self.one(&["-", "-", "-", "0", "1", "fff", "1000", "1001"]);
        match self.dice.roll(20) {
            0..12 if !has_file && !self.dice.one_in(5) => self.open_file(process),
            0..3 => self.open_file(process),
            // Where the file stands: a read elsewhere that fails moves it on our side.
            3..6 => format!("fread {file} {len} -"),
            6..9 => format!("fwrite {file} {len} {:x} {place}", self.dice.roll(256)),
            9 if has_file => {
                let low = self.one(&["0", "1", "1000", "2000", "ffffffff", "fffff000", "80000000"]);
                let high = self.one(&["-", "-", "0", "1", "ffffffff"]);
                format!("seek {file} {low} {high} {}", self.one(&["0", "0", "1", "2", "3"]))
            }
            10 if has_file => {
                let by = self.one(&["0", "1", "1000", "ffffffffffffffff", "8000000000000000"]);
                format!("seekex {file} {by} {}", self.one(&["0", "1", "2", "3"]))
            }
            9 => format!("seek {file} 1 - 0"),
            10 => format!("seekex {file} 1 0"),
            11 => format!("size {file}"),
            12 => format!("sizeex {file}"),
            13 => format!("fflush {file}"),
            14 if !growing => format!("seteof {file}"),
            15 => {
                // What others map has to stay where they find it.
                let name = self.file_name(process).replace("grow", "gone");
                format!("delete {} {name}", self.one(&["A", "W"]))
            }
            _ => self.create_over_file(process),
        }
    }

    fn open_file(&mut self, process: usize) -> String {
        let slot = self.free_handle(process);
        let access = self.mostly(
            &["c0000000", "c0000000", "80000000", "40000000", "10000000"],
            &["0", "1", "2", "3", "4", "6", "80"],
            6,
        );
        let attributes = self.one(&["-", "-", "i", "d"]);
        let flags = self.one(&["80", "80", "0", "8000000", "10000000", "80000000"]);
        let name = self.file_name(process);
        // Only these do not shrink a file.
        let shrinks = !name.contains("grow");
        let disposition = if shrinks && self.dice.one_in(2) {
            self.one(&["2", "2", "5", "0", "6"])
        } else {
            self.one(&["4", "4", "4", "3", "1"])
        };
        let which = self.one(&["A", "W"]);
        // Who else may have it is not enforced on our side: all may.
        format!("file {slot} {which} {access} 7 {attributes} {disposition} {flags} {name}")
    }

    /// The name of a file. Each process has its own: others' mappings are not known on our side.
    fn file_name(&mut self, process: usize) -> String {
        if self.dice.one_in(12) {
            let bad =
                ["null", "empty", "folder", "nowhere\\$a", "$a?", "$a*", "$a\\", "$a\\b", "$%0022"];
            return self.one(&bad).to_owned();
        }
        let name = self.one(&["$a.", "$a.", "$grow.", "folder\\$b.", "folder/$grow.", "$%0020c."]);
        format!("{name}{process}")
    }

    /// A handle to a file, or now and then none; never to a mapping, which Wine takes for its file.
    fn file(&mut self, process: usize) -> String {
        let is_file = |kind: &Option<Kind>| matches!(kind, Some(Kind::Growing | Kind::File));
        if self.dice.one_in(20) || !self.known[process].handles.iter().any(is_file) {
            return self.one(&["x0", "x1", "x7ffffff0"]).to_owned();
        }
        let slot = self.slot(|author, slot| is_file(&author.known[process].handles[slot]));
        format!("h{slot}")
    }
}
