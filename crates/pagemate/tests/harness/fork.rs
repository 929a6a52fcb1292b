//! Runs the body of a test in a process of its own, which may fork, change its user, set limits and
//! mount.
//!
//! Each of these processes sets an alarm that ends it if it hangs.
#![allow(unsafe_code, reason = "fork(2) and other system calls")]

use std::ffi::{CStr, CString, c_char};
use std::fs::Permissions;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicU64;
use std::{env, fs, io};

use super::{Place, REPLY};

/// The environment variable that names the test whose body this process runs.
const ROLE: &str = "PAGEMATE_TEST_ALONE";

/// The seconds after which a test is considered hanging.
fn alarm_seconds() -> u32 {
    if env::var("PAGEMATE_TORTURE").is_ok_and(|word| word == "long") { 3600 } else { 120 }
}

/// The user id of an unprivileged user.
pub(crate) const NOBODY: u32 = 65534;

/// Runs `body` in a process of its own. Its objects are in a new directory that every user can
/// write to, as `/dev/shm` is. At the end no object may be left there. `test` is the name of the
/// calling test.
pub(crate) fn alone(test: &str, body: impl FnOnce(&Path)) {
    if env::var(ROLE).is_ok_and(|role| role == test) {
        watch();
        return body(&PathBuf::from(env::var_os("PAGEMATE_DIR").unwrap()));
    }
    let place = Place::new(test);
    fs::set_permissions(place.path(), Permissions::from_mode(0o1777)).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, test)
        .env("PAGEMATE_DIR", place.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (said, report) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {report}", output.status);
    let said = String::from_utf8_lossy(said);
    assert!(said.contains("1 passed"), "there is no test {test}");
    for (_, result) in said.lines().filter_map(|line| line.split_once(REPLY)) {
        println!("{result}");
    }
    place.assert_empty();
}

/// Runs `body` like [`alone`] if this process is root. Otherwise it skips the test and prints the
/// reason.
pub(crate) fn alone_as_root(test: &str, body: impl FnOnce(&Path)) {
    if rustix::process::geteuid().is_root() {
        alone(test, body);
    } else {
        println!("skipped: {test} needs root, to become other users and to mount");
    }
}

fn watch() {
    // SAFETY: alarm(2) takes a number and accesses no memory.
    unsafe { libc::alarm(alarm_seconds()) };
}

/// A forked process. Dropping it kills and reaps the process.
pub(crate) struct Forked {
    pid: libc::pid_t,
}

/// Forks. The child runs `body` and exits without clean-up. It exits with success unless `body`
/// panics.
///
/// Only the thread of the test is active, so no other thread holds a lock that the child would
/// need.
pub(crate) fn fork(body: impl FnOnce()) -> Forked {
    // SAFETY: no other thread of this process runs that could hold a lock which the child needs.
    child(unsafe { libc::fork() }, body)
}

/// Forks by the bare system call, so that no fork handler runs in the parent or in the child.
pub(crate) fn fork_unnoticed(body: impl FnOnce()) -> Forked {
    // SAFETY: with these arguments clone(2) equals fork(2); otherwise as in `fork`.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    child(pid.try_into().unwrap(), body)
}

/// Forks by `_Fork(3)`, which runs no fork handlers either. C libraries that lack it have the bare system
/// call only.
pub(crate) fn fork_without_handlers(body: impl FnOnce()) -> Forked {
    // SAFETY: the name ends with NUL.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_Fork".as_ptr()) };
    if found.is_null() {
        return fork_unnoticed(body);
    }
    // SAFETY: POSIX defines the type of the function with this name.
    let fork: extern "C" fn() -> libc::pid_t = unsafe { std::mem::transmute(found) };
    child(fork(), body)
}

fn child(pid: libc::pid_t, body: impl FnOnce()) -> Forked {
    match pid {
        -1 => panic!("fork: {}", io::Error::last_os_error()),
        0 => {
            watch();
            let code = match catch_unwind(AssertUnwindSafe(body)) {
                Ok(()) => 0,
                Err(_) => 101,
            };
            // SAFETY: _exit(2) takes a number and ends the process.
            unsafe { libc::_exit(code) }
        }
        pid => Forked { pid },
    }
}

/// Runs `body` as process 1 of a new pid namespace. The result is a process outside of that namespace,
/// which waits for process 1. If the outer process dies, the kernel kills process 1.
pub(crate) fn in_new_pid_namespace(body: impl FnOnce()) -> Forked {
    fork(|| {
        // SAFETY: unshare(2) takes a number.
        let result = unsafe { libc::unshare(libc::CLONE_NEWPID) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
        fork(|| {
            // SAFETY: this prctl(2) operation takes a number.
            assert_eq!(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) }, 0);
            body();
        })
        .join();
    })
}

/// Starts a child that shares this process' memory, as vfork(2) does, and waits for its end. The
/// child calls `tell` with its pid and then blocks.
pub(crate) fn wait_in_vfork(tell: impl Fn(u32)) {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let flags = libc::c_long::from(flags);
    // SAFETY: with these arguments clone(2) equals vfork(2): the child runs on this stack while this
    // thread is suspended. The child never returns from this function.
    if unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) } == 0 {
        watch();
        tell(std::process::id());
        loop {
            // SAFETY: pause(2) takes no arguments.
            unsafe { libc::pause() };
        }
    }
}

/// Forks an idle child that inherits all descriptors of this process and for which no fork handlers
/// run. Such a child exists while `posix_spawn` starts a program.
pub(crate) fn about_to_exec() -> Forked {
    fork_unnoticed(|| {
        loop {
            // SAFETY: pause(2) takes no arguments.
            unsafe { libc::pause() };
        }
    })
}

impl Forked {
    pub(crate) fn id(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(self) -> ExitStatus {
        let mut status = 0;
        // SAFETY: waitpid(2) writes the status to the given local.
        let pid = unsafe { libc::waitpid(self.pid, &raw mut status, 0) };
        assert_eq!(pid, self.pid, "{}", io::Error::last_os_error());
        std::mem::forget(self);
        ExitStatus::from_raw(status)
    }

    /// Waits for the end of the process, and asserts success.
    #[track_caller]
    pub(crate) fn join(self) {
        let status = self.wait();
        assert!(status.success(), "a forked process: {status}");
    }

    /// Kills the process with SIGKILL, and waits for its end.
    #[track_caller]
    pub(crate) fn kill(self) {
        // SAFETY: kill(2) takes numbers. The child has not been reaped, so that the pid is still
        // its own.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        assert_eq!(self.wait().signal(), Some(libc::SIGKILL));
    }
}

impl Drop for Forked {
    fn drop(&mut self) {
        // SAFETY: kill(2) takes numbers. The child has not been reaped, so the pid is still its
        // own.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        // SAFETY: waitpid(2) accepts a null pointer for the status.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), 0) };
    }
}

/// A gate at which one process waits until another process opens it.
pub(crate) struct Gate {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Gate {
    pub(crate) fn new() -> Gate {
        let (reader, writer) = io::pipe().unwrap();
        Gate { reader, writer }
    }

    /// Lets one process pass: the one that waits, or the next one to arrive.
    pub(crate) fn open(&self) {
        (&self.writer).write_all(&[1]).unwrap();
    }

    pub(crate) fn wait(&self) {
        (&self.reader).read_exact(&mut [0]).unwrap();
    }
}

/// Changes the user and the group of this process permanently.
pub(crate) fn become_user(user: u32, group: u32) {
    let check = |result| assert_eq!(result, 0, "{}", io::Error::last_os_error());
    // SAFETY: with a count of zero, setgroups(2) does not read the null pointer.
    check(unsafe { libc::setgroups(0, std::ptr::null()) });
    // SAFETY: setresgid(2) takes numbers.
    check(unsafe { libc::setresgid(group, group, group) });
    // SAFETY: setresuid(2) takes numbers.
    check(unsafe { libc::setresuid(user, user, user) });
}

/// Changes the effective user of this process. Root can change back.
pub(crate) fn act_for(user: u32) {
    for user in [0, user] {
        // SAFETY: seteuid(2) takes a number.
        assert_eq!(unsafe { libc::seteuid(user) }, 0, "{}", io::Error::last_os_error());
    }
}

/// Moves this process into a user namespace that maps no user: the kernel reports every user, this one
/// included, as [`NOBODY`]. Where the system does not allow that, it returns false, and prints that
/// `test` is skipped.
pub(crate) fn hide_users(test: &str) -> bool {
    // SAFETY: unshare(2) takes a number.
    let is_hidden = unsafe { libc::unshare(libc::CLONE_NEWUSER) } == 0;
    if !is_hidden {
        println!("skipped: {test} needs user namespaces: {}", io::Error::last_os_error());
    }
    is_hidden
}

/// Maps `user`, the user of this process, to the same id in its user namespace, which maps no user yet.
pub(crate) fn map_to_itself(user: u32) {
    // The kernel denies a process that gave up root the write access to its own files in /proc.
    // PR_SET_DUMPABLE restores that access.
    // SAFETY: this prctl(2) operation takes a number.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) }, 0);
    fs::write("/proc/self/uid_map", format!("{user} {user} 1")).unwrap();
}

/// Closes all descriptors from this number on, as daemons do, regardless of the code that opened
/// them.
pub(crate) fn close_all_from(first: u32) {
    // SAFETY: no value that owns one of these descriptors is dropped afterwards.
    let result = unsafe { libc::close_range(first, u32::MAX, 0) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Maps the first word of a file, until this process ends.
pub(crate) fn mapped(file: BorrowedFd<'_>) -> &'static AtomicU64 {
    let (protection, len) = (libc::PROT_READ | libc::PROT_WRITE, 4096);
    // SAFETY: the kernel chooses the address, so that no existing mapping is replaced.
    let at = unsafe {
        libc::mmap(std::ptr::null_mut(), len, protection, libc::MAP_SHARED, file.as_raw_fd(), 0)
    };
    assert_ne!(at, libc::MAP_FAILED, "{}", io::Error::last_os_error());
    // SAFETY: a page is mapped at this address, which is aligned, and no code unmaps it.
    unsafe { &*at.cast() }
}

/// Changes the root directory of this process to `dir`.
pub(crate) fn jail(dir: &Path) {
    std::os::unix::fs::chroot(dir).unwrap();
    env::set_current_dir("/").unwrap();
}

/// Makes this process the reaper of its orphaned descendants.
pub(crate) fn adopt() {
    // SAFETY: this prctl(2) operation takes a number.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }, 0);
}

/// Returns the descendant `id`, whose parent has ended.
pub(crate) fn adopted(id: u32) -> Forked {
    Forked { pid: id.try_into().unwrap() }
}

/// Blocks until a signal ends this process.
pub(crate) fn hold_on() -> ! {
    loop {
        std::thread::park();
    }
}

/// Ends the calling thread and leaves the other threads of its process running.
pub(crate) fn end_thread() -> ! {
    // SAFETY: exit(2) ends this thread at once, and no other thread borrows from its stack.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
    unreachable!("a thread cannot survive exit(2)");
}

/// Makes `dir` the directory of this process's objects.
pub(crate) fn move_place(dir: &Path) {
    // SAFETY: no other thread of this process runs that could read the environment.
    unsafe { env::set_var("PAGEMATE_DIR", dir) };
}

/// A range of bytes of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) at: i64,
    /// 0 means all bytes from `at` on.
    pub(crate) len: i64,
}

impl From<i64> for Range {
    fn from(at: i64) -> Range {
        Range { at, len: 0 }
    }
}

/// Executes a command for the open file description lock on a range of bytes. Returns the range
/// that the kernel reports. Returns `None` if the query finds no conflicting lock, or if a
/// conflicting lock prevents the request.
pub(crate) fn lock(
    file: &fs::File,
    command: libc::c_int,
    kind: libc::c_int,
    range: Range,
) -> Option<Range> {
    // The structure `flock` has 32-bit offsets on some systems.
    #[cfg(target_pointer_width = "64")]
    use libc::SYS_fcntl as SYS_FCNTL;
    #[cfg(target_pointer_width = "32")]
    use libc::SYS_fcntl64 as SYS_FCNTL;
    // SAFETY: `flock64` is a C structure of integers, for which zero is a valid value.
    let mut lock: libc::flock64 = unsafe { std::mem::zeroed() };
    lock.l_type = kind.try_into().unwrap();
    (lock.l_start, lock.l_len) = (range.at, range.len);
    // SAFETY: the command takes a pointer to one `flock64`.
    let result = unsafe { libc::syscall(SYS_FCNTL, file.as_raw_fd(), command, &raw mut lock) };
    let found = libc::c_int::from(lock.l_type) != libc::F_UNLCK;
    (result == 0 && found).then_some(Range { at: lock.l_start, len: lock.l_len })
}

/// Tries to take the exclusive lock on byte 0, as a sweeper does, through the description of
/// `file`. Returns whether the kernel granted it.
pub(crate) fn lock_exclusively(file: &fs::File) -> bool {
    lock(file, libc::F_OFD_SETLK, libc::F_WRLCK, Range { at: 0, len: 1 }).is_some()
}

/// Mounts an empty tmpfs on `dir`, visible only to this process and its children.
pub(crate) fn mount_tmpfs(dir: &Path, options: &str) {
    mount_empty(c"tmpfs", dir, options);
}

/// Makes the file system of `dir` read-only, for this process and its children.
pub(crate) fn make_read_only(dir: &Path) {
    let check = |result| assert_eq!(result, 0, "{}", io::Error::last_os_error());
    let on = CString::new(dir.as_os_str().as_bytes()).unwrap();
    for flags in [libc::MS_BIND, libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY] {
        let (on, none) = (on.as_ptr(), std::ptr::null());
        // SAFETY: the string ends with NUL and lives until mount(2) returns; the others may be null.
        check(unsafe { libc::mount(on, on, none, flags, none.cast()) });
    }
}

/// Mounts an empty file system of this kind on `dir`, visible only to this process and its
/// children.
pub(crate) fn mount_empty(kind: &CStr, dir: &Path, options: &str) {
    let check = |result| assert_eq!(result, 0, "{}", io::Error::last_os_error());
    let mount = |on: &Path, flags, data: *const c_char| {
        let on = CString::new(on.as_os_str().as_bytes()).unwrap();
        // SAFETY: all strings end with NUL and live until mount(2) returns; the data may be null.
        unsafe { libc::mount(c"none".as_ptr(), on.as_ptr(), kind.as_ptr(), flags, data.cast()) }
    };
    // SAFETY: unshare(2) takes a number.
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) });
    check(mount(Path::new("/"), libc::MS_REC | libc::MS_PRIVATE, std::ptr::null()));
    let options = CString::new(options).unwrap();
    check(mount(dir, 0, options.as_ptr()));
}
