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
    /// The width down to which the column is truncated to fit a terminal.
    pub(crate) min: usize,
    /// Columns of lower ranks are left out first if the table does not fit. Rank 0 always stays.
    pub(crate) rank: u8,
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
/// If `width` is given, the lines fit it: columns are left out, and the widest ones are truncated.
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
        // Spaces are written before a text, so that no line ends in one.
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

/// Chooses the columns that are shown, and their widths, so that a line is at most `total` wide.
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
    while sum(min, shown) > total {
        let ranks = (0..N).filter(|i| shown[*i] && columns[*i].rank > 0);
        let Some(last) = ranks.min_by_key(|i| columns[*i].rank) else { break };
        shown[last] = false;
    }
    while sum(*widths, shown) > total {
        let wide = (0..N).filter(|i| shown[*i] && widths[*i] > min[*i]);
        let widest = wide.max_by_key(|i| widths[*i]);
        // Only a terminal that is too narrow for the first column truncates it below its minimum.
        let Some(widest) = widest.or((widths[0] > 1).then_some(0)) else { break };
        widths[widest] -= 1;
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
        let column = |title, alignment, min, rank| Column { title, alignment, min, rank };
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
