//! Copies data into and out of sections in chunks, so that a large section needs no large buffer.

use std::io::{self, Read};
use std::ops::Range;

use pagemate::{Access, Section};

use crate::failure::Outcome;
use crate::progress::Progress;

/// The length of a chunk in bytes. It is a multiple of the size of every number, and of the length
/// of a line in a dump, so that each number and each line lies in one chunk.
const CHUNK: usize = 256 * 1024;

/// Calls `consume` with the bytes of `range`, one chunk at a time, until it returns `false`. Shows
/// the progress unless standard output is a terminal.
pub(crate) fn for_each_chunk(
    section: &Section,
    range: Range<u64>,
    mut consume: impl FnMut(&[u8]) -> Outcome<bool>,
) -> Outcome {
    let mut progress = Progress::to_stdout(range.end.saturating_sub(range.start));
    let mut buffer = vec![0; chunk_len(&range)];
    let mut rest = range;
    while !rest.is_empty() {
        let bytes = &mut buffer[..chunk_len(&rest)];
        let end = rest.start + bytes.len() as u64;
        section.view().range(rest.start..end).access(Access::Read).map()?.read_at(0, bytes)?;
        if !consume(bytes)? {
            break;
        }
        progress.add(bytes.len() as u64);
        rest.start = end;
    }
    Ok(())
}

/// The reason for which [`copy_into`] stopped before the end of its range.
#[derive(Debug)]
pub(crate) enum CopyError {
    /// The input ended.
    EndOfInput,
    /// Reading the input failed.
    Read(io::Error),
    /// Mapping or writing the section failed.
    Section(pagemate::Error),
    /// The `is_cancelled` callback returned `true`.
    Cancelled,
}

/// Copies `input` into `range` of `section`, and shows the progress.
///
/// Calls `is_cancelled` after each chunk, and stops if it returns `true`. An error contains the
/// number of bytes that were written before it.
pub(crate) fn copy_into(
    section: &Section,
    range: Range<u64>,
    input: &mut dyn Read,
    is_cancelled: impl Fn() -> bool,
) -> Result<(), (u64, CopyError)> {
    let mut buffer = vec![0; chunk_len(&range)];
    let mut progress = Progress::new(Some(range.end.saturating_sub(range.start)));
    let mut rest = range.clone();
    while !rest.is_empty() {
        let written = rest.start - range.start;
        let len = chunk_len(&rest);
        let len = match input.read(&mut buffer[..len]) {
            Ok(0) => return Err((written, CopyError::EndOfInput)),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err((written, CopyError::Read(error))),
        };
        let end = rest.start + len as u64;
        let view = section.view().range(rest.start..end).map();
        view.and_then(|view| view.write_at(0, &buffer[..len]))
            .map_err(|error| (written, CopyError::Section(error)))?;
        rest.start = end;
        progress.add(len as u64);
        if is_cancelled() {
            return Err((end - range.start, CopyError::Cancelled));
        }
    }
    Ok(())
}

/// Returns the length of the next chunk of `range`.
fn chunk_len(range: &Range<u64>) -> usize {
    usize::try_from(range.end.saturating_sub(range.start)).map_or(CHUNK, |len| len.min(CHUNK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_any_range_once() {
        let len = 3 * CHUNK as u64;
        let section = pagemate::SectionOptions::new().len(len).create_unnamed().unwrap();
        let bytes: Vec<u8> = (0..len).map(|at| (at % 251).to_le_bytes()[0]).collect();
        copy_into(&section, 0..len, &mut &bytes[..], || false).unwrap();
        for range in [0..len, 0..1, 1..len - 1, 5..5, len..len, len - 1..len, 4095..300_000] {
            let mut seen = Vec::new();
            let consume = |chunk: &[u8]| {
                seen.extend_from_slice(chunk);
                Ok(true)
            };
            for_each_chunk(&section, range.clone(), consume).unwrap();
            let start = usize::try_from(range.start).unwrap();
            assert_eq!(seen, bytes[start..usize::try_from(range.end).unwrap()], "{range:?}");
        }
    }

    #[test]
    fn an_early_end_reports_the_bytes_written() {
        let section = pagemate::SectionOptions::new().len(4096).create_unnamed().unwrap();
        let short = copy_into(&section, 0..100, &mut &[7; 60][..], || false);
        assert!(matches!(short, Err((60, CopyError::EndOfInput))), "{short:?}");
        let stopped = copy_into(&section, 0..100, &mut &[7; 100][..], || true);
        assert!(matches!(stopped, Err((100, CopyError::Cancelled))), "{stopped:?}");
    }
}
