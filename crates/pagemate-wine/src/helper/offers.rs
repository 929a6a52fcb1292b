//! Sections that the helper holds for the bridge: they are over the files of native sections.

use std::collections::BTreeMap;
use std::fs::File;

use pagemate_wine::protocol::{Key, Report};

use crate::directory::{Directories, units};
use crate::native::{self, Handle, Status};

#[derive(Debug)]
struct Offer {
    handle: Handle,
    /// Whether other processes had handles to it when it was last reported.
    used: bool,
}

/// The sections that the helper holds.
#[derive(Debug, Default)]
pub(crate) struct Offers(BTreeMap<Key, Offer>);

impl Offers {
    /// Creates a section over the file with this Unix path.
    pub(crate) fn section(&mut self, dirs: &Directories, key: Key, len: u64, path: &str) -> Report {
        let made = open_unix(path).and_then(|file| {
            let len = i64::try_from(len).unwrap_or(i64::MAX);
            native::create_section(dirs.of(&key), &units(&key), &file, len)
        });
        self.keep(key, made)
    }

    fn keep(&mut self, key: Key, made: Result<Handle, Status>) -> Report {
        let status = match made {
            Ok(handle) => {
                self.0.insert(key.clone(), Offer { handle, used: false });
                0
            }
            Err(status) => status,
        };
        Report::Made { key, status }
    }

    pub(crate) fn withdraw(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// Reports the sections that other processes have begun or ceased to use.
    pub(crate) fn changes(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        for (key, offer) in &mut self.0 {
            let used = native::counts(&offer.handle).is_ok_and(|(handles, _)| handles > 1);
            if used != offer.used {
                offer.used = used;
                reports.push(Report::Used { key: key.clone(), used });
            }
        }
        reports
    }
}

/// Opens a file by its Unix path. Wine has every Unix path below this prefix.
fn open_unix(path: &str) -> Result<File, Status> {
    const UNSUCCESSFUL: Status = 0xc000_0001;
    let path = format!(r"\\?\unix{}", path.replace('/', r"\"));
    File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| error.raw_os_error().map_or(UNSUCCESSFUL, i32::cast_unsigned))
}
