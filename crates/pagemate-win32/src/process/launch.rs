//! Starts a program by `posix_spawn`.
#![allow(unsafe_code, reason = "posix_spawn(3)")]

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::null;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::Pid;

use super::children;
use crate::error::Result;
use crate::handle::process_table as handle;
use crate::object::process::Process;

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// Returns the environment of this process.
///
/// # Safety
///
/// No thread changes the environment while the result is used.
pub(super) unsafe fn environment() -> *const *const c_char {
    // SAFETY: `environ` is the C library's variable. The caller guarantees that no thread changes
    // the environment meanwhile.
    unsafe { environ }
}

/// A standard stream of a child process.
#[derive(Debug)]
pub(super) enum Stream {
    File(OwnedFd),
    /// `/dev/null`: reads return the end of the file, and written data are discarded.
    Null,
}

/// A program to start, and the properties of its process.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) path: CString,
    pub(super) arguments: Vec<CString>,
    /// The environment, as `NAME=value`. `None`: the child gets the environment of this process.
    pub(super) environment: Option<Vec<CString>>,
    /// The current directory. `None`: the child gets the one of this process.
    pub(super) folder: Option<CString>,
    /// Standard input, output and error. `None`: the child gets the streams of this process.
    pub(super) streams: Option<[Stream; 3]>,
    /// Whether the child inherits the inheritable handles.
    pub(super) inherits: bool,
    /// Whether the child becomes the leader of a new process group or session.
    pub(super) group: bool,
    pub(super) session: bool,
}

impl Launch {
    /// Starts the program. The outer result is the error of a call that prepares the start, and the
    /// inner result the error of `posix_spawn`.
    pub(super) fn start(&self) -> Result<std::result::Result<Arc<Process>, Errno>> {
        // The table stays locked during the spawn, so that no handle is closed or made inheritable
        // meanwhile.
        let id = handle::with_inheritable(|inheritable| {
            let closed = if self.inherits { &[][..] } else { inheritable };
            Actions::new(self, closed).and_then(|actions| self.spawn(&actions))
        });
        match id {
            Ok(id) => children::child(id).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    fn spawn(&self, actions: &Actions) -> rustix::io::Result<Pid> {
        let attributes = Attributes::new(self)?;
        let arguments = pointers(&self.arguments);
        let own = self.environment.as_deref().map(pointers);
        // SAFETY: the exported functions require that no other thread changes the environment
        // except through this library.
        let environment = own.as_ref().map_or_else(|| unsafe { environment() }, Vec::as_ptr);
        let mut id = 0;
        // SAFETY: each string ends in a NUL, and each array in a null pointer. They outlive the
        // call. It declares the pointers as mutable, but does not write through them.
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

/// Returns the addresses of the strings and a null pointer.
fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([null()]).collect()
}

/// Converts the result of a call that returns its error number.
fn checked(error: i32) -> rustix::io::Result<()> {
    if error == 0 { Ok(()) } else { Err(Errno::from_raw_os_error(error)) }
}

/// The file actions of a spawn: changes to descriptors and the current directory of the child
/// before `exec`.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new(launch: &Launch, closed: &[RawFd]) -> rustix::io::Result<Actions> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the local has room for the file actions.
        checked(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: the file actions were just initialized.
        let mut actions = Actions(unsafe { actions.assume_init() });
        for (target, stream) in (0..).zip(launch.streams.iter().flatten()) {
            actions.stream(target, stream)?;
        }
        for fd in closed {
            // SAFETY: the file actions are initialized. Closing a descriptor that is not open is no
            // error in the child.
            checked(unsafe { libc::posix_spawn_file_actions_addclose(&raw mut actions.0, *fd) })?;
        }
        if let Some(folder) = &launch.folder {
            let folder = folder.as_ptr();
            // SAFETY: the file actions are initialized, and the string ends in a NUL.
            checked(unsafe {
                libc::posix_spawn_file_actions_addchdir_np(&raw mut actions.0, folder)
            })?;
        }
        Ok(actions)
    }

    fn stream(&mut self, target: RawFd, stream: &Stream) -> rustix::io::Result<()> {
        let actions = &raw mut self.0;
        checked(match stream {
            // SAFETY: the file actions are initialized.
            Stream::File(file) => unsafe {
                libc::posix_spawn_file_actions_adddup2(actions, file.as_raw_fd(), target)
            },
            // SAFETY: the file actions are initialized, and the string ends in a NUL.
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
        // SAFETY: the file actions are initialized and no longer used.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// The attributes of a spawn: the process group or session of the child.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new(launch: &Launch) -> rustix::io::Result<Attributes> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the local has room for the attributes.
        checked(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: the attributes were just initialized.
        let mut attributes = Attributes(unsafe { attributes.assume_init() });
        let group = if launch.group { libc::POSIX_SPAWN_SETPGROUP } else { 0 };
        let session = if launch.session { libc::POSIX_SPAWN_SETSID.into() } else { 0 };
        let flags = i16::try_from(group | session).map_err(|_| Errno::INVAL)?;
        // SAFETY: the attributes are initialized.
        checked(unsafe { libc::posix_spawnattr_setflags(&raw mut attributes.0, flags) })?;
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: the attributes are initialized and no longer used.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}
