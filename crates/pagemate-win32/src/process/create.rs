//! `CreateProcess` and its structures.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::{CString, OsStr, OsString, c_void};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use super::command_line;
use super::launch::{Launch, Stream};
use super::program;
use crate::error::{Code, INVALID_HANDLE, INVALID_PARAMETER, NOT_SUPPORTED, Result, done};
use crate::file::path;
use crate::handle::entry::{Entry, Object};
use crate::handle::number::{CURRENT_PROCESS, Handle};
use crate::handle::process_table as handle;
use crate::handle::rights;
use crate::object::process::Process;
use crate::pointer::{read_unless_null, write_unless_null};
use crate::security::{self, SecurityAttributes};
use crate::text::c_string::{Unit, units};
use crate::text::os_string::{narrow, wide};

/// `ERROR_DIRECTORY`.
const DIRECTORY: Code = Code(267);

/// `DETACHED_PROCESS` and `CREATE_NEW_PROCESS_GROUP`.
const DETACHED: u32 = 0x8;
const NEW_GROUP: u32 = 0x200;
/// `CREATE_UNICODE_ENVIRONMENT`.
const UNICODE_ENVIRONMENT: u32 = 0x400;
/// `CREATE_NEW_CONSOLE`, `NORMAL_PRIORITY_CLASS`, `CREATE_DEFAULT_ERROR_MODE` and
/// `CREATE_NO_WINDOW`, which have no effect: a child uses the terminal of this process.
const IGNORED: u32 = 0x10 | 0x20 | 0x0400_0000 | 0x0800_0000;

/// `STARTF_USESTDHANDLES`.
const USE_STREAMS: u32 = 0x100;

/// The lowest descriptor that is not a standard stream.
const FIRST_DESCRIPTOR: i32 = 3;

/// `STARTUPINFOA` and `STARTUPINFOW`. Their strings are ignored.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct StartupInfo {
    size: u32,
    reserved: *mut c_void,
    desktop: *mut c_void,
    title: *mut c_void,
    window: [u32; 7],
    flags: u32,
    show: u16,
    more_size: u16,
    more: *mut c_void,
    streams: [Handle; 3],
}

const _: () = assert!(size_of::<StartupInfo>() == 104 || size_of::<usize>() == 4);

/// `PROCESS_INFORMATION`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ProcessInformation {
    process: Handle,
    thread: Handle,
    process_id: u32,
    thread_id: u32,
}

/// The arguments of `CreateProcess`, the same for 8-bit and 16-bit strings.
struct Wanted {
    application: Option<OsString>,
    line: Option<OsString>,
    folder: Option<OsString>,
    environment: Option<Vec<OsString>>,
    flags: u32,
    inherits: bool,
    /// Whether the handle to the child is inheritable.
    inheritable: bool,
    streams: Option<[Handle; 3]>,
}

impl Wanted {
    fn start(self) -> Result<ProcessInformation> {
        if self.flags & !(DETACHED | NEW_GROUP | UNICODE_ENVIRONMENT | IGNORED) != 0 {
            return Err(NOT_SUPPORTED);
        }
        if self.application.is_none() && self.line.is_none() {
            return Err(INVALID_PARAMETER);
        }
        let path = program::find(self.application.as_deref(), self.line.as_deref())?;
        let launch = self.launch(&path)?;
        match launch.start()? {
            // If no handle can be created, the call fails, so the child must not run.
            Ok(child) => {
                information(&child, self.inheritable).inspect_err(|_| _ = child.terminate(1))
            }
            Err(error) => Err(program::start_error(&path, error)),
        }
    }

    fn launch(&self, path: &Path) -> Result<Launch> {
        let folder = self.folder.as_deref().map(folder).transpose()?;
        let line = self.line.as_deref().or(self.application.as_deref()).unwrap_or_default();
        let arguments = match self.line {
            Some(_) => command_line::split(line.as_bytes()),
            None => vec![line.as_bytes().to_vec()],
        };
        // Make the path absolute, because the child may have another current directory.
        let path = program::absolute(path.to_owned());
        Ok(Launch {
            path: text(path)?,
            arguments: texts(arguments.into_iter().map(OsString::from_vec))?,
            environment: self.environment.clone().map(texts).transpose()?,
            folder,
            streams: self.streams.map(streams).transpose()?,
            inherits: self.inherits,
            group: self.flags & NEW_GROUP != 0,
            session: self.flags & DETACHED != 0,
        })
    }
}

fn text(text: OsString) -> Result<CString> {
    CString::new(text.into_vec()).map_err(|_| INVALID_PARAMETER)
}

fn texts(list: impl IntoIterator<Item = OsString>) -> Result<Vec<CString>> {
    list.into_iter().map(text).collect()
}

/// Checks the current directory of a child.
fn folder(spelled: &OsStr) -> Result<CString> {
    let folder = path::of_any(spelled.as_bytes().to_vec()).map_err(|_| DIRECTORY)?;
    if folder.is_dir() { text(folder.into_os_string()) } else { Err(DIRECTORY) }
}

/// Returns the standard streams of a child. A null handle means `/dev/null`.
fn streams(handles: [Handle; 3]) -> Result<[Stream; 3]> {
    let [input, output, errors] = handles.map(stream);
    Ok([input?, output?, errors?])
}

fn stream(handle: Handle) -> Result<Stream> {
    if handle.is_null() || handle.addr() == CURRENT_PROCESS {
        return Ok(Stream::Null);
    }
    let (file, _) = handle::file(handle).map_err(|_| INVALID_HANDLE)?;
    // Duplicate the descriptor to a number above the standard streams. The spawn replaces the
    // streams one after the other, and might otherwise overwrite a descriptor that it needs later.
    let file = rustix::io::fcntl_dupfd_cloexec(file.inner().as_fd(), FIRST_DESCRIPTOR)?;
    Ok(Stream::File(file))
}

/// Creates the handles to a child and its first thread.
fn information(child: &Arc<Process>, inheritable: bool) -> Result<ProcessInformation> {
    let process = Object::Process(Arc::clone(child));
    let process =
        handle::open(Entry { object: process, access: rights::PROCESS.all }, inheritable)?;
    let thread = Object::MainThread(Arc::clone(child));
    let thread = handle::open(Entry { object: thread, access: rights::THREAD.all }, false)?;
    Ok(ProcessInformation { process, thread, process_id: child.id(), thread_id: child.id() })
}

/// Returns the variables of an environment block. Each variable ends in a NUL, and an empty one
/// ends the block.
///
/// # Safety
///
/// `block` points to an environment block, which ends in an empty string.
unsafe fn variables<T: Unit>(block: *const T) -> Vec<Vec<T>> {
    let mut list = Vec::new();
    let mut next = block;
    loop {
        // SAFETY: the caller guarantees that the block ends in an empty string, and no string
        // before `next` is empty.
        let variable = unsafe { units(next) };
        if variable.is_empty() {
            return list;
        }
        next = next.wrapping_add(variable.len() + 1);
        list.push(variable);
    }
}

/// # Safety
///
/// `block` is null or points to an environment block, of the width that `flags` state.
unsafe fn environment(block: *const c_void, flags: u32) -> Result<Option<Vec<OsString>>> {
    if block.is_null() {
        return Ok(None);
    }
    if flags & UNICODE_ENVIRONMENT == 0 {
        // SAFETY: the caller guarantees that `block` points to a block of bytes, because `flags` do
        // not state 16-bit characters.
        let list = unsafe { variables::<u8>(block.cast()) };
        return Ok(Some(list.into_iter().map(OsString::from_vec).collect()));
    }
    // SAFETY: the caller guarantees that `block` points to a block of 16-bit characters, as `flags`
    // state.
    let list = unsafe { variables::<u16>(block.cast()) };
    let list = list.iter().map(|variable| String::from_utf16(variable).map(OsString::from));
    list.collect::<std::result::Result<_, _>>().map(Some).map_err(|_| INVALID_PARAMETER)
}

macro_rules! calls {
    ($unit:ty, $text:ident: $create:ident $startup:ident) => {
        /// Starts a program.
        ///
        /// # Safety
        ///
        /// `application`, `line` and `folder` are null or point to strings that end in a NUL.
        /// `process_attributes` is null or points to valid attributes. `startup` is null, or valid
        /// for reads and initialized. `environment_block` is null or points to an environment
        /// block. `information_out` is null or valid for writes.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $create(
            application: *const $unit,
            line: *const $unit,
            process_attributes: *const SecurityAttributes,
            _thread_attributes: *const SecurityAttributes,
            inherits: i32,
            flags: u32,
            environment_block: *const c_void,
            folder: *const $unit,
            startup: *const StartupInfo,
            information_out: *mut ProcessInformation,
        ) -> i32 {
            done(
                stringify!($create),
                (|| {
                    // SAFETY: the caller guarantees that `startup` is null, or valid for reads and
                    // initialized.
                    let startup = unsafe { read_unless_null(startup) }.ok_or(INVALID_PARAMETER)?;
                    if information_out.is_null() {
                        return Err(INVALID_PARAMETER);
                    }
                    let wanted = Wanted {
                        // SAFETY: the caller guarantees that `application` is null or points to a
                        // string that ends in a NUL.
                        application: unsafe { $text(application) }?,
                        // SAFETY: the caller guarantees that `line` is null or points to a string that
                        // ends in a NUL.
                        line: unsafe { $text(line) }?,
                        // SAFETY: the caller guarantees that `folder` is null or points to a string
                        // that ends in a NUL.
                        folder: unsafe { $text(folder) }?,
                        // SAFETY: the caller guarantees that `environment_block` is null or points to
                        // an environment block of this width.
                        environment: unsafe { environment(environment_block, flags) }?,
                        flags,
                        inherits: inherits != 0,
                        // SAFETY: the caller guarantees that `process_attributes` is null or points to
                        // valid attributes.
                        inheritable: unsafe { security::wanted(process_attributes) }?.0,
                        streams: (startup.flags & USE_STREAMS != 0).then_some(startup.streams),
                    };
                    let made = wanted.start()?;
                    // SAFETY: the caller guarantees that `information_out` is null or valid for writes.
                    unsafe { write_unless_null(information_out, made) };
                    Ok(())
                })(),
            )
        }

        /// Reports how this process was started. On Linux the parent does not pass this
        /// information, so all fields are zero except the size.
        ///
        /// # Safety
        ///
        /// `startup` is null or valid for writes.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $startup(startup: *mut StartupInfo) {
            // SAFETY: the caller guarantees that `startup` is null or valid for writes.
            unsafe { write_unless_null(startup, StartupInfo::default()) };
        }
    };
}

impl Default for StartupInfo {
    fn default() -> StartupInfo {
        let nothing = std::ptr::null_mut();
        StartupInfo {
            size: u32::try_from(size_of::<StartupInfo>()).unwrap_or_default(),
            reserved: nothing,
            desktop: nothing,
            title: nothing,
            window: [0; 7],
            flags: 0,
            show: 0,
            more_size: 0,
            more: nothing,
            streams: [nothing; 3],
        }
    }
}

calls!(u8, narrow: CreateProcessA GetStartupInfoA);
calls!(u16, wide: CreateProcessW GetStartupInfoW);
