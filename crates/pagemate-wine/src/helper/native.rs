//! The native calls that the helper needs, with handles and views that close themselves.
#![allow(unsafe_code, reason = "native calls")]

use std::ffi::c_void;
use std::fs::File;
use std::os::windows::io::AsRawHandle as _;
use std::ptr::{null, null_mut};
use std::time::Duration;

/// The status of a native call that failed.
pub(crate) type Status = u32;

pub(crate) const NO_MORE_ENTRIES: Status = 0x8000_001a;
pub(crate) const TYPE_MISMATCH: Status = 0xc000_0024;

const DIRECTORY_QUERY: u32 = 1;
const SECTION_QUERY: u32 = 1;
const SECTION_MAP_READ: u32 = 4;
const SECTION_ALL_ACCESS: u32 = 0x000f_001f;
const EVENT_QUERY_STATE: u32 = 1;
const SYNCHRONIZE: u32 = 0x0010_0000;
const PAGE_READONLY: u32 = 2;
const PAGE_READWRITE: u32 = 4;
const SEC_COMMIT: u32 = 0x0800_0000;
const SEC_IMAGE: u32 = 0x0100_0000;
const VIEW_UNMAP: u32 = 2;
const CURRENT_PROCESS: *mut c_void = std::ptr::without_provenance_mut(usize::MAX);
/// An information class of Wine alone: the process does not keep the prefix running.
const PROCESS_WINE_MAKE_PROCESS_SYSTEM: u32 = 1000;

#[repr(C)]
struct UnicodeString {
    len: u16,
    max: u16,
    buffer: *const u16,
}

#[repr(C)]
struct ObjectAttributes {
    len: u32,
    root: *mut c_void,
    name: *const UnicodeString,
    attributes: u32,
    security: *const c_void,
    quality: *const c_void,
}

#[repr(C)]
#[derive(Default)]
struct BasicInformation {
    attributes: u32,
    access: u32,
    handles: u32,
    pointers: u32,
    rest: [u32; 10],
}

#[repr(C)]
#[derive(Default)]
struct SectionInformation {
    base: usize,
    attributes: u32,
    size: i64,
}

windows_link::link!("ntdll.dll" "system" fn NtClose(handle: *mut c_void) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtOpenDirectoryObject(
    handle: *mut *mut c_void, access: u32, attributes: *const ObjectAttributes) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtQueryDirectoryObject(
    handle: *mut c_void, buffer: *mut c_void, len: u32, single: u8, restart: u8,
    context: *mut u32, written: *mut u32) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtQueryObject(
    handle: *mut c_void, class: u32, into: *mut c_void, len: u32, written: *mut u32) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtOpenSection(
    handle: *mut *mut c_void, access: u32, attributes: *const ObjectAttributes) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtCreateSection(
    handle: *mut *mut c_void, access: u32, attributes: *const ObjectAttributes, size: *const i64,
    protect: u32, flags: u32, file: *mut c_void) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtQuerySection(
    handle: *mut c_void, class: u32, into: *mut c_void, len: usize, written: *mut usize) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtMapViewOfSection(
    section: *mut c_void, process: *mut c_void, address: *mut *mut c_void, zero_bits: usize,
    commit: usize, offset: *mut i64, size: *mut usize, inherit: u32, kind: u32, protect: u32) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtUnmapViewOfSection(
    process: *mut c_void, address: *mut c_void) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtSetInformationProcess(
    process: *mut c_void, class: u32, information: *mut c_void, len: u32) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtWaitForSingleObject(
    handle: *mut c_void, alertable: u8, timeout: *const i64) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtOpenEvent(
    handle: *mut *mut c_void, access: u32, attributes: *const ObjectAttributes) -> i32);
windows_link::link!("ntdll.dll" "system" fn NtQueryEvent(
    handle: *mut c_void, class: u32, into: *mut c_void, len: u32, written: *mut u32) -> i32);
windows_link::link!("kernel32.dll" "system" fn ProcessIdToSessionId(
    process: u32, session: *mut u32) -> i32);

fn checked(status: i32) -> Result<(), Status> {
    if status >= 0 { Ok(()) } else { Err(status.cast_unsigned()) }
}

/// A handle, closed when dropped.
#[derive(Debug)]
pub(crate) struct Handle(*mut c_void);

// SAFETY: a handle is a number of the process, which every thread may use and close.
unsafe impl Send for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the value owns the handle, which is still open.
        _ = unsafe { NtClose(self.0) };
    }
}

/// Calls `open` with the attributes of the object `name`, relative to the directory `root`.
fn open_with(
    root: Option<&Handle>,
    name: &[u16],
    open: impl FnOnce(*mut *mut c_void, &ObjectAttributes) -> i32,
) -> Result<Handle, Status> {
    const NAME_TOO_LONG: Status = 0xc000_0106;
    let len = u16::try_from(name.len() * 2).map_err(|_| NAME_TOO_LONG)?;
    let name = UnicodeString { len, max: len, buffer: name.as_ptr() };
    let attributes = ObjectAttributes {
        len: u32::try_from(size_of::<ObjectAttributes>()).expect("a small structure"),
        root: root.map_or(null_mut(), |root| root.0),
        name: &raw const name,
        attributes: 0,
        security: null(),
        quality: null(),
    };
    let mut handle = null_mut();
    checked(open(&raw mut handle, &attributes))?;
    Ok(Handle(handle))
}

/// Opens a directory of object names.
pub(crate) fn open_directory(path: &str) -> Result<Handle, Status> {
    let path: Vec<u16> = path.encode_utf16().collect();
    // SAFETY: both pointers are those of `open_with`, which outlive the call.
    open_with(None, &path, |handle, attributes| unsafe {
        NtOpenDirectoryObject(handle, DIRECTORY_QUERY, attributes)
    })
}

/// Space for an entry. The longest name has 32,767 units. The structure of an entry and the name of its type
/// are beside it.
pub(crate) type EntryBuffer = Vec<u64>;

/// The length of an [`EntryBuffer`].
pub(crate) const ENTRY_LEN: usize = 10_000;

/// Returns the next name of a directory and its type. `context` is 0 at the beginning.
pub(crate) fn next_entry(
    directory: &Handle,
    context: &mut u32,
    buffer: &mut EntryBuffer,
) -> Result<(Vec<u16>, Vec<u16>), Status> {
    let restart = u8::from(*context == 0);
    let len = u32::try_from(buffer.len() * 8).expect("a small buffer");
    let into = buffer.as_mut_ptr().cast();
    // Ask for one entry (the argument 1), because older versions of Wine never return more.
    // SAFETY: `into` has `len` bytes, and the handle is open.
    let status =
        unsafe { NtQueryDirectoryObject(directory.0, into, len, 1, restart, context, null_mut()) };
    // This success status means that there are no more entries.
    if status.cast_unsigned() == NO_MORE_ENTRIES {
        return Err(NO_MORE_ENTRIES);
    }
    checked(status)?;
    let entry: *const [UnicodeString; 2] = buffer.as_ptr().cast();
    // SAFETY: the call succeeded, so the buffer begins with the two strings of an entry. It is
    // aligned to 8 bytes, as they are.
    let [name, kind] = unsafe { &*entry };
    Ok((units(name), units(kind)))
}

/// Returns the text of a string that the kernel wrote.
fn units(text: &UnicodeString) -> Vec<u16> {
    if text.buffer.is_null() {
        return Vec::new();
    }
    // SAFETY: `next_entry`, the only caller, passes a string whose buffer the kernel has filled with
    // `len` bytes, and the buffer lives until it returns.
    unsafe { std::slice::from_raw_parts(text.buffer, usize::from(text.len / 2)) }.to_vec()
}

/// Returns the numbers of handles and of references to an object.
pub(crate) fn counts(handle: &Handle) -> Result<(u32, u32), Status> {
    let mut information = BasicInformation::default();
    let len = u32::try_from(size_of_val(&information)).expect("a small structure");
    // SAFETY: the local variable has `len` bytes, and the handle is open.
    checked(unsafe { NtQueryObject(handle.0, 0, (&raw mut information).cast(), len, null_mut()) })?;
    Ok((information.handles, information.pointers))
}

/// Returns the numbers of objects and handles in the session that have the type of this handle.
pub(crate) fn type_counts(handle: &Handle) -> Result<(u32, u32), Status> {
    // The numbers follow the name of the type, a string of two lengths and a pointer.
    let mut information = [0_u32; 256];
    let len = u32::try_from(size_of_val(&information)).expect("a small buffer");
    // SAFETY: the local variable has `len` bytes, and the handle is open.
    checked(unsafe { NtQueryObject(handle.0, 2, (&raw mut information).cast(), len, null_mut()) })?;
    let at = size_of::<UnicodeString>() / 4;
    Ok((information[at], information[at + 1]))
}

/// Opens a section for mapping it read-only.
pub(crate) fn open_section(root: &Handle, name: &[u16]) -> Result<Handle, Status> {
    // SAFETY: both pointers are those of `open_with`, which outlive the call.
    open_with(Some(root), name, |handle, attributes| unsafe {
        NtOpenSection(handle, SECTION_QUERY | SECTION_MAP_READ, attributes)
    })
}

/// Creates a section over a file. Fails if the name is taken.
pub(crate) fn create_section(
    root: &Handle,
    name: &[u16],
    file: &File,
    len: i64,
) -> Result<Handle, Status> {
    let file = file.as_raw_handle();
    // SAFETY: the pointers are those of `open_with` and of a parameter, which outlive the call, and
    // the file is borrowed, so that its handle is open.
    open_with(Some(root), name, |handle, attributes| unsafe {
        let (access, size) = (SECTION_ALL_ACCESS, &raw const len);
        NtCreateSection(handle, access, attributes, size, PAGE_READWRITE, SEC_COMMIT, file)
    })
}

/// Creates a section without a name, of this length in bytes.
pub(crate) fn create_unnamed(len: i64) -> Result<Handle, Status> {
    let (access, size) = (SECTION_ALL_ACCESS, &raw const len);
    let mut handle = null_mut();
    // SAFETY: the pointers are those of local variables. Without attributes the section has no name,
    // and without a file it is memory.
    checked(unsafe {
        let into = &raw mut handle;
        NtCreateSection(into, access, null(), size, PAGE_READWRITE, SEC_COMMIT, null_mut())
    })?;
    Ok(Handle(handle))
}

/// Returns the length of a section in bytes. `None` if it is a program or a library.
pub(crate) fn section_len(section: &Handle) -> Result<Option<u64>, Status> {
    let mut information = SectionInformation::default();
    let len = size_of_val(&information);
    // SAFETY: the local variable has `len` bytes, and the handle is open.
    checked(unsafe {
        NtQuerySection(section.0, 0, (&raw mut information).cast(), len, null_mut())
    })?;
    let is_image = information.attributes & SEC_IMAGE != 0;
    Ok((!is_image).then_some(information.size.cast_unsigned()))
}

/// Mapped memory that the helper never accesses, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct View(*mut c_void);

impl View {
    /// Maps a whole section read-only.
    pub(crate) fn map(section: &Handle) -> Result<View, Status> {
        let (mut address, mut offset, mut size) = (null_mut(), 0, 0);
        // SAFETY: the pointers are those of local variables. The system chooses a free address, so
        // that no mapping is replaced.
        checked(unsafe {
            NtMapViewOfSection(
                section.0,
                CURRENT_PROCESS,
                &raw mut address,
                0,
                0,
                &raw mut offset,
                &raw mut size,
                VIEW_UNMAP,
                0,
                PAGE_READONLY,
            )
        })?;
        Ok(View(address))
    }

    pub(crate) fn address(&self) -> u64 {
        self.0.addr() as u64
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: the address is that of a mapping that this value owns, and no reference into it
        // exists.
        _ = unsafe { NtUnmapViewOfSection(CURRENT_PROCESS, self.0) };
    }
}

/// Makes this process one that does not keep the prefix running. Returns an event that is set when the
/// last other program has ended. `None` if this is not Wine.
pub(crate) fn make_system_process() -> Option<Handle> {
    let mut event: *mut c_void = null_mut();
    let len = u32::try_from(size_of_val(&event)).expect("a handle");
    let into = (&raw mut event).cast();
    // SAFETY: the call stores a handle in the local variable `event`, which has `len` bytes.
    let status = unsafe {
        NtSetInformationProcess(CURRENT_PROCESS, PROCESS_WINE_MAKE_PROCESS_SYSTEM, into, len)
    };
    (status >= 0 && !event.is_null()).then(|| Handle(event))
}

/// Returns the number of the logon session of this process.
pub(crate) fn session() -> u32 {
    let mut session = 0;
    // SAFETY: the pointer is that of a local variable.
    _ = unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) };
    session
}

/// Blocks until an object is signaled. Returns false if `time` has passed first.
pub(crate) fn wait(handle: &Handle, time: Option<Duration>) -> bool {
    // Units of 100 ns; a negative number is relative.
    let timeout = time.map(|time| -i64::try_from(time.as_nanos() / 100).unwrap_or(i64::MAX));
    let timeout = timeout.as_ref().map_or(null(), std::ptr::from_ref);
    // SAFETY: the handle is open, and `timeout` is null or points to a local variable.
    unsafe { NtWaitForSingleObject(handle.0, 0, timeout) == 0 }
}

/// Opens an event for waiting.
pub(crate) fn open_event(root: &Handle, name: &[u16]) -> Result<Handle, Status> {
    // SAFETY: both pointers are those of `open_with`, which outlive the call.
    open_with(Some(root), name, |handle, attributes| unsafe {
        NtOpenEvent(handle, EVENT_QUERY_STATE | SYNCHRONIZE, attributes)
    })
}

/// Returns whether an event has manual reset, and whether it is set.
pub(crate) fn event_state(event: &Handle) -> Result<(bool, bool), Status> {
    let mut information = [0_u32; 2];
    let len = u32::try_from(size_of_val(&information)).expect("a small structure");
    // SAFETY: the local variable has `len` bytes, and the handle is open.
    checked(unsafe { NtQueryEvent(event.0, 0, (&raw mut information).cast(), len, null_mut()) })?;
    Ok((information[0] == 0, information[1] != 0))
}
