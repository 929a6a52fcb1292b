//! Descriptions of live objects. `list` and `info` print them as text, and `--json` prints the same
//! words for scripts.

use std::collections::HashMap;
use std::time::SystemTime;

use pagemate::inventory::{self, Entry};
use pagemate::sync::Reset;
use pagemate::{Access, Kind, Namespace, Protection, Sharing};
use serde::Serialize;

use crate::text::escape_line;
use crate::users::Users;

/// The words for the users that may access an object. `--sharing` accepts them, and `info` prints
/// them.
pub(crate) const SHARINGS: [(&str, Sharing); 5] = [
    ("owner", Sharing::Owner),
    ("group-read", Sharing::Group(Access::Read)),
    ("group-read-write", Sharing::Group(Access::ReadWrite)),
    ("everyone-read", Sharing::Everyone(Access::Read)),
    ("everyone-read-write", Sharing::Everyone(Access::ReadWrite)),
];

/// Returns the users for a word of [`SHARINGS`].
pub(crate) fn sharing(word: &str) -> Sharing {
    SHARINGS.into_iter().find(|(known, _)| *known == word).map_or(Sharing::Owner, |(_, who)| who)
}

/// An object as `--json` prints it.
///
/// Scripts depend on these fields: add fields, but do not rename or remove any.
#[derive(Debug, Serialize)]
pub(crate) struct Description {
    /// The name as commands take it, including `Global\`.
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) namespace: &'static str,
    /// The size in bytes.
    pub(crate) size: u64,
    pub(crate) protection: &'static str,
    pub(crate) sharing: &'static str,
    /// The time at which the object was created: UTC, in the format of RFC 3339.
    pub(crate) created: Option<String>,
    /// The pid of the process that created it.
    pub(crate) creator: Option<u32>,
    /// The uid of its owner.
    pub(crate) owner: Option<u32>,
    /// The name of its owner.
    pub(crate) owner_name: Option<String>,
    /// The holders that this user may see. `None` if this user may see none of them. It is never
    /// empty, because a live object has a holder.
    pub(crate) holders: Option<Vec<Holder>>,
    /// The path of the file whose memory the section uses, as its creator stored it.
    pub(crate) file: Option<String>,
    /// The origin of a mirrored section.
    pub(crate) origin: Option<String>,
    /// The state of a sync object or a channel; `None` for a section.
    pub(crate) state: Option<State>,
    /// The approximate number of waiters of a sync object.
    pub(crate) waiting: Option<u32>,
    /// The service whose responses to one client the channel carries.
    pub(crate) service: Option<String>,
    /// The age in seconds. It is not part of the JSON, which has `created` instead.
    #[serde(skip)]
    pub(crate) age: Option<u64>,
}

/// The word for a channel that has the latest value.
const WATCH: &str = "watch";

/// The state of a sync object or a channel.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum State {
    Mutex {
        owner: Option<u32>,
        abandoned: bool,
    },
    Event {
        signaled: bool,
        reset: &'static str,
    },
    Semaphore {
        count: u32,
        max: u32,
    },
    Channel {
        /// The kind of channel, such as `spsc`. The field `kind` of the object is `channel`.
        channel: String,
        pending: u64,
        capacity: u64,
        senders: u32,
        receivers: u32,
        sent: u64,
        received: u64,
        lost: u64,
    },
}

impl State {
    fn new(state: inventory::State) -> Option<State> {
        Some(match state {
            inventory::State::Mutex { owner, abandoned, .. } => State::Mutex { owner, abandoned },
            inventory::State::Event { reset: Reset::Auto, signaled, .. } => {
                State::Event { signaled, reset: "auto" }
            }
            inventory::State::Event { reset: Reset::Manual, signaled, .. } => {
                State::Event { signaled, reset: "manual" }
            }
            inventory::State::Semaphore { count, max, .. } => State::Semaphore { count, max },
            inventory::State::Channel {
                kind,
                pending,
                capacity,
                senders,
                receivers,
                sent,
                received,
                lost,
                ..
            } => {
                let channel = kind.to_string();
                State::Channel {
                    channel,
                    pending,
                    capacity,
                    senders,
                    receivers,
                    sent,
                    received,
                    lost,
                }
            }
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
            // Readers are not counted, and do not remove the value.
            State::Channel { channel, senders, sent, .. } if channel == WATCH => {
                write!(f, "{channel}, senders {senders}, values {sent}")
            }
            State::Channel {
                channel,
                pending,
                capacity,
                senders,
                receivers,
                sent,
                received,
                lost,
            } => {
                write!(
                    f,
                    "{channel}, {pending} of {capacity}, senders {senders}, receivers {receivers}, \
                     sent {sent}, received {received}"
                )?;
                if *lost > 0 { write!(f, ", lost {lost}") } else { Ok(()) }
            }
        }
    }
}

/// A process that holds an object.
#[derive(Debug, Serialize)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    /// The name of its program. It is known only on Linux.
    pub(crate) command: Option<String>,
}

/// The names of users and programs, by their numbers.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// Program names by pid. They are kept because one process may hold thousands of objects.
    commands: HashMap<u32, Option<String>>,
    users: Users,
}

impl Lookup {
    pub(crate) fn new() -> Lookup {
        Lookup { commands: HashMap::new(), users: Users::read() }
    }

    fn command(&mut self, pid: u32) -> Option<String> {
        let command = self.commands.entry(pid).or_insert_with(|| {
            // Only Linux has this file.
            let comm = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
            Some(String::from_utf8_lossy(&comm).trim_end().to_owned())
        });
        command.clone()
    }
}

impl Description {
    /// Describes `entry`.
    pub(crate) fn new(entry: &Entry, lookup: &mut Lookup) -> Description {
        let age = entry.created.and_then(|time| SystemTime::now().duration_since(time).ok());
        Description {
            name: entry.name.to_string(),
            kind: kind(entry.kind),
            namespace: match entry.name.namespace() {
                Namespace::Local => "local",
                Namespace::Global => "global",
                _ => "other",
            },
            size: entry.len,
            protection: match entry.protection {
                Protection::ReadOnly => "read-only",
                Protection::ReadWrite => "read-write",
                _ => "other",
            },
            sharing: SHARINGS
                .iter()
                .find(|(_, sharing)| *sharing == entry.sharing)
                .map_or("other", |(word, _)| word),
            created: entry.created.map(|time| humantime::format_rfc3339_millis(time).to_string()),
            creator: entry.creator,
            owner: entry.owner,
            owner_name: entry.owner.and_then(|uid| lookup.users.name(uid)).map(str::to_owned),
            holders: (!entry.holders.is_empty()).then(|| {
                let holder = |&pid| Holder { pid, command: lookup.command(pid) };
                entry.holders.iter().map(holder).collect()
            }),
            origin: entry.origin.clone(),
            file: entry.file.as_ref().map(|file| file.to_string_lossy().into_owned()),
            state: entry.state.and_then(State::new),
            waiting: entry.waiting,
            service: entry.service().map(|service| service.to_string()),
            age: age.map(|age| age.as_secs()),
        }
    }

    /// Returns the age in a few characters, such as `1h5m`.
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

    /// Returns the name of the owner, or the uid if the name is unknown.
    pub(crate) fn owner(&self) -> String {
        match (&self.owner_name, self.owner) {
            (Some(name), _) => escape_line(name).into_owned(),
            (None, Some(uid)) => uid.to_string(),
            (None, None) => "?".to_owned(),
        }
    }

    /// Returns the access of the owner, followed by the access of other users, in a few characters:
    /// `rw, all:r`.
    pub(crate) fn access(&self) -> String {
        let own = if self.protection == "read-only" { "r" } else { "rw" };
        let others = match self.sharing {
            "owner" => return own.to_owned(),
            "group-read" => "group:r",
            "group-read-write" => "group:rw",
            "everyone-read" => "all:r",
            "everyone-read-write" => "all:rw",
            other => other,
        };
        format!("{own}, {others}")
    }

    /// Returns the number of holders as text, or `?` if this user may see none of them.
    pub(crate) fn holder_count(&self) -> String {
        match self.holders.as_deref() {
            None => "?".to_owned(),
            Some([_]) => "1 holder".to_owned(),
            Some(holders) => format!("{} holders", holders.len()),
        }
    }

    /// Returns the state and the number of waiters as a short text. The text is empty for a
    /// section.
    pub(crate) fn state(&self) -> String {
        self.state.as_ref().map_or_else(String::new, |state| self.with_waiters(state.to_string()))
    }

    /// Returns the [`state`](Description::state) for a column of a table. That of a channel has no word for
    /// its kind, which [`kind_of_channel`](Description::kind_of_channel) returns.
    pub(crate) fn brief_state(&self) -> String {
        match &self.state {
            None if self.origin.is_some() => {
                let origin = self.origin.as_deref().unwrap_or_default();
                format!("from {}", escape_line(origin))
            }
            Some(State::Channel { channel, senders, sent, .. }) if channel == WATCH => {
                self.with_waiters(format!("senders {senders}, values {sent}"))
            }
            Some(State::Channel {
                pending,
                capacity,
                senders,
                receivers,
                sent,
                received,
                lost,
                ..
            }) => {
                let lost = if *lost > 0 { format!("lost {lost}, ") } else { String::new() };
                self.with_waiters(format!(
                    "{pending} of {capacity}, {senders} to {receivers}, sent {sent}, {lost}received \
                     {received}"
                ))
            }
            _ => self.state(),
        }
    }

    /// Returns the kind of the object as lists print it: for a channel the kind of channel, such as `mpmc`, and
    /// `response` for a channel that carries responses to a client.
    pub(crate) fn kind_of_channel(&self) -> &str {
        match &self.state {
            Some(State::Channel { .. }) if self.service.is_some() => "response",
            Some(State::Channel { channel, .. }) => channel,
            _ => self.kind,
        }
    }

    fn with_waiters(&self, state: String) -> String {
        match self.waiting {
            None | Some(0) => state,
            Some(1) => format!("{state}, 1 waiter"),
            Some(waiting) => format!("{state}, {waiting} waiters"),
        }
    }

    /// Returns all holders as one line. It is empty if this user may see none of them.
    pub(crate) fn held_by(&self) -> String {
        let holders = self.holders.iter().flatten();
        holders.map(Holder::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.command {
            Some(command) => write!(f, "{} ({})", self.pid, escape_line(command)),
            None => write!(f, "{}", self.pid),
        }
    }
}

/// Returns the word for a kind of object.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Section => "section",
        Kind::Mutex => "mutex",
        Kind::Event => "event",
        Kind::Semaphore => "semaphore",
        Kind::Channel => "channel",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        let mut description = Description {
            name: String::new(),
            kind: "section",
            namespace: "local",
            size: 0,
            protection: "read-write",
            sharing: "owner",
            created: None,
            creator: None,
            owner: None,
            owner_name: None,
            holders: None,
            file: None,
            origin: None,
            state: None,
            waiting: None,
            service: None,
            age: None,
        };
        assert_eq!(description.age(), "?");
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (61, "1m1s"), (3600, "1h0m"), (90_000, "1d1h")]
        {
            description.age = Some(seconds);
            assert_eq!(description.age(), text);
        }
    }
}
