//! Two copies of the library in one process. They do not know each other: a lock that one copy
//! holds excludes the other copy. This situation arises when a Rust program loads a plugin that
//! contains its own copy.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "dlopen(3), fork(2) and Windows' calls")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::forget;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{env, io, process, thread};

use pagemate::sync::{Mutex, MutexOptions};

/// The timeout of waits that should succeed. A wait that takes this long has failed.
const LONG: Duration = Duration::from_secs(30);
const LONG_MS: u32 = 30_000;

const WAIT_ABANDONED: u32 = 0x80;
const WAIT_TIMEOUT: u32 = 0x102;
const MUTEX_ALL_ACCESS: u32 = 0x1F_0001;

type Open = unsafe extern "C" fn(u32, i32, *const c_char) -> *mut c_void;
type Wait = unsafe extern "C" fn(*mut c_void, u32) -> u32;
type HandleCall = unsafe extern "C" fn(*mut c_void) -> i32;

/// The functions of the second copy, loaded with `dlopen`.
struct Copy {
    open: Open,
    wait: Wait,
    release: HandleCall,
    close: HandleCall,
}

/// A mutex, opened through the second copy.
struct SecondHandle<'a> {
    copy: &'a Copy,
    handle: *mut c_void,
}

// SAFETY: a Win32 handle is a number that is valid in every thread of the process.
unsafe impl Sync for SecondHandle<'_> {}

/// Builds the shared library and returns its path.
fn library() -> PathBuf {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--profile", profile, "-p", "pagemate-win32", "--lib"]);
    assert!(cargo.status().unwrap().success());
    let built =
        env::current_exe().unwrap().parent().unwrap().with_file_name("libpagemate_win32.so");
    assert!(built.is_file(), "{} is missing", built.display());
    built
}

impl Copy {
    fn load() -> Copy {
        let path = CString::new(library().to_str().unwrap()).unwrap();
        // SAFETY: `path` is NUL-terminated, and the library has no initialiser with preconditions.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!library.is_null());
        let find = |name: &CStr| {
            // SAFETY: `library` was not closed, and `name` is NUL-terminated.
            let found = unsafe { libc::dlsym(library, name.as_ptr()) };
            assert!(!found.is_null(), "{name:?}");
            found
        };
        Copy {
            // SAFETY: the library exports `OpenMutexA` with this type.
            open: unsafe { std::mem::transmute::<*mut c_void, Open>(find(c"OpenMutexA")) },
            // SAFETY: the library exports `WaitForSingleObject` with this type.
            wait: unsafe { std::mem::transmute::<*mut c_void, Wait>(find(c"WaitForSingleObject")) },
            // SAFETY: the library exports `ReleaseMutex` with this type.
            release: unsafe {
                std::mem::transmute::<*mut c_void, HandleCall>(find(c"ReleaseMutex"))
            },
            // SAFETY: the library exports `CloseHandle` with this type.
            close: unsafe { std::mem::transmute::<*mut c_void, HandleCall>(find(c"CloseHandle")) },
        }
    }

    fn open(&self, name: &str) -> SecondHandle<'_> {
        let name = CString::new(name).unwrap();
        // SAFETY: `name` is a NUL-terminated string that outlives the call.
        let handle = unsafe { (self.open)(MUTEX_ALL_ACCESS, 0, name.as_ptr()) };
        assert!(!handle.is_null());
        SecondHandle { copy: self, handle }
    }
}

impl SecondHandle<'_> {
    fn wait(&self, ms: u32) -> u32 {
        // SAFETY: `self.handle` is open until `self` is dropped.
        unsafe { (self.copy.wait)(self.handle, ms) }
    }

    fn release(&self) {
        // SAFETY: `self.handle` is open until `self` is dropped.
        assert_ne!(unsafe { (self.copy.release)(self.handle) }, 0);
    }
}

impl Drop for SecondHandle<'_> {
    fn drop(&mut self) {
        // SAFETY: `self.handle` is open, and no call uses it after the drop.
        unsafe { (self.copy.close)(self.handle) };
    }
}

fn unique(test: &str) -> String {
    format!("{test}-{}", process::id())
}

fn is_abandoned(mutex: &Mutex) -> bool {
    mutex.try_lock_for(LONG).unwrap().expect("the mutex is free within the timeout").was_abandoned()
}

/// Forks a child that runs `body` and then exits without running destructors. An alarm kills it
/// after a minute.
fn fork(body: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child uses only the library, whose fork handlers prepare it for the child, and
    // exits without running destructors.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", io::Error::last_os_error()),
        0 => {
            // SAFETY: alarm(2) has no memory arguments.
            unsafe { libc::alarm(60) };
            body();
            // SAFETY: _exit(2) has no memory arguments and does not return.
            unsafe { libc::_exit(0) }
        }
        pid => pid,
    }
}

fn kill(pid: libc::pid_t) {
    // SAFETY: kill(2) has no memory arguments.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

fn reap(pid: libc::pid_t) {
    // SAFETY: waitpid(2) accepts a null pointer for the status.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
}

#[test]
fn two_copies_in_one_process_are_two_users() {
    let copy = Copy::load();
    let (name, other) = (unique("copies"), unique("copies-other"));
    let mutex = MutexOptions::new().create_new(&name).unwrap();
    let second_handle = copy.open(&name);
    for _ in 0..3 {
        let guard = mutex.lock().unwrap();
        assert_eq!(second_handle.wait(20), WAIT_TIMEOUT);
        drop(guard);
        assert_eq!(second_handle.wait(LONG_MS), 0);
        assert!(mutex.try_lock().unwrap().is_none());
        second_handle.release();
    }
    // Each copy detects that one of its threads ended while it owned the mutex.
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(second_handle.wait(LONG_MS), 0));
    });
    assert!(is_abandoned(&mutex));
    thread::scope(|scope| {
        scope.spawn(|| forget(mutex.lock().unwrap()));
    });
    assert_eq!(second_handle.wait(LONG_MS), WAIT_ABANDONED);
    second_handle.release();

    // Each copy detects a fork: the child owns no lock that its parent holds through either copy.
    let second = MutexOptions::new().create_new(&other).unwrap();
    let (mut ready, said) = io::pipe().unwrap();
    let owner = fork(|| {
        let second_handle = copy.open(&other);
        forget(mutex.lock().unwrap());
        assert_eq!(second_handle.wait(LONG_MS), 0);
        let child = fork(|| thread::sleep(2 * LONG));
        io::Write::write_all(&mut &said, &child.to_ne_bytes()).unwrap();
        thread::sleep(2 * LONG);
    });
    let mut child = [0; 4];
    io::Read::read_exact(&mut ready, &mut child).unwrap();
    assert!(mutex.try_lock().unwrap().is_none());
    assert!(second.try_lock().unwrap().is_none());
    kill(owner);
    assert!(is_abandoned(&mutex));
    assert!(is_abandoned(&second));
    reap(owner);
    kill(libc::pid_t::from_ne_bytes(child));
}
