//! The system calls of the life of a name, without pagemate's code. They measure the cost of the
//! calls alone.
//!
//! pagemate makes the same calls in the same order; `docs/protocol.md` has the reason for each.
#![allow(unsafe_code, reason = "locks and mappings")]

use std::ffi::CString;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FallocateFlags, Mode, OFlags};
use rustix::mm::{MapFlags, ProtFlags};

/// The length of a trailer, and of the memory.
const PAGE: u64 = 4096;

/// The number of bytes of a trailer before the name.
const BEFORE_NAME: usize = 1024;

/// The file of an object, in a directory that is open.
pub(crate) struct Bare {
    dir: OwnedFd,
    path: PathBuf,
    name: CString,
    trailer: Vec<u8>,
}

impl Bare {
    pub(crate) fn new(file: &Path) -> Bare {
        let path = file.parent().expect("a directory").to_owned();
        let name = file.file_name().expect("a name").as_bytes();
        let dir = rustix::fs::openat(CWD, &path, OFlags::PATH, Mode::empty()).expect("it is there");
        let trailer = vec![1; BEFORE_NAME + name.len()];
        Bare { dir, path, name: CString::new(name).expect("no NUL"), trailer }
    }

    /// Opens, maps, unmaps and closes an object, while another handle holds it.
    pub(crate) fn open(&self) {
        black_box(rustix::process::geteuid());
        self.look_at_directory();
        let fd = self.open_file().expect("an object");
        lock(&fd, libc::F_OFD_GETLK, libc::F_WRLCK, 1);
        lock(&fd, libc::F_OFD_SETLK, libc::F_RDLCK, 2);
        let stat = rustix::fs::fstat(&fd).expect("a file");
        let mut trailer = [MaybeUninit::uninit(); 4096];
        let at = u64::try_from(stat.st_size).expect("a length") - PAGE;
        let trailer = &mut trailer[..self.trailer.len()];
        black_box(rustix::io::pread(&fd, trailer, at).expect("a trailer"));
        map(&fd);
        lock(&fd, libc::F_OFD_SETLK, libc::F_UNLCK, 1);
        lock(&fd, libc::F_OFD_SETLK, libc::F_WRLCK, 1);
    }

    /// Creates, maps, unmaps and closes an object, which removes its name.
    pub(crate) fn create(&self) {
        black_box(rustix::process::geteuid());
        self.look_at_directory();
        black_box(rustix::fs::statat(CWD, &self.path, AtFlags::SYMLINK_NOFOLLOW)).expect("there");
        _ = black_box(self.open_file());
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        let fd = rustix::fs::openat(&self.dir, c".", flags, mode).expect("a file");
        black_box(rustix::fs::fstat(&fd).expect("a file"));
        lock(&fd, libc::F_OFD_SETLK, libc::F_RDLCK, 2);
        black_box(rustix::process::getrlimit(rustix::process::Resource::Fsize));
        rustix::fs::fallocate(&fd, FallocateFlags::empty(), 0, 2 * PAGE).expect("memory");
        rustix::io::pwrite(&fd, &self.trailer, PAGE).expect("a trailer");
        rustix::fs::linkat(&fd, c"", &self.dir, &*self.name, AtFlags::EMPTY_PATH).expect("a name");
        map(&fd);
        lock(&fd, libc::F_OFD_SETLK, libc::F_UNLCK, 1);
        lock(&fd, libc::F_OFD_SETLK, libc::F_WRLCK, 1);
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        black_box(rustix::fs::statat(&self.dir, &*self.name, flags).expect("its name"));
        rustix::io::pwrite(&fd, &[1], PAGE + 40).expect("a note");
        rustix::fs::unlinkat(&self.dir, &*self.name, AtFlags::empty()).expect("its name");
    }

    fn look_at_directory(&self) {
        black_box(rustix::fs::fstat(&self.dir).expect("it is open"));
    }

    fn open_file(&self) -> rustix::io::Result<OwnedFd> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::openat(&self.dir, &*self.name, flags | OFlags::NOCTTY, Mode::empty())
    }
}

/// Maps the memory for a moment, after a check that the object still has its name.
fn map(fd: &OwnedFd) {
    black_box(rustix::fs::fstat(fd).expect("a file"));
    let len = usize::try_from(PAGE).expect("a page is small");
    let prot = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: the kernel chooses the address, so that nothing mapped is replaced.
    let at = unsafe { rustix::mm::mmap(std::ptr::null_mut(), len, prot, MapFlags::SHARED, fd, 0) };
    // SAFETY: exactly the range that was mapped, and no other code has its address.
    unsafe { rustix::mm::munmap(at.expect("a mapping"), len) }.expect("its end");
}

fn lock(fd: &OwnedFd, command: libc::c_int, kind: libc::c_int, len: libc::off_t) {
    // SAFETY: `flock` is a C structure of integers, for which zero is a valid value.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind.try_into().expect("lock types fit their field");
    lock.l_len = len;
    // SAFETY: the descriptor is open, and these commands take a pointer to one `flock`.
    black_box(unsafe { libc::fcntl(fd.as_raw_fd(), command, &raw mut lock) });
}
