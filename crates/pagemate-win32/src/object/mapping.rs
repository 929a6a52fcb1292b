//! A file mapping: a section, and the properties of its views that `VirtualQuery` reports.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use pagemate::os::unix::SectionExt;
use pagemate::{Access, Protection, Section};
use rustix::fs::{CWD, Mode, OFlags};

use crate::error::{ACCESS_DENIED, Result};

/// The state that all handles to a mapping share.
#[derive(Debug)]
pub(crate) struct Mapping {
    section: Section,
    over_file: bool,
    /// A second descriptor of the memory, for a section whose memory is committed on demand. It
    /// does not keep the name alive. `None` if all pages are allocated.
    sparse: Option<Arc<OwnedFd>>,
    /// `PAGE_NOCACHE`, `PAGE_WRITECOMBINE` or zero: `VirtualQuery` reports this modifier for views. The
    /// memory is cached nevertheless. A process that opens the section by name does not see the modifier.
    caching: u32,
}

impl Mapping {
    pub(crate) fn new(section: Section) -> Result<Mapping> {
        let over_file = section.is_over_file();
        let sparse = if over_file { None } else { sparse(&section)? };
        Ok(Mapping { section, over_file, sparse, caching: 0 })
    }

    /// Sets the caching modifier of a new mapping.
    pub(crate) fn with_caching(self, caching: u32) -> Mapping {
        Mapping { caching, ..self }
    }

    pub(crate) fn caching(&self) -> u32 {
        self.caching
    }

    pub(crate) fn section(&self) -> &Section {
        &self.section
    }

    pub(crate) fn over_file(&self) -> bool {
        self.over_file
    }

    pub(crate) fn sparse(&self) -> Option<&Arc<OwnedFd>> {
        self.sparse.as_ref()
    }

    /// Returns a mapping with a writable descriptor. Fails if the user may not write the object.
    ///
    /// Opens the section by name if this mapping's descriptor is read-only.
    pub(crate) fn writable(self: Arc<Self>) -> Result<Arc<Mapping>> {
        let enough = self.section.access() == Access::ReadWrite
            || self.section.protection() == Protection::ReadOnly;
        match self.section.name() {
            _ if enough => Ok(self),
            Some(name) => Ok(Arc::new(Mapping::new(Section::open(name.to_string())?)?)),
            None => Err(ACCESS_DENIED),
        }
    }
}

/// Opens a second descriptor of a section whose memory is not fully allocated.
fn sparse(section: &Section) -> Result<Option<Arc<OwnedFd>>> {
    let memory = section.memory();
    let stat = rustix::fs::fstat(memory)?;
    // `st_blocks` counts units of 512 bytes on every file system.
    if stat.st_blocks.saturating_mul(512) >= stat.st_size {
        return Ok(None);
    }
    let access = match section.access() {
        Access::ReadWrite => OFlags::RDWR,
        _ => OFlags::RDONLY,
    };
    let itself = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&memory.as_fd()));
    let again = rustix::fs::openat(CWD, itself, access | OFlags::CLOEXEC, Mode::empty())?;
    Ok(Some(Arc::new(again)))
}
