mod hex;
mod number;

use std::io::{BufWriter, Write};
use std::ops::Range;

use clap::{Args, ValueEnum};
use pagemate::{Access, SectionOptions};

use self::hex::HexWriter;
use self::number::Number;
use crate::bytes;
use crate::failure::{Failure, Outcome};
use crate::pieces;
use crate::target::Target;
use crate::text::{Controls, TextWriter};

/// Print what stands in a section.
///
/// Other processes may write at the same time; what is printed is what each byte was when it was
/// read.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate read ShareMemory
  pagemate read frames --as hex --len 256
  pagemate read counters --as u64 --offset 64 --len 8
  pagemate read frames --as raw > frames.bin

A section is whole pages long: what was shared from a file has zeros after its end, and --len cuts
them off.")]
pub(crate) struct Read {
    #[command(flatten)]
    target: Target,
    /// Where to begin, in bytes: 64, 0x40, 4K.
    #[arg(long, default_value = "0", allow_negative_numbers = true, value_parser = bytes::parse)]
    offset: u64,
    /// How many bytes to read; all to the end, if not given.
    #[arg(long, allow_negative_numbers = true, value_parser = bytes::parse)]
    len: Option<u64>,
    /// How to show them.
    ///
    /// Numbers come one a line, in this machine's byte order. Bytes at the end that are too few
    /// for one are not shown.
    #[arg(long = "as", value_name = "FORM", default_value = "text")]
    form: Form,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// Up to the first NUL, with a line end; to a terminal, control characters are spelled out.
    Text,
    /// Offset, bytes and characters, as `hexdump -C` shows them.
    Hex,
    /// The bytes as they are.
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
        let name = self.target.name()?.to_string();
        let section = SectionOptions::new().access(Access::Read).open(&name)?;
        let range = self
            .range(section.len())
            .map_err(|why| Failure::new(format!("read section {name:?}: {why}")))?;
        let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
        match self.form {
            Form::Text => {
                let mut writer = TextWriter::new(out, Controls::for_stdout());
                pieces::read(&section, range, |piece| Ok(writer.piece(piece)?))?;
                return Ok(writer.finish()?);
            }
            Form::Hex => {
                let mut writer = HexWriter::new(&mut out, range.start);
                pieces::read(&section, range, |piece| {
                    writer.piece(piece)?;
                    Ok(true)
                })?;
                writer.finish()?;
            }
            Form::Raw => pieces::read(&section, range, |piece| {
                out.write_all(piece)?;
                Ok(true)
            })?,
            _ => {
                let number = self.form.number();
                pieces::read(&section, range, |piece| {
                    number.write_all(piece, &mut out)?;
                    Ok(true)
                })?;
            }
        }
        Ok(out.flush()?)
    }

    /// The bytes that are asked for, of a section with `have` bytes.
    fn range(&self, have: u64) -> Result<Range<u64>, String> {
        let offset = self.offset;
        let Some(room) = have.checked_sub(offset) else {
            return Err(format!("offset {offset} lies past its {have} bytes"));
        };
        let len = self.len.unwrap_or(room);
        if len > room {
            return Err(format!("{len} bytes at offset {offset} reach past its {have} bytes"));
        }
        let size = self.form.number().len();
        if self.len.is_some() && !len.is_multiple_of(size) {
            return Err(format!("{len} bytes are no whole number of {size}-byte values"));
        }
        Ok(offset..offset + len)
    }
}

impl Form {
    /// The number to show bytes as; texts and dumps go byte by byte.
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
