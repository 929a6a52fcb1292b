use std::fs::File;
use std::time::Duration;

use super::Section;
use crate::access::{Access, Protection, Sharing};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Quoted, Result};
use crate::kind::Kind;
use crate::name::{Name, ToName};
use crate::sys::object::{self, Backing, Existing, Init, Object, Spec};

/// Options to create or open a section.
///
/// Set the options that differ from the defaults, then call [`create_new`](SectionOptions::create_new),
/// [`open_or_create`](SectionOptions::open_or_create), [`open`](SectionOptions::open) or
/// [`create_unnamed`](SectionOptions::create_unnamed). If the object exists already, only the
/// [access](SectionOptions::access) and the [least length](SectionOptions::min_len) matter: all other
/// options describe a new object.
///
/// `'f` is the borrow of the [`file`](SectionOptions::file), if there is one.
///
/// # Examples
///
/// ```
/// use pagemate::{Access, SectionOptions};
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = &format!("doc-options-{}", std::process::id());
/// let created = SectionOptions::new().len(100).create_new(name)?;
/// let reader = SectionOptions::new().access(Access::Read).open(name)?;
/// assert_eq!(reader.len(), created.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SectionOptions<'f> {
    /// All properties except `backing`.
    spec: Spec<'f>,
    min_len: u64,
    sparse: bool,
    huge_pages: bool,
}

impl<'f> SectionOptions<'f> {
    /// Returns the default options: no length, readable and writable, for the owner alone.
    #[allow(
        clippy::new_without_default,
        reason = "the default has no length, so it creates nothing"
    )]
    pub fn new() -> SectionOptions<'f> {
        let spec = Spec {
            kind: Kind::Section,
            len: 0,
            asked_len: 0,
            protection: Protection::default(),
            sharing: Sharing::default(),
            access: Access::default(),
            backing: Backing::default(),
            file: None,
            origin: None,
            content: &[],
            seated: false,
        };
        SectionOptions { spec, min_len: 0, sparse: false, huge_pages: false }
    }

    /// Sets the length of a new section in bytes. It is rounded up to whole pages, except over a
    /// [`file`](SectionOptions::file). The default, zero, is legal only over a file.
    pub fn len(&mut self, bytes: u64) -> &mut SectionOptions<'f> {
        self.spec.len = bytes;
        self
    }

    /// Sets the least length in bytes of the section, created or opened. The default is 0.
    ///
    /// An existing section keeps the length that its creator chose. With this option, a section that is too
    /// short is an error of the call that opens it, and not of a later access. A new section that is not
    /// over a file has at least this length.
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::{ErrorKind, SectionOptions};
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// # let name = &format!("doc-min-len-{}", std::process::id());
    /// let short = SectionOptions::new().len(4096).create_new(name)?;
    /// let error = SectionOptions::new().min_len(1 << 20).open(name).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::OutOfRange);
    /// # Ok(())
    /// # }
    /// ```
    pub fn min_len(&mut self, bytes: u64) -> &mut SectionOptions<'f> {
        self.min_len = bytes;
        self
    }

    /// Creates the section over `file`: the bytes of the file are the memory, and writes reach the
    /// file.
    ///
    /// If the length is zero (the default), the section has the length of the file. A greater length
    /// makes the file grow. The length is exact, not rounded up. If the
    /// [`access`](SectionOptions::access) or the [`protection`](SectionOptions::protection) is
    /// read-only, the section is read-only for every opener and never makes the file grow.
    /// [`sparse`](SectionOptions::sparse) and [`huge_pages`](SectionOptions::huge_pages) have no
    /// effect on a file. If an object of this name exists already,
    /// [`open_or_create`](SectionOptions::open_or_create) opens that object and does not change `file`.
    ///
    /// The name ends with its last holder, as every name does. The file stays and keeps its length.
    ///
    /// # Platforms
    ///
    /// On Unix an opener of the name opens the file by its recorded path, with its own permissions: it
    /// needs permission for the file in addition to the [`sharing`](SectionOptions::sharing). If
    /// another user created the section, the file must belong to that user, or the creator must be
    /// root. If the file was moved, replaced, removed or truncated, opening fails with
    /// [`Corrupted`](crate::ErrorKind::Corrupted). Any process that can write to the file can truncate
    /// it, and an access to a truncated page ends your process with SIGBUS. So does the first write
    /// into a hole of the file if the file system is full. While a large file grows, other processes
    /// that open or create the name may get [`TimedOut`](crate::ErrorKind::TimedOut).
    ///
    /// On Windows an opener of the name needs no permission for the file, and the kernel refuses to
    /// truncate it. If two processes create the same name over two files at the same moment, both
    /// files may grow.
    ///
    /// # Errors
    ///
    /// The functions that create a section return:
    ///
    /// - [`InvalidInput`](crate::ErrorKind::InvalidInput): the file is empty and the length is zero, or
    ///   `file` is not a regular file, or (on Unix, with a name) no path leads to the file.
    /// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied): `file` is not open for the requested
    ///   access.
    /// - [`OutOfRange`](crate::ErrorKind::OutOfRange): a read-only section would be longer than its
    ///   file.
    /// - [`NoSpace`](crate::ErrorKind::NoSpace): the file cannot grow to the length.
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::{Section, SectionOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let name = &format!("doc-file-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path)?;
    /// let created = SectionOptions::new().file(&file).len(100).create_new(name)?;
    /// Section::open(name)?.map()?.write_at(0, b"This is common data!")?;
    /// drop(created);
    /// # drop(file);
    /// assert!(std::fs::read(&path)?.starts_with(b"This is common data!"));
    /// # std::fs::remove_file(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias("CreateFileMapping", "mmap"))]
    pub fn file(&mut self, file: &'f File) -> &mut SectionOptions<'f> {
        self.spec.file = Some(file);
        self.spec.origin = None;
        self
    }

    /// Sets the memory of a mirror, and its origin.
    #[cfg_attr(windows, expect(dead_code, reason = "only Unix has mirrors"))]
    pub(crate) fn set_mirror(
        &mut self,
        file: &'f File,
        origin: &'f str,
    ) -> &mut SectionOptions<'f> {
        self.spec.file = Some(file);
        self.spec.origin = Some(origin);
        self
    }

    /// Sets the access of the new handle. The default is read and write.
    pub fn access(&mut self, access: Access) -> &mut SectionOptions<'f> {
        self.spec.access = access;
        self
    }

    /// Sets the upper limit for the access of all views of a new object. The default is read and
    /// write.
    pub fn protection(&mut self, protection: Protection) -> &mut SectionOptions<'f> {
        self.spec.protection = protection;
        self
    }

    /// Sets which other users may open a new object. The default is none.
    ///
    /// Other users find the object only under a `Global\` name: each user has a `Local\` namespace of
    /// its own.
    ///
    /// # Platforms
    ///
    /// On Windows only services and administrators have the privilege to create a section with a
    /// `Global\` name.
    pub fn sharing(&mut self, sharing: Sharing) -> &mut SectionOptions<'f> {
        self.spec.sharing = sharing;
        self
    }

    /// Sets whether a new section allocates each page at its first access. The default is `false`: all
    /// memory is allocated at creation, and creation fails if there is not enough.
    ///
    /// Use this for large sections of which only a part is used.
    ///
    /// # Platforms
    ///
    /// On Unix a first access that finds no free memory ends the process with SIGBUS. On Windows a
    /// range is committed when it is mapped, and mapping fails if there is not enough memory.
    #[doc(alias("SEC_RESERVE", "MAP_NORESERVE", "reserve"))]
    pub fn sparse(&mut self, sparse: bool) -> &mut SectionOptions<'f> {
        self.sparse = sparse;
        self
    }

    /// Sets whether a new section is allocated in huge pages as far as the system has them, and in small
    /// pages otherwise. The default is `false`. It is a hint.
    ///
    /// Use this for sections of many megabytes. It excludes [`sparse`](SectionOptions::sparse).
    ///
    /// # Platforms
    ///
    /// On Linux the hint needs no privilege and no system setting, and it benefits all views in all
    /// processes. To create 1 GiB and touch every page takes about a tenth of the time that small
    /// pages take. To touch the pages alone, or to free them, takes about a hundredth. The benchmark
    /// `cargo bench -p pagemate --bench section -- "huge sections"` measures these ratios. Creation can be
    /// several times slower than with small pages if free memory is fragmented, or if the host of a
    /// virtual machine has to provide the memory first.
    ///
    /// On macOS and Windows the hint has no effect; large pages need a privilege on Windows.
    #[doc(alias("SEC_LARGE_PAGES", "MADV_COLLAPSE"))]
    pub fn huge_pages(&mut self, huge_pages: bool) -> &mut SectionOptions<'f> {
        self.huge_pages = huge_pages;
        self
    }

    /// Creates the section `name`. The memory is zeroed.
    ///
    /// # Errors
    ///
    /// - [`InvalidName`](crate::ErrorKind::InvalidName): see [`Name::new`].
    /// - [`AlreadyExists`](crate::ErrorKind::AlreadyExists): some process holds an object of this
    ///   name, of any kind.
    /// - [`InvalidInput`](crate::ErrorKind::InvalidInput): the length is zero, or the section is both
    ///   sparse and in huge pages.
    /// - [`NoSpace`](crate::ErrorKind::NoSpace): there is not enough memory. The message has the
    ///   requested and the available bytes.
    /// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied): this user may not create the name.
    /// - The errors of [`file`](SectionOptions::file).
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::{ErrorKind, SectionOptions};
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// # let name = &format!("doc-create-{}", std::process::id());
    /// let section = SectionOptions::new().len(100).create_new(name)?;
    /// assert!(section.len() >= 100);
    /// let error = SectionOptions::new().len(100).create_new(name).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_new(&self, name: impl ToName) -> Result<Section> {
        self.create("create section", name.to_name(), Existing::Refuse, None)
    }

    /// Creates the section `name` with the content that `init` writes. No other process can open the section
    /// before its content is complete.
    ///
    /// `init` gets the new section before it has its name. If `init` fails or panics, or if this process is
    /// killed meanwhile, the name does not come to exist. `init` can write to a section whose
    /// [`protection`](SectionOptions::protection) or [`access`](SectionOptions::access) is read-only.
    ///
    /// # Platforms
    ///
    /// On Windows the kernel creates and names a section in one step. There other processes can open the
    /// section while `init` writes, and `init` cannot write to a section whose protection is read-only.
    ///
    /// # Errors
    ///
    /// - The errors of [`create_new`](SectionOptions::create_new), and those of `init`.
    /// - [`InvalidInput`](crate::ErrorKind::InvalidInput): the section is over a
    ///   [`file`](SectionOptions::file), which has a content already.
    /// - [`Unsupported`](crate::ErrorKind::Unsupported): on Windows, the protection is read-only.
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::{Section, SectionOptions};
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// # let name = &format!("doc-create-with-{}", std::process::id());
    /// let text = b"This is common data!";
    /// let section = SectionOptions::new()
    ///     .len(4096)
    ///     .create_new_with(name, |section| section.map()?.write_at(0, text))?;
    /// assert_eq!(&Section::open(name)?.map()?.read::<[u8; 20]>(0)?, text);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_new_with(
        &self,
        name: impl ToName,
        init: impl FnOnce(&Section) -> Result<()>,
    ) -> Result<Section> {
        self.create_with("create section", name.to_name(), Existing::Refuse, init)
    }

    /// Opens the section `name` if some process holds it, and creates it otherwise.
    ///
    /// [`Section::was_created`] returns whether this call created the section. If several processes
    /// call this at the same time, exactly one of them creates the section. An opened section keeps
    /// its own length.
    ///
    /// # Errors
    ///
    /// The errors of [`Section::open`] and [`create_new`](SectionOptions::create_new), except
    /// `NotFound` and `AlreadyExists`.
    #[doc(alias("CreateFileMapping"))]
    pub fn open_or_create(&self, name: impl ToName) -> Result<Section> {
        self.create("open or create section", name.to_name(), Existing::Open, None)
    }

    /// Opens the section `name` if some process holds it, and otherwise creates it with the content that
    /// `init` writes: see [`create_new_with`](SectionOptions::create_new_with).
    ///
    /// `init` is not called if the section exists. If several processes call this at the same time, each of
    /// them may call its `init`. One section gets the name, and all of them return that section.
    ///
    /// # Errors
    ///
    /// The errors of [`open_or_create`](SectionOptions::open_or_create) and
    /// [`create_new_with`](SectionOptions::create_new_with).
    pub fn open_or_create_with(
        &self,
        name: impl ToName,
        init: impl FnOnce(&Section) -> Result<()>,
    ) -> Result<Section> {
        self.create_with("open or create section", name.to_name(), Existing::Open, init)
    }

    fn create_with(
        &self,
        call: &'static str,
        name: Result<Name>,
        existing: Existing,
        init: impl FnOnce(&Section) -> Result<()>,
    ) -> Result<Section> {
        let name = name?;
        if self.spec.file.is_some() {
            let cause =
                "a section over a file has the content of the file; write to its view instead";
            let error = Error::new(ErrorKind::InvalidInput, cause);
            return Err(error.during(call, Quoted(&name.to_string())));
        }
        let mut init = Some(init);
        let mut write = |object| match init.take() {
            Some(init) => init(&Section::new(object, Some(name.clone()), true)),
            None => Ok(()),
        };
        self.create(call, Ok(name.clone()), existing, Some(&mut write))
    }

    fn create(
        &self,
        call: &'static str,
        name: Result<Name>,
        existing: Existing,
        init: Option<Init<'_>>,
    ) -> Result<Section> {
        let name = name?;
        let (object, created) = self
            .spec()
            .and_then(|spec| Object::create(&name, &spec, existing, init))
            .and_then(|(object, created)| Ok((self.long_enough(object)?, created)))
            .map_err(|e| e.during(call, Quoted(&name.to_string())))?;
        Ok(Section::new(object, Some(name), created))
    }

    /// Opens the section `name` with the [access](SectionOptions::access) and the
    /// [least length](SectionOptions::min_len) of these options. All other options are ignored.
    ///
    /// # Errors
    ///
    /// The errors of [`Section::open`], and [`OutOfRange`](crate::ErrorKind::OutOfRange) if the section is
    /// shorter than its least length.
    pub fn open(&self, name: impl ToName) -> Result<Section> {
        self.open_before(name.to_name(), Deadline::Now)
    }

    /// Opens the section `name` like [`open`](SectionOptions::open), blocking for at most `time` until
    /// some process creates it: see [`Section::open_within`].
    ///
    /// # Errors
    ///
    /// The errors of [`Section::open`].
    pub fn open_within(&self, name: impl ToName, time: Duration) -> Result<Section> {
        self.open_before(name.to_name(), Deadline::after(time))
    }

    fn open_before(&self, name: Result<Name>, deadline: Deadline) -> Result<Section> {
        let name = name?;
        let open = || Object::open(&name, self.spec.kind, self.spec.access);
        let object = object::open_before(&name, deadline, open)
            .and_then(|object| self.long_enough(object))
            .map_err(|e| e.during("open section", Quoted(&name.to_string())))?;
        Ok(Section::new(object, Some(name), false))
    }

    /// Creates a section without a name.
    ///
    /// Pass the section to another process as a descriptor or handle: see [`os`](crate::os).
    ///
    /// # Errors
    ///
    /// The errors of [`create_new`](SectionOptions::create_new) that do not concern the name.
    pub fn create_unnamed(&self) -> Result<Section> {
        let object = self.spec().and_then(|spec| Object::unnamed(&spec));
        let object = object.and_then(|object| self.long_enough(object));
        let object = object.map_err(|e| e.during("create unnamed section", ""))?;
        Ok(Section::new(object, None, true))
    }

    /// Returns the object, or an error if it is shorter than `min_len` requires.
    fn long_enough(&self, object: Object) -> Result<Object> {
        let (len, least) = (object.len(), self.min_len);
        if len >= least {
            return Ok(object);
        }
        let cause = format!("it has {len} bytes, and min_len asks for at least {least}");
        Err(Error::new(ErrorKind::OutOfRange, cause))
    }

    /// Returns the properties of a new section.
    fn spec(&self) -> Result<Spec<'f>> {
        let backing = match (self.sparse, self.huge_pages) {
            (false, false) => Backing::Reserved,
            (true, false) => Backing::Sparse,
            (false, true) => Backing::Huge,
            (true, true) => {
                let cause = "sparse and huge_pages exclude each other; set one of them";
                return Err(Error::new(ErrorKind::InvalidInput, cause));
            }
        };
        let len = if self.spec.file.is_some() { 0 } else { self.min_len };
        Ok(Spec { backing, len: self.spec.len.max(len), ..self.spec })
    }
}
