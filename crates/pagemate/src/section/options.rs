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
#[derive(Clone, Debug)]
pub struct SectionOptions {
    spec: Spec,
}

impl SectionOptions {
    /// Memory of no length yet, for the owner alone, read and written.
    #[allow(clippy::new_without_default, reason = "a default section has no length: say new")]
    pub fn new() -> SectionOptions {
        let spec = Spec {
            kind: Kind::Section,
            len: 0,
            protection: Protection::default(),
            sharing: Sharing::default(),
            access: Access::default(),
            backing: Backing::default(),
        };
        SectionOptions { spec }
    }

    /// The length in bytes, rounded up to whole pages. An object that exists keeps its own.
    pub fn len(&mut self, bytes: u64) -> &mut SectionOptions {
        self.spec.len = bytes;
        self
    }

    /// What the new handle may do.
    pub fn access(&mut self, access: Access) -> &mut SectionOptions {
        self.spec.access = access;
        self
    }

    /// What views of a new object may do, whoever opens it.
    pub fn protection(&mut self, protection: Protection) -> &mut SectionOptions {
        self.spec.protection = protection;
        self
    }

    /// Which other users may open a new object. They also have to meet in a place that both can
    /// reach: a `Global\` name. To make one takes a privilege on Windows, which services and
    /// administrators have.
    pub fn sharing(&mut self, sharing: Sharing) -> &mut SectionOptions {
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
    pub fn reserve(&mut self) -> &mut SectionOptions {
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
    pub fn huge_pages(&mut self) -> &mut SectionOptions {
        self.spec.backing = Backing::Huge;
        self
    }

    /// Makes the section `name`, which must not exist.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists): a process holds an object of this name,
    /// of whatever kind. [`NoSpace`](crate::ErrorKind::NoSpace): the memory is not to be had; the
    /// message has the numbers. [`InvalidInput`](crate::ErrorKind::InvalidInput): no length.
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

    /// Opens the section `name` with the access set here.
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

    /// Makes memory without a name, to be handed on as a descriptor or handle.
    ///
    /// # Errors
    ///
    /// As [`create_new`](SectionOptions::create_new).
    pub fn create_unnamed(&self) -> Result<Section> {
        let object =
            Object::unnamed(&self.spec).map_err(|e| e.during("create unnamed section", ""))?;
        Ok(Section::new(object, None, true))
    }

    /// Makes a section over `file`: its bytes are the memory, and what is written reaches it.
    ///
    /// A length of 0, the default, takes the file's own; a greater one makes the file grow. The
    /// length is exact, not rounded. Whoever else can write to the file can cut it short, and
    /// touching what is gone ends the process with SIGBUS on Unix. Windows keeps a file from being
    /// cut short while a section is over it. Where the file has holes, writing into one ends the
    /// process in the same way if its file system is full.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput): an empty file and no length.
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied): `file` is not open for what is
    /// asked. [`OutOfRange`](crate::ErrorKind::OutOfRange): a read-only section longer than its file.
    pub fn over_file(&self, file: &File) -> Result<Section> {
        let object = file
            .try_clone()
            .map_err(|e| crate::Error::os("the file's handle cannot be cloned", e))
            .and_then(|file| Object::over_file(file, &self.spec))
            .map_err(|e| e.during("create section over file", ""))?;
        Ok(Section::new(object, None, true))
    }
}
