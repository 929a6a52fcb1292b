use std::io::Read;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use pagemate::{Protection, Section};

use crate::arguments::ObjectName;
use crate::bytes;
use crate::copy::{self, CopyError};
use crate::failure::{Failure, Outcome};
use crate::input_file;

/// Write into a section that some process holds.
///
/// If the data does not fit between the offset and the section's end, the command fails and writes
/// nothing.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("data").required(true),
    override_usage = "pagemate write <NAME> <-|--text TEXT|--file FILE> [OPTIONS]"
)]
#[command(after_help = "\
Examples:
  pagemate write ShareMemory --text 'Something else'
  pagemate write frames --file frame.bin --offset 1M
  printf %s common | pagemate write ShareMemory --offset 8 -    # without a NUL")]
pub(crate) struct Write {
    #[command(flatten)]
    object: ObjectName,
    /// Write standard input, up to its end.
    #[arg(group = "data", value_name = "-", value_parser = dash)]
    input: Option<String>,
    /// Write this text and a NUL after it.
    #[arg(long, group = "data", allow_hyphen_values = true)]
    text: Option<String>,
    /// Write the bytes of this file.
    #[arg(long, group = "data")]
    file: Option<PathBuf>,
    /// The first byte to write: 64, 0x40, 4K.
    #[arg(long, default_value = "0", allow_negative_numbers = true, value_parser = bytes::parse)]
    offset: u64,
}

impl Write {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?.to_string();
        let section = Section::open(&name)?;
        let failure = |why: String| Failure::new(format!("write section {name:?}: {why}"));
        if section.protection() == Protection::ReadOnly {
            return Err(failure("its protection is read-only".to_owned()));
        }
        let target = Target::new(&section, self.offset).map_err(failure)?;
        if let Some(text) = self.text {
            let mut bytes = text.into_bytes();
            bytes.push(0);
            target.write(&bytes).map_err(failure)
        } else if let Some(path) = self.file {
            match input_file::open(&path)? {
                (file, Some(len)) => target.copy(file, len).map_err(failure),
                (file, None) => target.write_all_of(file).map_err(failure),
            }
        } else {
            target.write_all_of(std::io::stdin().lock()).map_err(failure)
        }
    }
}

/// Accepts only `-`.
fn dash(text: &str) -> Result<String, String> {
    match text {
        "-" => Ok(text.to_owned()),
        _ => {
            Err("expected - for standard input; give a text by --text or a file by --file"
                .to_owned())
        }
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
            None => Err(format!("offset {offset} lies past its {section_len} bytes")),
        }
    }

    /// Writes `bytes`.
    fn write(&self, bytes: &[u8]) -> Result<(), String> {
        self.copy(bytes, bytes.len() as u64)
    }

    /// Writes `len` bytes of `input`.
    fn copy(&self, mut input: impl Read, len: u64) -> Result<(), String> {
        let Target { section, offset, capacity } = *self;
        if len > capacity {
            let section_len = section.len();
            return Err(format!(
                "{len} bytes at offset {offset} reach past its {section_len} bytes; nothing was written"
            ));
        }
        copy::copy_into(section, offset..offset + len, &mut input, |_| true).map_err(
            |(written, error)| match error {
                CopyError::EndOfInput => {
                    format!("the input ended after {written} of its {len} bytes")
                }
                CopyError::Read(error) => format!("{error}, after {written} of {len} bytes"),
                CopyError::Section(error) => error.to_string(),
                CopyError::Cancelled => unreachable!("the callback never cancels"),
            },
        )
    }

    /// Writes all of `input`, whose length is not known in advance.
    ///
    /// Reads the input to its end first, so that input that is too long changes nothing.
    fn write_all_of(&self, input: impl Read) -> Result<(), String> {
        let Target { section, offset, capacity } = *self;
        let mut bytes = Vec::new();
        let read = input.take(capacity.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| format!("{error}, while reading the input; nothing was written"))?;
        if bytes.len() as u64 > capacity {
            let section_len = section.len();
            return Err(format!(
                "the input has more than the {capacity} bytes from offset {offset} to the section's \
                 end at {section_len}; nothing was written"
            ));
        }
        self.write(&bytes)
    }
}
