//! A lock that stands in memory of the user's.
//!
//! Nothing in Windows lets one process sleep until another changes a word. So the words say which of
//! the kernel's mutexes is the lock: whoever comes first gives it a name that nobody else has, and
//! everybody opens that name, or makes the mutex again if nobody has it any more.
//!
//! That mutex lives no longer than somebody has it open, and dies with an owner who was alone. So
//! the words also say whether somebody is in.
#![allow(unsafe_code, reason = "words in mapped memory")]

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use super::super::{Got, Home, Spec};
use super::kernel;
use crate::access::Sharing;
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::object::{self, Existing, security};

/// The words of a lock. Any of them may hold anything; zero is the beginning.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Words {
    /// What the kernel's mutex is called after.
    id: AtomicU64,
    /// Where its name stands: [`GLOBAL`], or in a logon session, whose number is two less.
    space: AtomicU32,
    /// Not zero while somebody has the lock.
    held: AtomicU32,
    zero: [AtomicU32; 4],
}

const _: () = assert!(size_of::<Words>() == 32);

const GLOBAL: u32 = 1;

/// Where a lock stands, in memory that is mapped as long as this is there.
pub(super) struct Place {
    words: NonNull<Words>,
    home: Box<dyn Home>,
}

// SAFETY: the words are atomics, which `home` keeps mapped, and `home` may go to any thread.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(self.words()).finish()
    }
}

impl Place {
    /// The lock at `words`.
    ///
    /// # Safety
    ///
    /// `home` keeps it mapped, readable and writable, wherever `home` itself is moved; and nothing
    /// but atomics and copies in assembly is ever used on it.
    pub(super) unsafe fn new(words: NonNull<Words>, home: Box<dyn Home>) -> Place {
        Place { words, home }
    }

    fn words(&self) -> &Words {
        // SAFETY: `new`'s caller keeps it mapped, and any bytes make these atomics.
        unsafe { self.words.as_ref() }
    }

    /// Opens the kernel's mutex that it is. This is what writes the words, if nobody has.
    pub(super) fn open(&self) -> Result<OwnedHandle> {
        let name = self.name()?;
        let spec = Spec::Mutex { sharing: Sharing::Owner, locked: false };
        // Whoever may change the memory may have the lock, and nobody else, whoever of them makes it.
        let descriptor = || kernel::MUTEX.for_use_by(self.writers());
        let opened = kernel::create_with(&name, &spec, Existing::Open, descriptor);
        opened.map(|(handle, _)| handle)
    }

    /// What it is called, from the first time on.
    fn name(&self) -> Result<Name> {
        let Words { id, space, .. } = self.words();
        let session = object::session()?;
        let local = session.saturating_add(GLOBAL + 1);
        let named = self.home.name().map(Name::namespace);
        let ours = if named == Some(Namespace::Global) { GLOBAL } else { local };
        // Before the id, so that who sees one sees both.
        let was = space.compare_exchange(0, ours, Ordering::AcqRel, Ordering::Acquire);
        let namespace = match was.err().unwrap_or(ours) {
            GLOBAL => Namespace::Global,
            space if space == local => Namespace::Local,
            _ => {
                let cause = "its lock has a name in another logon session, which nobody reaches from \
                    here: use a section with a Global\\ name";
                return Err(Error::new(ErrorKind::Unsupported, cause));
            }
        };
        let ours = random();
        let was = id.compare_exchange(0, ours, Ordering::AcqRel, Ordering::Acquire);
        Name::from_parts(namespace, &format!("pagemate-lock-{:016x}", was.err().unwrap_or(ours)))
    }

    /// Who may change the memory, apart from us, as far as we can see.
    fn writers(&self) -> Vec<String> {
        let asked = match self.home.name() {
            Some(name) => object::for_questions(name)
                .and_then(|section| security::writers_of(section.as_handle())),
            None => security::writers_of(self.home.object().handle()),
        };
        asked.unwrap_or_default()
    }

    /// Notes that somebody has the lock, and tells how.
    pub(super) fn enter(&self, got: Got) -> Got {
        match self.words().held.swap(1, Ordering::Relaxed) {
            0 => got,
            // Who was in is gone, and was the only one to have the kernel's mutex.
            _ => Got::Abandoned,
        }
    }

    /// Notes that nobody has it; to be called by who does.
    pub(super) fn leave(&self) {
        self.words().held.store(0, Ordering::Relaxed);
    }
}

/// A number that nobody else comes upon, and not zero.
fn random() -> u64 {
    loop {
        // The standard library's hashes begin with a random number.
        let number = RandomState::new().build_hasher().finish();
        if number != 0 {
            return number;
        }
    }
}
