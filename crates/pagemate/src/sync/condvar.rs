use std::fmt;
use std::time::{Duration, Instant};

use super::shared::SharedGuard;
use crate::access::Access;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::AtomicU32;
use crate::section::Section;
use crate::sys::peers::Peers;
use crate::sys::sync;
use crate::sys::sync::typed::condvar::{self, Slept};
use crate::sys::sync::typed::{ALL, Sleepers};
use crate::typed::{self, HEADER_LEN, Layout, Memory};

/// A condition variable in a section: threads of all processes wait for a change of a value under a
/// [`SharedMutex`](super::SharedMutex).
///
/// It occupies [`LEN`](SharedCondvar::LEN) bytes at an offset that is a multiple of 8, for example behind
/// the mutex. A thread that waits passes the guard of the mutex. [`wait`](SharedCondvar::wait) unlocks the
/// mutex, blocks, and returns a new guard. No notification between the unlock and the block is lost.
///
/// Wake-ups can be spurious: test the condition again, or use
/// [`wait_while`](SharedCondvar::wait_while). Threads may wait with different mutexes.
///
/// Each notification makes a system call, also if no thread waits. A program that changes the value often
/// notifies only for the changes that waiters wait for.
///
/// # Death of a process
///
/// - *A waiter that is killed takes no notification with it.* [`notify_one`](SharedCondvar::notify_one) wakes
///   one waiting thread at once, and all threads that waited at that moment return within 100 ms. So if the
///   thread that was woken is killed, another one tests the condition.
/// - *If the owner of the mutex dies*, waiters need no notification: one of them returns within about
///   200 ms, and its guard reports it: [`was_abandoned`](SharedGuard::was_abandoned).
///   `wait_while` then returns although the condition may still be true.
/// - If a process is killed in `notify_one` or `notify_all`, either nothing has happened, or all waiters
///   return within 100 ms.
///
/// # Platforms
///
/// On Windows waiters sleep on a kernel semaphore. [`notify_all`](SharedCondvar::notify_all) wakes 64 of them
/// at once, and the others within 100 ms.
///
/// # Examples
///
/// ```
/// use pagemate::SectionOptions;
/// use pagemate::sync::{SharedCondvar, SharedMutex};
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = &format!("doc-condvar-{}", std::process::id());
/// let section = SectionOptions::new().len(4096).open_or_create(name)?;
/// let jobs = SharedMutex::open_or_init(&section, 0, || 0_u32)?;
/// let added = SharedCondvar::open_or_create(&section, 128)?;
/// std::thread::scope(|scope| {
///     // Another thread, or process, waits for a job.
///     scope.spawn(|| {
///         let guard = jobs.lock().unwrap();
///         let mut guard = added.wait_while(guard, |jobs| jobs.get() == 0).unwrap();
///         if guard.was_abandoned() {
///             // A process died while it held the mutex: check the value and repair it.
///         }
///         guard.update(|jobs| *jobs -= 1);
///     });
///     jobs.lock().unwrap().update(|jobs| *jobs += 1);
///     added.notify_one();
/// });
/// assert_eq!(jobs.lock()?.get(), 0);
/// # Ok(())
/// # }
/// ```
#[doc(alias("pthread_cond_t", "CONDITION_VARIABLE"))]
pub struct SharedCondvar {
    memory: Memory,
    peers: Peers,
}

impl SharedCondvar {
    /// The number of bytes that the condition variable occupies in the section.
    pub const LEN: u64 = HEADER_LEN as u64;

    /// Opens the condition variable at byte `offset` of `section`. If the bytes there are zero, this call
    /// creates it.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): it would reach past the end of the section.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `offset` is not a multiple of 8.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the section is read-only.
    /// - [`WrongKind`](ErrorKind::WrongKind): the bytes are another kind of memory.
    /// - [`Corrupted`](ErrorKind::Corrupted): the bytes are something else.
    /// - [`Unsupported`](ErrorKind::Unsupported): on Unix, the section is over a file and has no name; on
    ///   macOS, the section has no name; on Windows, the section comes from another logon session and
    ///   has no `Global\` name.
    pub fn open_or_create(section: &Section, offset: u64) -> Result<SharedCondvar> {
        let open = || {
            let (memory, lock) = map_at(section, offset)?;
            memory.open_or_init(&Layout::condvar(), &lock, || Ok(()))?;
            Ok(SharedCondvar { peers: memory.peers(0, &lock)?, memory })
        };
        let call = "open or create condition variable in";
        open().map_err(|error| typed::context(call, section, error))
    }

    /// Opens the condition variable at byte `offset` of `section`.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](ErrorKind::NotFound): no process has created it.
    /// - The errors of [`open_or_create`](SharedCondvar::open_or_create).
    pub fn open(section: &Section, offset: u64) -> Result<SharedCondvar> {
        let open = || {
            let (memory, lock) = map_at(section, offset)?;
            if memory.is_initialised(&Layout::condvar())? {
                return Ok(SharedCondvar { peers: memory.peers(0, &lock)?, memory });
            }
            let cause =
                "no process has created the condition variable; create it with open_or_create";
            Err(Error::new(ErrorKind::NotFound, cause))
        };
        open().map_err(|error| typed::context("open condition variable in", section, error))
    }

    /// Unlocks the mutex, blocks until a thread notifies, and locks the mutex again.
    ///
    /// # Errors
    ///
    /// The errors of [`Mutex::lock`](super::Mutex::lock). This thread then does not hold the mutex.
    pub fn wait<'a, T: ?Sized>(&self, guard: SharedGuard<'a, T>) -> Result<SharedGuard<'a, T>> {
        self.wait_before(guard, Deadline::Never).map(|(guard, _)| guard)
    }

    /// Unlocks the mutex, blocks for at most `time` until a thread notifies, and locks the mutex again. Returns
    /// false with the guard after a timeout.
    ///
    /// The time does not limit how long this call blocks to lock the mutex again.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](SharedCondvar::wait).
    pub fn wait_for<'a, T: ?Sized>(
        &self,
        guard: SharedGuard<'a, T>,
        time: Duration,
    ) -> Result<(SharedGuard<'a, T>, bool)> {
        self.wait_before(guard, Deadline::after(time))
    }

    /// Waits like [`wait_for`](SharedCondvar::wait_for), at the latest until `end`.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](SharedCondvar::wait).
    pub fn wait_until<'a, T: ?Sized>(
        &self,
        guard: SharedGuard<'a, T>,
        end: Instant,
    ) -> Result<(SharedGuard<'a, T>, bool)> {
        self.wait_before(guard, Deadline::At(end))
    }

    /// Waits while `condition` returns true. It is called with the mutex locked: before the first wait, and
    /// after each notification.
    ///
    /// If the owner of the mutex dies during the wait, this call returns without another test of the
    /// condition: check [`was_abandoned`](SharedGuard::was_abandoned) of the guard that it returns.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](SharedCondvar::wait).
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        guard: SharedGuard<'a, T>,
        condition: impl FnMut(&mut SharedGuard<'a, T>) -> bool,
    ) -> Result<SharedGuard<'a, T>> {
        self.wait_while_before(guard, Deadline::Never, condition).map(|(guard, _)| guard)
    }

    /// Waits while `condition` returns true, for at most `time`: see
    /// [`wait_while`](SharedCondvar::wait_while). Returns false with the guard if the condition is still true
    /// after that time.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](SharedCondvar::wait).
    pub fn wait_while_for<'a, T: ?Sized>(
        &self,
        guard: SharedGuard<'a, T>,
        time: Duration,
        condition: impl FnMut(&mut SharedGuard<'a, T>) -> bool,
    ) -> Result<(SharedGuard<'a, T>, bool)> {
        self.wait_while_before(guard, Deadline::after(time), condition)
    }

    /// Waits like [`wait_while_for`](SharedCondvar::wait_while_for), at the latest until `end`.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](SharedCondvar::wait).
    pub fn wait_while_until<'a, T: ?Sized>(
        &self,
        guard: SharedGuard<'a, T>,
        end: Instant,
        condition: impl FnMut(&mut SharedGuard<'a, T>) -> bool,
    ) -> Result<(SharedGuard<'a, T>, bool)> {
        self.wait_while_before(guard, Deadline::At(end), condition)
    }

    fn wait_while_before<'a, T: ?Sized>(
        &self,
        mut guard: SharedGuard<'a, T>,
        deadline: Deadline,
        mut condition: impl FnMut(&mut SharedGuard<'a, T>) -> bool,
    ) -> Result<(SharedGuard<'a, T>, bool)> {
        while condition(&mut guard) {
            let (locked, notified) = self.wait_before(guard, deadline)?;
            guard = locked;
            if guard.was_abandoned() {
                return Ok((guard, true));
            }
            if !notified {
                let ended = !condition(&mut guard);
                return Ok((guard, ended));
            }
        }
        Ok((guard, true))
    }

    fn wait_before<'a, T: ?Sized>(
        &self,
        guard: SharedGuard<'a, T>,
        deadline: Deadline,
    ) -> Result<(SharedGuard<'a, T>, bool)> {
        let mutex = guard.mutex();
        let seen = condvar::notifications(self.word());
        drop(guard);
        loop {
            let slept = condvar::sleep(self.word(), seen, self, deadline);
            match slept.map_err(|error| self.context(error))? {
                Slept::Notified => return Ok((mutex.lock()?, true)),
                Slept::TimedOut => return Ok((mutex.lock()?, false)),
                // The owner of the mutex may have died before it could notify.
                Slept::SliceOver => match mutex.try_lock()? {
                    Some(guard) if guard.was_abandoned() => return Ok((guard, true)),
                    _ => {}
                },
            }
        }
    }

    /// Wakes at least one of the threads that wait, if there are any. Change the value first, and
    /// unlock the mutex before this call or after it.
    pub fn notify_one(&self) {
        condvar::notify(self.word(), 1, self);
    }

    /// Wakes all threads that wait. Change the value first, and unlock the mutex before this call or after it.
    pub fn notify_all(&self) {
        condvar::notify(self.word(), ALL, self);
    }

    fn word(&self) -> &AtomicU32 {
        &self.memory.header().state
    }

    #[cold]
    fn context(&self, error: Error) -> Error {
        error.during("wait for condition variable in", self.memory.view().section())
    }
}

/// Maps the bytes of a condition variable, which no process may have created yet.
fn map_at(section: &Section, offset: u64) -> Result<(Memory, sync::Mutex)> {
    let memory = Memory::map(section, offset, SharedCondvar::LEN, 8, Access::ReadWrite)?;
    let lock = memory.lock(0)?;
    Ok((memory, lock))
}

impl Sleepers for SharedCondvar {
    fn sleep(&self, word: &AtomicU32, expected: u32, time: Duration) -> Result<()> {
        self.memory.sleep(&self.peers, word, expected, time)
    }

    fn wake(&self, word: &AtomicU32, count: u32) {
        self.memory.wake(&self.peers, word, count);
    }
}

impl fmt::Debug for SharedCondvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedCondvar").finish_non_exhaustive()
    }
}
