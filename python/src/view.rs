//! Views: mapped memory with the buffer protocol.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pagemate::Section;
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyInt, PyMemoryView, PySlice, PyType};

use crate::argument::{Size, access};
use crate::buffer::{self, Lender, Memory};
use crate::error::{Result, closed, raise};

/// The class `View`, which adds the buffer protocol to [`ViewBase`].
static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Registers the class.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("View", class(module.py())?)
}

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    let made = || buffer::subclass::<ViewBase>(py, c"pagemate.View");
    Ok(CLASS.get_or_try_init(py, made)?.bind(py))
}

/// The arguments of `Section.map`.
pub(crate) struct MapOptions {
    pub(crate) offset: Size,
    pub(crate) size: Option<Size>,
    pub(crate) writable: Option<bool>,
    pub(crate) copy_on_write: bool,
    pub(crate) prefault: bool,
    pub(crate) huge_pages: bool,
}

/// Maps a part of `section`.
pub(crate) fn map<'py>(
    py: Python<'py>,
    section: &Section,
    options: &MapOptions,
) -> Result<Bound<'py, PyAny>> {
    let start = options.offset.0;
    let end = match options.size {
        Some(Size(size)) => start
            .checked_add(size)
            .ok_or_else(|| PyValueError::new_err("offset + size must be less than 2**64"))?,
        None => section.len(),
    };
    let mut map = section.view();
    map.range(start..end).copy_on_write(options.copy_on_write);
    map.prefault(options.prefault).huge_pages(options.huge_pages);
    if let Some(writable) = options.writable {
        map.access(access(writable));
    }
    let mapped = py.detach(|| map.map())?;
    Ok(class(py)?.call1((Mapped(Mutex::new(Some(mapped))),))?)
}

/// New mapped memory, on its way into its `View`. No program can make one, so only [`map`] makes views.
#[pyclass(frozen, module = "pagemate")]
struct Mapped(Mutex<Option<pagemate::View>>);

/// The part of `View` without the buffer protocol.
#[pyclass(frozen, subclass, weakref, sequence, module = "pagemate")]
pub(crate) struct ViewBase {
    state: Mutex<State>,
    len: usize,
    writable: bool,
}

struct State {
    /// `None` once the memory is unmapped.
    view: Option<Arc<pagemate::View>>,
    /// Whether a program ever asked for a buffer. It may have kept the address and only a reference to the
    /// `View`, as `numpy.ndarray(buffer=view)` does. So from then on the memory stays mapped as long as the
    /// `View` object exists.
    lent: bool,
    closed: bool,
}

// SAFETY: once `lend` has returned memory, `lent` is set, and `close` leaves `state.view` as it is. So the
// mapping is dropped with the instance.
#[allow(unsafe_code, reason = "the trait demands that memory stays mapped")]
unsafe impl Lender for ViewBase {
    fn lend(&self) -> std::result::Result<Memory, String> {
        let mut state = self.state();
        match &state.view {
            Some(view) if !state.closed => {
                let memory = Memory {
                    start: view.as_ptr(),
                    len: view.len(),
                    is_writable: view.is_writable(),
                };
                state.lent = true;
                Ok(memory)
            }
            _ => Err("the view is closed".to_owned()),
        }
    }
}

impl ViewBase {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the memory, which stays mapped as long as the caller has it.
    fn open(&self) -> Result<Arc<pagemate::View>> {
        let state = self.state();
        match &state.view {
            Some(view) if !state.closed => Ok(Arc::clone(view)),
            _ => Err(closed("view")),
        }
    }
}

/// The bytes that an index or a slice selects.
enum Selected {
    One(usize),
    /// The first index, the step and the number of bytes.
    Several(usize, isize, usize),
}

impl ViewBase {
    fn select(&self, key: &Bound<'_, PyAny>) -> Result<Selected> {
        if let Ok(slice) = key.cast::<PySlice>() {
            let found = slice.indices(self.len.cast_signed())?;
            return Ok(Selected::Several(
                found.start.cast_unsigned(),
                found.step,
                found.slicelength,
            ));
        }
        let index: isize = key.extract().map_err(|error: PyErr| {
            if error.is_instance_of::<PyTypeError>(key.py()) {
                error
            } else {
                PyIndexError::new_err("the index is out of range")
            }
        })?;
        let from_start = if index < 0 { index + self.len.cast_signed() } else { index };
        match usize::try_from(from_start) {
            Ok(index) if index < self.len => Ok(Selected::One(index)),
            _ => Err(PyIndexError::new_err("the index is out of range").into()),
        }
    }
}

/// Returns the indices `first`, `first + step` and so on.
fn indices(first: usize, step: isize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |i| first.wrapping_add_signed(step.wrapping_mul(i.cast_signed())))
}

#[pymethods]
impl ViewBase {
    #[new]
    fn new(mapped: &Mapped) -> Result<ViewBase> {
        let taken = mapped.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let view = taken.ok_or_else(|| PyTypeError::new_err("the memory has a view"))?;
        let (len, writable) = (view.len(), view.is_writable());
        let view = Some(Arc::new(view));
        Ok(ViewBase {
            state: Mutex::new(State { view, lent: false, closed: false }),
            len,
            writable,
        })
    }

    /// The size in bytes.
    #[getter]
    fn size(&self) -> usize {
        self.len
    }

    /// Whether the memory can be written.
    #[getter]
    fn writable(&self) -> bool {
        self.writable
    }

    /// Whether `close` was called.
    #[getter]
    fn closed(&self) -> bool {
        self.state().closed
    }

    fn __len__(&self) -> usize {
        self.len
    }

    /// Returns a byte as an integer, or a copy of a slice as `bytes`.
    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyAny>> {
        let view = self.open()?;
        match self.select(key)? {
            Selected::One(index) => {
                let mut byte = [0];
                view.read_at(index, &mut byte)?;
                Ok(PyInt::new(py, byte[0]).into_any())
            }
            Selected::Several(start, 1, len) => {
                let read = |bytes: &mut [u8]| view.read_at(start, bytes).map_err(raise);
                Ok(PyBytes::new_with(py, len, read)?.into_any())
            }
            Selected::Several(first, step, len) => {
                let bytes = PyBytes::new_with(py, len, |bytes| {
                    let mut at = bytes.iter_mut().zip(indices(first, step, len));
                    at.try_for_each(|(byte, i)| view.read_at(i, std::slice::from_mut(byte)))
                        .map_err(raise)
                })?;
                Ok(bytes.into_any())
            }
        }
    }

    /// Sets a byte, or copies an object with the buffer protocol into a slice of the same size.
    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> Result<()> {
        let view = self.open()?;
        match self.select(key)? {
            Selected::One(index) => Ok(view.write_at(index, &[value.extract::<u8>()?])?),
            Selected::Several(first, step, len) => {
                let copied;
                let bytes = if let Ok(bytes) = value.cast::<PyBytes>() {
                    bytes.as_bytes()
                } else {
                    copied = PyMemoryView::from(value)?.call_method0("tobytes")?;
                    copied.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes()
                };
                if bytes.len() != len {
                    let message = format!("{} bytes do not fit into {len} bytes", bytes.len());
                    return Err(PyValueError::new_err(message).into());
                }
                if step == 1 {
                    return Ok(view.write_at(first, bytes)?);
                }
                let mut at = bytes.chunks(1).zip(indices(first, step, len));
                Ok(at.try_for_each(|(byte, i)| view.write_at(i, byte))?)
            }
        }
    }

    /// Writes changed pages to the file, for a section over a file.
    fn flush(&self, py: Python<'_>) -> Result<()> {
        let view = self.open()?;
        Ok(py.detach(|| view.flush())?)
    }

    /// Releases the memory. Closing a closed view does nothing.
    ///
    /// Arrays and memoryviews of this view stay valid, and hold the memory and its name until the last of
    /// them is gone, and this object too.
    fn close(&self, py: Python<'_>) {
        let mut state = self.state();
        state.closed = true;
        let view = if state.lent { None } else { state.view.take() };
        drop(state);
        py.detach(|| drop(view));
    }

    fn __enter__(slf: Py<ViewBase>, py: Python<'_>) -> Result<Py<ViewBase>> {
        slf.borrow(py).open()?;
        Ok(slf)
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyAny>) {
        self.close(py);
    }

    fn __repr__(&self) -> String {
        let access = if self.writable { "read-write" } else { "read-only" };
        let closed = if self.closed() { ", closed" } else { "" };
        format!("<pagemate.View, {} bytes, {access}{closed}>", self.len)
    }
}
