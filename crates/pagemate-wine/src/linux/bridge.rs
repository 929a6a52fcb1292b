//! The bridge: waits for the wineserver, runs the helper, and keeps the native names up to date.

use std::collections::VecDeque;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

use pagemate::Name;

use super::error::{Error, Result};
use super::events::Events;
use super::helper::{self, Helper, Output};
use super::memory;
use super::mirrors::{Failed, Found, Mirrors, name_of};
use super::offers::Offers;
use super::options::Options;
use super::prefix::{Search, Server};
use crate::protocol::{Command, Key, Report};

/// The time between two searches for the wineserver.
const SEARCH_INTERVAL: Duration = Duration::from_millis(200);

/// The time between two counts of the wineserver's descriptors. They show when a section has replaced
/// another one in a way that the helper does not notice.
const COUNT_INTERVAL: Duration = Duration::from_millis(500);

/// The time between two attempts to mirror a section that was refused, and between two scans on kernels that
/// do not count descriptors.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// The time between two searches for native sections to offer to Windows programs.
const OFFER_INTERVAL: Duration = Duration::from_millis(50);

/// The time in which the helper has to answer a scan, for [`Bridge::list`].
const SCAN_TIMEOUT: Duration = Duration::from_secs(30);

/// An event of a [`Bridge`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// The wineserver of the prefix runs, and the helper watches its sections from now on.
    Connected,
    /// A section of a Windows program has a native name from now on.
    Appeared {
        /// The name.
        name: Name,
        /// Its length in bytes.
        len: u64,
    },
    /// A section or an event has ended, and so has its native name.
    Ended {
        /// The name.
        name: Name,
    },
    /// A native section has a name for Windows programs from now on.
    Offered {
        /// The name.
        name: Name,
        /// Its length in bytes.
        len: u64,
    },
    /// A native section has no name for Windows programs any more, unless one of them holds it.
    Withdrawn {
        /// The name.
        name: Name,
    },
    /// An event of Windows programs has a native event from now on. Its end is [`Ended`](Change::Ended).
    EventAppeared {
        /// The name.
        name: Name,
    },
    /// An object cannot be bridged.
    Refused {
        /// The name of the object.
        name: String,
        /// The cause and the remedy.
        cause: String,
    },
    /// The last program of the prefix has ended. The bridge waits for the next one.
    PrefixEnded,
}

/// A section of a Windows program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The name as native commands take it.
    pub name: String,
    /// Its length in bytes, or the reason for which it cannot be opened.
    pub len: std::result::Result<u64, String>,
}

/// Gives the sections of a Wine prefix native names while it lives. [`next`](Bridge::next) does all the work:
/// call it again and again. Dropping the bridge ends the names.
#[derive(Debug)]
pub struct Bridge {
    options: Options,
    search: Search,
    searched: Option<Instant>,
    session: Option<Session>,
    changes: VecDeque<Change>,
}

/// The time in which the prefix runs.
#[derive(Debug)]
struct Session {
    server: Server,
    helper: Helper,
    mirrors: Mirrors,
    /// The sections of a scan whose end has not arrived yet.
    scan: Vec<Found>,
    /// The sections of that scan that the helper could not open.
    failed: Vec<Failed>,
    offers: Offers,
    offered: Instant,
    events: Events,
    descriptors: u64,
    counted: Instant,
    scanned: Instant,
}

impl Bridge {
    /// Prepares a bridge. It starts its helper as soon as a program runs in the prefix.
    ///
    /// # Errors
    ///
    /// The prefix does not exist, or belongs to another user.
    pub fn new(options: Options) -> Result<Bridge> {
        let search = Search::new(&options.prefix)?;
        Ok(Bridge { options, search, searched: None, session: None, changes: VecDeque::new() })
    }

    /// Returns the sections in the prefix of `options` that its filter selects, without bridging them.
    ///
    /// # Errors
    ///
    /// No program runs in the prefix, or the helper cannot be started.
    pub fn list(options: &Options) -> Result<Vec<Listed>> {
        let mut search = Search::new(&options.prefix)?;
        let server = search.find().ok_or_else(|| {
            Error::new(format!(
                "list the sections in the Wine prefix {}: no program runs in it",
                options.prefix.display()
            ))
        })?;
        let mut helper = Helper::start(server, search.dir(), &options.helper)?;
        helper.send(&Command::Scan);
        let end = Instant::now() + SCAN_TIMEOUT;
        let mut listed = Vec::new();
        while Instant::now() < end {
            let rest = end.saturating_duration_since(Instant::now());
            if !helper::wait(&[helper.as_fd()], rest)?[0] {
                continue;
            }
            let Output::Reports(reports) = helper.read()? else { break };
            for report in reports {
                match report {
                    Report::Section { key, len, .. } => listed.extend(list(options, &key, Ok(len))),
                    Report::Refused { key, status } => {
                        listed.extend(list(options, &key, Err(status_text(status))));
                    }
                    Report::End => return Ok(listed),
                    _ => {}
                }
            }
        }
        Err(Error::new("list the sections: the helper did not answer; the wineserver may hang"))
    }

    /// Waits for the next change, for at most `time`. `None` if there was none.
    ///
    /// # Errors
    ///
    /// The helper cannot be started. The bridge may be used further, and then tries again.
    pub fn next(&mut self, time: Duration) -> Result<Option<Change>> {
        let end = Instant::now() + time;
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Ok(Some(change));
            }
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(None);
            }
            match &mut self.session {
                None => self.connect(rest)?,
                Some(session) => match session.step(&self.options, rest) {
                    Ok(Some(changes)) => self.changes.extend(changes),
                    Ok(None) => self.disconnect(),
                    Err(error) => {
                        self.disconnect();
                        return Err(error);
                    }
                },
            }
        }
    }

    /// Searches the wineserver and starts the helper, or waits for the next search.
    fn connect(&mut self, rest: Duration) -> Result<()> {
        if let Some(searched) = self.searched {
            let pause = SEARCH_INTERVAL.saturating_sub(searched.elapsed());
            if !pause.is_zero() {
                std::thread::sleep(pause.min(rest));
                return Ok(());
            }
        }
        self.searched = Some(Instant::now());
        if let Some(server) = self.search.find() {
            match Session::start(server, self.search.dir(), &self.options) {
                Ok(Some(session)) => {
                    self.session = Some(session);
                    self.changes.push_back(Change::Connected);
                }
                // The prefix ended while the helper started, or another wineserver has begun.
                Ok(None) => {}
                Err(_) if !server.is_alive() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Ends all names after the helper has ended.
    fn disconnect(&mut self) {
        if let Some(mut session) = self.session.take() {
            self.changes.extend(session.mirrors.clear());
            self.changes.extend(session.offers.clear());
            self.changes.extend(session.events.clear());
        }
        self.changes.push_back(Change::PrefixEnded);
    }
}

impl Session {
    /// Starts the helper. `None` if another wineserver than `server` serves it.
    fn start(server: Server, dir: &Path, options: &Options) -> Result<Option<Session>> {
        let mut helper = Helper::start(server, dir, &options.helper)?;
        if !helper.is_served_by(server) {
            return Ok(None);
        }
        Events::watch(&mut helper, &options.events);
        helper.send(&Command::Scan);
        let now = Instant::now();
        Ok(Some(Session {
            server,
            helper,
            mirrors: Mirrors::new(server, dir)?,
            scan: Vec::new(),
            failed: Vec::new(),
            offers: Offers::default(),
            offered: now,
            events: Events::default(),
            descriptors: memory::descriptor_count(server),
            counted: now,
            scanned: now,
        }))
    }

    /// Handles the reports and notices that have arrived, or waits for them. `None` if the helper has ended.
    fn step(&mut self, options: &Options, rest: Duration) -> Result<Option<Vec<Change>>> {
        let mut time = COUNT_INTERVAL.saturating_sub(self.counted.elapsed()).min(rest);
        if options.to_wine.is_some() {
            time = time.min(OFFER_INTERVAL.saturating_sub(self.offered.elapsed()));
        }
        let ready = helper::wait(&[self.helper.as_fd(), self.mirrors.watch().as_fd()], time)?;
        let mut changes = Vec::new();
        if ready[0] {
            let Output::Reports(reports) = self.helper.read()? else { return Ok(None) };
            for report in reports {
                changes.extend(self.handle(options, report));
            }
        }
        if ready[1] && self.mirrors.watch().drain() && self.mirrors.any_has_ended() {
            self.helper.send(&Command::Scan);
        }
        if let Some(filter) = &options.to_wine
            && self.offered.elapsed() >= OFFER_INTERVAL
        {
            self.offered = Instant::now();
            changes.extend(self.offers.update(&mut self.helper, filter));
        }
        if self.counted.elapsed() >= COUNT_INTERVAL {
            self.counted = Instant::now();
            let count = memory::descriptor_count(self.server);
            let is_late = self.scanned.elapsed() >= RETRY_INTERVAL;
            if count != self.descriptors || is_late && (count == 0 || self.mirrors.has_refused()) {
                self.descriptors = count;
                self.helper.send(&Command::Scan);
            }
        }
        Ok(Some(changes))
    }

    fn handle(&mut self, options: &Options, report: Report) -> Vec<Change> {
        match report {
            Report::Begin => {
                self.scan.clear();
                self.failed.clear();
                self.scanned = Instant::now();
            }
            // The helper holds this section for the bridge.
            Report::Section { key, .. } if self.offers.contains(&key) => {}
            Report::Section { key, len, address } => match name_of(&key) {
                Ok(name) if !(options.names)(&name) => {}
                Ok(_) => self.scan.push(Found { key, len, address }),
                Err(error) => self.failed.push(Failed { key, cause: error.to_string() }),
            },
            Report::Refused { key, status }
                if name_of(&key).is_ok_and(|name| (options.names)(&name)) =>
            {
                self.failed.push(Failed { key, cause: status_text(status) });
            }
            Report::End => {
                let scan = std::mem::take(&mut self.scan);
                let changes = self.mirrors.update(self.helper.pid(), &scan, &self.failed);
                self.helper.send(&Command::Done);
                return changes;
            }
            Report::Made { key, status } => {
                return self.offers.made(&key, status).into_iter().collect();
            }
            Report::Used { key, used } => self.offers.used(&key, used),
            Report::Withdrawn(key) => return self.offers.withdrawn(&key).into_iter().collect(),
            Report::Watched { key, state } => {
                return self.events.handle(key, state).into_iter().collect();
            }
            Report::Refused { .. } | Report::Hello { .. } => {}
        }
        Vec::new()
    }
}

/// Returns a section for a list, if the filter selects it.
fn list(options: &Options, key: &Key, len: std::result::Result<u64, String>) -> Option<Listed> {
    match name_of(key) {
        Ok(name) => (options.names)(&name).then(|| Listed { name: name.to_string(), len }),
        Err(error) => Some(Listed { name: key.bare.clone(), len: Err(error.to_string()) }),
    }
}

/// Returns the text for the status of a native call of Windows.
fn status_text(status: u32) -> String {
    match status {
        0xc000_0022 => "its Windows security descriptor refuses this user".to_owned(),
        status => format!("a Windows call failed with status {status:#x}"),
    }
}
