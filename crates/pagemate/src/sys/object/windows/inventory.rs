//! The sections that stand in the kernel's directories of names.
#![allow(unsafe_code, reason = "a Win32 call")]

use std::io;
use std::os::windows::io::{AsHandle, OwnedHandle};

use windows_sys::Win32::Storage::FileSystem::READ_CONTROL;
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;

use super::super::{Entry, Swept};
use super::named::spelled;
use super::{Object, native, open_for, security};
use crate::access::{Access, Kind, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};
use crate::sys::state::ReadState;

/// Every section that this user can open, whoever made it.
pub(crate) fn list(_: ReadState) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for namespace in [Namespace::Local, Namespace::Global] {
        for bare in native::sections_in(&directory(namespace)?)? {
            // What has no name in our sense cannot be opened by one.
            let Ok(name) = Name::from_parts(namespace, &bare) else { continue };
            // It may be gone by now, or somebody else's.
            entries.extend(look(&name).ok());
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The section called `name`, if it is alive.
pub(crate) fn find(name: &Name, _: ReadState) -> Result<Option<Entry>> {
    match look(name) {
        Ok(entry) => Ok(Some(entry)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Nothing: the kernel takes back what the dead held when they die.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
pub(crate) fn prune() -> Result<Swept> {
    Ok(Swept::default())
}

/// The kernel's directories are always there.
pub(crate) fn unreachable() -> Vec<Error> {
    Vec::new()
}

/// The logon session that this process is in.
pub(crate) fn session() -> Result<u32> {
    let mut session = 0;
    // SAFETY: `session` is ours to write to.
    if unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) } == 0 {
        let error = io::Error::last_os_error();
        return Err(Error::os("this process' session cannot be read", error));
    }
    Ok(session)
}

/// Where a namespace's names stand (row 26). In session 0, that of services, both are one.
fn directory(namespace: Namespace) -> Result<String> {
    Ok(match (namespace, session()?) {
        (Namespace::Global, _) | (_, 0) => r"\BaseNamedObjects".to_owned(),
        (Namespace::Local, session) => format!(r"\Sessions\{session}\BaseNamedObjects"),
    })
}

/// A handle to a section by which one can ask who may do what with it.
pub(crate) fn for_questions(name: &Name) -> io::Result<OwnedHandle> {
    open_for(&spelled(name), READ_CONTROL)
}

fn look(name: &Name) -> Result<Entry> {
    let object = Object::open(name, Kind::Section, Access::ReadWrite)
        .or_else(|_| Object::open(name, Kind::Section, Access::Read))?;
    let sharing = for_questions(name)
        .and_then(|handle| security::sharing_of(handle.as_handle()))
        .unwrap_or(Sharing::Owner);
    Ok(Entry {
        name: name.clone(),
        kind: Kind::Section,
        len: object.len(),
        protection: object.protection(),
        sharing,
        created: None,
        creator: None,
        owner: None,
        holders: Vec::new(),
        file: None,
        state: None,
        waiting: None,
    })
}
