//! Tables with aligned columns.

use std::fmt::Write as _;

use clap::builder::styling::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::color::TITLE;

/// The space between two columns.
const GAP: &str = "  ";

/// A column. Widths are in character cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) alignment: Alignment,
    /// The table truncates the column at most to this width, to fit the terminal.
    pub(crate) min: usize,
    /// The table omits columns of lower ranks before it truncates the column to less than this width.
    pub(crate) keep: usize,
    /// If the table is too wide, columns with lower ranks are omitted first. A column of rank 0 is
    /// never omitted.
    pub(crate) rank: u8,
}

/// The side to which the texts of a column are aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alignment {
    Left,
    Right,
}

/// One text of a table, with its style.
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

/// Formats `rows` as a table with a line of titles and one line for each row.
///
/// If `width` is given, no line is wider. To achieve this, columns are omitted, and the widest ones
/// are truncated.
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
    let mut shown = [true; N];
    if let Some(width) = width {
        fit(&columns, &mut widths, &mut shown, width);
    }
    let mut table = String::new();
    for row in rows {
        // Write the spaces before the next text, so that no line ends with spaces.
        let mut spaces = 0;
        let cells = row.into_iter().zip(columns).zip(widths).zip(shown);
        for ((cell, column), width) in cells.filter(|(_, shown)| *shown).map(|(cell, _)| cell) {
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

/// Determines which columns are shown, and their widths, so that no line is wider than `total`.
fn fit<const N: usize>(
    columns: &[Column; N],
    widths: &mut [usize; N],
    shown: &mut [bool; N],
    total: usize,
) {
    let sum = |widths: [usize; N], shown: &[bool; N]| {
        let widths = widths.into_iter().zip(shown).filter(|(_, shown)| **shown);
        widths.map(|(width, _)| width + GAP.len()).sum::<usize>() - GAP.len()
    };
    let min = std::array::from_fn(|i| columns[i].min.min(widths[i]));
    let keep = std::array::from_fn(|i| columns[i].keep.min(widths[i]));
    let last = columns.iter().map(|column| column.rank).max();
    let mut omit_for = |floors: [usize; N], is_omitted: &dyn Fn(u8) -> bool| {
        while sum(floors, shown) > total {
            let ranks = (0..N).filter(|i| shown[*i] && is_omitted(columns[*i].rank));
            let Some(lowest) = ranks.min_by_key(|i| columns[*i].rank) else { break };
            shown[lowest] = false;
        }
    };
    omit_for(keep, &|rank| rank > 0 && Some(rank) < last);
    omit_for(min, &|rank| rank > 0);
    for floors in [keep, min] {
        while sum(*widths, shown) > total {
            let wide = (0..N).filter(|i| shown[*i] && widths[*i] > floors[*i]);
            let Some(widest) = wide.max_by_key(|i| widths[*i]) else { break };
            widths[widest] -= 1;
        }
    }
    // If all columns have their minimum width and the table is still too wide, truncate the first column further.
    let excess = sum(*widths, shown).saturating_sub(total);
    widths[0] = widths[0].saturating_sub(excess).max(1);
}

/// Truncates a text that is wider than `width`, and marks the cut.
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
        let column =
            |title, alignment, min, rank| Column { title, alignment, min, keep: min, rank };
        let columns = [
            column("NAME", Alignment::Left, 16, 0),
            column("SIZE", Alignment::Right, 4, 1),
            column("BY", Alignment::Left, 16, 2),
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
    fn a_narrow_terminal_shows_fewer_and_narrower_columns() {
        let (name, by) = ("n".repeat(100), "日".repeat(50));
        for (width, shown) in
            [(5, [true, false, false]), (35, [true, false, true]), (40, [true; 3]), (61, [true; 3])]
        {
            let table = three(&[[&name, "4096", &by]], Some(width));
            for line in table.lines() {
                assert!(line.width() <= width, "{line}");
            }
            assert_eq!(["n…", "4096", "日…"].map(|text| table.contains(text)), shown, "{table}");
        }
        let wide = three(&[[&name, "4", &by]], Some(300));
        assert!(wide.contains(&name) && wide.contains(&by));
        let narrow = three(&[["x", "4096", "y"]], Some(9));
        assert_eq!(narrow, "NAME  BY\nx     y\n");
    }
}
