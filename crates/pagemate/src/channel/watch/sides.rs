//! The two sides of a watch channel: the buffers, the place of the writer and the flag of the readers.

use super::buffers::{self, Versions};
use super::header::WatchHeader;
use crate::channel::core::Channel;
use crate::channel::place::Place;
use crate::channel::protocol::Side;
use crate::channel::wake_flag::WakeFlag;
use crate::error::Result;

impl Side<WatchHeader> for Versions {
    fn join<M: ?Sized>(channel: &Channel<WatchHeader, M>, seat: u32) -> Result<Versions> {
        let header = channel.header();
        header.writer.claim(seat, "writer", |other| channel.is_alive(other))?;
        let versions = Versions::resume(&header.version);
        header.flag.notify_all(channel);
        Ok(versions)
    }

    fn leave<M: ?Sized>(&mut self, channel: &Channel<WatchHeader, M>, seat: u32) {
        channel.header().writer.leave(seat);
        channel.header().flag.notify_all(channel);
    }

    /// A writer never waits.
    fn is_ready<M: ?Sized>(&mut self, _: &Channel<WatchHeader, M>) -> bool {
        true
    }

    fn flag<'a>(&self, header: &'a WatchHeader) -> &'a WakeFlag {
        &header.flag
    }

    fn peers(_: &WatchHeader) -> impl Iterator<Item = &Place> {
        std::iter::empty()
    }
}

/// The version that a reader read last.
#[derive(Debug)]
pub(super) struct Seen(pub(super) u64);

impl Side<WatchHeader> for Seen {
    fn join<M: ?Sized>(channel: &Channel<WatchHeader, M>, _: u32) -> Result<Seen> {
        channel.header().flag.admit_crowd();
        Ok(Seen(0))
    }

    /// A reader has no place.
    fn leave<M: ?Sized>(&mut self, _: &Channel<WatchHeader, M>, _: u32) {}

    #[inline]
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<WatchHeader, M>) -> bool {
        buffers::latest(&channel.header().version) != self.0
    }

    fn flag<'a>(&self, header: &'a WatchHeader) -> &'a WakeFlag {
        &header.flag
    }

    fn peers(header: &WatchHeader) -> impl Iterator<Item = &Place> {
        std::iter::once(&header.writer)
    }
}
