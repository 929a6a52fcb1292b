//! Two copies of the library in one process, as where a Rust program loads a plugin that has its own,
//! are two users of an object like any others.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "dlopen(3), fork(2) and Windows' calls")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::forget;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{env, io, process, thread};

use pagemate::sync::{Mutex, MutexOptions};

/// Long enough for whatever does not hang.
const LONG: Duration = Duration::from_secs(30);
const LONG_MS: u32 = 30_000;

const WAIT_ABANDONED: u32 = 0x80;
const WAIT_TIMEOUT: u32 = 0x102;
const MUTEX_ALL_ACCESS: u32 = 0x1F_0001;

type Open = unsafe extern "C" fn(u32, i32, *const c_char) -> *mut c_void;
type Wait = unsafe extern "C" fn(*mut c_void, u32) -> u32;
type Done = unsafe extern "C" fn(*mut c_void) -> i32;

/// The other copy.
struct Copy {
    open: Open,
    wait: Wait,
    release: Done,
    close: Done,
}

/// A mutex as the other copy has it.
struct Theirs<'a> {
    copy: &'a Copy,
    handle: *mut c_void,
}

// SAFETY: Windows' handles are good in every thread.
unsafe impl Sync for Theirs<'_> {}

/// The library for C programs, built beside this test.
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
        // SAFETY: the path ends in a NUL, and the library's beginning does nothing.
        let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!library.is_null());
        let find = |name: &CStr| {
            // SAFETY: the library stays loaded, and the name ends in a NUL.
            let found = unsafe { libc::dlsym(library, name.as_ptr()) };
            assert!(!found.is_null(), "{name:?}");
            found
        };
        Copy {
            // SAFETY: the function of this name has this type.
            open: unsafe { std::mem::transmute::<*mut c_void, Open>(find(c"OpenMutexA")) },
            // SAFETY: as above.
            wait: unsafe { std::mem::transmute::<*mut c_void, Wait>(find(c"WaitForSingleObject")) },
            // SAFETY: as above.
            release: unsafe { std::mem::transmute::<*mut c_void, Done>(find(c"ReleaseMutex")) },
            // SAFETY: as above.
            close: unsafe { std::mem::transmute::<*mut c_void, Done>(find(c"CloseHandle")) },
        }
    }

    fn open(&self, name: &str) -> Theirs<'_> {
        let name = CString::new(name).unwrap();
        // SAFETY: the name ends in a NUL.
        let handle = unsafe { (self.open)(MUTEX_ALL_ACCESS, 0, name.as_ptr()) };
        assert!(!handle.is_null());
        Theirs { copy: self, handle }
    }
}

impl Theirs<'_> {
    fn wait(&self, ms: u32) -> u32 {
        // SAFETY: it is a handle.
        unsafe { (self.copy.wait)(self.handle, ms) }
    }

    fn release(&self) {
        // SAFETY: it is a handle.
        assert_ne!(unsafe { (self.copy.release)(self.handle) }, 0);
    }
}

impl Drop for Theirs<'_> {
    fn drop(&mut self) {
        // SAFETY: it is a handle, and nobody has it any more.
        unsafe { (self.copy.close)(self.handle) };
    }
}

fn unique(test: &str) -> String {
    format!("{test}-{}", process::id())
}

fn told(mutex: &Mutex) -> bool {
    mutex.try_lock_for(LONG).unwrap().expect("it is free in time").was_abandoned()
}

/// Forks; the child ends without clean-up when `body` has done, or after a minute.
fn fork(body: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child uses what the fork handlers keep in order, and ends without clean-up.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", io::Error::last_os_error()),
        0 => {
            // SAFETY: alarm(2) takes a number.
            unsafe { libc::alarm(60) };
            body();
            // SAFETY: _exit(2) ends the process.
            unsafe { libc::_exit(0) }
        }
        pid => pid,
    }
}

fn kill(pid: libc::pid_t) {
    // SAFETY: kill(2) takes numbers.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

fn reap(pid: libc::pid_t) {
    // SAFETY: waitpid(2) may be told to write no status.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
}

#[test]
fn two_copies_in_one_process_are_two_users() {
    let copy = Copy::load();
    let (name, other) = (unique("copies"), unique("copies-other"));
    let mutex = MutexOptions::new().create_new(&name).unwrap();
    let theirs = copy.open(&name);
    for _ in 0..3 {
        let guard = mutex.lock().unwrap();
        assert_eq!(theirs.wait(20), WAIT_TIMEOUT);
        drop(guard);
        assert_eq!(theirs.wait(LONG_MS), 0);
        assert!(mutex.try_lock().unwrap().is_none());
        theirs.release();
    }
    // Each knows of the ends of threads.
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(theirs.wait(LONG_MS), 0));
    });
    assert!(told(&mutex));
    thread::scope(|scope| {
        scope.spawn(|| forget(mutex.lock().unwrap()));
    });
    assert_eq!(theirs.wait(LONG_MS), WAIT_ABANDONED);
    theirs.release();

    // And each of forks: a child has neither the locks of the one nor those of the other.
    let second = MutexOptions::new().create_new(&other).unwrap();
    let (mut ready, said) = io::pipe().unwrap();
    let owner = fork(|| {
        let theirs = copy.open(&other);
        forget(mutex.lock().unwrap());
        assert_eq!(theirs.wait(LONG_MS), 0);
        let child = fork(|| thread::sleep(2 * LONG));
        io::Write::write_all(&mut &said, &child.to_ne_bytes()).unwrap();
        thread::sleep(2 * LONG);
    });
    let mut child = [0; 4];
    io::Read::read_exact(&mut ready, &mut child).unwrap();
    assert!(mutex.try_lock().unwrap().is_none());
    assert!(second.try_lock().unwrap().is_none());
    kill(owner);
    assert!(told(&mutex));
    assert!(told(&second));
    reap(owner);
    kill(libc::pid_t::from_ne_bytes(child));
}
