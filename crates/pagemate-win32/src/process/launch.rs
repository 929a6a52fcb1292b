//! Starting a program by `posix_spawn`.
#![allow(unsafe_code, reason = "posix_spawn(3)")]

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::null;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::Pid;

use super::object::Process;
use crate::error::Result;
use crate::handle::table as handle;

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// The environment of this process.
///
/// # Safety
///
/// No other thread changes the environment meanwhile but by this library's calls.
pub(super) unsafe fn environment() -> *const *const c_char {
    // SAFETY: the C library's own, which the caller says stays as it is.
    unsafe { environ }
}

/// A standard stream of a child.
#[derive(Debug)]
pub(super) enum Stream {
    File(OwnedFd),
    /// Nothing: it is at its end, and takes what is written.
    Null,
}

/// A program to start.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) path: CString,
    pub(super) arguments: Vec<CString>,
    /// `NAME=value` each; without them, what this process has.
    pub(super) environment: Option<Vec<CString>>,
    /// The folder it is to be in.
    pub(super) folder: Option<CString>,
    /// Its standard input, output and error output; without them, those of this process.
    pub(super) streams: Option<[Stream; 3]>,
    /// Whether it has the handles that are inheritable.
    pub(super) inherits: bool,
    /// Whether it is a process group of its own, or a session.
    pub(super) group: bool,
    pub(super) session: bool,
}

impl Launch {
    /// Starts it; the system's error if it does not run.
    pub(super) fn start(&self) -> Result<std::result::Result<Arc<Process>, Errno>> {
        // No handle becomes inheritable, or is closed, meanwhile.
        let id = handle::with_inheritable(|inheritable| {
            let closed = if self.inherits { &[][..] } else { inheritable };
            Actions::new(self, closed).and_then(|actions| self.spawn(&actions))
        });
        match id {
            Ok(id) => Process::child(id).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    fn spawn(&self, actions: &Actions) -> rustix::io::Result<Pid> {
        let attributes = Attributes::new(self)?;
        let arguments = pointers(&self.arguments);
        let own = self.environment.as_deref().map(pointers);
        // SAFETY: the exported functions hand on their caller's promise.
        let environment = own.as_ref().map_or_else(|| unsafe { environment() }, Vec::as_ptr);
        let mut id = 0;
        // SAFETY: the texts end in a NUL and the arrays in a null pointer, and both live on. The call
        // takes the pointers for mutable and changes nothing.
        let error = unsafe {
            libc::posix_spawn(
                &raw mut id,
                self.path.as_ptr(),
                &raw const actions.0,
                &raw const attributes.0,
                arguments.as_ptr().cast(),
                environment.cast(),
            )
        };
        checked(error)?;
        Pid::from_raw(id).ok_or(Errno::CHILD)
    }
}

/// The addresses of texts, and a null pointer.
fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([null()]).collect()
}

/// A call that gives its error.
fn checked(error: i32) -> rustix::io::Result<()> {
    if error == 0 { Ok(()) } else { Err(Errno::from_raw_os_error(error)) }
}

/// The changes to a child's descriptors and folder before its program begins.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new(launch: &Launch, closed: &[RawFd]) -> rustix::io::Result<Actions> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: there is room for them.
        checked(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: they were just made.
        let mut actions = Actions(unsafe { actions.assume_init() });
        for (target, stream) in (0..).zip(launch.streams.iter().flatten()) {
            actions.stream(target, stream)?;
        }
        for fd in closed {
            // SAFETY: they are whole. A descriptor that is not open is no error.
            checked(unsafe { libc::posix_spawn_file_actions_addclose(&raw mut actions.0, *fd) })?;
        }
        if let Some(folder) = &launch.folder {
            let folder = folder.as_ptr();
            // SAFETY: they are whole, and the text ends in a NUL.
            checked(unsafe {
                libc::posix_spawn_file_actions_addchdir_np(&raw mut actions.0, folder)
            })?;
        }
        Ok(actions)
    }

    fn stream(&mut self, target: RawFd, stream: &Stream) -> rustix::io::Result<()> {
        let actions = &raw mut self.0;
        checked(match stream {
            // SAFETY: they are whole.
            Stream::File(file) => unsafe {
                libc::posix_spawn_file_actions_adddup2(actions, file.as_raw_fd(), target)
            },
            // SAFETY: they are whole, and the text ends in a NUL.
            Stream::Null => unsafe {
                libc::posix_spawn_file_actions_addopen(
                    actions,
                    target,
                    c"/dev/null".as_ptr(),
                    libc::O_RDWR,
                    0,
                )
            },
        })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: they are whole, and used no more.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// The process group and the session of a child.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new(launch: &Launch) -> rustix::io::Result<Attributes> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: there is room for them.
        checked(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: they were just made.
        let mut attributes = Attributes(unsafe { attributes.assume_init() });
        let group = if launch.group { libc::POSIX_SPAWN_SETPGROUP } else { 0 };
        let session = if launch.session { libc::POSIX_SPAWN_SETSID.into() } else { 0 };
        let flags = i16::try_from(group | session).map_err(|_| Errno::INVAL)?;
        // SAFETY: they are whole.
        checked(unsafe { libc::posix_spawnattr_setflags(&raw mut attributes.0, flags) })?;
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: they are whole, and used no more.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}
