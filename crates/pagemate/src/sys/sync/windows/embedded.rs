//! The words of a mutex in a user's section.
//!
//! Windows cannot block a thread until another *process* changes a word. The lock is therefore a kernel
//! mutex, and the words contain its name: the first process to use the lock chooses a random name, and
//! every process opens that name, or creates the kernel mutex again if no process has it open.
//!
//! A kernel mutex ends with its last handle. If the owner had the only handle and dies, the kernel
//! mutex ends with it and cannot report the death. Therefore the words also store whether the lock
//! is held.
//!
//! | `id` | `namespace` | `held` | Meaning |
//! |---|---|---|---|
//! | 0 | 0 | 0 | never used |
//! | 0 | set | 0 | a process is choosing the name, or died while it did so; the next one continues |
//! | set | set | 0 | free |
//! | set | set | 1 | owned, or its owner died; the next owner finds 1 and reports an abandoned mutex |
#![allow(unsafe_code, reason = "words in mapped memory")]

use std::fmt;
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use super::super::{Acquired, LockMemory, Spec};
use super::kernel;
use crate::access::Sharing;
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};
use crate::primitive::{AtomicU32, Ordering};
use crate::random::random_number;
use crate::sys::object::{self, Existing, security};

/// The words of a lock, all zero at first. Another process may write any value to them.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Words {
    /// The number in the name of the kernel mutex.
    id: AtomicU64,
    /// The namespace of that name: [`GLOBAL`], or the number of a logon session plus 2.
    namespace: AtomicU32,
    /// Not zero while a thread owns the lock.
    held: AtomicU32,
    zero: [AtomicU32; 4],
}

const _: () = assert!(size_of::<Words>() == 32);

const GLOBAL: u32 = 1;

/// The words of a lock, with the memory that contains them.
pub(super) struct EmbeddedWords {
    words: NonNull<Words>,
    memory: Box<dyn LockMemory>,
}

// SAFETY: `words` refers to atomics, which `memory` keeps mapped, and `LockMemory` requires `Send`.
unsafe impl Send for EmbeddedWords {}
// SAFETY: a shared reference gives access to the atomics only, and `LockMemory` requires `Sync`.
unsafe impl Sync for EmbeddedWords {}

impl fmt::Debug for EmbeddedWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EmbeddedWords").field(self.words()).finish()
    }
}

impl EmbeddedWords {
    /// Returns the lock at `words`.
    ///
    /// # Safety
    ///
    /// - `words` is aligned and refers to readable and writable memory that `memory` keeps mapped at
    ///   this address for as long as `memory` lives, also if `memory` is moved.
    /// - This process accesses that memory by atomics and by copies in assembly only.
    pub(super) unsafe fn new(words: NonNull<Words>, memory: Box<dyn LockMemory>) -> EmbeddedWords {
        EmbeddedWords { words, memory }
    }

    fn words(&self) -> &Words {
        // SAFETY: by the contract of `new`, `words` is aligned and mapped for as long as
        // `self.memory` lives, and is accessed by atomics only. Any bytes are valid atomics.
        unsafe { self.words.as_ref() }
    }

    /// Opens the kernel mutex of the lock, and first stores its name if the lock has none.
    pub(super) fn open(&self) -> Result<OwnedHandle> {
        let name = self.name()?;
        let spec = Spec::Mutex { sharing: Sharing::Owner, locked: false };
        // The users that may write to the memory may use the lock, and no other users. This must not
        // depend on which of them creates the kernel mutex.
        let descriptor = || kernel::MUTEX.descriptor_for(self.writers());
        let opened = kernel::create_with(&name, &spec, Existing::Open, descriptor);
        opened.map(|(handle, _)| handle)
    }

    /// Returns the name of the kernel mutex, and stores it if the lock has none.
    fn name(&self) -> Result<Name> {
        let (namespace, number) = self.identity()?;
        Name::from_parts(namespace, &format!("pagemate-lock-{number:016x}"))
    }

    /// Returns the number in the name of the kernel mutex, and stores it if the lock has none.
    pub(super) fn number(&self) -> Result<u64> {
        self.identity().map(|(_, number)| number)
    }

    /// Returns the parts of the name.
    fn identity(&self) -> Result<(Namespace, u64)> {
        let Words { id, namespace, .. } = self.words();
        let session = object::session()?;
        let local = session.saturating_add(GLOBAL + 1);
        let named = self.memory.name().map(Name::namespace);
        let own = if named == Some(Namespace::Global) { GLOBAL } else { local };
        // AcqRel and Acquire, here and for `id`: the namespace is stored before the id, so a
        // process that reads an id of another process also reads the namespace of that process.
        let before = namespace.compare_exchange(0, own, Ordering::AcqRel, Ordering::Acquire);
        let namespace = match before.err().unwrap_or(own) {
            GLOBAL => Namespace::Global,
            number if number == local => Namespace::Local,
            _ => {
                let cause = "its lock was created in another logon session and cannot be reached \
                    from this one: use a section with a Global\\ name";
                return Err(Error::new(ErrorKind::Unsupported, cause));
            }
        };
        let own = random();
        let before = id.compare_exchange(0, own, Ordering::AcqRel, Ordering::Acquire);
        Ok((namespace, before.err().unwrap_or(own)))
    }

    /// Returns the other users that may write to the memory, as far as this process may read its
    /// security descriptor.
    fn writers(&self) -> Vec<String> {
        let writers = match self.memory.name() {
            Some(name) => object::open_for_descriptor(name)
                .and_then(|section| security::writers_of(section.as_handle())),
            None => security::writers_of(self.memory.object().handle()),
        };
        writers.unwrap_or_default()
    }

    /// Marks the lock as held. Returns `Abandoned` if the last owner died without releasing it.
    pub(super) fn mark_held(&self, acquired: Acquired) -> Acquired {
        // Relaxed: the kernel mutex, which this thread owns, orders the accesses of its owners.
        match self.words().held.swap(1, Ordering::Relaxed) {
            0 => acquired,
            // The owner died and had the only handle to the kernel mutex, so the kernel reported
            // nothing.
            _ => Acquired::Abandoned,
        }
    }

    /// Marks the lock as not held. The calling thread still owns the kernel mutex.
    pub(super) fn clear_held(&self) {
        // Relaxed: as in `mark_held`.
        self.words().held.store(0, Ordering::Relaxed);
    }
}

/// Returns a random number that is not zero.
fn random() -> u64 {
    loop {
        let number = random_number();
        if number != 0 {
            return number;
        }
    }
}
