//! Expands the escapes of a message, and wraps its lines.

use super::insert::Insert;
use crate::error::{INVALID_PARAMETER, Result};

const SPACE: u16 = b' ' as u16;
const PERCENT: u16 = b'%' as u16;
const CARRIAGE_RETURN: u16 = b'\r' as u16;
const LINE_FEED: u16 = b'\n' as u16;

/// The low byte of the flags: the line width (`FORMAT_MESSAGE_MAX_WIDTH_MASK`). All ones mean no
/// limit.
const WIDTH: u32 = 0xFF;

/// The treatment of line breaks in the text of a message. The escape `%n` always breaks the line.
#[derive(Clone, Copy)]
pub(super) enum Lines {
    /// Keeps the line breaks.
    AsTheyAre,
    /// Replaces line breaks by spaces, and wraps each line at the last space before this many
    /// units.
    Wrapped(usize),
    /// Replaces line breaks by spaces.
    One,
}

impl Lines {
    pub(super) fn new(flags: u32) -> Lines {
        match flags & WIDTH {
            0 => Lines::AsTheyAre,
            WIDTH => Lines::One,
            width => Lines::Wrapped(width as usize),
        }
    }
}

/// Returns the text of an insert.
type Fill<'a> = &'a mut dyn FnMut(Insert) -> Result<Vec<u16>>;

/// Expands the escapes of a message. Without `inserts`, expands only the escapes for line breaks
/// and tabs, and the one that ends the message.
pub(super) fn expand(
    text: &[u16],
    lines: Lines,
    mut inserts: Option<Fill<'_>>,
) -> Result<Vec<u16>> {
    let mut out = Output { text: Vec::new(), line: 0, lines };
    let mut rest = text;
    while let Some((unit, after)) = rest.split_first() {
        rest = after;
        match (*unit, rest.first().map(|unit| ascii(*unit))) {
            (CARRIAGE_RETURN, Some(b'\n')) => {
                rest = &rest[1..];
                out.own_line_end();
            }
            (CARRIAGE_RETURN | LINE_FEED, _) => out.own_line_end(),
            (PERCENT, Some(b'0')) => return Ok(out.text),
            (PERCENT, Some(b'n')) => rest = out.end_line("\r\n", rest),
            (PERCENT, Some(b'r')) => rest = out.end_line("\r", rest),
            (PERCENT, Some(b't')) => {
                out.push(b'\t'.into());
                rest = &rest[1..];
            }
            (PERCENT, None) => return Err(INVALID_PARAMETER),
            (PERCENT, Some(next)) => match (next, &mut inserts) {
                // Copy both units, so that the second one does not begin an escape.
                (_, None) => {
                    out.push(PERCENT);
                    out.push(rest[0]);
                    rest = &rest[1..];
                }
                (b'1'..=b'9', Some(fill)) => {
                    let (insert, after) = Insert::parse(rest)?;
                    fill(insert)?.into_iter().for_each(|unit| out.push(unit));
                    rest = after;
                }
                (b'b', _) => {
                    out.push(SPACE);
                    rest = &rest[1..];
                }
                _ => {
                    out.push(rest[0]);
                    rest = &rest[1..];
                }
            },
            (unit, _) => out.push(unit),
        }
    }
    Ok(out.text)
}

/// Returns a unit as an ASCII byte; zero if it is not ASCII.
fn ascii(unit: u16) -> u8 {
    u8::try_from(unit).ok().filter(u8::is_ascii).unwrap_or(0)
}

/// The expanded message so far.
struct Output {
    text: Vec<u16>,
    /// The index at which the last line starts. A line feed in the text of an insert also starts a
    /// line.
    line: usize,
    lines: Lines,
}

impl Output {
    fn push(&mut self, unit: u16) {
        self.text.push(unit);
        if unit == LINE_FEED {
            self.line = self.text.len();
        }
        if let Lines::Wrapped(width) = self.lines
            && self.text.len() - self.line >= width
        {
            self.wrap();
        }
    }

    /// Adds a line break of the message text.
    fn own_line_end(&mut self) {
        match self.lines {
            Lines::AsTheyAre => self.extend("\r\n"),
            Lines::One | Lines::Wrapped(_) => self.push(SPACE),
        }
    }

    /// Adds the line break that an escape requests. `rest` begins with the letter of the escape.
    /// Returns the text after it.
    fn end_line<'a>(&mut self, end: &str, rest: &'a [u16]) -> &'a [u16] {
        self.extend(end);
        &rest[1..]
    }

    fn extend(&mut self, end: &str) {
        self.text.extend(end.encode_utf16());
        self.line = self.text.len();
    }

    /// Ends the line at its last run of spaces, which is removed, or else at its end.
    fn wrap(&mut self) {
        let line = &self.text[self.line..];
        let Some(last) = line.iter().rposition(|unit| *unit == SPACE) else {
            return self.extend("\r\n");
        };
        let first = line[..last].iter().rposition(|unit| *unit != SPACE).map_or(0, |at| at + 1);
        let word = self.text.split_off(self.line + last + 1);
        self.text.truncate(self.line + first);
        self.extend("\r\n");
        self.text.extend(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_at_spaces() {
        // The expectations of Wine's tests on Windows.
        for (width, text, wrapped) in [
            (20, "short long line", "short long line"),
            (11, "short long line", "short long\r\nline"),
            (20, "short long long line", "short long long\r\nline"),
            (10, "short long line", "short\r\nlong line"),
            (16, "short long    line", "short long\r\nline"),
            (16, "short long    wordlongerthanaline", "short long\r\nwordlongerthanal\r\nine"),
            (12, "short long    line", "short long\r\n  line"),
            (12, "short long    wordlongerthanaline", "short long\r\n\r\nwordlongerth\r\nanaline"),
            (15, "   short line", "   short line"),
            (11, "   shortlong line", "\r\nshortlong\r\nline"),
            (11, "l1%n   shortlong line", "l1\r\n\r\nshortlong\r\nline"),
            (5, "                ", "\r\n\r\n\r\n "),
            (5, "l1               ", "l1\r\n\r\n\r\n  "),
            (8, "shortlon", "shortlon\r\n"),
            (8, "shortlongline", "shortlon\r\ngline"),
            (7, "short long line", "short\r\nlong\r\nline"),
            (11, "short\nlong line", "short long\r\nline"),
            (8, "shortlon%n", "shortlon\r\n\r\n"),
            (10, "short%rlong line", "short\rlong line"),
            (8, "short%rlong line", "short\rlong\r\nline"),
            (8, "short%nlong line%1", "short\r\nlong\r\nline%1"),
            (11, "short long\tline", "short\r\nlong\tline"),
        ] {
            let text: Vec<u16> = text.encode_utf16().collect();
            let out = expand(&text, Lines::new(width), None).unwrap();
            assert_eq!(String::from_utf16(&out).unwrap(), wrapped, "{width}");
        }
    }
}
