//! Security descriptors: the users that may open an object.
#![allow(unsafe_code, reason = "Win32 calls")]

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo,
    SDDL_REVISION_1, SE_KERNEL_OBJECT,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACL, DACL_SECURITY_INFORMATION, GetAce, GetTokenInformation, PSID,
    SECURITY_ATTRIBUTES, TOKEN_INFORMATION_CLASS, TOKEN_PRIMARY_GROUP, TOKEN_QUERY, TOKEN_USER,
    TokenPrimaryGroup, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::READ_CONTROL;
use windows_sys::Win32::System::Memory::{FILE_MAP_READ, FILE_MAP_WRITE};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::named::error_of;
use crate::access::{Access, Sharing};
use crate::error::{Error, Result};

/// The SID of all users, in text form.
const EVERYONE: &str = "S-1-1-0";

/// The type of an ACE that grants rights: `ACCESS_ALLOWED_ACE_TYPE`.
const ALLOWED_ACE: u8 = 0;

/// Memory that a Windows call allocated and that `LocalFree` has to free.
#[derive(Debug)]
struct Local(*mut c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: each `Local` has the result of a call whose documentation demands `LocalFree`,
        // and is its only owner.
        unsafe { LocalFree(self.0) };
    }
}

/// A security descriptor.
#[derive(Debug)]
pub(crate) struct Descriptor(Local);

impl Descriptor {
    /// Creates the descriptor for `sharing`. The owner gets the rights `all`, and other users get
    /// the rights that their access needs.
    pub(crate) fn new(
        sharing: Sharing,
        all: u32,
        rights: impl Fn(Access) -> u32,
    ) -> Result<Descriptor> {
        let others = match sharing {
            Sharing::Owner => None,
            Sharing::Group(access) => Some((group(&token().map_err(failed)?), access)),
            Sharing::Everyone(access) => Some((Ok(EVERYONE.to_owned()), access)),
        };
        let others = others.map(|(sid, access)| Ok((sid.map_err(failed)?, rights(access))));
        Descriptor::granting(all, &others.into_iter().collect::<Result<Vec<_>>>()?)
    }

    /// Creates the descriptor that grants these rights to these SIDs. The owner and the system get
    /// the rights `all`. No right is inherited.
    pub(crate) fn granting(all: u32, others: &[(String, u32)]) -> Result<Descriptor> {
        let owner = token().and_then(|token| user(&token)).map_err(failed)?;
        let grant = |(sid, rights): (&str, u32)| format!("(A;;{rights:#x};;;{sid})");
        let own = [(&*owner, all), ("SY", all)];
        let others = others.iter().map(|(sid, rights)| (&**sid, rights | READ_CONTROL));
        let grants: Vec<String> = own.into_iter().chain(others).map(grant).collect();
        let text = format!("D:P{}", grants.concat());
        let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut descriptor = std::ptr::null_mut();
        // SAFETY: `text` ends with the NUL that is chained to it above, and `descriptor` is a local
        // variable.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                std::ptr::null_mut(),
            )
        };
        if done == 0 {
            return Err(failed(io::Error::last_os_error()));
        }
        Ok(Descriptor(Local(descriptor)))
    }

    /// Returns the descriptor in the form that calls take. The result has a pointer to the
    /// descriptor and must not be used after it is dropped.
    pub(crate) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).expect("a small structure"),
            lpSecurityDescriptor: self.0.0,
            bInheritHandle: 0,
        }
    }
}

fn failed(error: io::Error) -> Error {
    Error::os("its security descriptor cannot be created", error)
}

/// Returns the widest `Sharing` that a section's descriptor grants. Grants to other SIDs are
/// ignored. The handle needs the right `READ_CONTROL`.
pub(crate) fn sharing_of(section: BorrowedHandle<'_>) -> io::Result<Sharing> {
    let own_group = group(&token()?)?;
    let (mut everyone, mut group) = (None, None);
    for (sid, mask) in grants_of(section)? {
        let access = match mask {
            mask if mask & FILE_MAP_WRITE != 0 => Access::ReadWrite,
            mask if mask & FILE_MAP_READ != 0 => Access::Read,
            _ => continue,
        };
        match sid {
            sid if sid == EVERYONE => everyone = Some(access),
            sid if sid == own_group => group = Some(access),
            _ => {}
        }
    }
    let group = group.map(Sharing::Group);
    Ok(everyone.map(Sharing::Everyone).or(group).unwrap_or(Sharing::Owner))
}

/// Returns the SIDs that may write to a section. The handle needs the right `READ_CONTROL`.
pub(crate) fn writers_of(section: BorrowedHandle<'_>) -> io::Result<Vec<String>> {
    let writes = |(sid, mask): (String, u32)| (mask & FILE_MAP_WRITE != 0).then_some(sid);
    Ok(grants_of(section)?.into_iter().filter_map(writes).collect())
}

/// Returns the SIDs in an object's descriptor with the rights that it grants to each.
fn grants_of(object: BorrowedHandle<'_>) -> io::Result<Vec<(String, u32)>> {
    let mut list: *mut ACL = std::ptr::null_mut();
    let mut descriptor = std::ptr::null_mut();
    // SAFETY: the handle is borrowed and so open, and `list` and `descriptor` are local variables.
    let code = unsafe {
        GetSecurityInfo(
            object.as_raw_handle(),
            SE_KERNEL_OBJECT,
            DACL_SECURITY_INFORMATION,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &raw mut list,
            std::ptr::null_mut(),
            &raw mut descriptor,
        )
    };
    if code != ERROR_SUCCESS {
        return Err(error_of(code));
    }
    let _descriptor = Local(descriptor);
    if list.is_null() {
        // A descriptor without a list grants all rights to all users.
        return Ok(vec![(EVERYONE.to_owned(), u32::MAX)]);
    }
    let mut grants = Vec::new();
    for index in 0.. {
        let mut entry = std::ptr::null_mut();
        // SAFETY: `list` points into the descriptor, which `_descriptor` keeps, and `entry` is a
        // local variable.
        if unsafe { GetAce(list, index, &raw mut entry) } == 0 {
            break;
        }
        let entry: *mut ACCESS_ALLOWED_ACE = entry.cast();
        // SAFETY: GetAce succeeded, so `entry` points to an ACE, and every ACE begins with this
        // header.
        let header = unsafe { (*entry).Header };
        if header.AceType != ALLOWED_ACE {
            continue;
        }
        // SAFETY: an ACE of type ACCESS_ALLOWED_ACE_TYPE is an ACCESS_ALLOWED_ACE.
        let mask = unsafe { (*entry).Mask };
        // SAFETY: `entry` is an ACCESS_ALLOWED_ACE in the descriptor, as above, so the field is in
        // bounds.
        let sid = unsafe { &raw mut (*entry).SidStart };
        // SAFETY: a whole SID begins at `SidStart`, in the descriptor that `_descriptor` keeps.
        grants.push((unsafe { sid_text(sid.cast()) }?, mask));
    }
    Ok(grants)
}

/// Opens the access token of this process, which has its user and its group.
fn token() -> io::Result<OwnedHandle> {
    // SAFETY: GetCurrentProcess takes no argument and returns a constant.
    let process = unsafe { GetCurrentProcess() };
    let mut token = std::ptr::null_mut();
    // SAFETY: `token` is a local variable, valid for the write of one handle.
    if unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `token` is a new handle, which has no other owner.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

/// Returns the SID of a token's user.
fn user(token: &OwnedHandle) -> io::Result<String> {
    let information = token_information(token, TokenUser)?;
    // SAFETY: for the class `TokenUser` the information begins with a TOKEN_USER.
    let sid = unsafe { (*information.as_ptr().cast::<TOKEN_USER>()).User.Sid };
    // SAFETY: the kernel wrote the SID into `information`, which is boxed and has not moved.
    unsafe { sid_text(sid) }
}

/// Returns the SID of a token's primary group.
fn group(token: &OwnedHandle) -> io::Result<String> {
    let information = token_information(token, TokenPrimaryGroup)?;
    // SAFETY: for the class `TokenPrimaryGroup` the information begins with a TOKEN_PRIMARY_GROUP.
    let sid = unsafe { (*information.as_ptr().cast::<TOKEN_PRIMARY_GROUP>()).PrimaryGroup };
    // SAFETY: the kernel wrote the SID into `information`, which is boxed and has not moved.
    unsafe { sid_text(sid) }
}

/// Queries a token. The elements of the result are words, so that the structure in it is aligned.
/// The result is boxed, because it contains a pointer into itself. A SID has at most 68 bytes and
/// fits after the structure.
fn token_information(
    token: &OwnedHandle,
    class: TOKEN_INFORMATION_CLASS,
) -> io::Result<Box<[u64; 16]>> {
    let mut information = Box::new([0_u64; 16]);
    let into = information.as_mut_ptr().cast();
    let len = u32::try_from(size_of_val(&*information)).expect("a small buffer");
    let mut written = 0;
    let token = token.as_raw_handle();
    // SAFETY: the handle is borrowed and so open, `into` is the buffer above, and the call gets its
    // length.
    let done = unsafe { GetTokenInformation(token, class, into, len, &raw mut written) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(information) }
}

/// Returns the text form of a SID.
///
/// # Safety
///
/// `sid` must point to a whole SID that is valid for reads.
unsafe fn sid_text(sid: PSID) -> io::Result<String> {
    let mut text = std::ptr::null_mut();
    // SAFETY: the caller promised a whole SID, and `text` is a local variable.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let _text = Local(text.cast());
    let mut units = Vec::new();
    let mut at = text;
    loop {
        // SAFETY: the call wrote a text that ends with a NUL, and `at` has not passed the NUL.
        let unit = unsafe { *at };
        if unit == 0 {
            return Ok(String::from_utf16_lossy(&units));
        }
        units.push(unit);
        at = at.wrapping_add(1);
    }
}
