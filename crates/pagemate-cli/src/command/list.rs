use std::io::{self, IsTerminal, Write};

use clap::Args;
use console::Term;
use pagemate::inventory;

use crate::bytes::human;
use crate::entry::{Commands, Described};
use crate::failure::{Failure, Outcome};
use crate::table::{self, Column};
use crate::text::in_line;

/// Print every live object that this user may look at, and the processes that hold it.
///
/// Other users' processes are not seen without privilege.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate list
  pagemate list --json | jq -r '.[] | select(.size > 1048576).name'

The JSON is an array of objects as 'pagemate info --json' prints them.")]
pub(crate) struct List {
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(crate) fn run(self) -> Outcome {
        let (entries, mut commands) = (inventory::list()?, Commands::default());
        let entries: Vec<Described> =
            entries.iter().map(|entry| Described::new(entry, &mut commands)).collect();
        let mut out = io::stdout().lock();
        if self.json {
            return print_json(&entries, out);
        }
        if entries.is_empty() {
            if out.is_terminal() {
                writeln!(out, "Nobody holds any named memory.")?;
            }
            return Ok(());
        }
        let terminal = Term::stdout();
        let width = terminal.is_term().then(|| terminal.size_checked()).flatten();
        Ok(write!(out, "{}", rows(&entries, width.map(|(_, columns)| columns.into())))?)
    }
}

fn rows(entries: &[Described], width: Option<usize>) -> String {
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
            in_line(&entry.name).into_owned(),
            entry.kind.to_owned(),
            human(entry.size),
            access(entry),
            entry.state(),
            entry.age(),
            entry.held_by(),
        ]
    }));
    table::set(COLUMNS, &rows, width)
}

/// What may be done, and by whom besides the owner.
fn access(entry: &Described) -> String {
    match entry.sharing {
        "owner" => entry.protection.to_owned(),
        sharing => format!("{}, {sharing}", entry.protection),
    }
}

/// Prints JSON for scripts, legible for people.
pub(super) fn print_json(value: &impl serde::Serialize, mut out: impl Write) -> Outcome {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(format!("make JSON: {error}")))?;
    Ok(writeln!(out, "{json}")?)
}
