//! Named shared memory: sections, and views of them.

mod options;
mod view;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::access::{Access, Protection};
use crate::error::{Quoted, Result};
use crate::name::{Name, ToName};
use crate::sys::object::Object;

pub use self::options::SectionOptions;
pub use self::view::{Atomic, View, ViewOptions};

/// A handle to shared memory.
///
/// A named section lives as long as any process has a `Section` or a [`View`] of it. When the last
/// holder drops its handle and its views, exits or is killed, the name is free at once. The next
/// process that creates the name gets new, zeroed memory.
///
/// A section has a fixed length. Unless it is [`sparse`](SectionOptions::sparse), its memory is
/// reserved when it is created, so that no later access fails for lack of memory.
///
/// # Fork
///
/// A child made by `fork` holds the sections of its parent, until it exits or calls `exec`.
pub struct Section {
    handle: Arc<Handle>,
    created: bool,
}

/// The open object. A `Section` and its views share it, so that a view keeps the name alive.
#[derive(Debug)]
struct Handle {
    object: Object,
    /// `None` for memory without a pagemate name.
    name: Option<Name>,
}

impl fmt::Display for Handle {
    /// Writes the name of the object for error messages.
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
    /// The section has the length that its creator chose. To open it read-only, use
    /// [`SectionOptions::open`].
    ///
    /// # Platforms
    ///
    /// The section is a locked file in shared memory on Linux, a locked temporary file on macOS, and
    /// a kernel file mapping (`OpenFileMappingW`) on Windows.
    ///
    /// # Errors
    ///
    /// - [`InvalidName`](crate::ErrorKind::InvalidName): see [`Name::new`].
    /// - [`NotFound`](crate::ErrorKind::NotFound): no process holds an object of this name.
    /// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied): the object does not grant this user
    ///   read-write access.
    /// - [`WrongKind`](crate::ErrorKind::WrongKind): the name belongs to a sync object.
    /// - [`WrongVersion`](crate::ErrorKind::WrongVersion): an incompatible release created it.
    /// - [`Corrupted`](crate::ErrorKind::Corrupted): the stored bytes are not a valid object, or the
    ///   file under the section was moved, replaced or truncated (see [`SectionOptions::file`]).
    /// - [`TimedOut`](crate::ErrorKind::TimedOut): another process kept the name busy for two seconds.
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::{Section, SectionOptions};
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// # let name = &format!("doc-open-{}", std::process::id());
    /// let created = SectionOptions::new().len(4096).create_new(name)?;
    /// let opened = Section::open(name)?;
    /// assert_eq!(opened.len(), created.len());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias("shm_open", "OpenFileMapping"))]
    pub fn open(name: impl ToName) -> Result<Section> {
        SectionOptions::new().open(name)
    }

    /// Opens the section named `name` for reading and writing, blocking for at most `time` until some
    /// process creates it.
    ///
    /// A time of zero is [`open`](Section::open); [`Duration::MAX`] sets no limit. Mutexes, events and
    /// semaphores have the same function.
    ///
    /// The thread sleeps between two attempts to open the name, so it may miss a section that
    /// exists only for a short time.
    ///
    /// # Platforms
    ///
    /// On Linux the kernel reports new names (`inotify(7)`). The thread also tries to open the name
    /// twice a second, because the kernel does not report names that a mount makes visible. The
    /// kernel refuses to report names if this user has `fs.inotify.max_user_instances` queues
    /// already. In this case, and on macOS and Windows, the thread tries again after 1 ms, and then
    /// at intervals that grow to 50 ms.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Section::open). [`NotFound`](crate::ErrorKind::NotFound) means that no
    /// process created the name in time. An object of another kind, and one that does not grant this
    /// user access, ends the wait with an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    /// use std::time::Duration;
    ///
    /// use pagemate::{Section, SectionOptions};
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// # let name = &format!("doc-open-within-{}", std::process::id());
    /// thread::scope(|scope| {
    ///     let opener = scope.spawn(|| Section::open_within(name, Duration::from_secs(30)));
    ///     let created = SectionOptions::new().len(4096).create_new(name)?;
    ///     assert_eq!(opener.join().unwrap()?.len(), created.len());
    ///     Ok(())
    /// })
    /// # }
    /// ```
    #[doc(alias("wait"))]
    pub fn open_within(name: impl ToName, time: Duration) -> Result<Section> {
        SectionOptions::new().open_within(name, time)
    }

    pub(crate) fn new(object: Object, name: Option<Name>, created: bool) -> Section {
        Section { handle: Arc::new(Handle { object, name }), created }
    }

    pub(crate) fn object(&self) -> &Object {
        &self.handle.object
    }

    /// Returns the name that this section was created or opened with; `None` for memory without a
    /// pagemate name.
    pub fn name(&self) -> Option<&Name> {
        self.handle.name.as_ref()
    }

    /// Checks that the section still has its name. Mapping it checks that too.
    ///
    /// # Platforms
    ///
    /// On Windows no program can remove the name of an object that a process holds.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that other
    /// processes do not find this section.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> pagemate::Result<()> {
    /// # let name = format!("doc-check-name-{}", std::process::id());
    /// let section = pagemate::SectionOptions::new().len(1).create_new(&name)?;
    /// section.check_name()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_name(&self) -> Result<()> {
        self.object().check_name().map_err(|e| e.during("check name of", &self.handle))
    }

    /// Maps the whole section, with the access of this handle.
    ///
    /// # Errors
    ///
    /// The errors of [`ViewOptions::map`].
    #[doc(alias("mmap", "MapViewOfFile"))]
    pub fn map(&self) -> Result<View> {
        self.view().map()
    }

    /// Returns options to map a part of the section, or to map it with other access.
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::{Access, SectionOptions};
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// let section = SectionOptions::new().len(8192).create_unnamed()?;
    /// let view = section.view().range(100..300).access(Access::Read).map()?;
    /// assert_eq!(view.len(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn view(&self) -> ViewOptions<'_> {
        ViewOptions::new(self)
    }

    /// Returns the length in bytes. A section in memory has whole pages; a section over a file has
    /// the exact length of the request.
    #[allow(clippy::len_without_is_empty, reason = "a section is never empty")]
    pub fn len(&self) -> u64 {
        self.object().len()
    }

    /// Returns the length that the creator asked for, in bytes: [`len`](Section::len) before it was rounded
    /// up.
    ///
    /// # Platforms
    ///
    /// The system does not store this length everywhere. A handle that did not create the section
    /// returns [`len`](Section::len) instead on Windows, and on Unix if another process sent it and
    /// the section has no name.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> pagemate::Result<()> {
    /// let section = pagemate::SectionOptions::new().len(100).create_unnamed()?;
    /// assert_eq!(section.requested_len(), 100);
    /// assert!(section.len() > 100);
    /// # Ok(())
    /// # }
    /// ```
    pub fn requested_len(&self) -> u64 {
        self.object().asked_len()
    }

    /// Returns whether this handle created the object; `false` if it opened an existing object.
    pub fn was_created(&self) -> bool {
        self.created
    }

    /// Returns the access of this handle.
    pub fn access(&self) -> Access {
        self.object().access()
    }

    /// Returns the upper limit for the access of views of this object.
    ///
    /// # Platforms
    ///
    /// On Windows a read-only handle cannot query the limit of an object that another handle
    /// created, and returns `ReadWrite`.
    pub fn protection(&self) -> Protection {
        self.object().protection()
    }

    /// Creates another handle to the same section. The section lives until both handles are dropped.
    ///
    /// # Errors
    ///
    /// None at present. A later release may report an error of the operating system.
    #[doc(alias("dup", "DuplicateHandle"))]
    pub fn try_clone(&self) -> Result<Section> {
        Ok(Section { handle: Arc::clone(&self.handle), created: self.created })
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
