//! Aligned columns.

use console::{Alignment, measure_text_width, pad_str, truncate_str};

const GAP: &str = "  ";

/// The narrowest that a column is cut to.
const LEAST: usize = 16;

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Left,
    Right,
}

/// Sets `rows` in columns. A width, where there is one, cuts the first column and then the last,
/// in which the long texts stand.
pub(crate) fn set<const N: usize>(
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
        let over = |widths: &[usize; N]| {
            (widths.iter().sum::<usize>() + GAP.len() * (N - 1)).saturating_sub(width)
        };
        // First what is longer than a fair half, then whatever must be.
        let half = (width / 2).max(LEAST);
        for (column, least) in [(0, half), (N - 1, LEAST), (0, LEAST)] {
            let cut = widths[column].saturating_sub(over(&widths));
            widths[column] = cut.max(least.min(widths[column]));
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
        set([Column::Left, Column::Right, Column::Left], &rows, width)
    }

    #[test]
    fn columns_are_aligned_by_what_a_terminal_shows() {
        let table = three(&[["NAME", "SIZE", "BY"], ["日本", "4", "1"], ["é", "16", "2"]], None);
        assert_eq!(table, "NAME  SIZE  BY\n日本     4  1\né       16  2\n");
    }

    #[test]
    fn a_narrow_terminal_cuts_the_long_columns() {
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
