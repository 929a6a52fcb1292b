//! Who may open an object, as a security descriptor.
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

/// Everyone, as SIDs are written.
const EVERYONE: &str = "S-1-1-0";

/// An ACE that grants: `ACCESS_ALLOWED_ACE_TYPE`.
const GRANTS: u8 = 0;

/// Memory that Windows gave and wants back.
#[derive(Debug)]
struct Local(*mut c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: whoever made a `Local` got the memory from a call that says to free it so.
        unsafe { LocalFree(self.0) };
    }
}

/// A security descriptor.
#[derive(Debug)]
pub(crate) struct Descriptor(Local);

impl Descriptor {
    /// The one for `sharing` of an object to which `all` are all rights, and of which others get
    /// those that their access takes.
    pub(crate) fn new(
        sharing: Sharing,
        all: u32,
        rights: impl Fn(Access) -> u32,
    ) -> Result<Descriptor> {
        let others = match sharing {
            Sharing::Owner => None,
            Sharing::Group(access) => Some((group(&token().map_err(cannot)?), access)),
            Sharing::Everyone(access) => Some((Ok(EVERYONE.to_owned()), access)),
        };
        let others = others.map(|(whom, access)| Ok((whom.map_err(cannot)?, rights(access))));
        Descriptor::granting(all, &others.into_iter().collect::<Result<Vec<_>>>()?)
    }

    /// The one that grants these rights to these others. The owner and the system may do
    /// everything, and nothing is inherited.
    pub(crate) fn granting(all: u32, others: &[(String, u32)]) -> Result<Descriptor> {
        let owner = token().and_then(|token| user(&token)).map_err(cannot)?;
        let grant = |(whom, rights): (&str, u32)| format!("(A;;{rights:#x};;;{whom})");
        let ours = [(&*owner, all), ("SY", all)];
        let others = others.iter().map(|(whom, rights)| (&**whom, rights | READ_CONTROL));
        let grants: Vec<String> = ours.into_iter().chain(others).map(grant).collect();
        let text = format!("D:P{}", grants.concat());
        let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut descriptor = std::ptr::null_mut();
        // SAFETY: the text ends with a NUL, and `descriptor` is ours to write to.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                std::ptr::null_mut(),
            )
        };
        if done == 0 {
            return Err(cannot(io::Error::last_os_error()));
        }
        Ok(Descriptor(Local(descriptor)))
    }

    /// It in the form that calls take; not to outlive it.
    pub(crate) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).expect("a small structure"),
            lpSecurityDescriptor: self.0.0,
            bInheritHandle: 0,
        }
    }
}

fn cannot(error: io::Error) -> Error {
    Error::os("its security descriptor cannot be made", error)
}

/// Whom a section's descriptor grants it, as far as that has a word here. The handle needs
/// `READ_CONTROL`.
pub(super) fn sharing_of(section: BorrowedHandle<'_>) -> io::Result<Sharing> {
    let our_group = group(&token()?)?;
    let (mut everyone, mut group) = (None, None);
    for (whom, mask) in grants_of(section)? {
        let access = match mask {
            mask if mask & FILE_MAP_WRITE != 0 => Access::ReadWrite,
            mask if mask & FILE_MAP_READ != 0 => Access::Read,
            _ => continue,
        };
        match whom {
            whom if whom == EVERYONE => everyone = Some(access),
            whom if whom == our_group => group = Some(access),
            _ => {}
        }
    }
    let group = group.map(Sharing::Group);
    Ok(everyone.map(Sharing::Everyone).or(group).unwrap_or(Sharing::Owner))
}

/// Who may write to a section. The handle needs `READ_CONTROL`.
pub(crate) fn writers_of(section: BorrowedHandle<'_>) -> io::Result<Vec<String>> {
    let writes = |(whom, mask): (String, u32)| (mask & FILE_MAP_WRITE != 0).then_some(whom);
    Ok(grants_of(section)?.into_iter().filter_map(writes).collect())
}

/// Whom an object's descriptor grants which rights.
fn grants_of(object: BorrowedHandle<'_>) -> io::Result<Vec<(String, u32)>> {
    let mut list: *mut ACL = std::ptr::null_mut();
    let mut descriptor = std::ptr::null_mut();
    // SAFETY: the handle is open, and the two results are ours to write to.
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
        // No list at all: nobody is refused anything.
        return Ok(vec![(EVERYONE.to_owned(), u32::MAX)]);
    }
    let mut grants = Vec::new();
    for index in 0.. {
        let mut entry = std::ptr::null_mut();
        // SAFETY: the list lives in the descriptor, and `entry` is ours to write to.
        if unsafe { GetAce(list, index, &raw mut entry) } == 0 {
            break;
        }
        let entry: *mut ACCESS_ALLOWED_ACE = entry.cast();
        // SAFETY: every entry begins with such a header.
        let header = unsafe { (*entry).Header };
        if header.AceType != GRANTS {
            continue;
        }
        // SAFETY: of this type it has a mask.
        let mask = unsafe { (*entry).Mask };
        // SAFETY: of this type a SID begins at this field.
        let sid = unsafe { &raw mut (*entry).SidStart };
        // SAFETY: it is the SID of an entry that lives in the descriptor.
        grants.push((unsafe { written(sid.cast()) }?, mask));
    }
    Ok(grants)
}

/// What this process may do, and in whose name.
fn token() -> io::Result<OwnedHandle> {
    // SAFETY: it gives a number that stands for this process.
    let process = unsafe { GetCurrentProcess() };
    let mut token = std::ptr::null_mut();
    // SAFETY: `token` is ours to write to.
    if unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so that this is a new handle, which nobody else knows.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

fn user(token: &OwnedHandle) -> io::Result<String> {
    let answer = ask(token, TokenUser)?;
    // SAFETY: to this question the answer begins with such a structure.
    let sid = unsafe { (*answer.as_ptr().cast::<TOKEN_USER>()).User.Sid };
    // SAFETY: the SID stands in the answer, which has not moved.
    unsafe { written(sid) }
}

fn group(token: &OwnedHandle) -> io::Result<String> {
    let answer = ask(token, TokenPrimaryGroup)?;
    // SAFETY: to this question the answer begins with such a structure.
    let sid = unsafe { (*answer.as_ptr().cast::<TOKEN_PRIMARY_GROUP>()).PrimaryGroup };
    // SAFETY: the SID stands in the answer, which has not moved.
    unsafe { written(sid) }
}

/// The answer to a question about a token. Of words, to be aligned; boxed, because it has a
/// pointer into itself. A SID has at most 68 bytes, so that there is room for one after it.
fn ask(token: &OwnedHandle, question: TOKEN_INFORMATION_CLASS) -> io::Result<Box<[u64; 16]>> {
    let mut answer = Box::new([0_u64; 16]);
    let into = answer.as_mut_ptr().cast();
    let len = u32::try_from(size_of_val(&*answer)).expect("a small buffer");
    let mut written = 0;
    let token = token.as_raw_handle();
    // SAFETY: the handle is open; the call fills our own buffer, whose length it is told.
    let done = unsafe { GetTokenInformation(token, question, into, len, &raw mut written) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// A SID as it is written.
///
/// # Safety
///
/// It is a whole SID.
unsafe fn written(sid: PSID) -> io::Result<String> {
    let mut text = std::ptr::null_mut();
    // SAFETY: the caller says that it is a SID, and `text` is ours to write to.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let _text = Local(text.cast());
    let mut units = Vec::new();
    let mut at = text;
    loop {
        // SAFETY: `at` has not passed the NUL that ends the text.
        let unit = unsafe { *at };
        if unit == 0 {
            return Ok(String::from_utf16_lossy(&units));
        }
        units.push(unit);
        at = at.wrapping_add(1);
    }
}
