use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};
use indicatif::{ProgressBar, ProgressStyle};
use pagemate::{Access, Namespace, Section, SectionOptions, Sharing};

use crate::arguments::{ObjectName, seconds};
use crate::bytes;
use crate::copy::{self, CopyError};
use crate::description::SHARINGS;
use crate::failure::{Failure, Outcome};
use crate::input_file;
use crate::signals::StopRequests;
use crate::text::{Controls, TextWriter, escape_line};

/// Create a section with data in it, or open an existing one and print its text; then hold it.
///
/// If a process holds the section already, its length and contents do not change. The name exists as long
/// as at least one process holds the section.
///
/// The command ends, and releases the section, at SIGINT, at SIGTERM and when the time of --hold has
/// passed. At a terminal, Enter and the end of input end it too.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("data").required(true),
    override_usage = "pagemate share <NAME> <--text TEXT|--file FILE|--size SIZE|--read-only> [OPTIONS]"
)]
#[command(after_help = "\
Examples:
  pagemate share ShareMemory --text 'This is common data!'    # in two terminals
  pagemate share model --file weights.bin --hold 3600
  pagemate share frames --size 64M --global --sharing everyone-read &
  pagemate share frames --global --read-only                  # hold it without write access")]
pub(crate) struct Share {
    #[command(flatten)]
    object: ObjectName,
    /// If the section is new, write this text and a NUL into it.
    #[arg(long, group = "data", allow_hyphen_values = true)]
    text: Option<String>,
    /// If the section is new, write the bytes of this file into it; zeros fill the last page.
    #[arg(long, group = "data")]
    file: Option<PathBuf>,
    /// If the section is new, make it this many zero bytes long, rounded up to whole pages: 4096, 64K,
    /// 1.5M, 2G.
    #[arg(long, group = "data", allow_negative_numbers = true, value_parser = size)]
    size: Option<u64>,
    /// If the section is new, let these users open it. For users other than the owner it needs a
    /// `Global\` name.
    #[arg(long, value_name = "WHO", default_value = "owner", conflicts_with = "read_only")]
    #[arg(value_parser = PossibleValuesParser::new(SHARINGS.map(|(word, _)| word)).map(|word| sharing(&word)))]
    sharing: Sharing,
    /// Open an existing section without write access; fail if no process holds it.
    #[arg(long, group = "data")]
    read_only: bool,
    /// Release the section after this many seconds.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    hold: Option<Duration>,
}

impl Share {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        if cfg!(unix) && name.namespace() == Namespace::Local && self.sharing != Sharing::Owner {
            let why = "other users cannot open a local name; add --global";
            return Err(Failure::new(format!("share \"{name}\": {why}")));
        }
        let name = name.to_string();
        let stop = StopRequests::install()?;
        let mut options = SectionOptions::new();
        options.sharing(self.sharing);
        let section = if let Some(text) = self.text {
            share_text(&name, &mut options, text)?
        } else if let Some(path) = self.file {
            share_file(&name, &mut options, &path, &stop)?
        } else if let Some(size) = self.size {
            share_size(&name, &mut options, size)?
        } else {
            let section = SectionOptions::new().access(Access::Read).open(&name)?;
            ignore_closed(show_text(&section))?;
            section
        };
        stop.wait(self.hold);
        drop(section);
        Ok(())
    }
}

/// Creates a section with `text` and a NUL in it, or opens the existing one and prints its text.
fn share_text(name: &str, options: &mut SectionOptions<'_>, text: String) -> Outcome<Section> {
    let mut bytes = text.into_bytes();
    bytes.push(0);
    let section = options.len(bytes.len() as u64).open_or_create(name)?;
    if !section.was_created() {
        ignore_closed(show_text(&section))?;
        return Ok(section);
    }
    section.map()?.write_at(0, &bytes)?;
    ignore_closed(show_written(&bytes))?;
    Ok(section)
}

fn show_written(text: &[u8]) -> Outcome {
    let mut out = std::io::stdout();
    write!(out, "Write shared memory data: ")?;
    let mut writer = TextWriter::new(out, Controls::for_stdout());
    writer.write_chunk(text)?;
    Ok(writer.finish()?)
}

/// Ignores a closed standard output: the command's purpose is to hold the section, with or without a
/// reader.
fn ignore_closed(printed: Outcome) -> Outcome {
    match printed {
        Err(Failure::OutputClosed) => Ok(()),
        printed => printed,
    }
}

fn print(line: &str) -> Outcome {
    ignore_closed(writeln!(std::io::stdout(), "{line}").map_err(Failure::from))
}

/// Creates a section with the bytes of a file in it, or opens the existing one.
fn share_file(
    name: &str,
    options: &mut SectionOptions<'_>,
    path: &Path,
    stop: &StopRequests,
) -> Outcome<Section> {
    let failure = |cause: &dyn std::fmt::Display| input_file::read_failure(path, cause);
    let (mut file, len) = input_file::open(path)?;
    let len = len.ok_or_else(|| {
        failure(
            &"it is empty, or its length is not known in advance; use --size, then 'pagemate write'",
        )
    })?;
    let section = options.len(len).open_or_create(name)?;
    let (have, shown) = (section.len(), path.to_string_lossy());
    let shown = escape_line(&shown);
    if !section.was_created() {
        print(&format!("Found shared memory: {have} bytes; {shown} was not written to it"))?;
        return Ok(section);
    }
    let progress = progress(len);
    let copied = copy::copy_into(&section, 0..len, &mut file, |bytes| {
        progress.inc(bytes);
        !stop.is_pending()
    });
    progress.finish_and_clear();
    copied.map_err(|(written, error)| match error {
        CopyError::EndOfInput => failure(&format!("the file ended after {written} of {len} bytes")),
        CopyError::Read(error) => failure(&error),
        CopyError::Section(error) => error.into(),
        CopyError::Cancelled => {
            failure(&format!("stopped by a signal after {written} of {len} bytes"))
        }
    })?;
    print(&format!("Write shared memory data: {len} bytes of {shown}"))?;
    Ok(section)
}

/// Creates a section of `size` zero bytes, or opens the existing one.
fn share_size(name: &str, options: &mut SectionOptions<'_>, size: u64) -> Outcome<Section> {
    let section = options.len(size).open_or_create(name)?;
    let have = section.len();
    if section.was_created() {
        print(&format!("Created shared memory: {have} bytes, all zero"))?;
    } else if have < size {
        print(&format!("Found shared memory: {have} bytes, fewer than the {size} requested"))?;
    } else {
        print(&format!("Found shared memory: {have} bytes"))?;
    }
    Ok(section)
}

fn show_text(section: &Section) -> Outcome {
    let mut out = std::io::stdout();
    write!(out, "read shared memory data: ")?;
    let mut writer = TextWriter::new(out, Controls::for_stdout());
    copy::for_each_chunk(section, 0..section.len(), |chunk| Ok(writer.write_chunk(chunk)?))?;
    Ok(writer.finish()?)
}

/// Returns a progress bar, which is drawn if standard error is a terminal and `len` is large.
fn progress(len: u64) -> ProgressBar {
    const MIN_LEN: u64 = 32 << 20;
    if len < MIN_LEN {
        return ProgressBar::hidden();
    }
    let form = "{bar:30} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}";
    let style = ProgressStyle::with_template(form).expect("the template is valid");
    ProgressBar::new(len).with_style(style)
}

fn sharing(word: &str) -> Sharing {
    SHARINGS.into_iter().find(|(known, _)| *known == word).map_or(Sharing::Owner, |(_, who)| who)
}

fn size(text: &str) -> Result<u64, String> {
    match bytes::parse(text)? {
        0 => Err("a section has at least 1 byte".to_owned()),
        bytes => Ok(bytes),
    }
}
