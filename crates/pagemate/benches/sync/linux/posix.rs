//! The primitives of the system. Each is in a page of its own, as pagemate's objects are, or behind
//! descriptors.
#![allow(unsafe_code, reason = "interfaces of C")]

use std::fs::File;
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use pagemate::{SectionOptions, Shared, View};
use rustix::event::{EventfdFlags, eventfd};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::thread::futex::{self, Flags, Timespec};

use super::lock::Lock;
use super::turns::Signal;

/// Maps a page, and returns whether this process created it. A new page is zeroed.
fn page(name: &str) -> (View, bool) {
    let section = SectionOptions::new().len(4096).open_or_create(name).expect("a page");
    (section.map().expect("a view"), section.was_created())
}

/// Panics if a C function reports an error.
fn check(error: libc::c_int) {
    assert_eq!(error, 0, "an error of the C library");
}

/// A futex word with the bare system call. It detects no death of an owner, and counts no waiters.
pub(crate) struct Word {
    word: Shared<AtomicU32>,
    /// The longest sleep before the waiter checks the word.
    slice: Option<Timespec>,
}

impl Word {
    pub(crate) fn open(name: &str) -> Word {
        Word { word: Shared::open_or_create(name).expect("a page"), slice: None }
    }

    /// Opens a word whose waiters wake as often as those of pagemate.
    pub(crate) fn open_sliced(name: &str) -> Word {
        let slice = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        Word { slice: Some(slice), ..Word::open(name) }
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.word
    }
}

impl Signal for Word {
    fn raise(&self) {
        let word = self.word();
        // Release: pairs with the Acquire in `wait`.
        word.store(1, Ordering::Release);
        futex::wake(word, Flags::empty(), 1).expect("a word");
    }

    fn wait(&self) {
        let word = self.word();
        // Acquire: pairs with the Release in `raise`.
        let taken = || word.compare_exchange(1, 0, Ordering::Acquire, Ordering::Relaxed).is_ok();
        while word.load(Ordering::Relaxed) == 0 || !taken() {
            // The call returns if the word has changed, after a timeout, and after a wake-up, also
            // a spurious one. The loop tests the word.
            _ = futex::wait(word, Flags::empty(), 0, self.slice.as_ref());
        }
    }
}

/// A mutex that processes share.
pub(crate) struct PosixMutex(View);

impl PosixMutex {
    pub(crate) fn open(name: &str, robust: bool) -> PosixMutex {
        let (view, created) = page(name);
        if created {
            make_mutex(view.as_ptr().cast(), robust);
        }
        PosixMutex(view)
    }
}

/// Initialises a mutex that processes share, in zeroed memory with room for it.
fn make_mutex(at: *mut libc::pthread_mutex_t, robust: bool) {
    let mut kind = MaybeUninit::uninit();
    let shared = libc::PTHREAD_PROCESS_SHARED;
    // SAFETY: `kind` has room for the attributes, which this call initialises.
    check(unsafe { libc::pthread_mutexattr_init(kind.as_mut_ptr()) });
    // SAFETY: the attributes are initialised.
    check(unsafe { libc::pthread_mutexattr_setpshared(kind.as_mut_ptr(), shared) });
    if robust {
        let robust = libc::PTHREAD_MUTEX_ROBUST;
        // SAFETY: the attributes are initialised.
        check(unsafe { libc::pthread_mutexattr_setrobust(kind.as_mut_ptr(), robust) });
    }
    // SAFETY: the caller's page has room for it, and no other code uses it yet.
    check(unsafe { libc::pthread_mutex_init(at, kind.as_ptr()) });
}

impl Lock for PosixMutex {
    fn lock(&self) {
        // SAFETY: `open` or the creating process initialised the mutex, and the view keeps it
        // mapped.
        check(unsafe { libc::pthread_mutex_lock(self.0.as_ptr().cast()) });
    }

    fn unlock(&self) {
        // SAFETY: `open` or the creating process initialised the mutex, the view keeps it mapped,
        // and this thread holds it.
        check(unsafe { libc::pthread_mutex_unlock(self.0.as_ptr().cast()) });
    }
}

/// A condition variable with its mutex and its predicate.
pub(crate) struct Condition {
    mutex: PosixMutex,
    cond: *mut libc::pthread_cond_t,
}

/// The offsets of the condition variable and of the predicate; the mutex is at offset 0.
const COND_AT: usize = 64;
const TRUE_AT: usize = 128;

impl Condition {
    pub(crate) fn open(name: &str) -> Condition {
        let (view, created) = page(name);
        let cond = view.as_ptr().wrapping_byte_add(COND_AT).cast();
        if created {
            make_mutex(view.as_ptr().cast(), false);
            let mut kind = MaybeUninit::uninit();
            let shared = libc::PTHREAD_PROCESS_SHARED;
            // SAFETY: `kind` has room for the attributes, which this call initialises.
            check(unsafe { libc::pthread_condattr_init(kind.as_mut_ptr()) });
            // SAFETY: the attributes are initialised.
            check(unsafe { libc::pthread_condattr_setpshared(kind.as_mut_ptr(), shared) });
            // SAFETY: the address is in the page, which no other code uses yet.
            check(unsafe { libc::pthread_cond_init(cond, kind.as_ptr()) });
        }
        Condition { mutex: PosixMutex(view), cond }
    }

    fn is_true(&self) -> &AtomicI32 {
        // SAFETY: no other code accesses these bytes of the view.
        unsafe { self.mutex.0.atomic(TRUE_AT) }.expect("its bytes")
    }
}

impl Signal for Condition {
    fn raise(&self) {
        self.mutex.lock();
        self.is_true().store(1, Ordering::Relaxed);
        self.mutex.unlock();
        // SAFETY: the creating process initialised it, and the view of the mutex keeps it mapped.
        check(unsafe { libc::pthread_cond_signal(self.cond) });
    }

    fn wait(&self) {
        self.mutex.lock();
        while self.is_true().load(Ordering::Relaxed) == 0 {
            // SAFETY: the creating process initialised the condition and its mutex, the view keeps
            // both mapped, and this thread holds the mutex.
            check(unsafe { libc::pthread_cond_wait(self.cond, self.mutex.0.as_ptr().cast()) });
        }
        self.is_true().store(0, Ordering::Relaxed);
        self.mutex.unlock();
    }
}

/// A semaphore that processes share.
pub(crate) struct PosixSemaphore(View);

impl PosixSemaphore {
    pub(crate) fn open(name: &str) -> PosixSemaphore {
        let (view, created) = page(name);
        if created {
            // SAFETY: the address is in the page, which no other code uses yet.
            check(unsafe { libc::sem_init(view.as_ptr().cast(), 1, 0) });
        }
        PosixSemaphore(view)
    }
}

impl Signal for PosixSemaphore {
    fn raise(&self) {
        // SAFETY: the creating process initialised it, and the view keeps it mapped.
        check(unsafe { libc::sem_post(self.0.as_ptr().cast()) });
    }

    fn wait(&self) {
        // SAFETY: the creating process initialised it, and the view keeps it mapped.
        check(unsafe { libc::sem_wait(self.0.as_ptr().cast()) });
    }
}

/// The two ends of a pipe, or an eventfd and a duplicate of it.
pub(crate) struct Ends {
    read: File,
    write: File,
    /// The page that contains the descriptor numbers. A child reads there which descriptors it has
    /// inherited.
    _numbers: View,
}

impl Ends {
    pub(crate) fn pipe(name: &str) -> Ends {
        Ends::open(name, || pipe_with(PipeFlags::empty()).expect("a pipe"))
    }

    pub(crate) fn eventfd(name: &str) -> Ends {
        Ends::open(name, || {
            let event = eventfd(0, EventfdFlags::empty()).expect("an eventfd");
            let again = rustix::io::dup(&event).expect("a descriptor");
            (event, again)
        })
    }

    /// Creates the descriptors without close-on-exec, or wraps the inherited ones.
    fn open(name: &str, make: impl FnOnce() -> (OwnedFd, OwnedFd)) -> Ends {
        let (numbers, created) = page(name);
        // SAFETY: no other code accesses the bytes of the view.
        let number = |at| unsafe { numbers.atomic::<AtomicI32>(at) }.expect("bytes");
        let [read_at, write_at] = [0, 4].map(number);
        let (read, write) = if created {
            let (read, write) = make();
            read_at.store(read.as_raw_fd(), Ordering::Relaxed);
            write_at.store(write.as_raw_fd(), Ordering::Relaxed);
            (read, write)
        } else {
            (inherited(read_at), inherited(write_at))
        };
        Ends { read: read.into(), write: write.into(), _numbers: numbers }
    }
}

fn inherited(number: &AtomicI32) -> OwnedFd {
    let fd: RawFd = number.load(Ordering::Relaxed);
    // SAFETY: the parent created the descriptor for this process to inherit, and no other value
    // owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

impl Signal for Ends {
    fn raise(&self) {
        (&self.write).write_all(&1_u64.to_ne_bytes()).expect("a reader");
    }

    fn wait(&self) {
        (&self.read).read_exact(&mut [0; 8]).expect("a writer");
    }
}
