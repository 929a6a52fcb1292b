//! Generates the calls of a script for files: it opens, reads and writes files, and creates
//! mappings of them.

use super::edges::{FILE_SIZES, PROTECTIONS, RARE_SIZES};
use super::script::{Kind, ScriptGenerator};

impl ScriptGenerator {
    /// Creates a mapping of a file.
    fn create_over_file(&mut self, process: usize) -> String {
        let slot = self.free_handle(process);
        let file = self.file(process);
        let width = self.pick(&["A", "W"]);
        let growing = self.kind_of(process, &file) == Some(Kind::Growing);
        let name = if growing { self.name(width) } else { "null" };
        let size = self.pick_mostly(&FILE_SIZES, &RARE_SIZES, 25);
        let protection = self.pick_mostly(&PROTECTIONS, &["4000004", "8000004", "1000002"], 12);
        format!("create {slot} {width} {file} - {protection} {size} {name}")
    }

    pub(super) fn file_call(&mut self, process: usize) -> String {
        let file = self.file(process);
        let growing = self.kind_of(process, &file) == Some(Kind::Growing);
        let has_file = self
            .kind_of(process, &file)
            .is_some_and(|kind| matches!(kind, Kind::File | Kind::Growing));
        let len = self.pick(&["0", "1", "fff", "1000", "1001", "8000"]);
        let offset = self.pick(&["-", "-", "-", "0", "1", "fff", "1000", "1001"]);
        match self.rng.below(20) {
            0..12 if !has_file && !self.rng.one_in(5) => self.open_file(process),
            0..3 => self.open_file(process),
            // A read at an offset is not generated: if it fails, it changes the file position on
            // our side, and not under Wine.
            3..6 => format!("fread {file} {len} -"),
            6..9 => format!("fwrite {file} {len} {:x} {offset}", self.rng.below(256)),
            9 if has_file => {
                let low =
                    self.pick(&["0", "1", "1000", "2000", "ffffffff", "fffff000", "80000000"]);
                let high = self.pick(&["-", "-", "0", "1", "ffffffff"]);
                format!("seek {file} {low} {high} {}", self.pick(&["0", "0", "1", "2", "3"]))
            }
            10 if has_file => {
                let by = self.pick(&["0", "1", "1000", "ffffffffffffffff", "8000000000000000"]);
                format!("seekex {file} {by} {}", self.pick(&["0", "1", "2", "3"]))
            }
            9 => format!("seek {file} 1 - 0"),
            10 => format!("seekex {file} 1 0"),
            11 => format!("size {file}"),
            12 => format!("sizeex {file}"),
            13 => format!("fflush {file}"),
            14 if !growing => format!("seteof {file}"),
            15 => {
                // Do not delete a file that another process may have mapped, because our side does
                // not know that.
                let name = self.file_name(process).replace("grow", "gone");
                format!("delete {} {name}", self.pick(&["A", "W"]))
            }
            _ => self.create_over_file(process),
        }
    }

    fn open_file(&mut self, process: usize) -> String {
        let slot = self.free_handle(process);
        let access = self.pick_mostly(
            &["c0000000", "c0000000", "80000000", "40000000", "10000000"],
            &["0", "1", "2", "3", "4", "6", "80"],
            6,
        );
        let attributes = self.pick(&["-", "-", "i", "d"]);
        let flags = self.pick(&["80", "80", "0", "8000000", "10000000", "80000000"]);
        let name = self.file_name(process);
        // Truncate only files whose name does not contain "grow".
        let shrinks = !name.contains("grow");
        let disposition = if shrinks && self.rng.one_in(2) {
            self.pick(&["2", "2", "5", "0", "6"])
        } else {
            self.pick(&["4", "4", "4", "3", "1"])
        };
        let width = self.pick(&["A", "W"]);
        // The share mode always permits reading, writing and deleting, because our side does not
        // enforce share modes.
        format!("file {slot} {width} {access} 7 {attributes} {disposition} {flags} {name}")
    }

    /// Picks the name of a file. Each process has its own files, because a process on our side does
    /// not know the mappings of other processes.
    fn file_name(&mut self, process: usize) -> String {
        if self.rng.one_in(12) {
            let bad =
                ["null", "empty", "folder", "nowhere\\$a", "$a?", "$a*", "$a\\", "$a\\b", "$%0022"];
            return self.pick(&bad).to_owned();
        }
        let name = self.pick(&["$a.", "$a.", "$grow.", "folder\\$b.", "folder/$grow.", "$%0020c."]);
        format!("{name}{process}")
    }

    /// Picks a handle to a file, or rarely an invalid handle. Never picks a handle to a mapping,
    /// because Wine accepts such a handle in place of the file's.
    fn file(&mut self, process: usize) -> String {
        let is_file = |kind: &Option<Kind>| matches!(kind, Some(Kind::Growing | Kind::File));
        if self.rng.one_in(20) || !self.known[process].handles.iter().any(is_file) {
            return self.pick(&["x0", "x1", "x7ffffff0"]).to_owned();
        }
        let slot = self.slot(|generator, slot| is_file(&generator.known[process].handles[slot]));
        format!("h{slot}")
    }
}
