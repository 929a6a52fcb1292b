//! Typed memory: structures of atomics and cells that processes share by name.
//!
//! [`Shared<T>`] opens the memory in one line, and lends it as a `&T`:
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering};
//!
//! use pagemate::typed::SeqLock;
//! use pagemate::{Shareable, Shared};
//!
//! #[derive(Clone, Copy, Debug, PartialEq, Shareable)]
//! #[repr(C)]
//! struct Pose {
//!     x: f64,
//!     y: f64,
//! }
//!
//! #[derive(Shareable)]
//! #[repr(C)]
//! struct Robot {
//!     pose: SeqLock<Pose>,
//!     errors: AtomicU32,
//!     spare: AtomicU32,
//! }
//!
//! # fn main() -> pagemate::Result<()> {
//! # let name = format!("doc-typed-{}", std::process::id());
//! let robot = Shared::<Robot>::open_or_create(&name)?;
//! robot.pose.writer(&robot)?.write(&Pose { x: 1.0, y: 2.0 })?;
//! robot.errors.fetch_add(1, Ordering::Relaxed);
//!
//! let reader = Shared::<Robot>::open_read_only(&name)?;
//! assert_eq!(reader.pose.read(), Pose { x: 1.0, y: 2.0 });
//! assert_eq!(reader.errors.load(Ordering::Relaxed), 1);
//! # Ok(())
//! # }
//! ```
//!
//! | Type of a field | Use |
//! |---|---|
//! | an atomic of the standard library | a number that is read and written as one |
//! | [`SeqLock<T>`] | a value that is never read half-written; readers take no lock |
//! | [`Racy<T>`] | a value whose accesses other synchronisation orders, such as an atomic position |
//! | arrays and `#[derive(Shareable)]` structures of these | |
//!
//! A value of plain numbers, such as `Pose`, cannot be a field by itself: the other processes may write
//! to it at any time, so there must be no `&Pose` to it.
//!
//! A thread waits for a change of an [`AtomicU32`](std::sync::atomic::AtomicU32) by [`WaitWord`].
//!
//! # Initialisation
//!
//! The memory begins as zeros. The first process initialises it
//! ([`open_or_create_with`](Shared::open_or_create_with)), while others wait. If that process is killed
//! before it has finished, the next one begins again, from zeros. A header in front of the value has the
//! length and the [fingerprint](Shareable::FINGERPRINT) of the type, so that a program with another
//! version of the type gets an error of kind [`WrongKind`](crate::ErrorKind::WrongKind).

mod bytes;
mod memory;
mod racy;
mod seq_bytes;
mod seqlock;
mod shared;
mod wait;

pub use self::bytes::{RacyBytes, SharedBytes, TypeLayout};
pub(crate) use self::memory::{HEADER_LEN, Memory, Unlock, context};
pub use self::racy::Racy;
pub use self::seq_bytes::{SeqBytes, SeqBytesWriter};
pub use self::seqlock::{SeqLock, SeqWriter};
pub(crate) use self::shared::Field;
pub use self::shared::{Shared, SharedReader};
pub use self::wait::{WaitWord, WakeWord};
pub use crate::read_only::ReadOnly;
#[doc(hidden)]
pub use crate::shareable::fingerprint;
pub use crate::shareable::{InPlace, Plain, Shareable};

use crate::sys::sync::typed::header::Fields;

/// The magic number of typed memory.
const TYPED: u64 = u64::from_ne_bytes(*b"PMTYPED1");

/// The magic number of a [`SharedMutex`](crate::sync::SharedMutex).
const GUARDED: u64 = u64::from_ne_bytes(*b"PMGUARD1");

/// The magic number of a [`SharedRwLock`](crate::sync::SharedRwLock).
const RW_LOCKED: u64 = u64::from_ne_bytes(*b"PMRWLCK1");

/// The magic number of a [`SharedOnceCell`](crate::sync::SharedOnceCell).
const ONCE: u64 = u64::from_ne_bytes(*b"PMONCEC1");

/// The magic number of a [`SharedCondvar`](crate::sync::SharedCondvar).
const CONDVAR: u64 = u64::from_ne_bytes(*b"PMCONDV1");

/// The layout of a value, on which all processes have to agree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    fields: Fields,
    /// The alignment of the value in bytes.
    align: usize,
    /// The name of the type in this program, for error messages.
    type_name: &'static str,
}

impl Layout {
    /// Returns the length of the value in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.fields.len
    }

    /// Returns the layout of a value of typed memory.
    fn typed<T: Shareable>() -> Layout {
        let typed = Layout::typed_bytes(&TypeLayout::of::<T>());
        Layout { type_name: std::any::type_name::<T>(), ..typed }
    }

    /// Returns the layout of a value of typed memory, whose type is known at run time only.
    fn typed_bytes(of: &TypeLayout) -> Layout {
        let fields = Fields { magic: TYPED, fingerprint: of.fingerprint(), len: of.len() as u64 };
        Layout { fields, align: of.align(), type_name: "another value" }
    }

    /// Returns the layout of a value under a read-write lock.
    pub(crate) fn rw_locked<T: Shareable>() -> Layout {
        Layout::typed::<T>().with_magic(RW_LOCKED)
    }

    /// Returns the layout of a value that is initialised once.
    pub(crate) fn once<T: Shareable>() -> Layout {
        Layout::typed::<T>().with_magic(ONCE)
    }

    /// Returns the layout of a condition variable, which has no value.
    pub(crate) fn condvar() -> Layout {
        let fields = Fields { magic: CONDVAR, fingerprint: 0, len: 0 };
        Layout { fields, align: 1, type_name: "a condition variable" }
    }

    fn with_magic(self, magic: u64) -> Layout {
        Layout { fields: Fields { magic, ..self.fields }, ..self }
    }

    /// Returns the layout of a value beside a mutex.
    pub(crate) fn guarded<T: Shareable>() -> Layout {
        let guarded = Layout::guarded_bytes(size_of::<T>() as u64, T::FINGERPRINT);
        Layout { type_name: std::any::type_name::<T>(), ..guarded }
    }

    /// Returns the layout of a value beside a mutex, whose type is known at run time only.
    pub(crate) fn guarded_bytes(len: u64, fingerprint: u64) -> Layout {
        let fields = Fields { magic: GUARDED, fingerprint, len };
        Layout { fields, align: 1, type_name: "another value" }
    }
}

/// Names the kind of memory with this magic number.
fn kind_of(magic: u64) -> Option<&'static str> {
    match magic {
        TYPED => Some("typed memory"),
        GUARDED => Some("a mutex beside its value"),
        RW_LOCKED => Some("a read-write lock beside its value"),
        ONCE => Some("a once-cell"),
        CONDVAR => Some("a condition variable"),
        _ => None,
    }
}
