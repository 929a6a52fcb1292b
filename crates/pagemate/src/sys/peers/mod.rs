//! The processes that use a channel or a read-write lock: which of them are alive, and how to wake their
//! threads.
//!
//! Every platform provides [`Peers`], [`Seat`] and [`HandleSeat`]:
//!
//! - `Peers::open` prepares an object, or a part of it. `at` is the offset of the part: each multiple of
//!   eight has its own seats. `id` is a random number that the object contains.
//! - `take` takes a seat: a number that proves that its holder is alive. `next` returns a number that
//!   it has returned to no process before, so that no number is ever used for two holders. The kernel
//!   releases the seat when the process ends, however it ends.
//! - `is_alive` returns whether a live process has a seat. A stopped process is alive, a zombie is not.
//! - `Seat::is_mine` returns whether this process took the seat. It is false in a forked child.
//! - `HandleSeat` is the seat of a handle, which each process takes when it first needs it: a forked child
//!   takes one of its own. Dropping it releases the seat.
//! - `wait` sleeps while a word has the expected value, until a wake-up or until its time has passed.
//!   It may return early. `sleep_on` prepares such a sleep for [`wait_any`](crate::sys::sync::wait_any).
//!   `wake` wakes threads of all processes that sleep on the word. `offset` is the
//!   offset of the word in the object.
//!
//! No wake-up is lost. The waking thread changes the word before it calls `wake`. If it does so
//! before the sleeper compares the word, the sleeper finds the change and does not sleep.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as platform;
#[cfg(windows)]
use self::windows as platform;

pub(crate) use platform::{HandleSeat, Peers, Seat};
