use std::io::{self, Write};

use clap::Args;
use pagemate::inventory;

use crate::arguments::ObjectName;
use crate::bytes::{bytes, human};
use crate::description::{Description, Lookup, State};
use crate::failure::Outcome;
use crate::json::print_json;
use crate::text::escape_line;

/// Print the properties of one live object.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate info frames
  pagemate info frames --json

Fields of the JSON object:
  name         as commands take it
  kind         section, mutex, event, semaphore or channel
  namespace    local or global
  size         in bytes
  protection   read-only or read-write
  sharing      owner, or group or everyone with -read or -read-write
  created      a time as RFC 3339 writes it
  creator      the pid of the process that created the object
  owner        a uid
  owner_name   the user's name
  holders      the processes that this user may see: pid, command
  file         the file whose memory the section shares
  origin       the source of the memory of a mirrored section
  state        mutex: owner, abandoned; event: signaled, reset;
               semaphore: count, max; channel: channel (its kind), pending,
               capacity, senders, receivers, sent, received, lost
  waiting      the approximate number of waiters
  service      the name of the service, for the channel that carries its
               responses to one client

A value that is not known is null. Later releases may add fields.

Exit status:
  0    the properties were printed
  1    no process holds the name
  2    failure")]
pub(crate) struct Info {
    #[command(flatten)]
    pub(super) object: ObjectName,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

impl Info {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?.to_string();
        let entry = Description::new(&inventory::find(&name)?, &mut Lookup::new());
        let mut out = io::stdout().lock();
        if self.json {
            return print_json(&entry, out);
        }
        for (key, value) in lines(&entry) {
            writeln!(out, "{:<12}{value}", format!("{key}:"))?;
        }
        Ok(())
    }
}

/// Returns the lines to print, each as a key and a value.
fn lines(entry: &Description) -> Vec<(&'static str, String)> {
    let unknown = || "?".to_owned();
    let created = match (&entry.created, entry.creator) {
        (None, _) => unknown(),
        (Some(at), None) => format!("{at} ({} ago)", entry.age()),
        (Some(at), Some(pid)) => format!("{at} ({} ago), by process {pid}", entry.age()),
    };
    let size = match entry.size {
        small @ ..1024 => bytes(small),
        size => format!("{} ({})", bytes(size), human(size)),
    };
    let owner = match (&entry.owner_name, entry.owner) {
        (Some(name), Some(uid)) => format!("{} (uid {uid})", escape_line(name)),
        (None, Some(uid)) => format!("uid {uid}"),
        (_, None) => unknown(),
    };
    let held_by = match &entry.holders {
        None => "? (only root sees the processes of other users)".to_owned(),
        Some(_) => format!("{}: {}", entry.holder_count(), entry.held_by()),
    };
    let mut lines = vec![
        ("name", escape_line(&entry.name).into_owned()),
        ("kind", entry.kind.to_owned()),
        ("namespace", entry.namespace.to_owned()),
        ("size", size),
        ("protection", entry.protection.to_owned()),
        ("sharing", entry.sharing.to_owned()),
        ("created", created),
        ("owner", owner),
        ("held by", held_by),
    ];
    if let Some(State::Event { reset, .. }) = &entry.state {
        lines.push(("reset", (*reset).to_owned()));
    }
    if entry.state.is_some() {
        lines.push(("state", entry.state()));
    }
    if let Some(service) = &entry.service {
        lines.push((
            "service",
            format!("{}, whose responses to one client it has", escape_line(service)),
        ));
    }
    if let Some(file) = &entry.file {
        lines.push(("file", escape_line(file).into_owned()));
    }
    if let Some(origin) = &entry.origin {
        lines.push(("mirror of", escape_line(origin).into_owned()));
    }
    lines
}
