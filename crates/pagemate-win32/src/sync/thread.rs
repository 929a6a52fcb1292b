//! Threads, which are waited for as other objects are.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use pagemate::sync::{Event, EventOptions, Reset};

use crate::error::{
    INVALID_HANDLE, INVALID_PARAMETER, NOACCESS, NOT_ENOUGH_MEMORY, Result, answer, done,
};
use crate::handle::rights;
use crate::handle::table::{self as handle, Entry, Handle, Object};
use crate::pointer::write_unless_null;
use crate::process::object::{Process, exit_code};
use crate::system::info::GetCurrentThreadId;
use crate::system::security::SecurityAttributes;

/// `CREATE_SUSPENDED`, and `STACK_SIZE_PARAM_IS_A_RESERVATION`, which here it always is.
const SUSPENDED: u32 = 0x4;
const RESERVATION: u32 = 0x1_0000;

/// `STILL_ACTIVE`.
const RUNNING: u32 = 259;

/// What `ResumeThread` gives when it fails.
const NO_COUNT: u32 = u32::MAX;

/// What a thread runs. It may end the thread in the midst of it, which unwinds what it runs in.
type Start = unsafe extern "C-unwind" fn(*mut c_void) -> u32;

unsafe extern "C" {
    // As the C library has it, for a start that can be unwound.
    fn pthread_create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        start: extern "C-unwind" fn(*mut c_void) -> *mut c_void,
        given: *mut c_void,
    ) -> i32;
}

unsafe extern "C-unwind" {
    fn pthread_exit(value: *mut c_void) -> !;
}

/// A thread of this process that was made here.
#[derive(Debug)]
pub(crate) struct Thread {
    /// It has ended, and given up the mutexes it had.
    pub(crate) ended: Arc<Event>,
    /// [`RUNNING`] until then, and what it ended with after.
    code: AtomicU32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Zero until it is known.
    id: u32,
    /// How often it has to be told to go on.
    suspended: u32,
}

thread_local! {
    /// The calling thread, if it was made here.
    static CURRENT: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// A thread that runs. What it had for itself, as its mutexes, goes before this does, because that
/// came after it.
struct Running {
    thread: Arc<Thread>,
    process: u32,
    /// What it ends with.
    code: u32,
}

impl Drop for Running {
    fn drop(&mut self) {
        // A forked child's copy of it is another thread, whose end is nobody's business here.
        if self.process != std::process::id() {
            return;
        }
        // Release: what it did, for the Acquire of who asks what it ended with.
        self.thread.code.store(self.code, Ordering::Release);
        // Should it fail, who waits for the thread waits on.
        _ = self.thread.ended.set();
    }
}

/// What a new thread is given.
struct Begun {
    thread: Arc<Thread>,
    start: Start,
    given: *mut c_void,
}

impl Thread {
    /// The calling thread, whichever call made it.
    pub(crate) fn current() -> Result<Arc<Thread>> {
        let known = CURRENT
            .with_borrow(|current| current.as_ref().map(|running| Arc::clone(&running.thread)));
        if let Some(thread) = known {
            return Ok(thread);
        }
        let thread = Arc::new(Thread::new(0)?);
        thread.begin();
        Ok(thread)
    }

    fn new(suspended: u32) -> Result<Thread> {
        Ok(Thread {
            ended: Arc::new(EventOptions::new(Reset::Manual).create_unnamed()?),
            code: AtomicU32::new(RUNNING),
            state: Mutex::new(State { id: 0, suspended }),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until its state fits.
    fn wait(&self, fits: impl Fn(&State) -> bool) -> u32 {
        let state = self.changed.wait_while(self.state(), |state| !fits(state));
        state.unwrap_or_else(PoisonError::into_inner).id
    }

    /// Says that it is there, and waits until it may go on.
    fn begin(self: &Arc<Thread>) {
        let running = Running { thread: Arc::clone(self), process: std::process::id(), code: 0 };
        CURRENT.with_borrow_mut(|current| *current = Some(running));
        self.state().id = GetCurrentThreadId();
        self.changed.notify_all();
        self.wait(|state| state.suspended == 0);
    }
}

/// What every thread begins with. Nothing in here has to be cleared up when the thread is ended from
/// within `start`.
extern "C-unwind" fn run(begun: *mut c_void) -> *mut c_void {
    let (start, given) = take(begun);
    // SAFETY: the program's own promise, made where it made the thread.
    let code = unsafe { start(given) };
    end_with(code);
    null_mut()
}

fn take(begun: *mut c_void) -> (Start, *mut c_void) {
    // SAFETY: `create` gave it away for this.
    let Begun { thread, start, given } = *unsafe { Box::from_raw(begun.cast::<Begun>()) };
    thread.begin();
    (start, given)
}

/// Notes what the calling thread ends with.
fn end_with(code: u32) {
    CURRENT.with_borrow_mut(|current| {
        if let Some(running) = current {
            running.code = code;
        }
    });
}

fn create(
    stack: usize,
    start: Option<Start>,
    given: *mut c_void,
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
    let begun = Box::new(Begun { thread: Arc::clone(&thread), start, given });
    if let Err(code) = begin(stack, begun) {
        handle::CloseHandle(handle);
        return Err(code);
    }
    Ok((handle, thread.wait(|state| state.id != 0)))
}

/// Begins a thread that nobody joins.
fn begin(stack: usize, begun: Box<Begun>) -> Result<()> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: there is room for them.
    unsafe { libc::pthread_attr_init(attributes) };
    // SAFETY: they were just made.
    unsafe { libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED) };
    let mut usual = 0;
    // SAFETY: as above, and it writes to a local.
    unsafe { libc::pthread_attr_getstacksize(attributes, &raw mut usual) };
    if stack > usual {
        // Some C libraries refuse part of a page.
        let whole = stack.checked_next_multiple_of(0x1_0000).unwrap_or(stack);
        // SAFETY: as above. A size that is too large fails when the thread is made.
        unsafe { libc::pthread_attr_setstacksize(attributes, whole) };
    }
    let mut thread = 0;
    let begun = Box::into_raw(begun);
    // SAFETY: the attributes are whole, and `run` takes what it is given.
    let error = unsafe { pthread_create(&raw mut thread, attributes, run, begun.cast()) };
    // SAFETY: they are used no more.
    unsafe { libc::pthread_attr_destroy(attributes) };
    if error != 0 {
        // SAFETY: no thread took it.
        drop(unsafe { Box::from_raw(begun) });
        return Err(NOT_ENOUGH_MEMORY);
    }
    Ok(())
}

/// A thread that a handle names.
enum Named {
    Ours(Arc<Thread>),
    /// The first of another process.
    First(Arc<Process>),
}

fn named(handle: Handle) -> Result<Named> {
    match handle::entry(handle)?.object {
        Object::Thread(thread) => Ok(Named::Ours(thread)),
        Object::MainThread(process) => Ok(Named::First(process)),
        _ => Err(INVALID_HANDLE),
    }
}

/// The number that stands for the calling thread where a handle is asked for.
#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentThread() -> Handle {
    std::ptr::without_provenance_mut(handle::CURRENT_THREAD)
}

/// Makes a thread, which runs or waits to be resumed. Its handle is not inherited, for its threads are
/// nothing to a child.
///
/// # Safety
///
/// `start` may be called with `given` in another thread; `id` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateThread(
    _attributes: *const SecurityAttributes,
    stack: usize,
    start: Option<Start>,
    given: *mut c_void,
    flags: u32,
    id: *mut u32,
) -> Handle {
    let made = create(stack, start, given, flags).map(|(handle, told)| {
        // SAFETY: the caller's promise.
        unsafe { write_unless_null(id, told) };
        handle
    });
    answer(made, null_mut())
}

/// Ends the calling thread. What it has on its stack is cleared up as C++ does it.
///
/// # Safety
///
/// No frame of the thread is one that cannot be unwound.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ExitThread(code: u32) -> ! {
    end_with(code);
    // SAFETY: the caller's promise.
    unsafe { pthread_exit(null_mut()) }
}

/// Lets a suspended thread run, and tells how often it was suspended.
#[unsafe(no_mangle)]
pub extern "C" fn ResumeThread(handle: Handle) -> u32 {
    let before = named(handle).map(|named| {
        let Named::Ours(thread) = named else { return 0 };
        let mut state = thread.state();
        let before = state.suspended;
        state.suspended = before.saturating_sub(1);
        thread.changed.notify_all();
        before
    });
    answer(before, NO_COUNT)
}

/// Tells what a thread ended with, or that it still runs.
///
/// # Safety
///
/// `told` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetExitCodeThread(handle: Handle, told: *mut u32) -> i32 {
    done(named(handle).and_then(|named| {
        let code = match named {
            Named::Ours(thread) => thread.code.load(Ordering::Acquire),
            Named::First(process) => exit_code(&process)?,
        };
        // SAFETY: the caller's promise.
        if unsafe { write_unless_null(told, code) } { Ok(()) } else { Err(NOACCESS) }
    }))
}

/// The number of a thread; zero if the handle is none of one.
#[unsafe(no_mangle)]
pub extern "C" fn GetThreadId(handle: Handle) -> u32 {
    let id = named(handle).map(|named| match named {
        Named::Ours(thread) => thread.state().id,
        // Linux numbers the first thread as the process.
        Named::First(process) => process.id(),
    });
    answer(id, 0)
}
