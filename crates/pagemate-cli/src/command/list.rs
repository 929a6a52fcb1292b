use std::io::Write;

use clap::Args;
use pagemate::inventory::{self, Listing};

use crate::bytes::human;
use crate::color::{self, BAD, WARNING};
use crate::description::{Description, Lookup, State};
use crate::failure::{self, Failure, Outcome};
use crate::filter::Filter;
use crate::json::print_json;
use crate::table::{self, Alignment, Cell, Column};
use crate::text::escape_line;

/// Print the live objects that this user may open, and the processes that hold them.
///
/// ACCESS is the access of the owner, followed by that of the group or of all users if the owner shares
/// the object: 'rw, all:r' means that the owner reads and writes, and that all users read. Only root sees
/// the processes of other users.
///
/// KIND is the kind of channel for a channel, such as mpmc. Its STATE '3 of 64, 1 to 2, sent 9, received 6'
/// has the messages in the channel, its capacity, the numbers of senders and receivers, and the numbers of
/// messages. Messages that several receivers of a broadcast channel lost are counted for each of them. A watch
/// channel has the number of values that were written; its readers are not counted. The kind 'response' is a
/// channel that carries the responses of a service to one client: the one of x.client-ID is x.
///
/// A terminal that is too narrow shows fewer and truncated columns, and keeps STATE whole for as long as it can; a
/// pipe gets all of them. 'pagemate info' prints everything about one object.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate list
  pagemate list 'sim-*' 'Global\\*'
  pagemate list --json | jq -r '.[] | select(.size > 1048576).name'

The JSON is an array of the objects that 'pagemate info --json' prints.

Exit status:
  0    the list was printed
  1    patterns were given and no object matches
  2    failure")]
pub(crate) struct List {
    /// Print only the objects whose names match one of these patterns: '*' stands for any characters,
    /// '?' for one, '[ab]' for one of those.
    ///
    /// A pattern without a prefix matches local and global names, 'Global\*' matches global names only.
    /// Quote a pattern, so that the shell does not expand it.
    #[arg(value_name = "PATTERN", value_parser = Filter::new)]
    patterns: Vec<Filter>,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(crate) fn run(self) -> Outcome {
        let mut lookup = Lookup::new();
        let Listing { mut entries, damaged, unreachable, .. } = inventory::list()?;
        if !self.patterns.is_empty() {
            entries.retain(|entry| {
                let (full, bare) = (entry.name.to_string(), entry.name.bare());
                self.patterns.iter().any(|pattern| pattern.matches(&full, bare))
            });
        }
        let entries: Vec<Description> =
            entries.iter().map(|entry| Description::new(entry, &mut lookup)).collect();
        self.print(&entries)?;
        for error in damaged {
            failure::warn(&error.to_string());
        }
        // Report an unreadable directory only now, after the objects that could be listed.
        if let Some(error) = unreachable.into_iter().next() {
            return Err(error.into());
        }
        if entries.is_empty() && !self.patterns.is_empty() {
            return Err(Failure::No("list: no live object matches".to_owned()));
        }
        Ok(())
    }

    fn print(&self, entries: &[Description]) -> Outcome {
        let mut out = color::stdout();
        if self.json {
            return print_json(&entries, out);
        }
        if entries.is_empty() {
            if out.is_terminal() && self.patterns.is_empty() {
                writeln!(out, "No process holds a named object.")?;
            }
            return Ok(());
        }
        Ok(write!(out, "{}", rows(entries, color::terminal_width()))?)
    }
}

fn rows(entries: &[Description], width: Option<usize>) -> String {
    const fn column(title: &'static str, alignment: Alignment, min: usize, rank: u8) -> Column {
        Column { title, alignment, min, keep: min, rank }
    }
    const COLUMNS: [Column; 8] = [
        Column { keep: 20, ..column("NAME", Alignment::Left, 12, 0) },
        column("KIND", Alignment::Left, 9, 6),
        column("SIZE", Alignment::Right, 10, 4),
        // The numbers of a channel.
        Column { keep: 52, ..column("STATE", Alignment::Left, 24, 7) },
        column("AGE", Alignment::Right, 6, 2),
        column("OWNER", Alignment::Left, 8, 3),
        column("ACCESS", Alignment::Left, 12, 1),
        column("HELD BY", Alignment::Left, 16, 5),
    ];
    let rows = entries.iter().map(|entry| {
        [
            Cell::new(escape_line(&entry.name)),
            Cell::new(entry.kind_of_channel()),
            Cell::new(human(entry.size)),
            match entry.state {
                Some(State::Mutex { abandoned: true, .. }) => Cell::styled(entry.state(), BAD),
                Some(State::Mutex { owner: Some(_), .. }) => Cell::styled(entry.state(), WARNING),
                _ => Cell::new(entry.brief_state()),
            },
            Cell::new(entry.age()),
            Cell::new(entry.owner()),
            Cell::new(entry.access()),
            Cell::new(if entry.holders.is_some() { entry.held_by() } else { "?".to_owned() }),
        ]
    });
    table::format(COLUMNS, rows.collect(), width)
}
