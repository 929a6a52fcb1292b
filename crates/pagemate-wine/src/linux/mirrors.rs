//! The native names of sections of Windows programs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pagemate::os::unix::SectionOptionsExt as _;
use pagemate::{Access, ErrorKind, Name, Section, SectionOptions};

use super::bridge::Change;
use super::error::{Error, Result};
use super::memory::{self, Descriptors, Maps, Opened};
use super::prefix::Server;
use super::watch::Watch;
use crate::protocol::Key;

/// A section that the helper has mapped.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) len: u64,
    pub(super) address: u64,
}

/// A section that the helper cannot open.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) key: Key,
    pub(super) cause: String,
}

/// A section with a native name.
#[derive(Debug)]
struct Mirror {
    /// Holds the native name.
    section: Section,
    inode: u64,
    /// The wineserver's descriptor of the memory.
    descriptor: u32,
}

/// The native names of the sections of one prefix.
#[derive(Debug)]
pub(super) struct Mirrors {
    server: Server,
    origin: String,
    watch: Watch,
    live: BTreeMap<Key, Mirror>,
    /// The sections without a native name, and the inode of each when its error was reported.
    refused: BTreeMap<Key, u64>,
}

impl Mirrors {
    pub(super) fn new(server: Server, dir: &Path) -> Result<Mirrors> {
        Ok(Mirrors {
            server,
            origin: origin(dir),
            watch: Watch::new()?,
            live: BTreeMap::new(),
            refused: BTreeMap::new(),
        })
    }

    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Returns whether a section has no native name, so that the bridge has to try again.
    pub(super) fn has_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Returns whether the memory of a section has ended, so that its name has ended or belongs to another
    /// section.
    pub(super) fn any_has_ended(&self) -> bool {
        let ended = |mirror: &Mirror| {
            memory::inode_of(self.server, mirror.descriptor) != Some(mirror.inode)
        };
        self.live.values().any(ended)
    }

    /// Makes the native names those of the sections in `found`, and returns the changes. `helper` is the pid
    /// of the process that has mapped them. It could not open the sections in `failed`.
    pub(super) fn update(
        &mut self,
        helper: u32,
        found: &[Found],
        failed: &[Failed],
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let keys: BTreeSet<&Key> = found.iter().map(|found| &found.key).collect();
        let is_failed = |key: &Key| failed.iter().any(|failed| failed.key == *key);
        self.refused.retain(|key, _| keys.contains(key) || is_failed(key));
        for Failed { key, cause } in failed {
            if self.refused.insert(key.clone(), 0) != Some(0) {
                changes.push(refused(key, cause.clone()));
            }
        }
        self.live.retain(|key, mirror| {
            let stays = keys.contains(key);
            if !stays {
                changes.extend(ended(mirror));
            }
            stays
        });
        let maps = if found.is_empty() { Maps::default() } else { Maps::of(helper) };
        let mut descriptors = None;
        for found in found {
            // The helper has died, or the mapping is not that of a file.
            let Some(mapped) = maps.at(found.address) else { continue };
            if self.live.get(&found.key).is_some_and(|mirror| mirror.inode == mapped.inode) {
                continue;
            }
            if let Some(replaced) = self.live.remove(&found.key) {
                changes.extend(ended(&replaced));
            }
            let descriptors = descriptors.get_or_insert_with(|| Descriptors::of(self.server));
            let made = descriptors
                .open(mapped)
                .and_then(|opened| opened.map(|opened| self.mirror(found, &opened)).transpose());
            match made {
                Ok(Some(section)) => {
                    changes.extend(section.section.name().map(|name| Change::Appeared {
                        name: name.clone(),
                        len: section.section.len(),
                    }));
                    self.refused.remove(&found.key);
                    self.live.insert(found.key.clone(), section);
                }
                // It has ended meanwhile. If it has not, the bridge has to try again.
                Ok(None) => _ = self.refused.insert(found.key.clone(), mapped.inode),
                Err(error) => {
                    let known = self.refused.insert(found.key.clone(), mapped.inode);
                    if known != Some(mapped.inode) {
                        changes.push(refused(&found.key, error.to_string()));
                    }
                }
            }
        }
        changes
    }

    /// Creates the native name of a section.
    fn mirror(&self, found: &Found, opened: &Opened) -> Result<Mirror> {
        use std::os::unix::fs::MetadataExt as _;
        let name = name_of(&found.key)?;
        let inspected = opened.file.metadata();
        let inspected = inspected.map_err(|e| Error::os("its memory cannot be inspected", e))?;
        let mut options = SectionOptions::new();
        options.mirror(&opened.file, &self.origin).len(found.len.min(inspected.len()));
        options.access(if opened.writable { Access::ReadWrite } else { Access::Read });
        let section = options.create_new(&name).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::new(
                "a native object has this name; the section appears when that object ends, unless a native \
                 program is meant to create it (then bridge it with --to-wine)",
            ),
            _ => Error::new(error.to_string()),
        })?;
        self.watch.add(&opened.file);
        Ok(Mirror { section, inode: inspected.ino(), descriptor: opened.descriptor })
    }

    /// Closes all mirrors, so that their native names end. Returns one change for each name that ended.
    pub(super) fn clear(&mut self) -> Vec<Change> {
        self.refused.clear();
        std::mem::take(&mut self.live).values().filter_map(ended).collect()
    }
}

fn ended(mirror: &Mirror) -> Option<Change> {
    mirror.section.name().map(|name| Change::Ended { name: name.clone() })
}

pub(super) fn refused(key: &Key, cause: String) -> Change {
    let prefix = if key.global { r"Global\" } else { "" };
    Change::Refused { name: format!("{prefix}{}", key.bare), cause }
}

/// Returns the native name for the name of a Windows program.
pub(super) fn name_of(key: &Key) -> Result<Name> {
    let full = if key.global { format!(r"Global\{}", key.bare) } else { key.bare.clone() };
    Name::new(&full).map_err(|error| Error::new(error.to_string()))
}

/// Returns the origin of the sections of a prefix, for lists.
fn origin(dir: &Path) -> String {
    let dir = dir.to_string_lossy().replace(char::is_control, "?");
    let mut origin = format!("Wine ({dir})");
    while origin.len() > 1024 {
        origin.pop();
    }
    origin
}
