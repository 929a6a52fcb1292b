/// What a handle or a view may do with the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Access {
    /// Look only. The kernel enforces it.
    Read,
    /// Look and change.
    #[default]
    ReadWrite,
}

/// What views of an object may ever do, whoever opens it: Win32's `PAGE_*` of a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Views read, or write to a copy of their own (`PAGE_READONLY`, `PAGE_WRITECOPY`): for a file that
    /// is there already, since memory of which nobody ever writes a byte stays zero.
    ReadOnly,
    /// Views read and write (`PAGE_READWRITE`).
    #[default]
    ReadWrite,
}

/// Which other users may open an object, and for what. Its owner always has all access.
///
/// What you grant is what they can do to you: somebody who can read an object can also keep its
/// name alive, and somebody who can write can change any byte at any time, or cut the memory short
/// under your views, which ends your process with SIGBUS on Unix.
///
/// # Platforms
///
/// The mode of a file on Unix, a security descriptor on Windows. Over a file, others need the right
/// to that file too on Unix, and have it by the section alone on Windows. There the system's own services
/// have all access too, and a process of lower integrity than the creator's may look but not write,
/// whatever is granted here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// The owner alone.
    #[default]
    Owner,
    /// Members of the creator's group too: of its primary group on Windows.
    Group(Access),
    /// Everyone on the machine.
    Everyone(Access),
}

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Named memory: a [`Section`](crate::Section).
    Section,
    /// A [`Mutex`](crate::sync::Mutex).
    Mutex,
    /// An [`Event`](crate::sync::Event).
    Event,
    /// A [`Semaphore`](crate::sync::Semaphore).
    Semaphore,
}
