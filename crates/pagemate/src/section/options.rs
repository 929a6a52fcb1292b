use std::fs::File;

use super::Section;
use crate::access::{Access, Kind, Protection, Sharing};
use crate::error::{Quoted, Result};
use crate::name::Name;
use crate::sys::object::{Backing, Existing, Object, Spec};

/// How to make or open a section: set what matters, then call one of the verbs.
///
/// ```
/// use pagemate::{Access, SectionOptions};
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = &format!("doc-options-{}", std::process::id());
/// let made = SectionOptions::new().len(100).create_new(name)?;
/// let reader = SectionOptions::new().access(Access::Read).open(name)?;
/// assert_eq!(reader.len(), made.len());
/// # Ok(())
/// # }
/// ```
///
/// `'f` is how long the [`file`](SectionOptions::file) is borrowed, where there is one.
#[derive(Clone, Debug)]
pub struct SectionOptions<'f> {
    spec: Spec<'f>,
}

impl<'f> SectionOptions<'f> {
    /// Memory of no length yet, for the owner alone, read and written.
    #[allow(clippy::new_without_default, reason = "a default section has no length: say new")]
    pub fn new() -> SectionOptions<'f> {
        let spec = Spec {
            kind: Kind::Section,
            len: 0,
            protection: Protection::default(),
            sharing: Sharing::default(),
            access: Access::default(),
            backing: Backing::default(),
            file: None,
            content: &[],
            seated: false,
        };
        SectionOptions { spec }
    }

    /// The length in bytes, rounded up to whole pages unless it is a
    /// [`file`](SectionOptions::file)'s. An object that exists keeps its own.
    pub fn len(&mut self, bytes: u64) -> &mut SectionOptions<'f> {
        self.spec.len = bytes;
        self
    }

    /// Makes the section over `file`: its bytes are the memory, and what is written reaches it.
    ///
    /// No length, the default, takes the file's own; a greater one makes the file grow. The length
    /// is exact, not rounded. A section that is only read, by its [`access`](SectionOptions::access)
    /// or its [`protection`](SectionOptions::protection), is read-only for everyone, and never makes
    /// a file grow. [`reserve`](SectionOptions::reserve) and
    /// [`huge_pages`](SectionOptions::huge_pages) have no effect on a file. If the name exists
    /// already, its object is opened as it is, and this file stays as it is.
    ///
    /// The name ends with its last holder, as every name does; the file stays, and keeps its length.
    ///
    /// # Platforms
    ///
    /// On Unix who opens the name opens the file by its path, and so needs the rights to it, beside
    /// those that [`sharing`](SectionOptions::sharing) grants: if it was moved, replaced, removed or
    /// cut short, opening fails with [`Corrupted`](crate::ErrorKind::Corrupted), and if another user
    /// made the section, the file has to be that user's own, or that user root. Whoever can write to
    /// the file can cut it short, and touching what is gone ends the process with SIGBUS; so does
    /// writing into a hole of the file if its file system is full. While a large file grows, others
    /// who want the name may be told [`TimedOut`](crate::ErrorKind::TimedOut).
    ///
    /// On Windows who opens the name needs no rights to the file, and a file under a section is not
    /// cut short. If another process makes the same name at the same moment, the file may have grown
    /// although the name is the other's.
    ///
    /// # Errors
    ///
    /// The verbs that create say [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty file
    /// without a length, for what is no file, and on Unix for a name over a file that no path leads
    /// to; [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if `file` is not open for what is
    /// asked; [`OutOfRange`](crate::ErrorKind::OutOfRange), with the numbers, if a section that is
    /// only read is to be longer than its file; [`NoSpace`](crate::ErrorKind::NoSpace) if the file
    /// cannot grow so far.
    ///
    /// ```
    /// use pagemate::{Section, SectionOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let name = &format!("doc-file-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path)?;
    /// let made = SectionOptions::new().file(&file).len(100).create_new(name)?;
    /// Section::open(name)?.map()?.write_at(0, b"This is common data!")?;
    /// drop(made);
    /// # drop(file);
    /// assert!(std::fs::read(&path)?.starts_with(b"This is common data!"));
    /// # std::fs::remove_file(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias("CreateFileMapping", "mmap"))]
    pub fn file(&mut self, file: &'f File) -> &mut SectionOptions<'f> {
        self.spec.file = Some(file);
        self
    }

    /// What the new handle may do.
    pub fn access(&mut self, access: Access) -> &mut SectionOptions<'f> {
        self.spec.access = access;
        self
    }

    /// What views of a new object may do, whoever opens it.
    pub fn protection(&mut self, protection: Protection) -> &mut SectionOptions<'f> {
        self.spec.protection = protection;
        self
    }

    /// Which other users may open a new object. They also have to meet in a place that both can
    /// reach: a `Global\` name. To make one takes a privilege on Windows, which services and
    /// administrators have.
    pub fn sharing(&mut self, sharing: Sharing) -> &mut SectionOptions<'f> {
        self.spec.sharing = sharing;
        self
    }

    /// Sets nothing aside at creation: pages come at first touch. For sparse giants; the
    /// counterpart of `SEC_RESERVE`.
    ///
    /// When memory runs out, the touch that finds none ends the process with SIGBUS on Unix.
    /// Without this, creation fails instead, and nothing later does.
    ///
    /// On Windows a range is set aside when it is mapped, and mapping fails if there is not enough.
    pub fn reserve(&mut self) -> &mut SectionOptions<'f> {
        self.spec.backing = Backing::Sparse;
        self
    }

    /// Sets the memory aside in huge pages, as far as the system has them; the rest is small. For
    /// sections of many megabytes. On Windows it has no effect, as large pages are a privilege
    /// there.
    ///
    /// On Linux it takes no privilege and no system setting, and all views in all processes profit.
    /// To create 1 GiB and touch every page takes about a tenth of the time it takes with small
    /// pages, touching alone a hundredth, and so does giving it all back;
    /// `cargo bench -p pagemate --bench section -- giant` measures it. Creation can take longer,
    /// several times as long as with small pages, where free memory is in small pieces or the host
    /// of a virtual machine has yet to provide it.
    ///
    /// Undoes [`reserve`](SectionOptions::reserve).
    #[doc(alias("SEC_LARGE_PAGES", "MADV_COLLAPSE"))]
    pub fn huge_pages(&mut self) -> &mut SectionOptions<'f> {
        self.spec.backing = Backing::Huge;
        self
    }

    /// Makes the section `name`, which must not exist.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists): a process holds an object of this name,
    /// of whatever kind. [`NoSpace`](crate::ErrorKind::NoSpace): the memory is not to be had; the
    /// message has the numbers. [`InvalidInput`](crate::ErrorKind::InvalidInput): no length. Over a
    /// file, those of [`file`](SectionOptions::file) too.
    pub fn create_new(&self, name: impl AsRef<str>) -> Result<Section> {
        self.create("create section", name.as_ref(), Existing::Refuse)
    }

    /// Opens the section `name` if some process holds it, and makes it otherwise;
    /// [`Section::was_created`] tells which. Of several processes that do this at once exactly one
    /// makes it.
    ///
    /// # Errors
    ///
    /// Those of [`Section::open`] and [`create_new`](SectionOptions::create_new), except that it is
    /// missing or exists.
    #[doc(alias("CreateFileMapping"))]
    pub fn open_or_create(&self, name: impl AsRef<str>) -> Result<Section> {
        self.create("open or create section", name.as_ref(), Existing::Open)
    }

    fn create(&self, call: &'static str, name: &str, existing: Existing) -> Result<Section> {
        let parsed = Name::new(name)?;
        let (object, created) = Object::create(&parsed, &self.spec, existing)
            .map_err(|e| e.during(call, Quoted(name)))?;
        Ok(Section::new(object, Some(parsed), created))
    }

    /// Opens the section `name` with the access set here, which is all of it that an opener has a
    /// say in.
    ///
    /// # Errors
    ///
    /// As [`Section::open`].
    pub fn open(&self, name: impl AsRef<str>) -> Result<Section> {
        let name = name.as_ref();
        let parsed = Name::new(name)?;
        let object = Object::open(&parsed, self.spec.kind, self.spec.access)
            .map_err(|e| e.during("open section", Quoted(name)))?;
        Ok(Section::new(object, Some(parsed), false))
    }

    /// Makes a section without a name, to be handed on as a descriptor or handle.
    ///
    /// # Errors
    ///
    /// As [`create_new`](SectionOptions::create_new).
    pub fn create_unnamed(&self) -> Result<Section> {
        let object =
            Object::unnamed(&self.spec).map_err(|e| e.during("create unnamed section", ""))?;
        Ok(Section::new(object, None, true))
    }
}
