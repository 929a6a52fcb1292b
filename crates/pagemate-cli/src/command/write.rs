use std::io::Read;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use pagemate::{Protection, Section};

use crate::bytes;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::pieces::{self, Stopped};
use crate::target::Target;

/// Write into a section that some process holds.
///
/// What does not fit between the offset and the section's end is refused as a whole: then nothing
/// is written.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("data").required(true),
    override_usage = "pagemate write <NAME> <-|--text TEXT|--file FILE> [OPTIONS]"
)]
#[command(after_help = "\
Examples:
  pagemate write ShareMemory --text 'Something else'
  pagemate write frames --file frame.bin --offset 1M
  printf %s common | pagemate write ShareMemory --offset 8 -      no NUL after it")]
pub(crate) struct Write {
    #[command(flatten)]
    target: Target,
    /// `-` for standard input, to its end.
    #[arg(group = "data", value_name = "-", value_parser = dash)]
    input: Option<String>,
    /// This text, with a NUL after it.
    #[arg(long, group = "data", allow_hyphen_values = true)]
    text: Option<String>,
    /// The bytes of this file.
    #[arg(long, group = "data")]
    file: Option<PathBuf>,
    /// Where to begin, in bytes: 64, 0x40, 4K.
    #[arg(long, default_value = "0", allow_negative_numbers = true, value_parser = bytes::parse)]
    offset: u64,
}

impl Write {
    pub(crate) fn run(self) -> Outcome {
        let name = self.target.name()?.to_string();
        let section = Section::open(&name)?;
        let failure = |why: String| Failure::new(format!("write section {name:?}: {why}"));
        if section.protection() == Protection::ReadOnly {
            return Err(failure("its protection is read-only".to_owned()));
        }
        let place = Place::new(&section, self.offset).map_err(failure)?;
        if let Some(text) = self.text {
            let mut bytes = text.into_bytes();
            bytes.push(0);
            place.write(&bytes).map_err(failure)
        } else if let Some(path) = self.file {
            match input::open(&path)? {
                (file, Some(len)) => place.copy(file, len).map_err(failure),
                (file, None) => place.take(file).map_err(failure),
            }
        } else {
            place.take(std::io::stdin().lock()).map_err(failure)
        }
    }
}

fn dash(text: &str) -> Result<String, String> {
    match text {
        "-" => Ok(text.to_owned()),
        _ => {
            Err("here stands nothing but - for standard input; give a --file or a --text"
                .to_owned())
        }
    }
}

/// From where in a section to write.
struct Place<'a> {
    section: &'a Section,
    offset: u64,
    room: u64,
}

impl Place<'_> {
    fn new(section: &Section, offset: u64) -> Result<Place<'_>, String> {
        let have = section.len();
        match have.checked_sub(offset) {
            Some(room) => Ok(Place { section, offset, room }),
            None => Err(format!("offset {offset} lies past its {have} bytes")),
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<(), String> {
        self.copy(bytes, bytes.len() as u64)
    }

    /// Writes input whose length is known.
    fn copy(&self, mut input: impl Read, len: u64) -> Result<(), String> {
        let Place { section, offset, room } = *self;
        if len > room {
            let have = section.len();
            return Err(format!(
                "{len} bytes at offset {offset} reach past its {have} bytes; nothing was written"
            ));
        }
        pieces::fill(section, offset..offset + len, &mut input, |_| true).map_err(
            |(written, stopped)| match stopped {
                Stopped::Ended => format!("the input ended after {written} of its {len} bytes"),
                Stopped::Input(error) => format!("{error}, after {written} of {len} bytes"),
                Stopped::Memory(error) => error.to_string(),
                Stopped::Asked => unreachable!("nobody asks"),
            },
        )
    }

    /// Writes input whose length shows only at its end: so it is read first, and then written.
    fn take(&self, input: impl Read) -> Result<(), String> {
        let Place { section, offset, room } = *self;
        let mut bytes = Vec::new();
        let read = input.take(room.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| format!("{error}, while reading the input; nothing was written"))?;
        if bytes.len() as u64 > room {
            let have = section.len();
            return Err(format!(
                "the input is more than the {room} bytes from offset {offset} to its end at \
                 {have}; nothing was written"
            ));
        }
        self.write(&bytes)
    }
}
