use std::fmt;
use std::time::{Duration, Instant};

use super::buffers::{buffer, latest, whole};
use super::header::WatchHeader;
use super::sides::Seen;
use crate::channel::core::Channel;
use crate::channel::error::{Corrupted, RecvError};
use crate::channel::message::{Message, private::Transfer as _};
use crate::channel::message_type::MessageType;
use crate::channel::options::{Endpoint, How, Options, private::Join};
use crate::channel::peers::{Awaiting, has_peer, wait_for_peer};
use crate::channel::protocol::Side;
use crate::channel::ready::ready;
use crate::channel::waiting::Waiter;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::sync::Ready;
use crate::sys::object::RETRY_TIMEOUT;

/// The number of attempts to copy the value between two readings of the clock.
const ATTEMPTS: u32 = 64;

/// A reading endpoint of a [`watch`](super) channel with values of type `M`. A channel can have any number of
/// readers.
///
/// A reader that was copied by fork works in the child too, because a reader has no seat.
pub struct Reader<M: Message + ?Sized> {
    channel: Channel<WatchHeader, M>,
    seen: Seen,
    waiter: Waiter,
}

impl<M: Message + ?Sized> Endpoint for Reader<M> {}

impl<M: Message + ?Sized> Join for Reader<M> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Reader<M>> {
        Channel::join(name, options, how, |channel| {
            let seen = Seen::join(&channel, 0)?;
            Ok(Reader { channel, seen, waiter: Waiter::new(options.waiting) })
        })
    }
}

impl<M: Message + ?Sized> Reader<M> {
    /// Creates the channel `name` with the default [`Options`], and returns a reader.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::create_new`].
    pub fn create_new(name: impl ToName) -> Result<Reader<M>> {
        Options::new().create_new(name)
    }

    /// Opens the channel `name`, or creates it with the default [`Options`], and returns a reader.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open_or_create`].
    pub fn open_or_create(name: impl ToName) -> Result<Reader<M>> {
        Options::new().open_or_create(name)
    }

    /// Opens the channel `name`, and returns a reader.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open`].
    pub fn open(name: impl ToName) -> Result<Reader<M>> {
        Options::new().open(name)
    }

    /// Returns the name of the channel.
    pub fn name(&self) -> &Name {
        self.channel.name()
    }

    /// Returns whether this call created the channel; `false` if it opened an existing one.
    pub fn was_created(&self) -> bool {
        self.channel.was_created()
    }

    /// Returns the length of the longest value in bytes. It is the length of each value unless values have
    /// different lengths.
    pub fn max_len(&self) -> usize {
        self.channel.slots.max_len()
    }

    /// Returns the layout of the values.
    pub fn message_type(&self) -> MessageType {
        self.channel.slots.message_type
    }

    /// Returns whether a live process has the writer. This asks the kernel.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn has_writer(&self) -> Result<bool> {
        let found = has_peer::<Seen, _, _>(&self.channel);
        found.map_err(|error| self.channel.context("find the writer of", error))
    }

    /// Blocks for at most `time` until a live process has the writer. Returns whether one has.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that no writer can
    /// come. Otherwise the error of the operating system.
    pub fn wait_for_writer(&self, time: Duration) -> Result<bool> {
        wait_for_peer(&self.channel, &self.seen, Deadline::after(time))
            .map_err(|error| self.channel.context("wait for the writer of", error))
    }

    /// Returns a copy of the latest value. It does not block, and neither delays the writer nor waits for
    /// it.
    ///
    /// The value is that of one call of the writer, never a mixture. It stays readable after the writer has
    /// left or died.
    ///
    /// # Errors
    ///
    /// - [`Empty`](RecvError::Empty): no value was written yet.
    /// - [`TimedOut`](RecvError::TimedOut): for two seconds the writer replaced the value at least three
    ///   times during each copy.
    /// - [`Corrupted`](RecvError::Corrupted): see [`RecvError`].
    #[inline]
    pub fn read(&mut self) -> std::result::Result<M::Owned, RecvError> {
        self.copy(|channel, position| M::read(&channel.slots, position))
    }

    /// Copies the latest value into `to`. A large value is not copied through the stack, and a vector keeps
    /// its memory. After an error `to` may have parts of several values.
    ///
    /// # Errors
    ///
    /// The errors of [`read`](Reader::read).
    #[inline]
    pub fn read_into(&mut self, to: &mut M::Owned) -> std::result::Result<(), RecvError> {
        self.copy(|channel, position| M::read_into(&channel.slots, position, to))
    }

    /// Returns the version of the value that this reader read last: the number of values that had been
    /// written to the channel then. 0 means that it has read none.
    pub fn version(&self) -> u64 {
        self.seen.0
    }

    /// Returns the version of the latest value. 0 means that no value was written yet.
    #[inline]
    pub fn latest_version(&self) -> u64 {
        latest(&self.channel.header().version)
    }

    /// Returns whether there is a value that is newer than the one that this reader read last.
    #[inline]
    pub fn has_changed(&self) -> bool {
        self.latest_version() != self.seen.0
    }

    /// Blocks until there is a value that is newer than the one that this reader read last. Before the first
    /// [`read`](Reader::read) any value is newer.
    ///
    /// # Errors
    ///
    /// - [`Disconnected`](RecvError::Disconnected): there is no newer value, and the writer was dropped or
    ///   its process ended. A reader that comes before the first writer waits for it.
    /// - [`Orphaned`](RecvError::Orphaned), [`Os`](RecvError::Os): see [`RecvError`].
    pub fn wait_for_change(&mut self) -> std::result::Result<(), RecvError> {
        self.wait_before(Deadline::Never)
    }

    /// Blocks for at most `time` until there is a value that is newer than the one that this reader read
    /// last.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](RecvError::TimedOut), and the errors of [`wait_for_change`](Reader::wait_for_change).
    pub fn wait_for_change_timeout(
        &mut self,
        time: Duration,
    ) -> std::result::Result<(), RecvError> {
        self.wait_before(Deadline::after(time))
    }

    /// Blocks until there is a value that is newer than the one that this reader read last, and returns a
    /// copy of it. Values between the two are skipped.
    ///
    /// # Errors
    ///
    /// The errors of [`wait_for_change`](Reader::wait_for_change) and of [`read`](Reader::read).
    pub fn changed(&mut self) -> std::result::Result<M::Owned, RecvError> {
        self.wait_for_change()?;
        self.read()
    }

    /// Returns the state in which there is a newer value, for [`wait_any`](crate::sync::wait_any). It ends the
    /// wait too when the reader is disconnected.
    pub fn ready(&mut self) -> Ready<'_> {
        let Reader { channel, seen, waiter } = self;
        // A reader repairs nothing, so a forked child can wait with it too.
        ready(Awaiting { side: seen, channel }, waiter, true)
    }

    /// Copies the value until a copy is consistent: no write overlapped it. Nearly always the first one is.
    #[inline]
    fn copy<R>(
        &mut self,
        mut copy: impl FnMut(&Channel<WatchHeader, M>, u64) -> std::result::Result<R, Corrupted>,
    ) -> std::result::Result<R, RecvError> {
        match self.try_copy(&mut copy) {
            Some(copied) => copied,
            None => self.copy_again(copy),
        }
    }

    /// Copies the value once. `None` if the writer has overwritten the value meanwhile.
    #[inline]
    fn try_copy<R>(
        &mut self,
        copy: &mut impl FnMut(&Channel<WatchHeader, M>, u64) -> std::result::Result<R, Corrupted>,
    ) -> Option<std::result::Result<R, RecvError>> {
        let word = &self.channel.header().version;
        let version = latest(word);
        if version == 0 {
            return Some(Err(RecvError::Empty));
        }
        let copied = copy(&self.channel, buffer(version));
        whole(word, version).then(|| {
            self.seen = Seen(version);
            // If the value was overwritten meanwhile, its length may be invalid, so its error counts
            // only now.
            Ok(copied?)
        })
    }

    /// Copies the value until a copy is consistent, for a limited time.
    #[cold]
    fn copy_again<R>(
        &mut self,
        mut copy: impl FnMut(&Channel<WatchHeader, M>, u64) -> std::result::Result<R, Corrupted>,
    ) -> std::result::Result<R, RecvError> {
        let end = Instant::now() + RETRY_TIMEOUT;
        loop {
            for _ in 0..ATTEMPTS {
                if let Some(copied) = self.try_copy(&mut copy) {
                    return copied;
                }
            }
            if Instant::now() > end {
                return Err(RecvError::TimedOut);
            }
        }
    }

    #[cold]
    fn wait_before(&mut self, deadline: Deadline) -> std::result::Result<(), RecvError> {
        // A waiter whose last polls were in vain announces its sleep, by a system call, before it looks.
        if self.has_changed() {
            return Ok(());
        }
        let Reader { channel, seen, waiter } = self;
        let flag = seen.flag(channel.header());
        let mut awaited = Awaiting { side: seen, channel };
        if waiter.wait(deadline, flag, channel, &mut awaited)? {
            Ok(())
        } else {
            Err(RecvError::TimedOut)
        }
    }
}

impl Reader<[u8]> {
    /// Copies the latest value to the start of `to`, and returns its length in bytes. If the value is longer than
    /// `to`, it copies nothing, and the value counts as not read.
    ///
    /// # Errors
    ///
    /// The errors of [`read`](Reader::read).
    pub fn read_to_slice(&mut self, to: &mut [u8]) -> std::result::Result<usize, RecvError> {
        let Seen(before) = self.seen;
        let len = self.copy(|channel, position| {
            let (offset, len) = <[u8]>::range(&channel.slots, position)?;
            if let Some(to) = to.get_mut(..len) {
                channel.slots.memory.read_bytes(position, offset, to);
            }
            Ok(len)
        })?;
        if len > to.len() {
            self.seen = Seen(before);
        }
        Ok(len)
    }
}

impl<M: Message + ?Sized> fmt::Debug for Reader<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Reader");
        debug.field("name", self.name()).field("version", &self.version()).finish_non_exhaustive()
    }
}
