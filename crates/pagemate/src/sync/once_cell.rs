use std::fmt;
use std::time::{Duration, Instant};

use crate::access::Access;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::AtomicU32;
use crate::section::Section;
use crate::sys::peers::Peers;
use crate::sys::sync;
use crate::sys::sync::typed::{Sleepers, once};
use crate::typed::{self, Field, HEADER_LEN, Layout, Memory, Plain, Racy, ReadOnly, Unlock};

/// The offset of the value, relative to the cell.
const VALUE_AT: usize = HEADER_LEN;

/// A value in a section that one process initialises once, for all processes.
///
/// It occupies [`LEN`](SharedOnceCell::LEN) bytes at an offset that is a multiple of
/// [`ALIGN`](SharedOnceCell::ALIGN): 64 bytes of its own, then the value. The functions return a read-only
/// cell in the shared memory: [`get`](ReadOnly::get) copies the value. No process can change it by
/// this type, so a reader that has found the value initialised needs no lock and no system call.
///
/// A cell without a value is created by [`open_or_create`](SharedOnceCell::open_or_create). Opening with
/// another type fails with [`WrongKind`](ErrorKind::WrongKind). To open a section and to compute its first
/// value in one step, [`SharedMutex::open_or_init`](super::SharedMutex::open_or_init) and
/// [`Shared::open_or_create_with`](crate::Shared::open_or_create_with) suffice: a once-cell is for values
/// that are computed later, or that some processes only wait for.
///
/// # Death of an initialiser
///
/// If the process that initialises the value is killed, or its function fails or panics, the cell stays
/// without a value. A process that waits in [`get_or_init`](SharedOnceCell::get_or_init) then initialises
/// it within 100 ms, from zeros. Threads in [`wait`](SharedOnceCell::wait) continue to wait.
///
/// # Platforms
///
/// On Windows the lock of the initialisers is a kernel mutex, and waiters sleep on a kernel semaphore. If
/// more than 64 threads wait, the others find the value within 100 ms.
///
/// # Examples
///
/// ```
/// use pagemate::SectionOptions;
/// use pagemate::sync::SharedOnceCell;
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = &format!("doc-once-{}", std::process::id());
/// let section = SectionOptions::new().len(4096).open_or_create(name)?;
/// let seed = SharedOnceCell::<u64>::open_or_create(&section, 0)?;
/// assert!(seed.get().is_none());
/// std::thread::scope(|scope| {
///     // Another thread, or process, waits for the value.
///     scope.spawn(|| assert_eq!(seed.wait().unwrap().get(), 42));
///     assert_eq!(seed.get_or_init(|| 42).unwrap().get(), 42);
/// });
/// assert!(!seed.set(&7)?, "it is initialised already");
/// # Ok(())
/// # }
/// ```
#[doc(alias("OnceLock", "pthread_once", "InitOnceExecuteOnce"))]
pub struct SharedOnceCell<T> {
    /// The lock of the initialisers.
    lock: sync::Mutex,
    peers: Peers,
    value: Field<Racy<T>>,
}

impl<T: Plain> SharedOnceCell<T> {
    /// The number of bytes that the cell and its value occupy in the section.
    pub const LEN: u64 = (VALUE_AT + size_of::<T>()) as u64;

    /// The alignment of an offset at which the cell can lie in a section.
    pub const ALIGN: u64 = if align_of::<T>() > 8 { align_of::<T>() as u64 } else { 8 };

    /// Opens the cell at byte `offset` of `section`. If the bytes there are zero, this call creates the
    /// cell, without a value.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the cell would reach past the end of the section.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `offset` is not a multiple of
    ///   [`ALIGN`](SharedOnceCell::ALIGN).
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the section is read-only.
    /// - [`WrongKind`](ErrorKind::WrongKind): the existing cell is for a value of another type, or the bytes
    ///   are another kind of memory.
    /// - [`Corrupted`](ErrorKind::Corrupted): the bytes are something else.
    /// - [`Unsupported`](ErrorKind::Unsupported): on Unix, the section is over a file and has no name; on
    ///   macOS, the section has no name; on Windows, the section comes from another logon session and
    ///   has no `Global\` name.
    pub fn open_or_create(section: &Section, offset: u64) -> Result<SharedOnceCell<T>> {
        let open = || {
            let (value, lock) = Self::map_at(section, offset)?;
            value.memory().open_or_init(&Layout::once::<T>(), &lock, || Ok(()))?;
            Self::of(value, lock)
        };
        open().map_err(|error| typed::context("open or create once-cell in", section, error))
    }

    /// Opens the cell at byte `offset` of `section`.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](ErrorKind::NotFound): no process has created the cell.
    /// - The errors of [`open_or_create`](SharedOnceCell::open_or_create).
    pub fn open(section: &Section, offset: u64) -> Result<SharedOnceCell<T>> {
        let open = || {
            let (value, lock) = Self::map_at(section, offset)?;
            if value.memory().is_initialised(&Layout::once::<T>())? {
                return Self::of(value, lock);
            }
            let cause = "no process has created the once-cell; create it with open_or_create";
            Err(Error::new(ErrorKind::NotFound, cause))
        };
        open().map_err(|error| typed::context("open once-cell in", section, error))
    }

    /// Maps the bytes of the cell, which no process may have created yet.
    fn map_at(section: &Section, offset: u64) -> Result<(Field<Racy<T>>, sync::Mutex)> {
        let memory = Memory::map(section, offset, Self::LEN, Self::ALIGN, Access::ReadWrite)?;
        let lock = memory.lock(0)?;
        Ok((Field::new(memory, VALUE_AT)?, lock))
    }

    /// Returns the cell in memory with its header.
    fn of(value: Field<Racy<T>>, lock: sync::Mutex) -> Result<SharedOnceCell<T>> {
        let peers = value.memory().peers(0, &lock)?;
        Ok(SharedOnceCell { lock, peers, value })
    }

    /// Returns the value if it is initialised. This is one load from shared memory.
    #[inline]
    pub fn get(&self) -> Option<&ReadOnly<Racy<T>>> {
        once::is_set(self.state()).then(|| self.value.get().as_read_only())
    }

    /// Returns the value. If it is not initialised, this call initialises it with the result of `init`.
    ///
    /// This call blocks while another process or thread initialises the value.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `init` used this handle to initialise the same cell.
    /// - The other errors of [`Mutex::lock`](super::Mutex::lock).
    pub fn get_or_init(&self, init: impl FnOnce() -> T) -> Result<&ReadOnly<Racy<T>>> {
        self.get_or_init_with(|value| {
            value.set(&init());
            Ok(())
        })
    }

    /// Returns the value. If it is not initialised, this call first calls `init` with it, which is zero.
    /// This serves values that are too large for the stack, and functions that can fail.
    ///
    /// # Errors
    ///
    /// The errors of [`get_or_init`](SharedOnceCell::get_or_init), and those of `init`.
    pub fn get_or_init_with(
        &self,
        init: impl FnOnce(&Racy<T>) -> Result<()>,
    ) -> Result<&ReadOnly<Racy<T>>> {
        if !once::is_set(self.state()) {
            self.init(init)?;
        }
        Ok(self.value.get().as_read_only())
    }

    /// Initialises the value. Returns false if it was initialised already; it then stays as it is.
    ///
    /// # Errors
    ///
    /// The errors of [`get_or_init`](SharedOnceCell::get_or_init).
    pub fn set(&self, value: &T) -> Result<bool> {
        if once::is_set(self.state()) {
            return Ok(false);
        }
        self.init(|cell| {
            cell.set(value);
            Ok(())
        })
    }

    #[cold]
    fn init(&self, init: impl FnOnce(&Racy<T>) -> Result<()>) -> Result<bool> {
        let memory = self.value.memory();
        let locked = || {
            self.lock.lock(Deadline::Never)?;
            let _unlock = Unlock(&self.lock);
            let clear = || memory.clear_value();
            once::init(self.state(), self, clear, || init(self.value.get()))
        };
        locked().map_err(|error| self.context("initialise once-cell in", error))
    }

    /// Returns the value, blocking until some process has initialised it.
    ///
    /// # Errors
    ///
    /// The error of the operating system if it refuses to block the thread.
    pub fn wait(&self) -> Result<&ReadOnly<Racy<T>>> {
        match self.wait_before(Deadline::Never)? {
            Some(value) => Ok(value),
            None => unreachable!("a wait without a deadline does not time out"),
        }
    }

    /// Returns the value, blocking for at most `time` until some process has initialised it. Returns `None`
    /// after a timeout.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](SharedOnceCell::wait).
    pub fn wait_for(&self, time: Duration) -> Result<Option<&ReadOnly<Racy<T>>>> {
        self.wait_before(Deadline::after(time))
    }

    /// Returns the value, blocking at the latest until `end`. Returns `None` after that.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](SharedOnceCell::wait).
    pub fn wait_until(&self, end: Instant) -> Result<Option<&ReadOnly<Racy<T>>>> {
        self.wait_before(Deadline::At(end))
    }

    fn wait_before(&self, deadline: Deadline) -> Result<Option<&ReadOnly<Racy<T>>>> {
        let waited = once::wait(self.state(), self, deadline);
        waited.map_err(|error| self.context("wait for once-cell in", error))?;
        Ok(self.get())
    }

    #[inline]
    fn state(&self) -> &AtomicU32 {
        &self.value.memory().header().state
    }

    #[cold]
    fn context(&self, call: &'static str, error: Error) -> Error {
        error.during(call, self.value.memory().view().section())
    }
}

impl<T: Plain> Sleepers for SharedOnceCell<T> {
    fn sleep(&self, word: &AtomicU32, expected: u32, time: Duration) -> Result<()> {
        self.value.memory().sleep(&self.peers, word, expected, time)
    }

    fn wake(&self, word: &AtomicU32, count: u32) {
        self.value.memory().wake(&self.peers, word, count);
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for SharedOnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.get().map(ReadOnly::<Racy<T>>::get);
        f.debug_tuple("SharedOnceCell").field(&value).finish()
    }
}
