//! The lines that `share` prints after it has created or opened the section.

use std::io::{self, Write};

use pagemate::{Name, Section};
use serde::Serialize;

use crate::bytes::bytes;
use crate::copy;
use crate::failure::{Failure, Outcome, print_note, warn};
use crate::json::print_json;
use crate::text::{Controls, TextWriter};

/// The limits for the text that is printed. `pagemate read` prints all of it.
const MAX_BYTES: u64 = 1000;
const MAX_LINES: usize = 10;

/// The result of creating or opening the section.
pub(super) struct Shared {
    name: String,
    /// The data for a new section, as messages name it; `None` if the command line has no data.
    given: Option<String>,
    /// Whether to print the text of the section. Otherwise its size is printed.
    shows_text: bool,
    /// The number of bytes that were written.
    pub(super) written: u64,
}

/// The result as `--json` prints it.
#[derive(Serialize)]
struct Json<'a> {
    name: &'a str,
    created: bool,
    size: u64,
    written: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Shared {
    /// Returns the result for a section whose text is printed.
    pub(super) fn text(name: &Name, given: Option<&str>) -> Shared {
        Shared { shows_text: true, ..Shared::bytes(name, given) }
    }

    /// Returns the result for a section whose size is printed.
    pub(super) fn bytes(name: &Name, given: Option<&str>) -> Shared {
        let given = given.map(str::to_owned);
        Shared { name: name.to_string(), given, shows_text: false, written: 0 }
    }

    /// Prints the result.
    ///
    /// A closed standard output is not an error, because the purpose of the command is to hold the
    /// section.
    pub(super) fn report(&self, section: &Section, json: bool) -> Outcome {
        let printed = if json { self.print_json(section) } else { self.print(section) };
        match printed {
            Ok(()) | Err(Failure::OutputClosed) => {}
            Err(failure) => return Err(failure),
        }
        if let Some(given) = &self.given
            && !section.was_created()
        {
            warn(&format!(
                "share \"{}\": another process already holds this section, so {given} was not written; \
                 'pagemate write' changes an existing section",
                self.name
            ));
        }
        Ok(())
    }

    fn print(&self, section: &Section) -> Outcome {
        let mut out = io::stdout();
        let (size, created) = (bytes(section.len()), section.was_created());
        match (&self.given, created) {
            (_, true) if self.shows_text => {
                write!(out, "Write shared memory data: ")?;
                print_text(section)?;
            }
            (_, false) if self.shows_text => {
                write!(out, "read shared memory data: ")?;
                print_text(section)?;
            }
            (Some(given), true) => {
                let written = bytes(self.written);
                writeln!(out, "Write shared memory data: {written} of {given}")?;
            }
            (None, true) => writeln!(out, "Created shared memory: {size}, all zero")?,
            (_, false) => writeln!(out, "Found shared memory: {size}")?,
        }
        Ok(())
    }

    fn print_json(&self, section: &Section) -> Outcome {
        let text = if self.shows_text && !section.was_created() {
            Some(String::from_utf8_lossy(&beginning(section)?.0).into_owned())
        } else {
            None
        };
        let json = Json {
            name: &self.name,
            created: section.was_created(),
            size: section.len(),
            written: self.written,
            text,
        };
        print_json(&json, io::stdout())
    }
}

/// Prints the first lines of the section's text.
fn print_text(section: &Section) -> Outcome {
    let (text, is_all) = beginning(section)?;
    let mut writer = TextWriter::new(io::stdout(), Controls::for_stdout());
    writer.write_chunk(&text)?;
    writer.finish()?;
    if !is_all {
        print_note("the text is longer; 'pagemate read' prints all of it");
    }
    Ok(())
}

/// Returns the beginning of the section's text, and whether that is all of it.
fn beginning(section: &Section) -> Outcome<(Vec<u8>, bool)> {
    let mut text = Vec::new();
    copy::for_each_chunk(section, 0..section.len().min(MAX_BYTES), |chunk| {
        text.extend_from_slice(chunk);
        Ok(true)
    })?;
    let end = text.iter().position(|byte| *byte == 0);
    text.truncate(end.unwrap_or(text.len()));
    let lines = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let last = lines.map(|(at, _)| at).nth(MAX_LINES - 1).filter(|at| at + 1 < text.len());
    text.truncate(last.unwrap_or(text.len()));
    // Do not print a part of the last character.
    if end.is_none()
        && let Err(error) = str::from_utf8(&text)
        && error.error_len().is_none()
    {
        text.truncate(error.valid_up_to());
    }
    let is_all = last.is_none() && (end.is_some() || section.len() <= MAX_BYTES);
    Ok((text, is_all))
}
