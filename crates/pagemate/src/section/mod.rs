//! Named memory.

mod options;
mod view;

use std::fmt;
use std::sync::Arc;

use crate::access::{Access, Protection};
use crate::error::{Quoted, Result};
use crate::name::Name;
use crate::sys::object::Object;

pub use self::options::SectionOptions;
pub use self::view::{Atomic, View, ViewOptions};

/// A handle to shared memory.
///
/// A named section lives as long as any process has a `Section` or a [`View`] of it. The last to
/// let go, however it does that, ends it: the name is free at once, and who creates it anew gets
/// zeroed memory.
///
/// A child made by `fork` holds what its parent held, until it exits or replaces itself.
pub struct Section {
    held: Arc<Held>,
    created: bool,
}

/// What a handle and its views hold together.
#[derive(Debug)]
struct Held {
    object: Object,
    /// `None` for memory that has no name, or none of ours.
    name: Option<Name>,
}

impl fmt::Display for Held {
    /// As errors call it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "section {}", Quoted(&name.to_string())),
            None => f.write_str("unnamed section"),
        }
    }
}

impl Section {
    /// Opens the section named `name` for reading and writing.
    ///
    /// It has the length it was created with, whatever the opener hopes for. With other access:
    /// [`SectionOptions::open`].
    ///
    /// # Platforms
    ///
    /// A locked file in shared memory on Linux, a locked temporary file on macOS,
    /// `OpenFileMappingW` on Windows.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](crate::ErrorKind::NotFound): no process holds it.
    /// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied): it is another user's.
    /// - [`WrongKind`](crate::ErrorKind::WrongKind): the name belongs to something else.
    /// - [`WrongVersion`](crate::ErrorKind::WrongVersion), [`Corrupted`](crate::ErrorKind::Corrupted):
    ///   what stands there is not a whole object of this release, or the file that is its memory is
    ///   not where and what it was (see [`SectionOptions::file`]).
    #[doc(alias("shm_open", "OpenFileMapping"))]
    pub fn open(name: impl AsRef<str>) -> Result<Section> {
        SectionOptions::new().open(name)
    }

    pub(crate) fn new(object: Object, name: Option<Name>, created: bool) -> Section {
        Section { held: Arc::new(Held { object, name }), created }
    }

    pub(crate) fn object(&self) -> &Object {
        &self.held.object
    }

    /// The name it was made or opened by; `None` for memory without one of pagemate's.
    pub fn name(&self) -> Option<&Name> {
        self.held.name.as_ref()
    }

    /// Maps all of it, with the access of this handle.
    ///
    /// # Errors
    ///
    /// As [`ViewOptions::map`].
    #[doc(alias("mmap", "MapViewOfFile"))]
    pub fn map(&self) -> Result<View> {
        self.view().map()
    }

    /// Starts a view of another range, or with another access.
    pub fn view(&self) -> ViewOptions<'_> {
        ViewOptions::new(self)
    }

    /// Its length in bytes: of memory, what was asked for rounded up to whole pages; of a file, just
    /// what was asked for.
    #[allow(clippy::len_without_is_empty, reason = "a section is never empty")]
    pub fn len(&self) -> u64 {
        self.object().len()
    }

    /// Whether this handle made the object, and did not find it.
    pub fn was_created(&self) -> bool {
        self.created
    }

    /// What this handle may do.
    pub fn access(&self) -> Access {
        self.object().access()
    }

    /// What views of the object may do. On Windows a read-only handle to what somebody else made
    /// cannot tell, and says `ReadWrite`.
    pub fn protection(&self) -> Protection {
        self.object().protection()
    }

    /// Another handle to the same memory. The section lives until both are gone.
    ///
    /// # Errors
    ///
    /// None today; the system may have a say in it.
    #[doc(alias("dup", "DuplicateHandle"))]
    pub fn try_clone(&self) -> Result<Section> {
        Ok(Section { held: Arc::clone(&self.held), created: self.created })
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section")
            .field("name", &self.name().map(Name::to_string))
            .field("len", &self.len())
            .field("access", &self.access())
            .field("protection", &self.protection())
            .finish_non_exhaustive()
    }
}
