//! Sections: `create`, `open`, `open_or_create`, `create_unnamed`, and the class `Section`.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pagemate::{Access, ErrorKind, Protection, SectionOptions};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::argument::{Size, Timeout, access, sharing};
use crate::error::{Error, Result, closed};
use crate::inventory;
use crate::os;
use crate::view::{self, MapOptions};

/// Registers the functions and the class.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Section>()?;
    module.add_function(wrap_pyfunction!(create, module)?)?;
    module.add_function(wrap_pyfunction!(open, module)?)?;
    module.add_function(wrap_pyfunction!(open_or_create, module)?)?;
    module.add_function(wrap_pyfunction!(create_unnamed, module)?)
}

/// A handle to shared memory. While it is open, the name of the memory exists.
#[pyclass(frozen, weakref, module = "pagemate")]
pub(crate) struct Section {
    /// `None` once the section is closed.
    open: Mutex<Option<pagemate::Section>>,
    /// The properties, which a closed section has too.
    name: Option<String>,
    size: u64,
    requested_size: u64,
    was_created: bool,
    writable: bool,
    protection: &'static str,
}

impl Section {
    pub(crate) fn new(section: pagemate::Section) -> Section {
        Section {
            name: section.name().map(ToString::to_string),
            size: section.len(),
            requested_size: section.requested_len(),
            was_created: section.was_created(),
            writable: section.access() == Access::ReadWrite,
            protection: inventory::protection(section.protection()),
            open: Mutex::new(Some(section)),
        }
    }

    /// Returns another handle to the same memory, which stays valid when this one is closed.
    pub(crate) fn handle(&self) -> Result<pagemate::Section> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match &*open {
            Some(section) => Ok(section.try_clone()?),
            None => Err(closed("section")),
        }
    }
}

#[pymethods]
impl Section {
    /// The name with its prefix if it has one, or `None` for memory without a name.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The size in bytes. It is a whole number of pages, except over a file.
    #[getter]
    fn size(&self) -> u64 {
        self.size
    }

    /// The size in bytes that the creator asked for. Where the system does not store it, it is `size`.
    #[getter]
    fn requested_size(&self) -> u64 {
        self.requested_size
    }

    /// Whether this call created the memory; `False` if it opened memory that existed.
    #[getter]
    fn was_created(&self) -> bool {
        self.was_created
    }

    /// Whether views through this handle can be writable.
    #[getter]
    fn writable(&self) -> bool {
        self.writable
    }

    /// The upper limit for all views of this memory: `"read-only"` or `"read-write"`.
    #[getter]
    fn protection(&self) -> &'static str {
        self.protection
    }

    /// Whether `close` was called.
    #[getter]
    fn closed(&self) -> bool {
        self.handle().is_err()
    }

    /// Maps `size` bytes from `offset` on; without a size, everything after the offset.
    ///
    /// The view holds the memory and its name, also when the section is closed. Its access is that of the
    /// section, or read-only with `writable=False`. With `copy_on_write=True`, writes go to a private copy.
    /// `prefault=True` makes all pages present before the call returns.
    #[pyo3(signature = (offset = Size(0), size = None, *, writable = None, copy_on_write = false,
        prefault = false, huge_pages = false),
        text_signature = "($self, offset=0, size=None, *, writable=None, copy_on_write=False, prefault=False, huge_pages=False)")]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    fn map<'py>(
        &self,
        py: Python<'py>,
        offset: Size,
        size: Option<Size>,
        writable: Option<bool>,
        copy_on_write: bool,
        prefault: bool,
        huge_pages: bool,
    ) -> Result<Bound<'py, PyAny>> {
        let options = MapOptions { offset, size, writable, copy_on_write, prefault, huge_pages };
        view::map(py, &self.handle()?, &options)
    }

    /// Checks that the name still leads to this memory.
    ///
    /// Raises `OrphanedError` if another program removed the name, for example with `rm`.
    fn check_name(&self, py: Python<'_>) -> Result<()> {
        let section = self.handle()?;
        Ok(py.detach(|| section.check_name())?)
    }

    /// Releases the memory. Views stay valid and hold the memory and its name on their own. Closing a
    /// closed section does nothing.
    fn close(&self, py: Python<'_>) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(open));
    }

    /// Returns the number of the file descriptor of the memory, for a child process. The section owns it.
    #[cfg(unix)]
    fn fileno(&self) -> Result<i32> {
        Ok(os::descriptor(&self.handle()?))
    }

    /// Pickles a named section by its name. An unnamed section can only be sent to another process.
    fn __reduce__<'py>(slf: &Bound<'py, Section>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("pagemate._pickle")?.call_method1("reduce_section", (slf,))
    }

    fn __enter__(slf: Py<Section>, py: Python<'_>) -> Result<Py<Section>> {
        slf.borrow(py).handle()?;
        Ok(slf)
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyAny>) {
        self.close(py);
    }

    fn __repr__(&self) -> String {
        let name = self.name.as_ref().map_or("unnamed".to_owned(), |name| format!("{name:?}"));
        let closed = if self.closed() { ", closed" } else { "" };
        format!("<pagemate.Section {name}, {} bytes{closed}>", self.size)
    }
}

/// The properties of new memory, as the arguments of the functions that create it.
struct Creation<'a, 'py> {
    size: Size,
    sharing: &'a str,
    read_only: bool,
    sparse: bool,
    huge_pages: bool,
    file: Option<&'a Bound<'py, PyAny>>,
    initial: Option<&'a Bound<'py, PyBytes>>,
}

impl Creation<'_, '_> {
    /// Calls `create` with the options and the initial content, without the lock of the interpreter.
    fn run(
        &self,
        py: Python<'_>,
        create: impl FnOnce(&SectionOptions<'_>, Option<&[u8]>) -> pagemate::Result<pagemate::Section>
        + Send,
    ) -> Result<Section> {
        let file = self.file.map(|file| self.open_file(file)).transpose()?;
        let mut options = SectionOptions::new();
        options.len(self.size.0).sharing(sharing(self.sharing)?);
        options.sparse(self.sparse).huge_pages(self.huge_pages);
        if self.read_only {
            options.protection(Protection::ReadOnly).access(Access::Read);
        }
        if let Some(file) = &file {
            options.file(file);
        }
        let initial = self.initial.map(PyBytesMethods::as_bytes);
        Ok(Section::new(py.detach(|| create(&options, initial))?))
    }

    /// Opens the file under a new section: a path, or a file object.
    fn open_file(&self, file: &Bound<'_, PyAny>) -> Result<File> {
        if file.hasattr("fileno")? {
            return os::file_of(file);
        }
        let path: PathBuf = file.extract()?;
        let write = !self.read_only;
        let opened = file.py().detach(|| os::open_path(&path, write));
        opened.map_err(|error| Error::Python(error.into()))
    }
}

/// Writes the first bytes of a new section.
fn fill(section: &pagemate::Section, initial: &[u8]) -> pagemate::Result<()> {
    section.map()?.write_at(0, initial)
}

/// Creates the memory `name` of at least `size` bytes, zeroed.
///
/// Raises `AlreadyExistsError` if some process holds an object of this name.
///
/// `sharing` lets other users open a `Global\\` name: `"owner"`, `"group-read"`, `"group-read-write"`,
/// `"everyone-read"` or `"everyone-read-write"`. `file`, a path or an open file, is the memory instead of new
/// memory; a `size` of 0 then is the size of the file. `read_only=True` makes every view of a file
/// read-only. `sparse=True` allocates each page at its first access, and not at creation. `initial` is the
/// content at the beginning; no other process sees the memory without it.
#[pyfunction]
#[pyo3(signature = (name, size, *, sharing = "owner", file = None, read_only = false, sparse = false,
    huge_pages = false, initial = None))]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
fn create(
    py: Python<'_>,
    name: &str,
    size: Size,
    sharing: &str,
    file: Option<&Bound<'_, PyAny>>,
    read_only: bool,
    sparse: bool,
    huge_pages: bool,
    initial: Option<&Bound<'_, PyBytes>>,
) -> Result<Section> {
    let creation = Creation { size, sharing, read_only, sparse, huge_pages, file, initial };
    creation.run(py, |options, initial| match initial {
        Some(initial) => options.create_new_with(name, |section| fill(section, initial)),
        None => options.create_new(name),
    })
}

/// Opens the memory `name`.
///
/// Raises `NotFoundError` if no process holds the name. With a `timeout` in seconds, waits that long for
/// another process to create it; with `None` without a limit. Raises `OutOfRangeError` if the memory has
/// fewer than `min_size` bytes.
#[pyfunction]
#[pyo3(signature = (name, *, writable = true, min_size = Size(0), timeout = Timeout::ZERO),
    text_signature = "(name, *, writable=True, min_size=0, timeout=0)")]
fn open(
    py: Python<'_>,
    name: &str,
    writable: bool,
    min_size: Size,
    timeout: Timeout,
) -> Result<Section> {
    let mut options = SectionOptions::new();
    options.access(access(writable)).min_len(min_size.0);
    let mut missing = None;
    let opened = timeout.wait(py, |slice| match options.open_within(name, slice) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            missing = Some(error);
            Ok(None)
        }
        opened => opened.map(Some),
    })?;
    match (opened, missing) {
        (Some(section), _) => Ok(Section::new(section)),
        (None, missing) => {
            Err(missing.expect("an attempt without a section returned an error").into())
        }
    }
}

/// Opens the memory `name` if some process holds it, and creates it otherwise.
///
/// Exactly one of several processes creates the memory; `was_created` is true for that process. Existing memory
/// keeps its size; the arguments describe new memory, as those of `create` do.
#[pyfunction]
#[pyo3(signature = (name, size, *, sharing = "owner", file = None, read_only = false, sparse = false,
    huge_pages = false, initial = None))]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
fn open_or_create(
    py: Python<'_>,
    name: &str,
    size: Size,
    sharing: &str,
    file: Option<&Bound<'_, PyAny>>,
    read_only: bool,
    sparse: bool,
    huge_pages: bool,
    initial: Option<&Bound<'_, PyBytes>>,
) -> Result<Section> {
    let creation = Creation { size, sharing, read_only, sparse, huge_pages, file, initial };
    creation.run(py, |options, initial| match initial {
        Some(initial) => options.open_or_create_with(name, |section| fill(section, initial)),
        None => options.open_or_create(name),
    })
}

/// Creates memory without a name, for child processes that inherit or receive it.
#[pyfunction]
#[pyo3(signature = (size, *, file = None, read_only = false, sparse = false, huge_pages = false))]
fn create_unnamed(
    py: Python<'_>,
    size: Size,
    file: Option<&Bound<'_, PyAny>>,
    read_only: bool,
    sparse: bool,
    huge_pages: bool,
) -> Result<Section> {
    let sharing = "owner";
    let creation = Creation { size, sharing, read_only, sparse, huge_pages, file, initial: None };
    creation.run(py, |options, _| options.create_unnamed())
}
