//! Sections read and filled piece by piece: a big one takes no more memory than a small one.

use std::io::{self, Read};
use std::ops::Range;

use pagemate::{Access, Section};

use crate::failure::Outcome;

/// A multiple of every number's size and of a dump's line.
const PIECE: usize = 256 * 1024;

/// Hands the bytes of `range` to `take` one after another, until it says false.
pub(crate) fn read(
    section: &Section,
    range: Range<u64>,
    mut take: impl FnMut(&[u8]) -> Outcome<bool>,
) -> Outcome {
    let mut buffer = vec![0; piece_len(&range)];
    let mut rest = range;
    while !rest.is_empty() {
        let bytes = &mut buffer[..piece_len(&rest)];
        let end = rest.start + bytes.len() as u64;
        section.view().range(rest.start..end).access(Access::Read).map()?.read_at(0, bytes)?;
        if !take(bytes)? {
            break;
        }
        rest.start = end;
    }
    Ok(())
}

/// What stopped a [`fill`] before its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The input has no more.
    Ended,
    Input(io::Error),
    Memory(pagemate::Error),
    /// `go_on` said so.
    Asked,
}

/// Copies `input` to `range`, and tells `go_on` how many bytes each step has written. A failure
/// comes with the number of bytes that were written before it.
pub(crate) fn fill(
    section: &Section,
    range: Range<u64>,
    input: &mut impl Read,
    mut go_on: impl FnMut(u64) -> bool,
) -> Result<(), (u64, Stopped)> {
    let mut buffer = vec![0; piece_len(&range)];
    let mut rest = range.clone();
    while !rest.is_empty() {
        let written = rest.start - range.start;
        let stopped = |stopped| (written, stopped);
        let len = piece_len(&rest);
        let len = match input.read(&mut buffer[..len]) {
            Ok(0) => return Err(stopped(Stopped::Ended)),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(stopped(Stopped::Input(error))),
        };
        let end = rest.start + len as u64;
        let view = section.view().range(rest.start..end).map();
        view.and_then(|view| view.write_at(0, &buffer[..len]))
            .map_err(|error| stopped(Stopped::Memory(error)))?;
        rest.start = end;
        if !go_on(len as u64) {
            return Err((end - range.start, Stopped::Asked));
        }
    }
    Ok(())
}

fn piece_len(range: &Range<u64>) -> usize {
    usize::try_from(range.end.saturating_sub(range.start)).map_or(PIECE, |len| len.min(PIECE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_any_range_once() {
        let len = 3 * PIECE as u64;
        let section = pagemate::SectionOptions::new().len(len).create_unnamed().unwrap();
        let bytes: Vec<u8> = (0..len).map(|at| (at % 251).to_le_bytes()[0]).collect();
        fill(&section, 0..len, &mut &bytes[..], |_| true).unwrap();
        for range in [0..len, 0..1, 1..len - 1, 5..5, len..len, len - 1..len, 4095..300_000] {
            let mut seen = Vec::new();
            let take = |piece: &[u8]| {
                seen.extend_from_slice(piece);
                Ok(true)
            };
            read(&section, range.clone(), take).unwrap();
            let start = usize::try_from(range.start).unwrap();
            assert_eq!(seen, bytes[start..usize::try_from(range.end).unwrap()], "{range:?}");
        }
    }

    #[test]
    fn a_short_input_says_how_far_it_came() {
        let section = pagemate::SectionOptions::new().len(4096).create_unnamed().unwrap();
        let short = fill(&section, 0..100, &mut &[7; 60][..], |_| true);
        assert!(matches!(short, Err((60, Stopped::Ended))), "{short:?}");
        let stopped = fill(&section, 0..100, &mut &[7; 100][..], |_| false);
        assert!(matches!(stopped, Err((100, Stopped::Asked))), "{stopped:?}");
    }
}
