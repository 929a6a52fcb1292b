mod hex;
mod number;

use std::io::{BufWriter, Write};
use std::ops::Range;

use clap::{Args, ValueEnum};
use pagemate::{Access, SectionOptions};

use self::hex::HexWriter;
use self::number::Number;
use crate::arguments::ObjectName;
use crate::bytes;
use crate::copy;
use crate::failure::{Failure, Outcome};
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

A section's length is a multiple of the page size. A section that was shared from a file therefore has
zeros after the file's bytes; --len omits them.")]
pub(crate) struct Read {
    #[command(flatten)]
    object: ObjectName,
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
        let name = self.object.parse()?.to_string();
        let section = SectionOptions::new().access(Access::Read).open(&name)?;
        let range = self
            .range(section.len())
            .map_err(|why| Failure::new(format!("read section {name:?}: {why}")))?;
        let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
        match self.form {
            Form::Text => {
                let mut writer = TextWriter::new(out, Controls::for_stdout());
                copy::for_each_chunk(&section, range, |chunk| Ok(writer.write_chunk(chunk)?))?;
                return Ok(writer.finish()?);
            }
            Form::Hex => {
                let mut writer = HexWriter::new(&mut out, range.start);
                copy::for_each_chunk(&section, range, |chunk| {
                    writer.write_chunk(chunk)?;
                    Ok(true)
                })?;
                writer.finish()?;
            }
            Form::Raw => copy::for_each_chunk(&section, range, |chunk| {
                out.write_all(chunk)?;
                Ok(true)
            })?,
            _ => {
                let number = self.form.number();
                copy::for_each_chunk(&section, range, |chunk| {
                    number.write_all(chunk, &mut out)?;
                    Ok(true)
                })?;
            }
        }
        Ok(out.flush()?)
    }

    /// Returns the range to read from a section of `section_len` bytes.
    fn range(&self, section_len: u64) -> Result<Range<u64>, String> {
        let offset = self.offset;
        let Some(room) = section_len.checked_sub(offset) else {
            return Err(format!("offset {offset} lies past its {section_len} bytes"));
        };
        let len = self.len.unwrap_or(room);
        if len > room {
            return Err(format!(
                "{len} bytes at offset {offset} reach past its {section_len} bytes"
            ));
        }
        let size = self.form.number().len();
        if self.len.is_some() && !len.is_multiple_of(size) {
            return Err(format!("{len} bytes are not a whole number of {size}-byte values"));
        }
        Ok(offset..offset + len)
    }
}

impl Form {
    /// Returns the number type to print; that of texts and dumps is one byte.
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
