//! Text on its way out: made legible, and harmless to a terminal.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

/// What becomes of characters that a terminal would obey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controls {
    /// They pass.
    Keep,
    /// All but line ends and tabs are spelled out, as `\u{1b}`.
    Escape,
}

impl Controls {
    /// Escapes for people, and keeps for programs.
    pub(crate) fn for_stdout() -> Controls {
        if io::stdout().is_terminal() { Controls::Escape } else { Controls::Keep }
    }
}

/// Writes text that arrives in pieces, up to the first NUL; what is not UTF-8 shows as U+FFFD.
#[derive(Debug)]
pub(crate) struct TextWriter<W> {
    out: W,
    controls: Controls,
    /// The beginning of a character whose end is in the next piece.
    begun: Vec<u8>,
    last: Option<u8>,
}

impl<W: Write> TextWriter<W> {
    pub(crate) fn new(out: W, controls: Controls) -> TextWriter<W> {
        TextWriter { out, controls, begun: Vec::new(), last: None }
    }

    /// Writes one piece; false if the text ends in it.
    pub(crate) fn piece(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let end = bytes.iter().position(|byte| *byte == 0);
        let text = &bytes[..end.unwrap_or(bytes.len())];
        self.last = text.last().copied().or(self.last);
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(text);
        let mut chunks = begun.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.characters(chunk.valid())?;
            let invalid = chunk.invalid();
            let cut_short = str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
            if cut_short && end.is_none() && chunks.peek().is_none() {
                self.begun = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.characters("\u{fffd}")?;
            }
        }
        Ok(end.is_none())
    }

    /// Ends the text with a line end, unless it has one.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if !self.begun.is_empty() {
            self.characters("\u{fffd}")?;
        }
        if self.last != Some(b'\n') {
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }

    fn characters(&mut self, text: &str) -> io::Result<()> {
        match self.controls {
            Controls::Keep => self.out.write_all(text.as_bytes()),
            Controls::Escape => {
                let kept = |c| matches!(c, '\n' | '\t');
                self.out.write_all(escaped(text, kept).as_bytes())
            }
        }
    }
}

/// A text for one line of a table: nothing in it moves the cursor or turns the line around.
pub(crate) fn in_line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

fn escaped(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let obeyed = |c: char| (c.is_control() && !kept(c)) || turns_around(c);
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if obeyed(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

/// Unicode's own controls: they reorder what stands beside them, or break lines.
fn turns_around(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[&[u8]], controls: Controls) -> String {
        let mut out = Vec::new();
        let mut writer = TextWriter::new(&mut out, controls);
        for piece in pieces {
            if !writer.piece(piece).unwrap() {
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
    fn a_character_may_be_cut_by_pieces() {
        let text = "日本é";
        for cut in 0..text.len() {
            let (a, b) = text.as_bytes().split_at(cut);
            assert_eq!(written(&[a, b], Controls::Keep), "日本é\n");
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(written(&bytes, Controls::Keep), "日本é\n");
    }

    #[test]
    fn what_is_not_utf_8_shows() {
        assert_eq!(written(&[b"a\xffb"], Controls::Keep), "a\u{fffd}b\n");
        assert_eq!(written(&[b"a\xe6\x97"], Controls::Keep), "a\u{fffd}\n");
        assert_eq!(written(&[b"a\xe6\x97\0"], Controls::Keep), "a\u{fffd}\n");
        assert_eq!(written(&[b"a\xe6", b"b"], Controls::Keep), "a\u{fffd}b\n");
    }

    #[test]
    fn terminals_get_no_controls() {
        let hostile = b"\x1b[2Jred\ttab\nline\x9b\0";
        assert_eq!(written(&[hostile], Controls::Escape), "\\u{1b}[2Jred\ttab\nline\u{fffd}\n");
        assert_eq!(in_line("a\nb\u{9b}\u{202e}c"), "a\\nb\\u{9b}\\u{202e}c");
        assert_eq!(in_line("日本 é"), "日本 é");
    }
}
