//! The input of a command: a file or standard input.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use crate::text::escape_line;

/// An open file, or standard input.
pub(crate) struct Input {
    reader: Box<dyn Read>,
    /// The name of the input in messages.
    name: String,
    /// The number of bytes, if it is known in advance.
    ///
    /// It is not known for pipes and devices. It is not known for files whose size is 0 either,
    /// because files in `/proc` report this size although they have contents.
    len: Option<u64>,
}

impl Input {
    /// Opens a file; `-` stands for standard input.
    pub(crate) fn open(path: &Path) -> Outcome<Input> {
        if path == Path::new("-") {
            return Ok(Input::stdin());
        }
        // Do not use `{path:?}`, because it doubles the backslashes of a Windows path.
        let name = format!("file \"{}\"", escape_line(&path.to_string_lossy()));
        let failure = |cause: &dyn Display| Failure::new(format!("read {name}: {cause}"));
        let file = File::open(path).map_err(|error| failure(&error))?;
        let stat = file.metadata().map_err(|error| failure(&error))?;
        if stat.is_dir() {
            return Err(failure(&"it is a directory"));
        }
        let len = Some(stat.len()).filter(|len| stat.is_file() && *len > 0);
        Ok(Input { reader: Box::new(file), name, len })
    }

    /// Returns standard input.
    pub(crate) fn stdin() -> Input {
        let reader = Box::new(io::stdin().lock());
        Input { reader, name: "standard input".to_owned(), len: None }
    }

    /// Returns the name of the input for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of bytes, if it is known in advance.
    pub(crate) fn len(&self) -> Option<u64> {
        self.len
    }

    /// Returns the failure for an error that occurred while reading this input.
    pub(crate) fn failure(&self, cause: impl Display) -> Failure {
        Failure::new(format!("read {}: {cause}", self.name))
    }

    /// Reads the input to its end, but at most one byte more than `limit`. The caller recognizes by
    /// that byte that the input is too long.
    pub(crate) fn read_all(&mut self, limit: u64) -> Outcome<Vec<u8>> {
        let mut progress = Progress::new(None);
        let mut bytes = Vec::new();
        let mut rest = Counting { reader: &mut self.reader, progress: &mut progress };
        let read = rest.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes);
        drop(progress);
        match read {
            Ok(_) => Ok(bytes),
            Err(error) => Err(self.failure(error)),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// A reader that counts the bytes for the progress line.
struct Counting<'a, R> {
    reader: R,
    progress: &'a mut Progress,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(buffer)?;
        self.progress.add(len as u64);
        Ok(len)
    }
}

/// Accepts only `-`, which stands for standard input.
pub(crate) fn dash(text: &str) -> Result<String, String> {
    match text {
        "-" => Ok(text.to_owned()),
        _ => {
            Err("expected - for standard input; give a text by --text or a file by --file"
                .to_owned())
        }
    }
}
