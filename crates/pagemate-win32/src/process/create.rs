//! `CreateProcess` and the structures that it takes.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::{CString, OsStr, OsString, c_void};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use super::command_line;
use super::launch::{Launch, Stream};
use super::object::Process;
use super::program;
use crate::error::{Code, INVALID_HANDLE, INVALID_PARAMETER, NOT_SUPPORTED, Result, done};
use crate::file::path;
use crate::handle::rights;
use crate::handle::table::{self as handle, Entry, Handle, Object};
use crate::pointer::{read_unless_null, write_unless_null};
use crate::system::environment::{narrow, wide};
use crate::system::security::{self, SecurityAttributes};
use crate::text::c_string::{Unit, units};

/// `ERROR_DIRECTORY`.
const DIRECTORY: Code = Code(267);

/// `DETACHED_PROCESS` and `CREATE_NEW_PROCESS_GROUP`.
const DETACHED: u32 = 0x8;
const NEW_GROUP: u32 = 0x200;
/// `CREATE_UNICODE_ENVIRONMENT`.
const UNICODE_ENVIRONMENT: u32 = 0x400;
/// `CREATE_NEW_CONSOLE`, `NORMAL_PRIORITY_CLASS`, `CREATE_DEFAULT_ERROR_MODE` and `CREATE_NO_WINDOW`, which
/// change nothing: a child has the terminal of this process.
const NOTHING: u32 = 0x10 | 0x20 | 0x0400_0000 | 0x0800_0000;

/// `STARTF_USESTDHANDLES`.
const USE_STREAMS: u32 = 0x100;

/// The least number that a descriptor has which is no standard stream.
const FIRST: i32 = 3;

/// `STARTUPINFOA` and `STARTUPINFOW`, whose texts say nothing here.
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

/// The arguments of a call, whichever width its texts have.
struct Wanted {
    application: Option<OsString>,
    line: Option<OsString>,
    folder: Option<OsString>,
    environment: Option<Vec<OsString>>,
    flags: u32,
    inherits: bool,
    /// Whether the handle to the child is itself inheritable.
    inheritable: bool,
    streams: Option<[Handle; 3]>,
}

impl Wanted {
    fn start(self) -> Result<ProcessInformation> {
        if self.flags & !(DETACHED | NEW_GROUP | UNICODE_ENVIRONMENT | NOTHING) != 0 {
            return Err(NOT_SUPPORTED);
        }
        if self.application.is_none() && self.line.is_none() {
            return Err(INVALID_PARAMETER);
        }
        let path = program::find(self.application.as_deref(), self.line.as_deref())?;
        let launch = self.launch(&path)?;
        match launch.start()? {
            // A child that nobody is told of must not run.
            Ok(child) => {
                information(&child, self.inheritable).inspect_err(|_| _ = child.terminate(1))
            }
            Err(error) => Err(program::refusal(&path, error)),
        }
    }

    fn launch(&self, path: &Path) -> Result<Launch> {
        let folder = self.folder.as_deref().map(folder).transpose()?;
        let line = self.line.as_deref().or(self.application.as_deref()).unwrap_or_default();
        let arguments = match self.line {
            Some(_) => command_line::split(line.as_bytes()),
            None => vec![line.as_bytes().to_vec()],
        };
        // In another folder a path from this one leads elsewhere.
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

/// The folder that a child is to be in.
fn folder(spelled: &OsStr) -> Result<CString> {
    let folder = path::of_any(spelled.as_bytes().to_vec()).map_err(|_| DIRECTORY)?;
    if folder.is_dir() { text(folder.into_os_string()) } else { Err(DIRECTORY) }
}

/// The streams of a child. A handle to nothing is a stream without anything.
fn streams(handles: [Handle; 3]) -> Result<[Stream; 3]> {
    let [input, output, errors] = handles.map(stream);
    Ok([input?, output?, errors?])
}

fn stream(handle: Handle) -> Result<Stream> {
    if handle.is_null() || handle.addr() == handle::CURRENT_PROCESS {
        return Ok(Stream::Null);
    }
    let (file, _) = handle::file(handle).map_err(|_| INVALID_HANDLE)?;
    // Not one of the streams itself: another may come to be in its place first.
    let file = rustix::io::fcntl_dupfd_cloexec(file.inner().as_fd(), FIRST)?;
    Ok(Stream::File(file))
}

/// Makes the handles to a child, and to its only thread that is known.
fn information(child: &Arc<Process>, inheritable: bool) -> Result<ProcessInformation> {
    let process = Object::Process(Arc::clone(child));
    let process =
        handle::open(Entry { object: process, access: rights::PROCESS.all }, inheritable)?;
    let thread = Object::MainThread(Arc::clone(child));
    let thread = handle::open(Entry { object: thread, access: rights::THREAD.all }, false)?;
    Ok(ProcessInformation { process, thread, process_id: child.id(), thread_id: child.id() })
}

/// The variables in a block: each ends in a NUL, and an empty one ends the block.
///
/// # Safety
///
/// `block` is such a block.
unsafe fn variables<T: Unit>(block: *const T) -> Vec<Vec<T>> {
    let mut list = Vec::new();
    let mut next = block;
    loop {
        // SAFETY: the caller says that the block ends, and its end was not yet read.
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
/// `block` is null or a block of variables, as wide as `flags` say.
unsafe fn environment(block: *const c_void, flags: u32) -> Result<Option<Vec<OsString>>> {
    if block.is_null() {
        return Ok(None);
    }
    if flags & UNICODE_ENVIRONMENT == 0 {
        // SAFETY: the caller's promise.
        let list = unsafe { variables::<u8>(block.cast()) };
        return Ok(Some(list.into_iter().map(OsString::from_vec).collect()));
    }
    // SAFETY: the caller's promise.
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
        /// The texts are null or end in a NUL, the attributes, `startup` and `told` are null or whole, and
        /// `environment` is null or a block of variables.
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
            told: *mut ProcessInformation,
        ) -> i32 {
            done((|| {
                // SAFETY: the caller's promise.
                let startup = unsafe { read_unless_null(startup) }.ok_or(INVALID_PARAMETER)?;
                if told.is_null() {
                    return Err(INVALID_PARAMETER);
                }
                let wanted = Wanted {
                    // SAFETY: the caller's promise.
                    application: unsafe { $text(application) }?,
                    // SAFETY: the caller's promise.
                    line: unsafe { $text(line) }?,
                    // SAFETY: the caller's promise.
                    folder: unsafe { $text(folder) }?,
                    // SAFETY: the caller's promise.
                    environment: unsafe { environment(environment_block, flags) }?,
                    flags,
                    inherits: inherits != 0,
                    // SAFETY: the caller's promise.
                    inheritable: unsafe { security::wanted(process_attributes) }?.0,
                    streams: (startup.flags & USE_STREAMS != 0).then_some(startup.streams),
                };
                let made = wanted.start()?;
                // SAFETY: the caller's promise.
                unsafe { write_unless_null(told, made) };
                Ok(())
            })())
        }

        /// Tells how this process was started: on Linux nobody says, so that it is the default.
        ///
        /// # Safety
        ///
        /// `startup` is null or can be written to.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $startup(startup: *mut StartupInfo) {
            // SAFETY: the caller's promise.
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
