//! Native events that follow events of Windows programs.

use std::collections::BTreeMap;

use pagemate::sync::{Event, EventOptions, Reset};
use pagemate::{Name, Namespace};

use super::bridge::Change;
use super::helper::Helper;
use super::mirrors::{name_of, refused};
use crate::protocol::{Command, Key, Watched};

/// The native events of one prefix.
#[derive(Debug, Default)]
pub(super) struct Events(BTreeMap<Key, Event>);

impl Events {
    /// Requests reports about the events with these names.
    pub(super) fn watch(helper: &mut Helper, names: &[Name]) {
        for name in names {
            let global = name.namespace() == Namespace::Global;
            helper.send(&Command::Watch(Key { global, bare: name.bare().to_owned() }));
        }
    }

    /// Handles a report about an event.
    pub(super) fn handle(&mut self, key: Key, state: Watched) -> Option<Change> {
        match state {
            Watched::Manual => self.create(key, Reset::Manual),
            Watched::Auto => self.create(key, Reset::Auto),
            Watched::Ended => {
                self.0.remove(&key)?;
                Some(Change::Ended { name: name_of(&key).ok()? })
            }
            Watched::OtherKind => {
                let cause = "it is a mutex or a semaphore; only events can be bridged: the wineserver decides \
                             which thread owns a mutex, and a native thread cannot be one of those";
                Some(refused(&key, cause.to_owned()))
            }
            Watched::Set | Watched::Reset | Watched::Pulsed => {
                let event = self.0.get(&key)?;
                let done = match state {
                    Watched::Set => event.set(),
                    Watched::Reset => event.reset(),
                    // A set wakes all waiters, and the reset that follows does not undo that.
                    _ => event.set().and_then(|()| event.reset()),
                };
                done.err().map(|error| refused(&key, error.to_string()))
            }
        }
    }

    fn create(&mut self, key: Key, reset: Reset) -> Option<Change> {
        let name = name_of(&key).ok()?;
        // Native programs may still hold the event from before.
        match EventOptions::new(reset).open_or_create(&name) {
            Ok(event) => {
                self.0.insert(key, event);
                Some(Change::EventAppeared { name })
            }
            Err(error) => Some(refused(&key, error.to_string())),
        }
    }

    /// Ends all events, and returns the changes.
    pub(super) fn clear(&mut self) -> Vec<Change> {
        let ended = std::mem::take(&mut self.0);
        ended.keys().filter_map(|key| Some(Change::Ended { name: name_of(key).ok()? })).collect()
    }
}
