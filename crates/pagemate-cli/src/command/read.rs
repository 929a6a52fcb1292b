mod hex;
mod number;

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::ops::Range;

use clap::{Args, ValueEnum};
use pagemate::{Access, Section, SectionOptions};

use self::hex::HexWriter;
use self::number::Number;
use crate::arguments::{ObjectName, WaitForName};
use crate::bytes::{self, bytes};
use crate::copy;
use crate::failure::{Failure, Outcome};
use crate::json::print_json;
use crate::text::{Controls, TextWriter};

/// Print the contents of a section.
///
/// If other processes write at the same time, the output may mix old and new bytes.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate read ShareMemory
  pagemate read frames --as hex --len 256
  pagemate read counters --as u64 --offset 64 --len 8
  pagemate read frames --as raw > frames.bin
  pagemate read counters --as u64 --len 32 --json
  pagemate read frames --wait --timeout 10s --len 64 --as hex

A section's length is a multiple of the page size. A section that was shared from a file \
therefore has zeros after the file's bytes; --len omits them.

With --json, a text is printed as a JSON string and numbers as a JSON array, in which a \
float that is not finite is null.

Exit status:
  0    the contents were printed
  1    no process holds the name, or the timeout of --wait expired
  2    failure")]
pub(crate) struct Read {
    #[command(flatten)]
    pub(super) object: ObjectName,
    /// The first byte to read: 64, 0x40, 4K.
    #[arg(long, default_value = "0", allow_negative_numbers = true, value_parser = bytes::parse)]
    offset: u64,
    /// The number of bytes to read; the default is all up to the end.
    #[arg(long, allow_negative_numbers = true, value_parser = bytes::parse)]
    len: Option<u64>,
    /// The output format.
    ///
    /// Numbers are printed one per line and read in this machine's byte order. Bytes at the end that are
    /// too few for a number are omitted.
    #[arg(long = "as", value_name = "FORM", default_value = "text")]
    form: Form,
    /// Print raw bytes even if standard output is a terminal, which may interpret them as commands.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    waiting: WaitForName,
    /// Print JSON, for scripts: a text or numbers.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// The text up to the first NUL, and a line end. On a terminal, control characters are escaped.
    Text,
    /// Offset, bytes and characters, as `hexdump -C` prints them.
    Hex,
    /// The bytes unchanged.
    Raw,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

impl Read {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        let failure = |why: &str| Failure::new(format!("read section \"{name}\": {why}"));
        if matches!(self.form, Form::Raw) && !self.force && io::stdout().is_terminal() {
            return Err(failure(
                "raw bytes can change the state of a terminal; redirect the output, use --as hex, or \
                 add --force",
            ));
        }
        if self.json && matches!(self.form, Form::Raw | Form::Hex) {
            return Err(failure("JSON has texts and numbers; omit --json, or use --as u8"));
        }
        let section = self.waiting.open(&name, |time| {
            SectionOptions::new().access(Access::Read).open_within(&name, time)
        })?;
        let range = self.range(section.len()).map_err(|why| failure(&why))?;
        let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        match self.form {
            Form::Text if self.json => print_text_as_json(&section, range, out),
            Form::Text => print_text(&section, range, TextWriter::new(out, Controls::for_stdout())),
            Form::Hex => print_hex(&section, range, out),
            Form::Raw => print_raw(&section, range, out),
            form if self.json => print_numbers_as_json(&section, range, form.number(), out),
            form => print_numbers(&section, range, form.number(), out),
        }
    }

    /// Returns the range to read from a section of `section_len` bytes.
    fn range(&self, section_len: u64) -> Result<Range<u64>, String> {
        let offset = self.offset;
        let Some(room) = section_len.checked_sub(offset) else {
            return Err(format!("offset {offset} lies past its {}", bytes(section_len)));
        };
        let len = self.len.unwrap_or(room);
        if len > room {
            let (len, section_len) = (bytes(len), bytes(section_len));
            return Err(format!("{len} at offset {offset} reach past its {section_len}"));
        }
        let size = self.form.number().len();
        if self.len.is_some() && !len.is_multiple_of(size) {
            let len = bytes(len);
            return Err(format!("{len} are not a whole number of {size}-byte values"));
        }
        Ok(offset..offset + len)
    }
}

/// Standard output with a buffer.
type Out = BufWriter<StdoutLock<'static>>;

fn print_text(section: &Section, range: Range<u64>, mut writer: TextWriter<impl Write>) -> Outcome {
    copy::for_each_chunk(section, range, |chunk| Ok(writer.write_chunk(chunk)?))?;
    Ok(writer.finish()?)
}

fn print_text_as_json(section: &Section, range: Range<u64>, out: Out) -> Outcome {
    let mut text = Vec::new();
    copy::for_each_chunk(section, range, |chunk| {
        let end = chunk.iter().position(|byte| *byte == 0);
        text.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
        Ok(end.is_none())
    })?;
    print_json(&String::from_utf8_lossy(&text), out)
}

fn print_hex(section: &Section, range: Range<u64>, mut out: Out) -> Outcome {
    let mut writer = HexWriter::new(&mut out, range.start);
    copy::for_each_chunk(section, range, |chunk| {
        writer.write_chunk(chunk)?;
        Ok(true)
    })?;
    writer.finish()?;
    Ok(out.flush()?)
}

fn print_raw(section: &Section, range: Range<u64>, mut out: Out) -> Outcome {
    copy::for_each_chunk(section, range, |chunk| {
        out.write_all(chunk)?;
        Ok(true)
    })?;
    Ok(out.flush()?)
}

fn print_numbers(section: &Section, range: Range<u64>, number: Number, mut out: Out) -> Outcome {
    copy::for_each_chunk(section, range, |chunk| {
        number.write_all(chunk, &mut out)?;
        Ok(true)
    })?;
    Ok(out.flush()?)
}

/// Prints the numbers of a section as a JSON array, one number on each line. Reads the section in
/// chunks.
fn print_numbers_as_json(
    section: &Section,
    range: Range<u64>,
    number: Number,
    mut out: Out,
) -> Outcome {
    let mut separator = "[";
    copy::for_each_chunk(section, range, |chunk| {
        number.write_json(chunk, &mut separator, &mut out)?;
        Ok(true)
    })?;
    let end = if separator == "[" { "[]" } else { "\n]" };
    writeln!(out, "{end}")?;
    Ok(out.flush()?)
}

impl Form {
    /// Returns the type of the numbers to print. Texts and dumps consist of bytes.
    fn number(self) -> Number {
        match self {
            Form::Text | Form::Hex | Form::Raw | Form::U8 => Number::U8,
            Form::U16 => Number::U16,
            Form::U32 => Number::U32,
            Form::U64 => Number::U64,
            Form::I8 => Number::I8,
            Form::I16 => Number::I16,
            Form::I32 => Number::I32,
            Form::I64 => Number::I64,
            Form::F32 => Number::F32,
            Form::F64 => Number::F64,
        }
    }
}
