//! The shortest part of a script that still shows a difference.

use super::Stage;
use super::script::Line;

/// Leaves out what can be left out, first in large pieces, then line by line.
pub(super) fn shrink(
    stage: &mut Stage<'_>,
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
            match stage.replay(&shorter)? {
                Some(difference) if difference.kind == kind => lines = shorter,
                _ => from += piece,
            }
        }
        // The last round goes on for as long as it finds something.
        if piece > 1 || lines.len() == before {
            piece /= 2;
        }
    }
    Ok(lines)
}
