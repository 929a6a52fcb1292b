//! Native sections that have a name for Windows programs: the helper creates a section over the same file.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use pagemate::os::unix::SectionExt as _;
use pagemate::{Kind, Name, Namespace, Section, inventory};

use super::bridge::Change;
use super::helper::Helper;
use super::mirrors::{name_of, refused};
use super::options::Filter;
use crate::protocol::{Command, Key};

/// The status of a native call for a name that is taken.
const NAME_COLLISION: u32 = 0xc000_0035;

#[derive(Debug)]
struct Offer {
    /// Holds the native name, while Windows programs may hold theirs.
    section: Section,
    /// Whether Windows programs have handles to it.
    used: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The helper has not answered yet.
    Requested,
    Offered,
    /// The helper has not closed its section yet.
    Withdrawn,
}

/// The native sections that Windows programs can open.
#[derive(Debug, Default)]
pub(super) struct Offers {
    live: BTreeMap<Key, Offer>,
    /// Sections that could not be offered. They are tried again after their native names have ended.
    refused: Vec<Name>,
}

impl Offers {
    /// Returns whether a section of a scan is one that the helper holds.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.live.contains_key(key)
    }

    /// Offers new native sections, and withdraws those that no other process holds.
    pub(super) fn update(&mut self, helper: &mut Helper, filter: &Filter) -> Vec<Change> {
        let mut changes = Vec::new();
        for (key, offer) in &mut self.live {
            let is_unused = !offer.used && offer.section.is_sole_holder().unwrap_or(false);
            if offer.state == State::Offered && (is_unused || offer.section.check_name().is_err()) {
                offer.state = State::Withdrawn;
                helper.send(&Command::Withdraw(key.clone()));
            }
        }
        let names = inventory::names(Kind::Section).unwrap_or_default();
        self.refused.retain(|name| names.contains(name));
        for name in names.into_iter().filter(|name| filter(name)) {
            let key = key_of(&name);
            if self.live.contains_key(&key) || self.refused.contains(&name) {
                continue;
            }
            // The section has ended, or this user may not write to it.
            let Ok(section) = Section::open(&name) else { continue };
            let Some(path) = path_of(section.memory()) else {
                let cause = "its file has no path in UTF-8".to_owned();
                changes.push(refused(&key, cause));
                self.refused.push(name);
                continue;
            };
            helper.send(&Command::Offer { key: key.clone(), len: section.len(), path });
            self.live.insert(key, Offer { section, used: false, state: State::Requested });
        }
        changes
    }

    /// Handles the answer to an offer.
    pub(super) fn made(&mut self, key: &Key, status: u32) -> Option<Change> {
        let offer = self.live.get_mut(key)?;
        if status == 0 {
            offer.state = State::Offered;
            return Some(Change::Offered { name: name_of(key).ok()?, len: offer.section.len() });
        }
        self.live.remove(key);
        self.refused.extend(name_of(key));
        let cause = match status {
            NAME_COLLISION => "Windows programs have an object of this name".to_owned(),
            status => format!("a Windows call failed with status or error {status:#x}"),
        };
        Some(refused(key, cause))
    }

    pub(super) fn used(&mut self, key: &Key, used: bool) {
        if let Some(offer) = self.live.get_mut(key) {
            offer.used = used;
        }
    }

    /// Handles that the helper has closed its section.
    pub(super) fn withdrawn(&mut self, key: &Key) -> Option<Change> {
        self.live.remove(key)?;
        Some(Change::Withdrawn { name: name_of(key).ok()? })
    }

    /// Ends all offers, and returns the changes.
    pub(super) fn clear(&mut self) -> Vec<Change> {
        self.refused.clear();
        let ended = std::mem::take(&mut self.live);
        ended
            .keys()
            .filter_map(|key| Some(Change::Withdrawn { name: name_of(key).ok()? }))
            .collect()
    }
}

fn key_of(name: &Name) -> Key {
    Key { global: name.namespace() == Namespace::Global, bare: name.bare().to_owned() }
}

/// Returns the path of an open file.
fn path_of(file: BorrowedFd<'_>) -> Option<String> {
    let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    path.into_os_string().into_string().ok()
}
