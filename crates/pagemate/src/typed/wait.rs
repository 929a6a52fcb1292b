use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::ReadOnly;
use crate::deadline::Deadline;
use crate::sys::memory_wait;

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::AtomicU32 {}
    impl Sealed for super::ReadOnly<super::AtomicU32> {}
}

/// Blocks a thread while a word in shared memory has a given value.
///
/// A thread that changes the word calls [`wake_one`](WakeWord::wake_one) or
/// [`wake_all`](WakeWord::wake_all) afterwards. If it is killed before that, the waiters notice the
/// change within half a second. A wait also works in memory that is mapped for reading.
///
/// This trait is sealed. [`AtomicU32`] and [`ReadOnly<AtomicU32>`](ReadOnly) implement it.
///
/// # Platforms
///
/// On Linux a waiter sleeps in `futex(2)`, on macOS in `os_sync_wait_on_address(3)`. Windows cannot wake
/// a thread because another process changed memory. There a waiter polls: it yields the processor 64
/// times, and then sleeps for one to 16 milliseconds at a time. Use an [`Event`](crate::sync::Event)
/// where that is too slow.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::thread;
///
/// use pagemate::Shared;
/// use pagemate::typed::{WaitWord, WakeWord};
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = format!("doc-wait-{}", std::process::id());
/// let frame = Shared::<AtomicU32>::open_or_create(&name)?;
/// let consumer = Shared::<AtomicU32>::open_read_only(&name)?;
/// thread::scope(|scope| {
///     scope.spawn(|| assert_eq!(consumer.wait_while(0), 1));
///     frame.store(1, Ordering::Release);
///     frame.wake_all();
/// });
/// # Ok(())
/// # }
/// ```
#[doc(alias("futex", "WaitOnAddress"))]
pub trait WaitWord: sealed::Sealed {
    /// Blocks while the word has this value, and returns the first other value that it sees.
    ///
    /// The load of that value has the order [`Acquire`](Ordering::Acquire).
    fn wait_while(&self, value: u32) -> u32;

    /// Blocks while the word has this value, for at most `time`. Returns the first other value that it
    /// sees, or `None` after a timeout.
    fn wait_while_for(&self, value: u32, time: Duration) -> Option<u32>;

    /// Blocks while the word has this value, until `end` at most. Returns the first other value that it
    /// sees, or `None` after a timeout.
    fn wait_while_until(&self, value: u32, end: Instant) -> Option<u32>;
}

/// Wakes the threads that wait for a word: see [`WaitWord`].
///
/// This trait is sealed. [`AtomicU32`] implements it.
pub trait WakeWord: WaitWord {
    /// Wakes at least one thread of any process that waits for this word, if there is one. Change the
    /// word first.
    fn wake_one(&self);

    /// Wakes all threads of all processes that wait for this word. Change the word first.
    fn wake_all(&self);
}

/// A word in shared memory that can be loaded.
trait Word {
    fn word(&self) -> &AtomicU32;

    fn acquire(&self) -> u32;
}

impl Word for AtomicU32 {
    fn word(&self) -> &AtomicU32 {
        self
    }

    fn acquire(&self) -> u32 {
        self.load(Ordering::Acquire)
    }
}

impl Word for ReadOnly<AtomicU32> {
    fn word(&self) -> &AtomicU32 {
        &self.0
    }

    fn acquire(&self) -> u32 {
        self.load(Ordering::Acquire)
    }
}

fn wait(word: &impl Word, value: u32, deadline: Deadline) -> Option<u32> {
    memory_wait::wait_while(word.word(), || word.acquire(), value, deadline)
}

impl<W: Word + sealed::Sealed> WaitWord for W {
    fn wait_while(&self, value: u32) -> u32 {
        let changed = wait(self, value, Deadline::Never);
        changed.expect("a wait without a deadline does not time out")
    }

    fn wait_while_for(&self, value: u32, time: Duration) -> Option<u32> {
        wait(self, value, Deadline::after(time))
    }

    fn wait_while_until(&self, value: u32, end: Instant) -> Option<u32> {
        wait(self, value, Deadline::At(end))
    }
}

impl WakeWord for AtomicU32 {
    fn wake_one(&self) {
        memory_wait::wake(self, false);
    }

    fn wake_all(&self) {
        memory_wait::wake(self, true);
    }
}
