//! Liveness: which processes are alive, by the kernel's word.
//!
//! A *seat* is a liveness token: a number, and an exclusive open file description lock on the byte of
//! a file that stands for it. The kernel drops that lock however its holder dies. A protocol stores
//! the number where peers find it (the word of a mutex, the slot of a channel), and a peer asks the
//! kernel whether the seat is still taken.
//!
//! - [`Seats`] takes seats in a file, asks about them and leaves them. It knows a descriptor, an
//!   offset and a source of numbers, and nothing of the protocol that uses them.
//! - [`fork`] tells a process from its forked children, by a *generation*. Modules that have to do
//!   something about a fork register a [`fork::Hook`]; `fork` knows none of them.
//! - [`lock`] asks for the locks themselves.
//!
//! Windows has no such module: there the kernel's mutexes are owned by threads, and tell of an
//! owner's death themselves (`sys/sync/windows`).
//!
//! **Invariants.** A process never asks about a seat through the description that holds seats,
//! because the kernel does not report a description's own locks to it. A child has none of its
//! parent's seats: it closes its copies of their descriptions before it does anything else here.

pub(crate) mod fork;
pub(crate) mod lock;
mod page;
mod seat;
mod slot;
mod token;

pub(crate) use fork::generation;
pub(crate) use seat::{FIRST, Origin, Seats, is_taken};
pub(crate) use token::{PREFIX, Token};
