//! Queries that only the native interface offers: about handles, and the names in a directory.
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
use crate::error::{Error, Result};
use crate::kind::Kind;

/// Returns the kernel's name for objects of this kind.
fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Section | Kind::Channel => "Section",
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

/// Returns whether the calling thread owns a mutex through any handle. `None` if this handle has no
/// right to query it.
pub(crate) fn is_owned(mutex: BorrowedHandle<'_>) -> Option<bool> {
    let mut information =
        MutantBasicInformation { current_count: 0, owned_by_caller: 0, abandoned_state: 0 };
    // SAFETY: the handle is borrowed and so open, `information` is a local variable, and the call
    // gets its length.
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

/// Returns a section's length in bytes. `None` if the handle has no right to query it.
pub(super) fn section_len(section: BorrowedHandle<'_>) -> Result<Option<u64>> {
    let mut information = SectionBasicInformation {
        base_address: std::ptr::null_mut(),
        attributes: 0,
        maximum_size: 0,
    };
    // SAFETY: the handle is borrowed and so open, `information` is a local variable, and the call
    // gets its length.
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

/// Returns the rights of a handle.
pub(crate) fn granted_access(handle: BorrowedHandle<'_>) -> Result<u32> {
    let mut information = PUBLIC_OBJECT_BASIC_INFORMATION::default();
    let into = (&raw mut information).cast();
    // SAFETY: `into` is the local variable `information`, of the type of this class and this
    // length.
    unsafe { query(handle, ObjectBasicInformation, into, size_of_val(&information)) }
        .map_err(|e| Error::os("the handle's access cannot be read", e))?;
    Ok(information.GrantedAccess)
}

/// Returns whether a handle is that of an object of this kind.
pub(crate) fn is_a(handle: BorrowedHandle<'_>, kind: Kind) -> Result<bool> {
    /// The result, followed by space for the name that it points to.
    #[repr(C)]
    struct Answer {
        information: PUBLIC_OBJECT_TYPE_INFORMATION,
        name: [u16; 64],
    }
    let mut answer =
        Answer { information: PUBLIC_OBJECT_TYPE_INFORMATION::default(), name: [0; 64] };
    let into = (&raw mut answer).cast();
    // SAFETY: `into` is the local variable `answer`, which begins with the structure of this class
    // and has this length.
    unsafe { query(handle, ObjectTypeInformation, into, size_of_val(&answer)) }
        .map_err(|e| Error::os("the handle's type cannot be read", e))?;
    // SAFETY: the call succeeded, so `TypeName` points to the name that the kernel wrote into
    // `answer`.
    Ok(unsafe { text(&answer.information.TypeName) }.as_deref() == Some(type_name(kind)))
}

/// Queries a handle and writes the result into `len` bytes at `into`.
///
/// # Safety
///
/// `into` must be valid for writes of `len` bytes, and aligned for the structure of `class`.
unsafe fn query(
    handle: BorrowedHandle<'_>,
    class: OBJECT_INFORMATION_CLASS,
    into: *mut c_void,
    len: usize,
) -> io::Result<()> {
    let len = u32::try_from(len).expect("a small structure");
    let handle = handle.as_raw_handle();
    // SAFETY: the handle is borrowed and so open, and the caller promised `len` writable bytes at
    // `into`.
    checked(unsafe { NtQueryObject(handle, class, into, len, std::ptr::null_mut()) })
}

/// Returns the names of the sections in a directory of objects.
pub(super) fn sections_in(path: &str) -> Result<Vec<String>> {
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Information {
        name: UNICODE_STRING,
        kind: UNICODE_STRING,
    }
    let failed = |error| Error::os(format!("the names in {path} cannot be read"), error);
    let directory = open_directory(path).map_err(failed)?;
    // Space for one entry: a structure and two texts of at most 65,534 bytes. The elements are
    // words, so that the structure is aligned.
    let mut buffer = vec![0_u64; (size_of::<Information>() + 2 * (1 << 16)) / 8];
    let mut context = 0;
    let mut names = Vec::new();
    loop {
        // SAFETY: `directory` owns an open handle, `buffer` and `context` are local variables, and
        // the call gets the length of `buffer` in bytes.
        let status = unsafe {
            NtQueryDirectoryObject(
                directory.as_raw_handle(),
                buffer.as_mut_ptr().cast(),
                u32::try_from(buffer.len() * 8).expect("a small buffer"),
                true,
                false,
                &raw mut context,
                std::ptr::null_mut(),
            )
        };
        if status == STATUS_NO_MORE_ENTRIES {
            return Ok(names);
        }
        checked(status).map_err(failed)?;
        // SAFETY: the call succeeded, so the kernel wrote such a structure at the start of
        // `buffer`, whose words are aligned for it.
        let entry = unsafe { *buffer.as_ptr().cast::<Information>() };
        // SAFETY: the kernel wrote this text into `buffer`, which the loop has not changed since.
        let kind = unsafe { text(&entry.kind) };
        // SAFETY: the kernel wrote this text into `buffer`, which the loop has not changed since.
        let name = unsafe { text(&entry.name) };
        if kind.as_deref() == Some(type_name(Kind::Section)) {
            names.extend(name);
        }
    }
}

/// Opens a directory of objects for listing.
fn open_directory(path: &str) -> io::Result<OwnedHandle> {
    let mut text: Vec<u16> = path.encode_utf16().collect();
    let len = u16::try_from(text.len() * 2).expect("a short path");
    let name = UNICODE_STRING { Length: len, MaximumLength: len, Buffer: text.as_mut_ptr() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: u32::try_from(size_of::<OBJECT_ATTRIBUTES>()).expect("a small structure"),
        ObjectName: &raw const name,
        ..OBJECT_ATTRIBUTES::default()
    };
    let mut handle = std::ptr::null_mut();
    // SAFETY: `attributes`, `name`, `text` and `handle` are local variables, alive during the call.
    let status =
        unsafe { NtOpenDirectoryObject(&raw mut handle, DIRECTORY_QUERY, &raw const attributes) };
    checked(status)?;
    // SAFETY: the call succeeded, so `handle` is a new handle, which has no other owner.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Returns the text of a counted string. `None` if it is not Unicode.
///
/// # Safety
///
/// If `Length` is not 0, `Buffer` must be aligned for `u16` and valid for reads of `Length` bytes.
unsafe fn text(string: &UNICODE_STRING) -> Option<String> {
    if string.Length == 0 {
        return Some(String::new());
    }
    let units = usize::from(string.Length / 2);
    // SAFETY: the caller promised an aligned buffer that is readable for `Length` bytes, and
    // `units` is half of that.
    let units = unsafe { std::slice::from_raw_parts(string.Buffer, units) };
    String::from_utf16(units).ok()
}

/// Returns the error of a status that reports a failure.
fn checked(status: NTSTATUS) -> io::Result<()> {
    if status >= 0 {
        return Ok(());
    }
    // SAFETY: RtlNtStatusToDosError translates one number into another.
    Err(error_of(unsafe { RtlNtStatusToDosError(status) }))
}
