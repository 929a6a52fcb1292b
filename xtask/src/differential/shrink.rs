//! Shortens a script that shows a difference.

use super::Runner;
use super::script::Line;

/// Removes lines without which the difference still occurs. Tries large groups of lines first, then
/// single lines.
pub(super) fn shrink(
    runner: &mut Runner<'_>,
    mut lines: Vec<Line>,
    kind: &str,
) -> Result<Vec<Line>, String> {
    let mut piece = lines.len() / 2;
    while piece > 0 {
        let mut from = 0;
        let before = lines.len();
        while from < lines.len() {
            let mut shorter = lines.clone();
            shorter.drain(from..(from + piece).min(lines.len()));
            match runner.replay(&shorter)? {
                Some(difference) if difference.kind == kind => lines = shorter,
                _ => from += piece,
            }
        }
        // Repeat the attempts with single lines until none of them can be removed.
        if piece > 1 || lines.len() == before {
            piece /= 2;
        }
    }
    Ok(lines)
}
