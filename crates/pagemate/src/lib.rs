//! Named shared memory, and named locks, whose names live exactly as long as some process holds them.
//!
//! One process creates a [`Section`] with a name. Other processes open the section by that name. A
//! [`View`] maps the section into a process, so that all of them access the same physical pages. When
//! the last holder drops its handle, exits, panics or is killed, the name is gone, and the next process
//! that creates it gets a new object. There is nothing to unlink, no daemon and nothing stale. Windows'
//! kernel objects have this lifetime. This crate provides it on every platform.
//!
//! ```
//! use pagemate::SectionOptions;
//!
//! # fn main() -> pagemate::Result<()> {
//! # let name = &format!("doc-{}", std::process::id());
//! let section = SectionOptions::new().len(4096).open_or_create(name)?;
//! let view = section.map()?;
//! if section.was_created() {
//!     view.write_at(0, b"This is common data!")?;
//! }
//! let mut text = [0; 20];
//! view.read_at(0, &mut text)?;
//! assert_eq!(&text, b"This is common data!");
//! # Ok(())
//! # }
//! ```
//!
//! # Which object to use
//!
//! | To | use |
//! |---|---|
//! | share atomic integers, or a structure of them and of values that are read whole | [`Shared`]: see [`typed`] |
//! | share bytes or plain values | [`Section`], mapped as a [`View`] |
//! | share one value that many processes change | [`SharedMutex`](sync::SharedMutex): a lock and its value in a section |
//! | wait until such a value has changed | [`SharedCondvar`](sync::SharedCondvar) |
//! | let many processes read a value for longer, and few change it | [`SharedRwLock`](sync::SharedRwLock) |
//! | compute a value once, by the first process that needs it | [`SharedOnceCell`](sync::SharedOnceCell) |
//! | exclude other processes from data or a resource anywhere | [`Mutex`](sync::Mutex) |
//! | tell waiting processes that something happened | [`Event`](sync::Event), with manual reset for all of them, with auto reset for one |
//! | limit how many processes use a resource, or count work items | [`Semaphore`](sync::Semaphore) |
//! | wait for several of these at once | [`wait_any`](sync::wait_any), [`wait_all`](sync::wait_all) |
//! | send messages from one process to another | a [`channel`] |
//! | publish a value that few processes write and many read | [`SeqLock`](typed::SeqLock) in a [`Shared`] |
//! | share the contents of a file | [`SectionOptions::file`] |
//! | share memory with one other process, without a name | [`SectionOptions::create_unnamed`] and [`os`] |
//! | open an object that another process creates later | [`Section::open_within`], and the same function of the other objects |
//! | find live objects, or free memory that killed processes left | [`inventory`] |
//!
//! # Names
//!
//! `x` and `Local\x` name the same object, private to the user (on Windows: to the logon session).
//! `Global\x` names an object of the whole machine. Sections, mutexes, events and semaphores share one
//! name space. See [`Name`] for the rules.
//!
//! Only the owner of an object may open it, unless its creator grants access to others with
//! [`Sharing`].
//!
//! # Lifetime
//!
//! Every open handle is a *holder* of its name, and so is every [`View`]. A clone of a handle, a child
//! made by `fork`, and a process that received a descriptor or handle hold the name too. The name ends
//! with its last holder; the memory ends with it.
//!
//! # Memory model
//!
//! Other processes may write shared memory at any time. Therefore safe code never gets a reference to
//! plain shared bytes:
//!
//! - [`View::read_at`], [`View::write_at`], [`View::read`] and [`View::write`] copy. A copy that races
//!   with a write may be torn: each byte is the old or the new one. A copy orders nothing.
//! - [`Shared`] lends atomics and cells in place. Atomics never tear. A release operation
//!   happens before the acquire operation that reads its value, in another process as in another
//!   thread. It orders the copies around it.
//! - Every object of [`sync`] orders memory: all writes before an unlock, a set or a release happen
//!   before the return of the lock, wait or acquire that they enable.
//! - [`View::as_slice`] is unsafe, and [`View::as_ptr`] returns a raw pointer: the caller has to rule
//!   out data races.
//!
//! # Crashes
//!
//! A process may be killed at any instruction, SIGKILL included:
//!
//! - Its handles are released. If it was the last holder, the name is free at once. On Unix
//!   processes that later create or list objects free the memory, and so does [`inventory::prune`].
//! - A mutex that it held is *abandoned*: the next owner acquires it, within 100 ms on Unix and at once
//!   on Windows. The guard's [`was_abandoned`](sync::MutexGuard::was_abandoned) returns `true` once, and
//!   the protected data may be inconsistent. A stopped process (SIGSTOP, a debugger) keeps its locks.
//! - A panic that drops the guard of a mutex abandons it too: a panic leaves data as inconsistent as a kill.
//!   On Windows a [`Mutex`](sync::Mutex) is abandoned once the thread ends.
//! - A semaphore keeps no record of its holders: permits of a killed process are lost. A panic releases
//!   them.
//! - A copy into a view that the kill interrupted is incomplete.
//!
//! Bytes that a crash or a faulty program left in an object cause an error of kind
//! [`Corrupted`](ErrorKind::Corrupted), never undefined behaviour.
//!
//! # Limits
//!
//! - A section has a fixed length. Create a sparse one ([`sparse`](SectionOptions::sparse)) with the
//!   greatest length that it may need.
//! - Memory does not survive its last holder. Use a section over a file for data that must.
//! - A name has at most 1,024 UTF-16 code units. A semaphore's count is at most 2,147,483,647. One call
//!   waits for at most 64 objects.
//! - On Unix every handle uses one file descriptor, and a section over a file uses two. All handles of a
//!   process to one mutex share one more, and so do all the mutexes in one section. The process keeps one
//!   descriptor for each directory of objects that it uses.
//! - On Unix another program can delete the file of a live object. Its holders then get
//!   [`Orphaned`](ErrorKind::Orphaned). systemd does that to services with `RemoveIPC=yes`:
//!   [`guide::platforms`] names the remedies.
//! - A call that finds the object busy with another process's creation or removal returns
//!   [`TimedOut`](ErrorKind::TimedOut) after two seconds.
//! - On Unix an access to a mapped page ends the process with SIGBUS if another process truncated the
//!   memory. [`guide::safety`] lists the cases in which that is possible.
//!
//! # Platforms
//!
//! | | Linux | Windows | macOS |
//! |---|---|---|---|
//! | State | tested | tested under Wine | type-checked; its protocol is tested on Linux |
//! | A section is | a locked file in `/dev/shm` | a kernel file mapping | a locked file |
//! | A sync object is | a futex word in a shared page | a kernel object | a word in a shared page |
//!
//! Other Windows programs open these objects by the same names, and this crate opens theirs. On Unix the
//! environment variable `PAGEMATE_DIR` moves the directory of the objects, for containers and tests.
//!
//! # Features
//!
//! Features only add to the crate.
//!
//! | Feature | Default | Adds |
//! |---|:---:|---|
//! | `derive` | yes | the macro `derive(Shareable)` |
//!
//! # Guides
//!
//! - [`guide::platforms`]: the differences between platforms, row by row.
//! - [`guide::safety`]: the trust model, and how other users can affect a process.
//! - [`guide::layout`]: the byte layout of an object on Unix, for programs in other languages.

mod access;
pub mod channel;
mod deadline;
mod error;
#[cfg(doc)]
pub mod guide;
pub mod inventory;
mod kind;
mod name;
pub mod os;
mod primitive;
mod random;
mod read_only;
mod section;
mod shareable;
pub mod sync;
mod sys;
pub mod typed;

pub use access::{Access, Protection, Sharing};
pub use error::{Error, ErrorKind, Result};
pub use kind::Kind;
pub use name::{Name, Namespace, ToName};
#[cfg(feature = "derive")]
pub use pagemate_derive::Shareable;
pub use section::{Atomic, Section, SectionOptions, View, ViewOptions};
pub use shareable::Shareable;
pub use typed::Shared;
