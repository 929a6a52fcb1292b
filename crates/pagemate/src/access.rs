/// The access of a handle or a view to shared memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Read only. This crate refuses to write through a read-only view, and the kernel ends a
    /// process that writes through the raw pointer of such a view.
    Read,
    /// Read and write.
    #[default]
    ReadWrite,
}

/// The upper limit for the access of all views of an object: the `PAGE_*` constant of a Win32
/// section. It is fixed when the object is created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protection {
    /// Views can be read, or write to a private copy (`PAGE_READONLY`, `PAGE_WRITECOPY`). Use this
    /// for a section over an existing [file](crate::SectionOptions::file). Without a file the
    /// memory stays zero, because no process may write to it.
    ReadOnly,
    /// Views read and write (`PAGE_READWRITE`).
    #[default]
    ReadWrite,
}

/// The other users that may open an object, and their access. The owner always has full access.
///
/// A user that can read an object can also keep its name alive. A user that can write an object can
/// change any byte at any time. On Unix such a user can also truncate the memory under your views,
/// and an access to a truncated page ends your process with SIGBUS.
///
/// # Platforms
///
/// The sharing becomes a file mode on Unix and a security descriptor on Windows.
///
/// For a section over a file, other users on Unix also need permission for that file. On Windows
/// they need permission for the section alone. Windows' own services always have full access there,
/// and a process of lower integrity than the creator's can only read, even if the sharing grants
/// more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sharing {
    /// Only the owner may open the object.
    #[default]
    Owner,
    /// Members of the creator's group may open the object too. On Windows this is the primary group of
    /// the creator's token.
    Group(Access),
    /// Every user of the machine may open the object.
    Everyone(Access),
}
