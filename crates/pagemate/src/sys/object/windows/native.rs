//! What only the native interface tells: about a handle, and the names in a directory.
#![allow(unsafe_code, reason = "native calls")]

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};

use windows_sys::Wdk::Foundation::{
    NtQueryObject, OBJECT_ATTRIBUTES, OBJECT_INFORMATION_CLASS, ObjectBasicInformation,
    ObjectTypeInformation,
};
use windows_sys::Wdk::Storage::FileSystem::{NtOpenDirectoryObject, NtQueryDirectoryObject};
use windows_sys::Win32::Foundation::{
    NTSTATUS, RtlNtStatusToDosError, STATUS_ACCESS_DENIED, STATUS_NO_MORE_ENTRIES, UNICODE_STRING,
};
use windows_sys::Win32::System::WindowsProgramming::{
    PUBLIC_OBJECT_BASIC_INFORMATION, PUBLIC_OBJECT_TYPE_INFORMATION,
};

use super::named::error_of;
use crate::access::Kind;
use crate::error::{Error, Result};

/// What the kernel calls objects of this kind.
fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Section => "Section",
        Kind::Mutex => "Mutant",
        Kind::Event => "Event",
        Kind::Semaphore => "Semaphore",
    }
}

/// The right to list a directory of objects.
const DIRECTORY_QUERY: u32 = 1;

/// The class of `SectionBasicInformation`.
const SECTION_BASIC_INFORMATION: i32 = 0;

#[repr(C)]
#[derive(Clone, Copy)]
struct SectionBasicInformation {
    base_address: *mut c_void,
    attributes: u32,
    maximum_size: i64,
}

windows_link::link!("ntdll.dll" "system" fn NtQuerySection(
    section: *mut c_void,
    class: i32,
    information: *mut c_void,
    len: usize,
    written: *mut usize
) -> i32);

/// The class of `MutantBasicInformation`.
const MUTANT_BASIC_INFORMATION: i32 = 0;

#[repr(C)]
#[derive(Clone, Copy)]
struct MutantBasicInformation {
    current_count: i32,
    owned_by_caller: u8,
    abandoned_state: u8,
}

windows_link::link!("ntdll.dll" "system" fn NtQueryMutant(
    mutant: *mut c_void,
    class: i32,
    information: *mut c_void,
    len: u32,
    written: *mut u32
) -> i32);

/// Whether the calling thread has a mutex, by whatever handle; `None` if this one may not ask.
pub(crate) fn is_owned(mutex: BorrowedHandle<'_>) -> Option<bool> {
    let mut information =
        MutantBasicInformation { current_count: 0, owned_by_caller: 0, abandoned_state: 0 };
    // SAFETY: the handle is open, and the call fills our own structure, whose length it is told.
    let status = unsafe {
        NtQueryMutant(
            mutex.as_raw_handle(),
            MUTANT_BASIC_INFORMATION,
            (&raw mut information).cast(),
            u32::try_from(size_of_val(&information)).expect("a small structure"),
            std::ptr::null_mut(),
        )
    };
    (status >= 0).then_some(information.owned_by_caller != 0)
}

/// A section's length in bytes, if the handle has the right to ask.
pub(super) fn section_len(section: BorrowedHandle<'_>) -> Result<Option<u64>> {
    let mut information = SectionBasicInformation {
        base_address: std::ptr::null_mut(),
        attributes: 0,
        maximum_size: 0,
    };
    // SAFETY: the handle is open, and the call fills our own structure, whose length it is told.
    let status = unsafe {
        NtQuerySection(
            section.as_raw_handle(),
            SECTION_BASIC_INFORMATION,
            (&raw mut information).cast(),
            size_of_val(&information),
            std::ptr::null_mut(),
        )
    };
    match status {
        STATUS_ACCESS_DENIED => Ok(None),
        status => {
            checked(status).map_err(|e| Error::os("its length cannot be read", e))?;
            Ok(Some(information.maximum_size.cast_unsigned()))
        }
    }
}

/// The rights that a handle has.
pub(crate) fn granted_access(handle: BorrowedHandle<'_>) -> Result<u32> {
    let mut information = PUBLIC_OBJECT_BASIC_INFORMATION::default();
    let into = (&raw mut information).cast();
    query(handle, ObjectBasicInformation, into, size_of_val(&information))
        .map_err(|e| Error::os("the handle's access cannot be read", e))?;
    Ok(information.GrantedAccess)
}

/// Whether a handle is one to an object of this kind.
pub(crate) fn is_a(handle: BorrowedHandle<'_>, kind: Kind) -> Result<bool> {
    /// The answer, and room for the name it points to.
    #[repr(C)]
    struct Answer {
        information: PUBLIC_OBJECT_TYPE_INFORMATION,
        name: [u16; 64],
    }
    let mut answer =
        Answer { information: PUBLIC_OBJECT_TYPE_INFORMATION::default(), name: [0; 64] };
    let into = (&raw mut answer).cast();
    query(handle, ObjectTypeInformation, into, size_of_val(&answer))
        .map_err(|e| Error::os("the handle's type cannot be read", e))?;
    // SAFETY: the kernel points it to the name, which it put into `answer`.
    Ok(unsafe { text(&answer.information.TypeName) }.as_deref() == Some(type_name(kind)))
}

fn query(
    handle: BorrowedHandle<'_>,
    class: OBJECT_INFORMATION_CLASS,
    into: *mut c_void,
    len: usize,
) -> io::Result<()> {
    let len = u32::try_from(len).expect("a small structure");
    let handle = handle.as_raw_handle();
    // SAFETY: the handle is open, and both callers pass a structure of their own and its length.
    checked(unsafe { NtQueryObject(handle, class, into, len, std::ptr::null_mut()) })
}

/// The names of the sections in a directory of objects.
pub(super) fn sections_in(path: &str) -> Result<Vec<String>> {
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Information {
        name: UNICODE_STRING,
        kind: UNICODE_STRING,
    }
    let cannot = |error| Error::os(format!("the names in {path} cannot be read"), error);
    let directory = open_directory(path).map_err(cannot)?;
    // Room for one entry: two texts of at most 65,534 bytes. Of words, to be aligned.
    let mut room = vec![0_u64; (size_of::<Information>() + 2 * (1 << 16)) / 8];
    let mut context = 0;
    let mut names = Vec::new();
    loop {
        // SAFETY: the handle is open; the call fills our own buffer, whose length it is told.
        let status = unsafe {
            NtQueryDirectoryObject(
                directory.as_raw_handle(),
                room.as_mut_ptr().cast(),
                u32::try_from(room.len() * 8).expect("a small buffer"),
                true,
                false,
                &raw mut context,
                std::ptr::null_mut(),
            )
        };
        if status == STATUS_NO_MORE_ENTRIES {
            return Ok(names);
        }
        checked(status).map_err(cannot)?;
        // SAFETY: the kernel begins its answer with such a structure, and `room` is aligned for it.
        let entry = unsafe { *room.as_ptr().cast::<Information>() };
        // SAFETY: the kernel points the texts into `room`.
        let kind = unsafe { text(&entry.kind) };
        // SAFETY: likewise.
        let name = unsafe { text(&entry.name) };
        if kind.as_deref() == Some(type_name(Kind::Section)) {
            names.extend(name);
        }
    }
}

fn open_directory(path: &str) -> io::Result<OwnedHandle> {
    let mut spelled: Vec<u16> = path.encode_utf16().collect();
    let len = u16::try_from(spelled.len() * 2).expect("a short path");
    let name = UNICODE_STRING { Length: len, MaximumLength: len, Buffer: spelled.as_mut_ptr() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: u32::try_from(size_of::<OBJECT_ATTRIBUTES>()).expect("a small structure"),
        ObjectName: &raw const name,
        ..OBJECT_ATTRIBUTES::default()
    };
    let mut handle = std::ptr::null_mut();
    // SAFETY: the attributes, the name and its text live on, and `handle` is ours to write to.
    let status =
        unsafe { NtOpenDirectoryObject(&raw mut handle, DIRECTORY_QUERY, &raw const attributes) };
    checked(status)?;
    // SAFETY: the call succeeded, so that this is a new handle, which nobody else knows.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// The text of a counted string; `None` if it is not Unicode.
///
/// # Safety
///
/// If it is not empty, its buffer has its length in bytes.
unsafe fn text(string: &UNICODE_STRING) -> Option<String> {
    if string.Length == 0 {
        return Some(String::new());
    }
    let units = usize::from(string.Length / 2);
    // SAFETY: the caller says so; the kernel aligns such texts for their units.
    let units = unsafe { std::slice::from_raw_parts(string.Buffer, units) };
    String::from_utf16(units).ok()
}

fn checked(status: NTSTATUS) -> io::Result<()> {
    if status >= 0 {
        return Ok(());
    }
    // SAFETY: it translates one number into another.
    Err(error_of(unsafe { RtlNtStatusToDosError(status) }))
}
