mod outcome;

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};
use pagemate::{Access, ErrorKind, Name, Section, SectionOptions, Sharing};

use self::outcome::Shared;
use crate::arguments::{ObjectName, WaitForName, check_sharing};
use crate::bytes::{self, bytes};
use crate::copy::{self, CopyError};
use crate::description::{SHARINGS, sharing};
use crate::failure::{Failure, Outcome, warn};
use crate::input::Input;
use crate::signals::StopRequests;
use crate::time::duration;

/// Create a section with data in it, or open an existing one and print its text; then hold it.
///
/// If a process holds the section already, its length and contents do not change: the given data is not
/// written, and a message says so. 'pagemate write' changes an existing section. The name exists as long
/// as at least one process holds the section.
///
/// The command ends, and releases the section, at SIGINT, at SIGTERM and when the time of --hold has
/// passed. At a terminal, Enter and the end of input end it too.
///
/// Other processes find a new section when its data is complete, except on Windows, where they can open it
/// before. The first line of output appears when the data is complete.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("data"),
    group = ArgGroup::new("what").required(true).multiple(true)
        .args(["input", "text", "file", "size", "read_only"]),
    override_usage = "pagemate share <NAME> <-|--text TEXT|--file FILE|--size SIZE> [OPTIONS]\n       \
                      pagemate share <NAME> --read-only [OPTIONS]"
)]
#[command(after_help = "\
Examples:
  pagemate share ShareMemory --text 'This is common data!' # in two shells
  pagemate share model --file weights.bin --hold 1h
  pagemate share frames --size 64M --global --sharing everyone-read &
  pagemate share frames --global --read-only    # without write access
  zcat map.gz | pagemate share map -

The JSON object has the fields name, created (false if the section existed), size \
and written (the number of bytes that were written), and text if a text was found.

Exit status:
  0    the section was held, and released at the end
  1    with --read-only: no process holds the name
  2    failure")]
pub(crate) struct Share {
    #[command(flatten)]
    pub(super) object: ObjectName,
    /// If the section is new, write standard input into it, up to its end.
    ///
    /// The command reads all of the input before it creates the section, unless --size gives its length.
    #[arg(group = "data", value_name = "-", value_parser = crate::input::dash)]
    input: Option<String>,
    /// If the section is new, write this text and a NUL into it.
    #[arg(long, group = "data", allow_hyphen_values = true)]
    text: Option<String>,
    /// If the section is new, write the bytes of this file into it; zeros fill the last page. '-' is
    /// standard input.
    #[arg(long, group = "data")]
    file: Option<PathBuf>,
    /// If the section is new, make it this long, rounded up to whole pages: 4096, 64K, 4kb, 1.5M, 2GiB.
    ///
    /// Units are powers of 1024. Bytes to which no data is written are zero.
    #[arg(long, allow_negative_numbers = true, value_parser = size)]
    size: Option<u64>,
    /// If the section is new, let these users open it. For users other than the owner it needs a
    /// 'Global\' name.
    #[arg(long, value_name = "WHO", default_value = "owner", conflicts_with = "read_only")]
    #[arg(value_parser = PossibleValuesParser::new(SHARINGS.map(|(word, _)| word)).map(|word| sharing(&word)))]
    sharing: Sharing,
    /// Open an existing section without write access; fail if no process holds it.
    #[arg(long, group = "data", conflicts_with = "size")]
    read_only: bool,
    #[command(flatten)]
    waiting: WaitForName,
    /// Release the section after this time: 10 (seconds), 500ms, 1h30m.
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    hold: Option<Duration>,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

impl Share {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        check_sharing("share", &name, self.sharing)?;
        if self.waiting.is_given() && !self.read_only {
            let why = "--wait is for --read-only; the other forms create a missing section";
            return Err(Failure::new(format!("share \"{name}\": {why}")));
        }
        let Held { section, shared, stop } = self.share(&name)?;
        shared.report(&section, self.json)?;
        stop.wait(self.hold);
        drop(section);
        Ok(())
    }

    /// Creates or opens the section, and writes the data into a new one.
    fn share(&self, name: &Name) -> Outcome<Held> {
        if self.read_only {
            let section = self.waiting.open(name, |time| {
                SectionOptions::new().access(Access::Read).open_within(name, time)
            })?;
            let stop = StopRequests::install()?;
            return Ok(Held { section, shared: Shared::text(name, None), stop });
        }
        if let Some(path) = self.file.clone().or(self.input.as_ref().map(PathBuf::from)) {
            return self.share_input(name, Input::open(&path)?);
        }
        let stop = StopRequests::install()?;
        let Some(text) = &self.text else {
            let (section, _) = self.open_or_create(name, None, |_| Ok(0))?;
            return Ok(Held { section, shared: Shared::bytes(name, None), stop });
        };
        let bytes = [text.as_bytes(), b"\0"].concat();
        let mut shared = Shared::text(name, Some("the text"));
        let section;
        (section, shared.written) = self.open_or_create_from(name, &bytes, |why| {
            Failure::new(format!("share \"{name}\": {why}"))
        })?;
        Ok(Held { section, shared, stop })
    }

    /// Creates a section with the bytes of `input` in it, or opens the existing one.
    fn share_input(&self, name: &Name, mut input: Input) -> Outcome<Held> {
        let mut shared = Shared::bytes(name, Some(input.name()));
        let section;
        if let Some(len) = input.len() {
            let stop = StopRequests::install()?;
            (section, shared.written) = self.open_or_create(name, Some(len), |section| {
                let filled = fill(section, &mut input, Some(len), || stop.is_pending());
                filled.map_err(|why| input.failure(why))
            })?;
            return Ok(Held { section, shared, stop });
        }
        // A pipe may block forever, and signals end the process as long as they are not handled.
        if self.size.is_some() {
            (section, shared.written) = self.open_or_create(name, None, |section| {
                let filled = fill(section, &mut input, None, || false);
                filled.map_err(|why| input.failure(why))
            })?;
            return Ok(Held { section, shared, stop: StopRequests::install()? });
        }
        // If the section exists already, do not read the input.
        match Section::open(name) {
            Ok(section) => return Ok(Held { section, shared, stop: StopRequests::install()? }),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let bytes = input.read_all(u64::MAX)?;
        if bytes.is_empty() {
            return Err(input.failure("it is empty, and a section has at least 1 byte; add --size"));
        }
        let stop = StopRequests::install()?;
        (section, shared.written) =
            self.open_or_create_from(name, &bytes, |why| input.failure(why))?;
        Ok(Held { section, shared, stop })
    }

    /// Opens the section, or creates it with these bytes in it: see [`Share::open_or_create`].
    fn open_or_create_from(
        &self,
        name: &Name,
        bytes: &[u8],
        failure: impl FnOnce(String) -> Failure,
    ) -> Outcome<(Section, u64)> {
        let len = Some(bytes.len() as u64);
        self.open_or_create(name, len, |section| {
            fill(section, &mut &*bytes, len, || false).map_err(failure)
        })
    }

    /// Opens the section, or creates it for `len` bytes of data, which `fill` writes before other processes
    /// can open the section. Returns the section and the number of bytes that were written.
    fn open_or_create(
        &self,
        name: &Name,
        len: Option<u64>,
        fill: impl FnOnce(&Section) -> Outcome<u64>,
    ) -> Outcome<(Section, u64)> {
        if let (Some(len), Some(size)) = (len, self.size)
            && len > size
        {
            let why = format!("the data has {}, more than the {size} of --size", bytes(len));
            return Err(Failure::new(format!("share \"{name}\": {why}; nothing was created")));
        }
        let len = self.size.or(len).expect("the argument parser requires a size or data");
        let (mut written, mut failure) = (0, None);
        let mut options = SectionOptions::new();
        let section = options.sharing(self.sharing).len(len).open_or_create_with(name, |section| {
            match fill(section) {
                Ok(bytes) => written = bytes,
                Err(error) => {
                    failure = Some(error);
                    return Err(io::Error::from(io::ErrorKind::Other).into());
                }
            }
            Ok(())
        });
        if let Some(failure) = failure {
            return Err(failure);
        }
        let section = section?;
        // Another process may have created the section meanwhile.
        if !section.was_created() {
            written = 0;
        }
        let have = section.len();
        if have < len {
            let have = bytes(have);
            warn(&format!("share \"{name}\": the section has {have}, fewer than {len}"));
        }
        Ok((section, written))
    }
}

/// A section that this process holds until it gets a request to stop.
struct Held {
    section: Section,
    shared: Shared,
    stop: StopRequests,
}

/// Copies `input` into a new section. If `len` is given, the input must have this length. Otherwise it
/// may have any length that fits. Returns the number of bytes that were written.
fn fill(
    section: &Section,
    input: &mut dyn Read,
    len: Option<u64>,
    is_cancelled: impl Fn() -> bool,
) -> Result<u64, String> {
    let end = len.unwrap_or(section.len());
    match copy::copy_into(section, 0..end, input, is_cancelled) {
        Ok(()) if len.is_none() && input.read(&mut [0]).is_ok_and(|more| more > 0) => {
            Err(format!("it has more than the {end} bytes of the section; nothing is shared"))
        }
        Ok(()) => Ok(end),
        Err((written, CopyError::EndOfInput)) if len.is_none() => Ok(written),
        Err((written, error)) => Err(match error {
            CopyError::EndOfInput => format!("it ended after {written} of {end} bytes"),
            CopyError::Read(error) => error.to_string(),
            CopyError::Section(error) => format!("{error:#}"),
            CopyError::Cancelled => format!("stopped by a signal after {written} of {end} bytes"),
        }),
    }
}

fn size(text: &str) -> Result<u64, String> {
    match bytes::parse(text)? {
        0 => Err("a section has at least 1 byte".to_owned()),
        bytes => Ok(bytes),
    }
}
