//! Writes text from bytes, and escapes characters that control a terminal.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

/// The treatment of characters that control a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controls {
    /// Writes them unchanged.
    Keep,
    /// Escapes all of them except line feeds and tabs, as `\u{1b}`.
    Escape,
}

impl Controls {
    /// Returns `Escape` if standard output is a terminal, otherwise `Keep`.
    pub(crate) fn for_stdout() -> Controls {
        if io::stdout().is_terminal() { Controls::Escape } else { Controls::Keep }
    }
}

/// Writes text that arrives in chunks, up to the first NUL. Bytes that are not UTF-8 become U+FFFD.
#[derive(Debug)]
pub(crate) struct TextWriter<W> {
    out: W,
    controls: Controls,
    /// The first bytes of a character whose other bytes are in the next chunk.
    incomplete: Vec<u8>,
    /// The last byte of the text so far.
    last: Option<u8>,
}

impl<W: Write> TextWriter<W> {
    pub(crate) fn new(out: W, controls: Controls) -> TextWriter<W> {
        TextWriter { out, controls, incomplete: Vec::new(), last: None }
    }

    /// Writes one chunk. Returns `false` if the chunk contains the NUL that ends the text.
    pub(crate) fn write_chunk(&mut self, chunk: &[u8]) -> io::Result<bool> {
        let end = chunk.iter().position(|byte| *byte == 0);
        let text = &chunk[..end.unwrap_or(chunk.len())];
        self.last = text.last().copied().or(self.last);
        let mut bytes = std::mem::take(&mut self.incomplete);
        bytes.extend_from_slice(text);
        let mut parts = bytes.utf8_chunks().peekable();
        while let Some(part) = parts.next() {
            self.write_text(part.valid())?;
            let invalid = part.invalid();
            let cut_short = str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
            if cut_short && end.is_none() && parts.peek().is_none() {
                self.incomplete = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.write_text("\u{fffd}")?;
            }
        }
        Ok(end.is_none())
    }

    /// Ends the text: adds a line feed unless the text ends with one, and flushes the output.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if !self.incomplete.is_empty() {
            self.write_text("\u{fffd}")?;
        }
        if self.last != Some(b'\n') {
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        match self.controls {
            Controls::Keep => self.out.write_all(text.as_bytes()),
            Controls::Escape => self.out.write_all(escape_lines(text).as_bytes()),
        }
    }
}

/// Escapes every control character, so that `text` stays on one line and cannot control the
/// terminal.
pub(crate) fn escape_line(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// Escapes every control character except line feeds and tabs.
pub(crate) fn escape_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

/// Returns whether `text` has a character that [`escape_line`] escapes.
pub(crate) fn has_controls(text: &str) -> bool {
    text.contains(|c: char| c.is_control() || is_unicode_control(c))
}

fn escape(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let controls = |c: char| (c.is_control() && !kept(c)) || is_unicode_control(c);
    if !text.contains(controls) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if controls(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

/// Returns whether `c` is a control character that Unicode adds to ASCII's. These characters change
/// the direction of text or break lines.
fn is_unicode_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(chunks: &[&[u8]], controls: Controls) -> String {
        let mut out = Vec::new();
        let mut writer = TextWriter::new(&mut out, controls);
        for chunk in chunks {
            if !writer.write_chunk(chunk).unwrap() {
                break;
            }
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_ends_at_the_first_nul() {
        assert_eq!(written(&[b"one\0two"], Controls::Keep), "one\n");
        assert_eq!(written(&[b"one", b"\0", b"two"], Controls::Keep), "one\n");
        assert_eq!(written(&[b"\0"], Controls::Keep), "\n");
        assert_eq!(written(&[b"line\n\0"], Controls::Keep), "line\n");
    }

    #[test]
    fn a_character_may_span_chunks() {
        let text = "日本é";
        for cut in 0..text.len() {
            let (a, b) = text.as_bytes().split_at(cut);
            assert_eq!(written(&[a, b], Controls::Keep), "日本é\n");
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(written(&bytes, Controls::Keep), "日本é\n");
    }

    #[test]
    fn invalid_utf_8_becomes_a_replacement_character() {
        assert_eq!(written(&[b"a\xffb"], Controls::Keep), "a\u{fffd}b\n");
        assert_eq!(written(&[b"a\xe6\x97"], Controls::Keep), "a\u{fffd}\n");
        assert_eq!(written(&[b"a\xe6\x97\0"], Controls::Keep), "a\u{fffd}\n");
        assert_eq!(written(&[b"a\xe6", b"b"], Controls::Keep), "a\u{fffd}b\n");
    }

    #[test]
    fn control_characters_are_escaped_for_terminals() {
        let hostile = b"\x1b[2Jred\ttab\nline\x9b\0";
        assert_eq!(written(&[hostile], Controls::Escape), "\\u{1b}[2Jred\ttab\nline\u{fffd}\n");
        assert_eq!(escape_line("a\nb\u{9b}\u{202e}c"), "a\\nb\\u{9b}\\u{202e}c");
        assert_eq!(escape_line("日本 é"), "日本 é");
    }
}
