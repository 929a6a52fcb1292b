//! Tables with aligned columns.

use console::{Alignment, measure_text_width, pad_str, truncate_str};

/// The space between two columns.
const GAP: &str = "  ";

/// The width, in character cells, below which no column is truncated.
const MIN_WIDTH: usize = 16;

/// The alignment of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Left,
    Right,
}

/// Formats `rows` as a table, one line per row.
///
/// If `width`, in character cells, is given, the first and the last column, which hold the long texts,
/// are truncated to fit it.
pub(crate) fn format<const N: usize>(
    columns: [Column; N],
    rows: &[[String; N]],
    width: Option<usize>,
) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = measure_text_width(text).max(*width);
        }
    }
    if let Some(width) = width {
        let excess = |widths: &[usize; N]| {
            (widths.iter().sum::<usize>() + GAP.len() * (N - 1)).saturating_sub(width)
        };
        // Truncate the first column to half the width, then the last, then the first still further.
        let half = (width / 2).max(MIN_WIDTH);
        for (column, minimum) in [(0, half), (N - 1, MIN_WIDTH), (0, MIN_WIDTH)] {
            let truncated = widths[column].saturating_sub(excess(&widths));
            widths[column] = truncated.max(minimum.min(widths[column]));
        }
    }
    let mut table = String::new();
    for row in rows {
        let mut line = String::new();
        for ((text, column), width) in row.iter().zip(columns).zip(widths) {
            let alignment = match column {
                Column::Left => Alignment::Left,
                Column::Right => Alignment::Right,
            };
            let text = truncate_str(text, width, "…");
            line.push_str(&pad_str(&text, width, alignment, None));
            line.push_str(GAP);
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three(rows: &[[&str; 3]], width: Option<usize>) -> String {
        let rows: Vec<[String; 3]> = rows.iter().map(|row| row.map(str::to_owned)).collect();
        format([Column::Left, Column::Right, Column::Left], &rows, width)
    }

    #[test]
    fn columns_are_aligned_by_display_width() {
        let table = three(&[["NAME", "SIZE", "BY"], ["日本", "4", "1"], ["é", "16", "2"]], None);
        assert_eq!(table, "NAME  SIZE  BY\n日本     4  1\né       16  2\n");
    }

    #[test]
    fn a_narrow_terminal_truncates_the_long_columns() {
        let (name, by) = ("n".repeat(100), "b".repeat(100));
        let table = three(&[["NAME", "SIZE", "BY"], [&name, "4", &by]], Some(60));
        for line in table.lines() {
            assert!(measure_text_width(line) <= 60, "{line}");
        }
        assert!(table.contains("n…") && table.contains("b…"), "{table}");
        let wide = three(&[["NAME", "SIZE", "BY"], [&name, "4", &by]], Some(300));
        assert!(wide.contains(&name) && wide.contains(&by));
    }
}
