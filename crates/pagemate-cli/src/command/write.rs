use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use pagemate::{Protection, Section};
use serde::Serialize;

use crate::arguments::{ObjectName, WaitForName};
use crate::bytes::{self, bytes};
use crate::copy::{self, CopyError};
use crate::failure::{Failure, Outcome};
use crate::input::Input;
use crate::json::print_json;

/// Write into a section that some process holds.
///
/// If the data does not fit between the offset and the section's end, the command fails and writes
/// nothing. Standard input is therefore read to its end first.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("data").required(true),
    override_usage = "pagemate write <NAME> <-|--text TEXT|--file FILE> [OPTIONS]"
)]
#[command(after_help = "\
Examples:
  pagemate write ShareMemory --text 'Something else'
  pagemate write frames --file frame.bin --offset 1M
  printf %s common | pagemate write ShareMemory --offset 8 -   # no NUL

The JSON object has the fields name, offset and written (the number of bytes).

Exit status:
  0    all of the data was written
  1    no process holds the name, or the timeout of --wait expired
  2    failure")]
pub(crate) struct Write {
    #[command(flatten)]
    pub(super) object: ObjectName,
    /// Write standard input, up to its end.
    #[arg(group = "data", value_name = "-", value_parser = crate::input::dash)]
    input: Option<String>,
    /// Write this text and a NUL after it.
    #[arg(long, group = "data", allow_hyphen_values = true)]
    text: Option<String>,
    /// Write the bytes of this file; '-' is standard input.
    #[arg(long, group = "data")]
    file: Option<PathBuf>,
    /// The first byte to write: 64, 0x40, 4K.
    #[arg(long, default_value = "0", allow_negative_numbers = true, value_parser = bytes::parse)]
    offset: u64,
    #[command(flatten)]
    waiting: WaitForName,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

/// The result as `--json` prints it.
#[derive(Serialize)]
struct Json {
    name: String,
    offset: u64,
    written: u64,
}

impl Write {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        let section = self.waiting.open(&name, |time| Section::open_within(&name, time))?;
        let name = name.to_string();
        let failure = |why: String| Failure::new(format!("write section {name:?}: {why}"));
        if section.protection() == Protection::ReadOnly {
            return Err(failure("its protection is read-only".to_owned()));
        }
        let target = Target::new(&section, self.offset).map_err(failure)?;
        let written = if let Some(text) = &self.text {
            let bytes = [text.as_bytes(), b"\0"].concat();
            target.write(&bytes)
        } else {
            let mut input = Input::open(self.file.as_deref().unwrap_or(Path::new("-")))?;
            match input.len() {
                Some(len) => target.copy(&mut input, len),
                // Read the input to its end first, so that the command writes nothing if the input
                // is too long.
                None => target.write_all(&input.read_all(target.capacity)?),
            }
        };
        let written = written.map_err(failure)?;
        if self.json {
            print_json(&Json { name, offset: self.offset, written }, io::stdout())?;
        }
        Ok(())
    }
}

/// The part of a section from an offset to its end.
struct Target<'a> {
    section: &'a Section,
    offset: u64,
    /// The number of bytes from the offset to the end.
    capacity: u64,
}

impl Target<'_> {
    fn new(section: &Section, offset: u64) -> Result<Target<'_>, String> {
        let section_len = section.len();
        match section_len.checked_sub(offset) {
            Some(capacity) => Ok(Target { section, offset, capacity }),
            None => Err(format!("offset {offset} lies past its {}", bytes(section_len))),
        }
    }

    /// Writes `data`, and returns its length. Fails if `data` is longer than the capacity.
    fn write_all(&self, data: &[u8]) -> Result<u64, String> {
        let Target { section, offset, capacity } = *self;
        if data.len() as u64 > capacity {
            return Err(format!(
                "the input has more than the {} from offset {offset} to the section's end at {}; \
                 nothing was written",
                bytes(capacity),
                section.len()
            ));
        }
        self.write(data)
    }

    /// Writes `data`. Returns its length.
    fn write(&self, data: &[u8]) -> Result<u64, String> {
        self.copy(&mut &*data, data.len() as u64)
    }

    /// Writes `len` bytes of `input`. Returns `len`.
    fn copy(&self, input: &mut dyn Read, len: u64) -> Result<u64, String> {
        let Target { section, offset, capacity } = *self;
        if len > capacity {
            let (data, section_len) = (bytes(len), bytes(section.len()));
            return Err(format!(
                "{data} at offset {offset} reach past its {section_len}; nothing was written"
            ));
        }
        match copy::copy_into(section, offset..offset + len, input, || false) {
            Ok(()) => Ok(len),
            Err((written, error)) => Err(match error {
                CopyError::EndOfInput => {
                    format!("the input ended after {written} of its {}", bytes(len))
                }
                CopyError::Read(error) => format!("{error}, after {written} of {}", bytes(len)),
                CopyError::Section(error) => format!("{error:#}"),
                CopyError::Cancelled => unreachable!("the callback never cancels"),
            }),
        }
    }
}
