//! The sections in the kernel's directories of names.
#![allow(unsafe_code, reason = "a Win32 call")]

use std::io;
use std::os::windows::io::{AsHandle, OwnedHandle};

use windows_sys::Win32::Storage::FileSystem::READ_CONTROL;
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;

use super::super::{Entry, Listing, Swept};
use super::named::kernel_name;
use super::object::{Object, open_for};
use super::{native, security};
use crate::access::{Access, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::Kind;
use crate::name::{Name, Namespace};
use crate::sys::object_state::ReadState;

/// Returns every named section that this user can open, of all programs.
pub(crate) fn list(_: ReadState) -> Result<Listing> {
    let mut entries = Vec::new();
    for namespace in [Namespace::Local, Namespace::Global] {
        for bare in native::sections_in(&directory(namespace)?)? {
            // pagemate does not accept this name, so it cannot open the section.
            let Ok(name) = Name::from_parts(namespace, &bare) else { continue };
            // The section may have been closed since it was listed, or this user may have no right
            // to open it.
            entries.extend(describe(&name).ok());
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    // The kernel keeps the properties of its objects, and its directories always exist.
    Ok(Listing { entries, damaged: Vec::new(), unreachable: Vec::new() })
}

/// Returns the names of all sections that this user can open. The directories list no other objects.
pub(crate) fn names(kind: Kind) -> Result<Vec<Name>> {
    let listed = list(|_, _, _| None)?.entries;
    Ok(listed.into_iter().filter(|entry| entry.kind == kind).map(|entry| entry.name).collect())
}

/// Returns the section called `name`. `None` if there is none.
pub(crate) fn find(name: &Name, _: ReadState) -> Result<Option<Entry>> {
    match describe(name) {
        Ok(entry) => Ok(Some(entry)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Does nothing: the kernel closes the handles of a process that dies, so there are no dead
/// objects.
#[expect(clippy::unnecessary_wraps, reason = "the function of other systems can fail")]
pub(crate) fn prune() -> Result<Swept> {
    Ok(Swept::default())
}

/// Returns the number of this process's logon session.
pub(crate) fn session() -> Result<u32> {
    let mut session = 0;
    // SAFETY: `session` is a local variable, valid for the write of one number.
    if unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) } == 0 {
        let error = io::Error::last_os_error();
        return Err(Error::os("the session of this process cannot be read", error));
    }
    Ok(session)
}

/// Returns the kernel's directory of a namespace (`win32_rows.rs`, row 26). In session 0, that of
/// services, both namespaces have the same directory.
fn directory(namespace: Namespace) -> Result<String> {
    Ok(match (namespace, session()?) {
        (Namespace::Global, _) | (_, 0) => r"\BaseNamedObjects".to_owned(),
        (Namespace::Local, session) => format!(r"\Sessions\{session}\BaseNamedObjects"),
    })
}

/// Opens a section for reading its security descriptor.
pub(crate) fn open_for_descriptor(name: &Name) -> io::Result<OwnedHandle> {
    open_for(&kernel_name(name), READ_CONTROL)
}

/// Describes the section called `name`.
fn describe(name: &Name) -> Result<Entry> {
    let object = Object::open(name, Kind::Section, Access::ReadWrite)
        .or_else(|_| Object::open(name, Kind::Section, Access::Read))?;
    let sharing = open_for_descriptor(name)
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
        origin: None,
        state: None,
        waiting: None,
    })
}
