//! Threads: starts, resumes and ends them, and reports their exit codes.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::Arc;

use crate::error::{
    INVALID_HANDLE, INVALID_PARAMETER, NOACCESS, NOT_ENOUGH_MEMORY, Result, answer, done,
};
use crate::handle::close::CloseHandle;
use crate::handle::entry::{Entry, Object};
use crate::handle::number::{CURRENT_THREAD, Handle};
use crate::handle::process_table as handle;
use crate::handle::rights;
use crate::object::process::{Process, exit_code};
use crate::object::thread::{Thread, set_exit_code};
use crate::pointer::write_unless_null;
use crate::security::SecurityAttributes;

/// `CREATE_SUSPENDED`. `STACK_SIZE_PARAM_IS_A_RESERVATION` has no effect: a stack is always
/// reserved and committed on demand.
const SUSPENDED: u32 = 0x4;
const RESERVATION: u32 = 0x1_0000;

/// The result of a failed `ResumeThread`.
const NO_COUNT: u32 = u32::MAX;

/// The start function of a thread. It may call `ExitThread`, which unwinds its frame.
type Start = unsafe extern "C-unwind" fn(*mut c_void) -> u32;

unsafe extern "C" {
    // Declared here with `C-unwind`: the `libc` crate declares a start function that must not
    // unwind.
    fn pthread_create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        start: unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> i32;
}

unsafe extern "C-unwind" {
    fn pthread_exit(value: *mut c_void) -> !;
}

/// The values that a new thread receives.
struct StartArguments {
    thread: Arc<Thread>,
    start: Start,
    argument: *mut c_void,
}

/// The entry point of every thread. `ExitThread` may unwind this frame while it calls the program's
/// function, so the frame must not own a value with a destructor.
///
/// # Safety
///
/// `arguments` is as for [`take_arguments`]. Its start function may be called with its argument in
/// this thread.
unsafe extern "C-unwind" fn run(arguments: *mut c_void) -> *mut c_void {
    // SAFETY: the caller guarantees that `arguments` is the pointer of a box whose ownership it transfers.
    let (start, argument) = unsafe { take_arguments(arguments) };
    // SAFETY: the caller guarantees that `start` may be called with `argument` in this thread.
    let code = unsafe { start(argument) };
    set_exit_code(code);
    null_mut()
}

/// # Safety
///
/// `arguments` is the pointer of a `Box<StartArguments>`, whose ownership passes to this function.
unsafe fn take_arguments(arguments: *mut c_void) -> (Start, *mut c_void) {
    // SAFETY: the caller guarantees that `arguments` is the pointer of a box whose ownership it transfers.
    let StartArguments { thread, start, argument } =
        *unsafe { Box::from_raw(arguments.cast::<StartArguments>()) };
    thread.announce();
    (start, argument)
}

/// # Safety
///
/// `start` may be called with `argument` in another thread.
unsafe fn create(
    stack: usize,
    start: Option<Start>,
    argument: *mut c_void,
    flags: u32,
) -> Result<(Handle, u32)> {
    let start = start.ok_or(INVALID_PARAMETER)?;
    if flags & !(SUSPENDED | RESERVATION) != 0 {
        return Err(INVALID_PARAMETER);
    }
    let suspended = u32::from(flags & SUSPENDED != 0);
    let thread = Arc::new(Thread::new(suspended)?);
    let object = Object::Thread(Arc::clone(&thread));
    let handle = handle::open(Entry { object, access: rights::THREAD.all }, false)?;
    let arguments = Box::new(StartArguments { thread: Arc::clone(&thread), start, argument });
    // SAFETY: the caller guarantees that `start` may be called with `argument` in another thread.
    if let Err(code) = unsafe { spawn_detached(stack, arguments) } {
        CloseHandle(handle);
        return Err(code);
    }
    Ok((handle, thread.started()))
}

/// Starts a detached thread.
///
/// # Safety
///
/// The start function may be called with its argument in another thread.
unsafe fn spawn_detached(stack: usize, arguments: Box<StartArguments>) -> Result<()> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: the local has room for the attributes.
    unsafe { libc::pthread_attr_init(attributes) };
    // SAFETY: the attributes were just initialized.
    unsafe { libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED) };
    let mut default_size = 0;
    // SAFETY: the attributes are initialized, and `default_size` is a local.
    unsafe { libc::pthread_attr_getstacksize(attributes, &raw mut default_size) };
    if stack > default_size {
        // Some C libraries refuse a size that is not a multiple of the page size.
        let rounded = stack.checked_next_multiple_of(0x1_0000).unwrap_or(stack);
        // SAFETY: the attributes are initialized. A size that is too large makes `pthread_create`
        // fail.
        unsafe { libc::pthread_attr_setstacksize(attributes, rounded) };
    }
    let mut thread = 0;
    let arguments = Box::into_raw(arguments);
    // SAFETY: the attributes are initialized. `run` takes ownership of `arguments`, and the caller
    // guarantees that `run` may call the start function.
    let error = unsafe { pthread_create(&raw mut thread, attributes, run, arguments.cast()) };
    // SAFETY: the attributes are initialized and no longer used.
    unsafe { libc::pthread_attr_destroy(attributes) };
    if error != 0 {
        // SAFETY: no thread was created, so ownership of the box stays here.
        drop(unsafe { Box::from_raw(arguments) });
        return Err(NOT_ENOUGH_MEMORY);
    }
    Ok(())
}

/// The thread that a handle refers to.
enum Target {
    Local(Arc<Thread>),
    /// The first thread of this child process.
    FirstOf(Arc<Process>),
}

fn target_of(handle: Handle) -> Result<Target> {
    match handle::entry(handle)?.object {
        Object::Thread(thread) => Ok(Target::Local(thread)),
        Object::MainThread(process) => Ok(Target::FirstOf(process)),
        _ => Err(INVALID_HANDLE),
    }
}

/// Returns the pseudo-handle of the calling thread.
#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentThread() -> Handle {
    std::ptr::without_provenance_mut(CURRENT_THREAD)
}

/// Creates a thread, which starts at once or when it is resumed. Its handle is never inheritable,
/// because a thread does not exist in a child process.
///
/// # Safety
///
/// `start` may be called with `argument` in another thread; `id` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateThread(
    _attributes: *const SecurityAttributes,
    stack: usize,
    start: Option<Start>,
    argument: *mut c_void,
    flags: u32,
    id: *mut u32,
) -> Handle {
    // SAFETY: the caller guarantees that `start` may be called with `argument` in another thread.
    let created = unsafe { create(stack, start, argument, flags) };
    let handle = created.map(|(handle, new_id)| {
        // SAFETY: the caller guarantees that `id` is null or valid for writes.
        unsafe { write_unless_null(id, new_id) };
        handle
    });
    answer("CreateThread", handle, null_mut())
}

/// Ends the calling thread. The C library unwinds its stack, which runs C++ destructors.
///
/// # Safety
///
/// Every frame of the thread may be unwound.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ExitThread(code: u32) -> ! {
    set_exit_code(code);
    // SAFETY: the caller guarantees that every frame of the thread may be unwound.
    unsafe { pthread_exit(null_mut()) }
}

/// Decrements the suspend count of a thread; returns the previous count. The thread starts when the
/// count is zero.
#[unsafe(no_mangle)]
pub extern "C" fn ResumeThread(handle: Handle) -> u32 {
    let before = target_of(handle).map(|target| {
        match target {
            Target::Local(thread) => thread.resume(),
            // The first thread of a child process always runs, because processes are not started
            // suspended.
            Target::FirstOf(_) => 0,
        }
    });
    answer("ResumeThread", before, NO_COUNT)
}

/// Reports the exit code of a thread, or `STILL_ACTIVE`.
///
/// # Safety
///
/// `exit_code_out` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetExitCodeThread(handle: Handle, exit_code_out: *mut u32) -> i32 {
    done(
        "GetExitCodeThread",
        target_of(handle).and_then(|target| {
            let code = match target {
                Target::Local(thread) => thread.exit_code(),
                Target::FirstOf(process) => exit_code(&process)?,
            };
            // SAFETY: the caller guarantees that `exit_code_out` is null or valid for writes.
            if unsafe { write_unless_null(exit_code_out, code) } { Ok(()) } else { Err(NOACCESS) }
        }),
    )
}

/// Returns the number of a thread; zero if the handle is not a thread's.
#[unsafe(no_mangle)]
pub extern "C" fn GetThreadId(handle: Handle) -> u32 {
    let id = target_of(handle).map(|target| match target {
        Target::Local(thread) => thread.id(),
        // On Linux the first thread has the number of its process.
        Target::FirstOf(process) => process.id(),
    });
    answer("GetThreadId", id, 0)
}
