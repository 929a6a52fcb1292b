//! The form of messages in files and pipes.

use std::io::{self, BufRead, BufReader, Read, Write};

use clap::ValueEnum;

/// How messages are separated in a file or a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Each line is a message, without its line end.
    Lines,
    /// The length of the message in bytes, a little-endian number of four bytes, and then the message.
    Frames,
    /// Each line is a message: two hexadecimal digits for each byte. Spaces are ignored.
    Hex,
}

/// Reads messages from a file or a pipe.
pub(crate) struct Reader<R> {
    input: BufReader<R>,
    form: Form,
    /// The number of messages that were read.
    count: u64,
    max_len: usize,
}

impl<R: Read> Reader<R> {
    /// Returns a reader of messages of at most `max_len` bytes.
    pub(crate) fn new(input: R, form: Form, max_len: usize) -> Reader<R> {
        Reader { input: BufReader::with_capacity(1 << 16, input), form, count: 0, max_len }
    }

    /// Reads the next message into `message`. Returns false at the end of the input.
    ///
    /// # Errors
    ///
    /// A description of the error, which names the message.
    pub(crate) fn read(&mut self, message: &mut Vec<u8>) -> Result<bool, String> {
        self.count += 1;
        message.clear();
        let found = match self.form {
            Form::Lines => self.read_line(message, self.max_len),
            Form::Frames => self.read_frame(message),
            Form::Hex => self.read_hex(message),
        };
        found.map_err(|why| format!("message {}: {why}", self.count))
    }

    /// Reads a line of at most `max` bytes, without its line end.
    fn read_line(&mut self, line: &mut Vec<u8>, max: usize) -> Result<bool, String> {
        // One byte more for the line end, so that a line that is too long has none.
        let limit = (max as u64).saturating_add(1);
        let read = self.input.by_ref().take(limit).read_until(b'\n', line);
        if read.map_err(|error| error.to_string())? == 0 {
            return Ok(false);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line.len() > max { Err(self.too_long()) } else { Ok(true) }
    }

    fn read_hex(&mut self, message: &mut Vec<u8>) -> Result<bool, String> {
        let mut line = Vec::new();
        // Each byte has two digits and may be followed by a space.
        if !self.read_line(&mut line, self.max_len.saturating_mul(3))? {
            return Ok(false);
        }
        line.retain(|byte| !byte.is_ascii_whitespace());
        if !line.len().is_multiple_of(2) {
            return Err("a byte has two hexadecimal digits, and one is missing".to_owned());
        }
        for pair in line.chunks_exact(2) {
            let digits =
                std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let wrong =
                || format!("\"{}\" is not a byte in hexadecimal digits", pair.escape_ascii());
            message.push(byte.ok_or_else(wrong)?);
        }
        if message.len() > self.max_len { Err(self.too_long()) } else { Ok(true) }
    }

    fn read_frame(&mut self, message: &mut Vec<u8>) -> Result<bool, String> {
        let mut len = [0; 4];
        let mut have = 0;
        while have < len.len() {
            match self.input.read(&mut len[have..]) {
                Ok(0) if have == 0 => return Ok(false),
                Ok(0) => return Err("the input ends inside the length of a message".to_owned()),
                Ok(count) => have += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        let len = u32::from_le_bytes(len) as usize;
        if len > self.max_len {
            return Err(format!("it has {len} bytes; {}", self.too_long()));
        }
        let read = self.input.by_ref().take(len as u64).read_to_end(message);
        match read.map_err(|error| error.to_string())? {
            read if read < len => {
                Err(format!("the input ends after {read} of {len} bytes of a message"))
            }
            _ => Ok(true),
        }
    }

    fn too_long(&self) -> String {
        format!(
            "a message of this channel has at most {} bytes; its creator decides that, by --max-len",
            self.max_len
        )
    }
}

impl Form {
    /// Writes a message with one call of `write`, so that processes that write to the same pipe do not
    /// mix short messages.
    pub(crate) fn write(
        self,
        message: &[u8],
        buffer: &mut Vec<u8>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        buffer.clear();
        match self {
            Form::Lines => {
                buffer.extend_from_slice(message);
                buffer.push(b'\n');
            }
            Form::Frames => {
                let len = u32::try_from(message.len());
                let len =
                    len.map_err(|_| io::Error::other("the message is longer than a frame"))?;
                buffer.extend_from_slice(&len.to_le_bytes());
                buffer.extend_from_slice(message);
            }
            Form::Hex => {
                for byte in message {
                    write!(buffer, "{byte:02x}")?;
                }
                buffer.push(b'\n');
            }
        }
        out.write_all(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], form: Form) -> Result<Vec<Vec<u8>>, String> {
        let mut reader = Reader::new(input, form, 4);
        let (mut messages, mut message) = (Vec::new(), Vec::new());
        while reader.read(&mut message)? {
            messages.push(message.clone());
        }
        Ok(messages)
    }

    #[test]
    fn every_form_reads_the_messages_that_it_writes() {
        let messages: [&[u8]; 4] = [b"", b"a", b"abc", b"abcd"];
        for form in Form::value_variants() {
            let (mut out, mut buffer) = (Vec::new(), Vec::new());
            for message in messages {
                form.write(message, &mut buffer, &mut out).unwrap();
            }
            assert_eq!(read(&out, *form).unwrap(), messages, "{form:?}");
        }
    }

    #[test]
    fn the_last_line_needs_no_end_and_spaces_between_digits_are_ignored() {
        assert_eq!(read(b"a\nbc", Form::Lines).unwrap(), [&b"a"[..], b"bc"]);
        assert_eq!(read(b"61 62\n63", Form::Hex).unwrap(), [&b"ab"[..], b"c"]);
        assert_eq!(read(b"", Form::Frames).unwrap(), <[&[u8]; 0]>::default());
    }

    #[test]
    fn bad_input_is_an_error_that_names_the_message() {
        for (input, form, error) in [
            (&b"a\nabcde\n"[..], Form::Lines, "message 2: a message of this channel has at most 4"),
            (b"abc", Form::Hex, "message 1: a byte has two hexadecimal digits"),
            (b"zz", Form::Hex, "message 1: \"zz\" is not a byte"),
            (b"+1", Form::Hex, "message 1: \"+1\" is not a byte"),
            (b"6162636465", Form::Hex, "message 1: a message of this channel"),
            (b"\x01\0", Form::Frames, "message 1: the input ends inside the length"),
            (b"\x02\0\0\0a", Form::Frames, "message 1: the input ends after 1 of 2 bytes"),
            (b"\xff\xff\xff\xff", Form::Frames, "message 1: it has 4294967295 bytes"),
        ] {
            let found = read(input, form).unwrap_err();
            assert!(found.starts_with(error), "{found}");
        }
    }
}
