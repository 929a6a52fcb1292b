use std::io::{self, IsTerminal, Write};

use clap::Args;
use console::Term;
use pagemate::inventory;

use crate::bytes::human;
use crate::description::{CommandCache, Description};
use crate::failure::Outcome;
use crate::json::print_json;
use crate::table::{self, Column};
use crate::text::escape_line;

/// Print every live object that this user may open, and the processes that hold it.
///
/// Only root sees the processes of other users.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate list
  pagemate list --json | jq -r '.[] | select(.size > 1048576).name'

The JSON is an array of the objects that 'pagemate info --json' prints.")]
pub(crate) struct List {
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(crate) fn run(self) -> Outcome {
        self.print()?;
        // The objects that can be reached are listed first.
        inventory::unreachable().into_iter().next().map_or(Ok(()), |error| Err(error.into()))
    }

    fn print(&self) -> Outcome {
        let (entries, mut commands) = (inventory::list()?, CommandCache::default());
        let entries: Vec<Description> =
            entries.iter().map(|entry| Description::new(entry, &mut commands)).collect();
        let mut out = io::stdout().lock();
        if self.json {
            return print_json(&entries, out);
        }
        if entries.is_empty() {
            if out.is_terminal() {
                writeln!(out, "No process holds a named object.")?;
            }
            return Ok(());
        }
        let terminal = Term::stdout();
        let width = terminal.is_term().then(|| terminal.size_checked()).flatten();
        Ok(write!(out, "{}", rows(&entries, width.map(|(_, columns)| columns.into())))?)
    }
}

fn rows(entries: &[Description], width: Option<usize>) -> String {
    const COLUMNS: [Column; 7] = [
        Column::Left,
        Column::Left,
        Column::Right,
        Column::Left,
        Column::Left,
        Column::Right,
        Column::Left,
    ];
    let titles = ["NAME", "KIND", "SIZE", "ACCESS", "STATE", "AGE", "HELD BY"];
    let mut rows = vec![titles.map(str::to_owned)];
    rows.extend(entries.iter().map(|entry| {
        [
            escape_line(&entry.name).into_owned(),
            entry.kind.to_owned(),
            human(entry.size),
            access(entry),
            entry.state(),
            entry.age(),
            entry.held_by(),
        ]
    }));
    table::format(COLUMNS, &rows, width)
}

/// Returns the protection, and the other users who may open the object.
fn access(entry: &Description) -> String {
    match entry.sharing {
        "owner" => entry.protection.to_owned(),
        sharing => format!("{}, {sharing}", entry.protection),
    }
}
