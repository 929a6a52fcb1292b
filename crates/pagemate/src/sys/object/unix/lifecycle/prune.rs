//! Visits every file in the directories of objects, and sweeps all dead objects.

use std::sync::Arc;

use rustix::io::Errno;

use crate::error::{Error, ErrorKind, Result};
use crate::name::Namespace;
use crate::sys::object::Swept;
use crate::sys::object::unix::lifecycle::passing_sweep;
use crate::sys::object::unix::lifecycle::sweep::sweep_if_dead;
use crate::sys::object::unix::location::directory::Directory;
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::location::resolve;

const NAMESPACES: [Namespace; 2] = [Namespace::Local, Namespace::Global];

/// Sweeps the dead objects of both namespaces.
pub(crate) fn prune() -> Result<Swept> {
    let mut swept = Swept::default();
    for_each_file(|location| sweep_if_dead(location, &mut swept))?;
    // A failure only leaves empty directories, so it does not fail the call.
    _ = resolve::remove_abandoned();
    Ok(swept)
}

/// Calls `visit`, which sweeps dead objects, for each object's file, including unfinished files. Returns
/// the reason for each namespace that cannot be read.
///
/// # Errors
///
/// Neither namespace can be read.
pub(crate) fn for_each_file(mut visit: impl FnMut(&FileLocation)) -> Result<Vec<Error>> {
    let results = NAMESPACES.map(|namespace| match resolve::existing(namespace)? {
        Some(dir) => for_each_file_in(&dir, &mut visit),
        None => Ok(()),
    });
    match results {
        [Err(local), Err(_)] => Err(local),
        results => Ok(results.into_iter().filter_map(Result::err).collect()),
    }
}

fn for_each_file_in(dir: &Arc<Directory>, mut visit: impl FnMut(&FileLocation)) -> Result<()> {
    for entry in dir.entries().map_err(|error| cannot_read(dir, error))? {
        let entry = entry.map_err(|error| cannot_read(dir, error))?;
        if let Some(location) = FileLocation::of_entry(dir, entry.file_name(), entry.file_type()) {
            visit(&location);
        }
    }
    passing_sweep::clear_resume_point(dir);
    Ok(())
}

fn cannot_read(dir: &Directory, error: Errno) -> Error {
    Error::os_as(ErrorKind::Os, format!("{} cannot be read", dir.path().display()), error.into())
}
