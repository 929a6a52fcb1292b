use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};
use indicatif::{ProgressBar, ProgressStyle};
use pagemate::{Access, Namespace, Section, SectionOptions, Sharing};

use crate::bytes;
use crate::ending::Ending;
use crate::entry::SHARINGS;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::pieces::{self, Stopped};
use crate::seconds::seconds;
use crate::target::Target;
use crate::text::{Controls, TextWriter, in_line};

/// Create a section with data in it, or open it and show its text; then hold on to it.
///
/// If some process holds the section already, its length and its data stay as they are, and what
/// stands there is shown. The name lives as long as any process holds on.
///
/// At a terminal, Enter or the end of input lets go. SIGINT, SIGTERM and the end of --hold do so
/// everywhere; with no terminal to read from, nothing else does.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("data").required(true),
    override_usage = "pagemate share <NAME> <--text TEXT|--file FILE|--size SIZE|--read-only> [OPTIONS]"
)]
#[command(after_help = "\
Examples:
  pagemate share ShareMemory --text 'This is common data!'    in two terminals
  pagemate share model --file weights.bin --hold 3600
  pagemate share frames --size 64M --global --sharing everyone-read &
  pagemate share frames --global --read-only            keeps it alive, and looks")]
pub(crate) struct Share {
    #[command(flatten)]
    target: Target,
    /// If the section is new, put this text into it, with a NUL after it.
    #[arg(long, group = "data", allow_hyphen_values = true)]
    text: Option<String>,
    /// If the section is new, put the bytes of this file into it, and zeros up to a whole page.
    #[arg(long, group = "data")]
    file: Option<PathBuf>,
    /// If the section is new, give it this many zero bytes, up to a whole page: 4096, 64K, 1.5M, 2G.
    #[arg(long, group = "data", allow_negative_numbers = true, value_parser = size)]
    size: Option<u64>,
    /// If the section is new, let these other users open it too, to read or to write. They meet
    /// under a `Global\` name.
    #[arg(long, value_name = "WHO", default_value = "owner", conflicts_with = "read_only")]
    #[arg(value_parser = PossibleValuesParser::new(SHARINGS.map(|(word, _)| word)).map(|word| sharing(&word)))]
    sharing: Sharing,
    /// Create nothing: open what some process holds, for looking only, and hold on to that.
    #[arg(long, group = "data")]
    read_only: bool,
    /// Let go after so many seconds.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    hold: Option<Duration>,
}

impl Share {
    pub(crate) fn run(self) -> Outcome {
        let name = self.target.name()?;
        if cfg!(unix) && name.namespace() == Namespace::Local && self.sharing != Sharing::Owner {
            let why = "other users reach no local name; share it with --global";
            return Err(Failure::new(format!("share \"{name}\": {why}")));
        }
        let name = name.to_string();
        let ending = Ending::watch()?;
        let mut options = SectionOptions::new();
        options.sharing(self.sharing);
        let section = if let Some(text) = self.text {
            share_text(&name, &mut options, text)?
        } else if let Some(path) = self.file {
            share_file(&name, &mut options, &path, &ending)?
        } else if let Some(size) = self.size {
            share_size(&name, &mut options, size)?
        } else {
            let section = SectionOptions::new().access(Access::Read).open(&name)?;
            to_whoever_reads(show_text(&section))?;
            section
        };
        ending.wait(self.hold);
        drop(section);
        Ok(())
    }
}

fn share_text(name: &str, options: &mut SectionOptions<'_>, text: String) -> Outcome<Section> {
    let mut bytes = text.into_bytes();
    bytes.push(0);
    let section = options.len(bytes.len() as u64).open_or_create(name)?;
    if !section.was_created() {
        to_whoever_reads(show_text(&section))?;
        return Ok(section);
    }
    section.map()?.write_at(0, &bytes)?;
    to_whoever_reads(show_written(&bytes))?;
    Ok(section)
}

fn show_written(text: &[u8]) -> Outcome {
    let mut out = std::io::stdout();
    write!(out, "Write shared memory data: ")?;
    let mut writer = TextWriter::new(out, Controls::for_stdout());
    writer.piece(text)?;
    Ok(writer.finish()?)
}

/// What was said on standard output: to share is to hold on, and nobody need listen to that.
fn to_whoever_reads(said: Outcome) -> Outcome {
    match said {
        Err(Failure::OutputClosed) => Ok(()),
        said => said,
    }
}

fn say(line: &str) -> Outcome {
    to_whoever_reads(writeln!(std::io::stdout(), "{line}").map_err(Failure::from))
}

fn share_file(
    name: &str,
    options: &mut SectionOptions<'_>,
    path: &Path,
    ending: &Ending,
) -> Outcome<Section> {
    let failure = |cause: &dyn std::fmt::Display| input::failure(path, cause);
    let (mut file, len) = input::open(path)?;
    let len = len.ok_or_else(|| {
        failure(
            &"it is empty, or its length shows only at its end; share a --size, and write there",
        )
    })?;
    let section = options.len(len).open_or_create(name)?;
    let (have, shown) = (section.len(), path.to_string_lossy());
    let shown = in_line(&shown);
    if !section.was_created() {
        say(&format!("Found shared memory: {have} bytes; {shown} was not written to it"))?;
        return Ok(section);
    }
    let progress = progress(len);
    let copied = pieces::fill(&section, 0..len, &mut file, |bytes| {
        progress.inc(bytes);
        !ending.is_asked()
    });
    progress.finish_and_clear();
    copied.map_err(|(written, stopped)| match stopped {
        Stopped::Ended => failure(&format!("it ended after {written} of {len} bytes")),
        Stopped::Input(error) => failure(&error),
        Stopped::Memory(error) => error.into(),
        Stopped::Asked => failure(&format!("stopped by a signal after {written} of {len} bytes")),
    })?;
    say(&format!("Write shared memory data: {len} bytes of {shown}"))?;
    Ok(section)
}

fn share_size(name: &str, options: &mut SectionOptions<'_>, size: u64) -> Outcome<Section> {
    let section = options.len(size).open_or_create(name)?;
    let have = section.len();
    if section.was_created() {
        say(&format!("Created shared memory: {have} bytes, all zero"))?;
    } else if have < size {
        say(&format!("Found shared memory: {have} bytes, fewer than the {size} asked for"))?;
    } else {
        say(&format!("Found shared memory: {have} bytes"))?;
    }
    Ok(section)
}

fn show_text(section: &Section) -> Outcome {
    let mut out = std::io::stdout();
    write!(out, "read shared memory data: ")?;
    let mut writer = TextWriter::new(out, Controls::for_stdout());
    pieces::read(section, 0..section.len(), |piece| Ok(writer.piece(piece)?))?;
    Ok(writer.finish()?)
}

/// Shown on standard error, if that is a terminal and the copy takes long enough to wonder.
fn progress(len: u64) -> ProgressBar {
    const WORTH_SHOWING: u64 = 32 << 20;
    if len < WORTH_SHOWING {
        return ProgressBar::hidden();
    }
    let form = "{bar:30} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}";
    let style = ProgressStyle::with_template(form).expect("the template is well-formed");
    ProgressBar::new(len).with_style(style)
}

fn sharing(word: &str) -> Sharing {
    SHARINGS.into_iter().find(|(known, _)| *known == word).map_or(Sharing::Owner, |(_, who)| who)
}

fn size(text: &str) -> Result<u64, String> {
    match bytes::parse(text)? {
        0 => Err("a section has at least one byte".to_owned()),
        bytes => Ok(bytes),
    }
}
