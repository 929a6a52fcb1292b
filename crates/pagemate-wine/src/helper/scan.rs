//! Scans: the reports about all named sections. A scan is due when the number of sections in the session or
//! that of their handles changes, which one call of the wineserver returns. Since two changes can cancel out in
//! these numbers, the numbers of names and the names themselves are compared from time to time as well.

use std::time::{Duration, Instant};

use pagemate_wine::protocol::{Key, Report};

use crate::directory::{Directories, units};
use crate::native::{self, Handle, Status, View};

/// The time between two comparisons of all names.
const NAMES_INTERVAL: Duration = Duration::from_secs(10);

/// The time between two comparisons of the numbers of names.
const NUMBERS_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Scanner {
    /// A section without a name, whose type has the number of all sections.
    own: Handle,
    own_view: View,
    /// The mappings of the last scan, until the bridge has found them.
    views: Vec<View>,
    /// The numbers of sections and of their handles at the last scan.
    sections: Option<(u32, u32)>,
    /// The numbers of names in the directories at the last scan.
    numbers: [u32; 2],
    numbers_compared: Instant,
    names: Vec<Key>,
    names_compared: Instant,
}

impl Scanner {
    pub(crate) fn new() -> Result<Scanner, Status> {
        let own = native::create_unnamed(65536)?;
        Ok(Scanner {
            own_view: View::map(&own)?,
            own,
            views: Vec::new(),
            sections: None,
            numbers: [0; 2],
            numbers_compared: Instant::now(),
            names: Vec::new(),
            names_compared: Instant::now(),
        })
    }

    /// Returns the address of the helper's own memory.
    pub(crate) fn own_address(&self) -> u64 {
        self.own_view.address()
    }

    /// Returns whether sections may have appeared or ended since the last scan.
    pub(crate) fn is_due(&mut self, directories: &Directories) -> Result<bool, Status> {
        if self.sections != Some(native::type_counts(&self.own)?) {
            return Ok(true);
        }
        if self.numbers_compared.elapsed() >= NUMBERS_INTERVAL {
            self.numbers_compared = Instant::now();
            if self.numbers != directories.counts()? {
                return Ok(true);
            }
        }
        if self.names_compared.elapsed() < NAMES_INTERVAL {
            return Ok(false);
        }
        self.names_compared = Instant::now();
        Ok(directories.sections()? != self.names)
    }

    /// Returns whether the bridge has not finished the last scan yet.
    pub(crate) fn is_busy(&self) -> bool {
        !self.views.is_empty()
    }

    /// Maps all sections and reports them. The helper holds each of them only while it maps it, and
    /// a mapping keeps the memory, but not the name.
    pub(crate) fn scan(&mut self, directories: &Directories) -> Result<Vec<Report>, Status> {
        // Count first: a change during the scan makes the next one due.
        self.sections = Some(native::type_counts(&self.own)?);
        self.numbers = directories.counts()?;
        self.names = directories.sections()?;
        self.names_compared = Instant::now();
        self.views.clear();
        let mut reports = vec![Report::Begin];
        for key in &self.names {
            match map(directories, key) {
                Ok(Some((view, len))) => {
                    let address = view.address();
                    reports.push(Report::Section { key: key.clone(), len, address });
                    self.views.push(view);
                }
                Ok(None) => {}
                Err(status) => reports.push(Report::Refused { key: key.clone(), status }),
            }
        }
        reports.push(Report::End);
        Ok(reports)
    }

    /// Removes the mappings of the last scan.
    pub(crate) fn finish(&mut self) {
        self.views.clear();
    }
}

/// Maps a section and returns its length. `None` if it is a program, or has ended since it was listed.
fn map(directories: &Directories, key: &Key) -> Result<Option<(View, u64)>, Status> {
    const NAME_NOT_FOUND: Status = 0xc000_0034;
    let section = match native::open_section(directories.of(key), &units(key)) {
        Err(NAME_NOT_FOUND) => return Ok(None),
        section => section?,
    };
    let view = View::map(&section)?;
    let Some(len) = native::section_len(&section)? else { return Ok(None) };
    Ok(Some((view, len)))
}
