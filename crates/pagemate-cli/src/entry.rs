//! An object of the inventory, in words: the same ones for people and for scripts.

use std::collections::HashMap;
use std::time::SystemTime;

use pagemate::inventory::{self, Entry};
use pagemate::sync::Reset;
use pagemate::{Access, Kind, Namespace, Protection, Sharing};
use serde::Serialize;

/// Who may open an object, and for what, in the words that --sharing takes and `info` prints.
pub(crate) const SHARINGS: [(&str, Sharing); 5] = [
    ("owner", Sharing::Owner),
    ("group-read", Sharing::Group(Access::Read)),
    ("group-read-write", Sharing::Group(Access::ReadWrite)),
    ("everyone-read", Sharing::Everyone(Access::Read)),
    ("everyone-read-write", Sharing::Everyone(Access::ReadWrite)),
];

/// An object as JSON. Fields may be added; these stay.
#[derive(Debug, Serialize)]
pub(crate) struct Described {
    /// As a command takes it, `Global\` included.
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) namespace: &'static str,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) protection: &'static str,
    pub(crate) sharing: &'static str,
    /// In UTC, as RFC 3339 has it.
    pub(crate) created: Option<String>,
    pub(crate) creator: Option<u32>,
    pub(crate) owner: Option<u32>,
    /// Those this user may see; `None` if there are none among them, for somebody holds it.
    pub(crate) holders: Option<Vec<Holder>>,
    /// The file that it is over, as its maker wrote it down.
    pub(crate) file: Option<String>,
    /// Of a sync object.
    pub(crate) state: Option<State>,
    /// About how many wait for it.
    pub(crate) waiting: Option<u32>,
    #[serde(skip)]
    pub(crate) age: Option<u64>,
}

/// What a sync object is like.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum State {
    Mutex { owner: Option<u32>, abandoned: bool },
    Event { signaled: bool, reset: &'static str },
    Semaphore { count: u32, max: u32 },
}

impl State {
    fn new(state: inventory::State) -> Option<State> {
        Some(match state {
            inventory::State::Mutex { owner, abandoned } => State::Mutex { owner, abandoned },
            inventory::State::Event { reset: Reset::Auto, signaled } => {
                State::Event { signaled, reset: "auto" }
            }
            inventory::State::Event { reset: Reset::Manual, signaled } => {
                State::Event { signaled, reset: "manual" }
            }
            inventory::State::Semaphore { count, max } => State::Semaphore { count, max },
            _ => return None,
        })
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            State::Mutex { owner: Some(pid), .. } => write!(f, "locked by {pid}"),
            State::Mutex { abandoned: true, .. } => f.write_str("abandoned"),
            State::Mutex { .. } => f.write_str("free"),
            State::Event { signaled: true, .. } => f.write_str("set"),
            State::Event { .. } => f.write_str("not set"),
            State::Semaphore { count, max } => write!(f, "{count} of {max}"),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    /// What it runs, where the system tells it cheaply.
    pub(crate) command: Option<String>,
}

/// What processes run, each asked for once: one may hold thousands of objects.
#[derive(Debug, Default)]
pub(crate) struct Commands(HashMap<u32, Option<String>>);

impl Commands {
    fn of(&mut self, pid: u32) -> Option<String> {
        let command = self.0.entry(pid).or_insert_with(|| {
            // There is no such file but on Linux, and then no command.
            let comm = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
            Some(String::from_utf8_lossy(&comm).trim_end().to_owned())
        });
        command.clone()
    }
}

impl Described {
    pub(crate) fn new(entry: &Entry, commands: &mut Commands) -> Described {
        let age = entry.created.and_then(|time| SystemTime::now().duration_since(time).ok());
        Described {
            name: entry.name.to_string(),
            kind: kind(entry.kind),
            namespace: match entry.name.namespace() {
                Namespace::Local => "local",
                Namespace::Global => "global",
            },
            size: entry.len,
            protection: match entry.protection {
                Protection::ReadOnly => "read-only",
                Protection::ReadWrite => "read-write",
            },
            sharing: SHARINGS
                .iter()
                .find(|(_, sharing)| *sharing == entry.sharing)
                .map_or("other", |(word, _)| word),
            created: entry.created.map(|time| humantime::format_rfc3339_millis(time).to_string()),
            creator: entry.creator,
            owner: entry.owner,
            holders: (!entry.holders.is_empty()).then(|| {
                let holder = |&pid| Holder { pid, command: commands.of(pid) };
                entry.holders.iter().map(holder).collect()
            }),
            file: entry.file.as_ref().map(|file| file.to_string_lossy().into_owned()),
            state: entry.state.and_then(State::new),
            waiting: entry.waiting,
            age: age.map(|age| age.as_secs()),
        }
    }

    /// How old it is, in a few characters.
    pub(crate) fn age(&self) -> String {
        let Some(seconds) = self.age else { return "?".to_owned() };
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds}s"),
            (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
            (0, ..) => format!("{hours}h{}m", minutes % 60),
            _ => format!("{days}d{}h", hours % 24),
        }
    }

    /// What it is like, in a few words; nothing for memory.
    pub(crate) fn state(&self) -> String {
        let Some(state) = &self.state else { return String::new() };
        match self.waiting {
            None | Some(0) => state.to_string(),
            Some(1) => format!("{state}, 1 waits"),
            Some(waiting) => format!("{state}, {waiting} wait"),
        }
    }

    /// Its holders on one line; somebody holds it, even where the system does not say who.
    pub(crate) fn held_by(&self) -> String {
        let Some(holders) = &self.holders else { return "?".to_owned() };
        holders.iter().map(Holder::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.command {
            Some(command) => write!(f, "{} ({})", self.pid, crate::text::in_line(command)),
            None => write!(f, "{}", self.pid),
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Section => "section",
        Kind::Mutex => "mutex",
        Kind::Event => "event",
        Kind::Semaphore => "semaphore",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        let mut described = Described {
            name: String::new(),
            kind: "section",
            namespace: "local",
            size: 0,
            protection: "read-write",
            sharing: "owner",
            created: None,
            creator: None,
            owner: None,
            holders: None,
            file: None,
            state: None,
            waiting: None,
            age: None,
        };
        assert_eq!(described.age(), "?");
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (61, "1m1s"), (3600, "1h0m"), (90_000, "1d1h")]
        {
            described.age = Some(seconds);
            assert_eq!(described.age(), text);
        }
    }
}
