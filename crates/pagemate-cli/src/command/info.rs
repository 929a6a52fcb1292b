use std::io::{self, Write};

use clap::Args;
use pagemate::inventory;

use crate::arguments::ObjectName;
use crate::bytes::human;
use crate::description::{CommandCache, Description, State};
use crate::failure::Outcome;
use crate::json::print_json;
use crate::text::escape_line;

/// Print the properties of one live object.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate info frames
  pagemate info frames --json

The JSON object has these fields; a value that is not known is null, and later releases may add fields:
  name         as commands take it
  kind         section, mutex, event or semaphore
  namespace    local or global
  size         in bytes
  protection   read-only or read-write
  sharing      owner, or group or everyone followed by -read or -read-write
  created      a time as RFC 3339 writes it
  creator      the pid of the process that created the object
  owner        a uid
  holders      the processes that hold it and that this user may see, each with pid and command
  file         the file whose memory the section shares
  state        mutex: owner, abandoned; event: signaled, reset; semaphore: count, max
  waiting      the approximate number of waiters")]
pub(crate) struct Info {
    #[command(flatten)]
    object: ObjectName,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

impl Info {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?.to_string();
        let entry = Description::new(&inventory::find(&name)?, &mut CommandCache::default());
        let mut out = io::stdout().lock();
        if self.json {
            return print_json(&entry, out);
        }
        let unknown = || "?".to_owned();
        let number = |number: Option<u32>| number.map_or_else(unknown, |number| number.to_string());
        let created = entry.created.as_ref();
        let created = created.map_or_else(unknown, |at| format!("{at} ({} ago)", entry.age()));
        let mut lines = vec![
            ("name", escape_line(&entry.name).into_owned()),
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
            lines.push(("reset", (*reset).to_owned()));
        }
        if entry.state.is_some() {
            lines.push(("state", entry.state()));
        }
        if let Some(file) = &entry.file {
            lines.push(("file", escape_line(file).into_owned()));
        }
        for (key, value) in lines {
            writeln!(out, "{:<12}{value}", format!("{key}:"))?;
        }
        Ok(())
    }
}
