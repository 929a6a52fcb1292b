//! Hexadecimal dumps in the format of `hexdump -C`.

use std::io::{self, Write};

/// The number of bytes on one line.
const LINE: usize = 16;

/// Writes a dump of bytes that arrive in chunks. The length of each chunk except the last must be a
/// multiple of [`LINE`].
#[derive(Debug)]
pub(super) struct HexWriter<W> {
    out: W,
    offset: u64,
    /// The last whole line.
    last: Option<[u8; LINE]>,
    /// Whether the dump has replaced repetitions of `last` by a `*`.
    squeezing: bool,
}

impl<W: Write> HexWriter<W> {
    /// Creates a dump whose first byte is at `offset`.
    pub(super) fn new(out: W, offset: u64) -> HexWriter<W> {
        HexWriter { out, offset, last: None, squeezing: false }
    }

    /// Writes one chunk.
    pub(super) fn write_chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (lines, rest) = bytes.as_chunks();
        for line in lines {
            if self.last.as_ref() != Some(line) {
                self.write_line(line)?;
                (self.last, self.squeezing) = (Some(*line), false);
            } else if !self.squeezing {
                self.out.write_all(b"*\n")?;
                self.squeezing = true;
            }
            self.offset += LINE as u64;
        }
        if !rest.is_empty() {
            self.write_line(rest)?;
            self.offset += rest.len() as u64;
        }
        Ok(())
    }

    /// Writes the last line of the dump, the offset of its end.
    pub(super) fn finish(mut self) -> io::Result<()> {
        writeln!(self.out, "{:08x}", self.offset)
    }

    fn write_line(&mut self, bytes: &[u8]) -> io::Result<()> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // Each byte takes two digits and a space; one more space follows the eighth byte.
        let mut hex = [b' '; 3 * LINE + 1];
        let mut text = [0; LINE];
        for (i, byte) in bytes.iter().enumerate() {
            let at = 3 * i + usize::from(i >= LINE / 2);
            hex[at] = DIGITS[usize::from(byte >> 4)];
            hex[at + 1] = DIGITS[usize::from(byte & 15)];
            text[i] = if (b' '..=b'~').contains(byte) { *byte } else { b'.' };
        }
        write!(self.out, "{:08x}  ", self.offset)?;
        self.out.write_all(&hex)?;
        self.out.write_all(b" |")?;
        self.out.write_all(&text[..bytes.len()])?;
        self.out.write_all(b"|\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(offset: u64, chunks: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut writer = HexWriter::new(&mut out, offset);
        for chunk in chunks {
            writer.write_chunk(chunk).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_have_offset_bytes_and_characters() {
        let expected = "\
00000040  54 68 69 73 20 69 73 20  63 6f 6d 6d 6f 6e 20 64  |This is common d|
00000050  61 74 61 21 00 ff                                 |ata!..|
00000056
";
        assert_eq!(dump(64, &[b"This is common data!\0\xff"]), expected);
    }

    #[test]
    fn repeated_lines_are_squeezed_across_chunks() {
        let zero = "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|";
        let ones = "01 01 01 01 01 01 01 01  01 01 01 01 01 01 01 01  |................|";
        let whole = format!("00000000  {zero}\n*\n00000040  {ones}\n00000050  {zero}\n00000060\n");
        assert_eq!(dump(0, &[&[0; 32], &[0; 32], &[1; 16], &[0; 16]]), whole);
        assert_eq!(dump(7, &[]), "00000007\n");
    }

    #[test]
    fn offsets_grow_past_four_gigabytes() {
        assert!(dump(1 << 32, &[b"x"]).starts_with("100000000  78 "));
    }
}
