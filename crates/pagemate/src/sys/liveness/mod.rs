//! Liveness: detects which processes are alive, by locks of the kernel.
//!
//! A *seat* proves that a process is alive: it is a number, and an exclusive open file description lock
//! on the byte with that number of a file. The kernel drops the lock however its holder dies. A protocol
//! stores the number in shared memory, such as the word of a mutex, and a peer asks the kernel whether
//! the byte is still locked. If another user blocks the bytes of the file, the seat is a [`SeatFile`]
//! instead.
//!
//! [`Seats`] takes, tests and releases seats in a file. It depends on a descriptor, an offset and a
//! source of numbers, and not on the protocol that uses them.
//! - [`fork`] distinguishes a process from its forked children, by a *generation*. Other modules
//!   register a [`fork::Hook`] to run code in children; `fork` depends on none of them.
//! - [`lock`] takes and tests the locks themselves.
//!
//! Windows does not use this module: threads own the kernel's mutexes, and the kernel reports the death
//! of an owner (`sys/sync/windows`).
//!
//! **Invariants.** A process never tests a seat through the description that holds its seats, because
//! the kernel does not report a description's own locks to it. A child has none of its parent's seats:
//! it closes its copies of their descriptions before it does anything else here.

mod descriptor_slot;
pub(crate) mod fork;
pub(crate) mod lock;
mod seat;
mod seat_file;
mod wiped_page;

pub(crate) use fork::{generation, generation_if_begun};
pub(crate) use seat::{FIRST, Origin, Seats, is_taken};
pub(crate) use seat_file::{SEAT_FILE_PREFIX, SeatFile};
