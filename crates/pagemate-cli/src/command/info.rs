use std::io::{self, Write};

use clap::Args;
use pagemate::inventory;

use super::list::print_json;
use crate::bytes::human;
use crate::entry::{Commands, Described, State};
use crate::failure::Outcome;
use crate::target::Target;
use crate::text::in_line;

/// Print all that is known of one live object.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate info frames
  pagemate info frames --json

The JSON has name (as commands take it), kind, namespace (local or global), size in bytes,
protection (read-only or read-write), sharing (owner, or group or everyone with -read or
-read-write), created (RFC 3339), creator (a pid), owner (a uid), holders (those that
this user may see, each with pid and command), file (the one that it is over, if any), state (of a
mutex owner and abandoned, of an event signaled and reset, of a semaphore count and max) and waiting
(about how many wait for it). What is not known is null. Fields may be added.")]
pub(crate) struct Info {
    #[command(flatten)]
    target: Target,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

impl Info {
    pub(crate) fn run(self) -> Outcome {
        let name = self.target.name()?.to_string();
        let entry = Described::new(&inventory::find(&name)?, &mut Commands::default());
        let mut out = io::stdout().lock();
        if self.json {
            return print_json(&entry, out);
        }
        let unknown = || "?".to_owned();
        let number = |number: Option<u32>| number.map_or_else(unknown, |number| number.to_string());
        let created = entry.created.as_ref();
        let created = created.map_or_else(unknown, |at| format!("{at} ({} ago)", entry.age()));
        let mut lines = vec![
            ("name", in_line(&entry.name).into_owned()),
            ("kind", entry.kind.to_owned()),
            ("namespace", entry.namespace.to_owned()),
            ("size", format!("{} bytes ({})", entry.size, human(entry.size))),
            ("protection", entry.protection.to_owned()),
            ("sharing", entry.sharing.to_owned()),
            ("created", format!("{created}, by process {}", number(entry.creator))),
            ("owner", format!("user {}", number(entry.owner))),
            ("held by", entry.held_by()),
        ];
        if let Some(State::Event { reset, .. }) = &entry.state {
            lines.push(("resets", if *reset == "auto" { "by itself" } else { "when told" }.into()));
        }
        if entry.state.is_some() {
            lines.push(("state", entry.state()));
        }
        if let Some(file) = &entry.file {
            lines.push(("over file", in_line(file).into_owned()));
        }
        for (key, value) in lines {
            writeln!(out, "{:<12}{value}", format!("{key}:"))?;
        }
        Ok(())
    }
}
