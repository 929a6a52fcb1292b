//! Tables with aligned columns.

use std::fmt::Write as _;

use clap::builder::styling::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::color::TITLE;

/// The space between two columns.
const GAP: &str = "  ";

/// The width below which a column is truncated only if the table does not fit otherwise.
const LEAST: usize = 3;

/// A column. Widths are in character cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) alignment: Alignment,
    /// The width down to which the column is truncated to fit a terminal.
    pub(crate) min: usize,
}

/// The side of a column at which its texts begin or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alignment {
    Left,
    Right,
}

/// A text in a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), style: Style::new() }
    }

    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Cell {
        Cell { text: text.into(), style }
    }
}

/// Formats `rows` as a table, one line per row, below the titles.
///
/// If `width` is given, the widest columns are truncated until the lines fit it.
pub(crate) fn format<const N: usize>(
    columns: [Column; N],
    mut rows: Vec<[Cell; N]>,
    width: Option<usize>,
) -> String {
    rows.insert(0, columns.map(|column| Cell::styled(column.title, TITLE)));
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.text.width().max(*width);
        }
    }
    if let Some(width) = width {
        let width = width.saturating_sub(GAP.len() * (N - 1));
        shrink(&mut widths, columns.map(|column| column.min), width);
        shrink(&mut widths, [LEAST; N], width);
    }
    let mut table = String::new();
    for row in rows {
        // Spaces are written before a text, so that no line ends in one.
        let mut spaces = 0;
        for ((cell, column), width) in row.into_iter().zip(columns).zip(widths) {
            let text = truncate(cell.text, width);
            let free = width - text.width();
            let (before, after) = match column.alignment {
                Alignment::Left => (0, free),
                Alignment::Right => (free, 0),
            };
            spaces += before;
            if !text.is_empty() {
                let style = cell.style;
                table.extend(std::iter::repeat_n(' ', spaces));
                write!(table, "{style}{text}{style:#}").expect("a string takes all text");
                spaces = 0;
            }
            spaces += after + GAP.len();
        }
        table.push('\n');
    }
    table
}

/// Narrows the widest column that is wider than its minimum, again and again, until the sum of the widths
/// is `wanted` or every column has its minimum.
fn shrink<const N: usize>(widths: &mut [usize; N], min: [usize; N], wanted: usize) {
    let mut excess = widths.iter().sum::<usize>().saturating_sub(wanted);
    while excess > 0 {
        let wide = widths.iter_mut().zip(min).filter(|(width, min)| **width > *min);
        let Some((widest, _)) = wide.max_by_key(|(width, _)| **width) else { return };
        *widest -= 1;
        excess -= 1;
    }
}

/// Cuts off the end of a text that is wider than `width`.
fn truncate(mut text: String, width: usize) -> String {
    if text.width() > width {
        let mut rest = width.saturating_sub(1);
        let fits = |(_, c): &(usize, char)| {
            let left = rest.checked_sub(c.width().unwrap_or(0));
            rest = left.unwrap_or(rest);
            left.is_none()
        };
        let end = text.char_indices().find(fits).map_or(text.len(), |(end, _)| end);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a table of three columns without its styles.
    fn three(rows: &[[&str; 3]], width: Option<usize>) -> String {
        let column = |title, alignment, min| Column { title, alignment, min };
        let columns = [
            column("NAME", Alignment::Left, 16),
            column("SIZE", Alignment::Right, 4),
            column("BY", Alignment::Left, 16),
        ];
        let rows = rows.iter().map(|row| row.map(Cell::new)).collect();
        anstream::adapter::strip_str(&format(columns, rows, width)).to_string()
    }

    #[test]
    fn columns_are_aligned_by_display_width() {
        let table = three(&[["日本", "4", "1"], ["é", "16", "2"], ["x", "", ""]], None);
        assert_eq!(table, "NAME  SIZE  BY\n日本     4  1\né       16  2\nx\n");
    }

    #[test]
    fn a_narrow_terminal_truncates_the_widest_columns() {
        let (name, by) = ("n".repeat(100), "日".repeat(50));
        for width in [20, 30, 60, 61] {
            let table = three(&[[&name, "4096", &by]], Some(width));
            for line in table.lines() {
                assert!(line.width() <= width, "{line}");
            }
            assert!(table.contains("n…") && table.contains("日…"), "{table}");
            assert!(table.contains("4096"), "{table}");
        }
        let wide = three(&[[&name, "4", &by]], Some(300));
        assert!(wide.contains(&name) && wide.contains(&by));
    }
}
