//! Waits for an endpoint together with sync objects.

use std::sync::{Mutex, PoisonError};
use std::{fmt, io};

use super::core::Channel;
use super::header::Header;
use super::peers::Awaiting;
use super::protocol::Side;
use super::waiting::{Awaited, Waiter};
use super::wake_flag::WakeFlag;
use crate::sync::Ready;
use crate::sys::sync::{SleepOn, Source};

/// An endpoint that a thread waits for.
struct EndpointSource<'a, S, H, M: ?Sized> {
    /// A mutex because one wait may be shared by threads. It has no contention.
    awaited: Mutex<(Awaiting<'a, S, H, M>, &'a mut Waiter)>,
    channel: &'a Channel<H, M>,
    flag: &'a WakeFlag,
    /// Whether this process has opened the endpoint itself. If not, it is a forked child.
    is_mine: bool,
}

/// Returns the state that an endpoint waits for.
pub(super) fn ready<'a, S: Side<H>, H: Header, M: ?Sized>(
    awaiting: Awaiting<'a, S, H, M>,
    waiter: &'a mut Waiter,
    is_mine: bool,
) -> Ready<'a> {
    let channel = awaiting.channel;
    let flag = awaiting.side.flag(channel.header());
    Ready::new(EndpointSource { awaited: Mutex::new((awaiting, waiter)), channel, flag, is_mine })
}

impl<S: Side<H>, H: Header, M: ?Sized> Source for EndpointSource<'_, S, H, M> {
    fn is_ready(&self, check_liveness: bool) -> bool {
        if !self.is_mine {
            // The call of the endpoint reports the fork. A liveness test could repair the channel in the name of
            // the parent.
            return true;
        }
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let (awaiting, waiter) = &mut *awaited;
        if awaiting.is_ready() {
            return true;
        }
        let tested = if check_liveness { waiter.test(awaiting) } else { awaiting.test_places() };
        // The call of the endpoint returns the error.
        tested.is_err() || (check_liveness && awaiting.is_ready())
    }

    fn begin_sleep(&self) -> io::Result<SleepOn<'_>> {
        let expected = self.flag.begin_sleep();
        self.channel.sleep_on(self.flag.word(), expected)
    }

    fn end_sleep(&self) {
        self.flag.end_sleep();
    }

    fn pass_on_wake(&self) {
        if self.awaited.lock().unwrap_or_else(PoisonError::into_inner).0.is_ready() {
            self.flag.notify(self.channel);
        }
    }
}

impl<S, H, M: ?Sized> fmt::Debug for EndpointSource<'_, S, H, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointSource").field("flag", &self.flag).finish_non_exhaustive()
    }
}
