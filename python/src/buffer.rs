//! The buffer protocol of [`View`](crate::view::View).
//!
//! The stable ABI has the buffer protocol since CPython 3.11 only. CPython 3.9 and 3.10 have the same slot
//! and the same `Py_buffer`, and neither of them changes any more. PyO3 leaves the slot out of builds for 3.9,
//! so this file makes a subclass of PyO3's class that has the slot.
#![allow(unsafe_code, reason = "the slots of a Python type are C functions with raw pointers")]

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;

use pyo3::PyClass;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// The number of the slot in every release of CPython since 3.9 (`typeslots.h`).
const BF_GETBUFFER: c_int = 1;

/// The flags of a request for a buffer (`pybuffer.h`).
const PYBUF_WRITABLE: c_int = 0x1;
const PYBUF_FORMAT: c_int = 0x4;
const PYBUF_ND: c_int = 0x8;
const PYBUF_STRIDES: c_int = 0x10 | PYBUF_ND;

/// Memory of a [`Lender`] as bytes.
pub(crate) struct Memory {
    pub(crate) start: *mut u8,
    pub(crate) len: usize,
    pub(crate) is_writable: bool,
}

/// A class whose instances lend memory by the buffer protocol.
///
/// # Safety
///
/// The memory that `lend` returns stays mapped until the instance is deallocated.
pub(crate) unsafe trait Lender:
    PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync
{
    /// Returns the memory, or an error for the caller of the protocol.
    fn lend(&self) -> Result<Memory, String>;
}

/// `Py_buffer` of the stable ABI (`pybuffer.h`).
#[repr(C)]
struct RawBuffer {
    buf: *mut c_void,
    obj: *mut ffi::PyObject,
    len: ffi::Py_ssize_t,
    itemsize: ffi::Py_ssize_t,
    readonly: c_int,
    ndim: c_int,
    format: *mut c_char,
    shape: *mut ffi::Py_ssize_t,
    strides: *mut ffi::Py_ssize_t,
    suboffsets: *mut ffi::Py_ssize_t,
    internal: *mut c_void,
}

/// Makes the subclass `name` of `L`'s class, with the slot of the buffer protocol.
pub(crate) fn subclass<L: Lender>(
    py: Python<'_>,
    name: &'static std::ffi::CStr,
) -> PyResult<Py<PyType>> {
    let get: unsafe extern "C" fn(*mut ffi::PyObject, *mut RawBuffer, c_int) -> c_int = get::<L>;
    let mut slots = [
        ffi::PyType_Slot { slot: BF_GETBUFFER, pfunc: get as *mut c_void },
        ffi::PyType_Slot::default(),
    ];
    #[allow(clippy::useless_conversion, reason = "the constant has 32 bits on Windows only")]
    let flags = c_uint::try_from(ffi::Py_TPFLAGS_DEFAULT).unwrap_or_default();
    let mut spec = ffi::PyType_Spec {
        name: name.as_ptr(),
        basicsize: 0,
        itemsize: 0,
        flags,
        slots: slots.as_mut_ptr(),
    };
    let bases = (py.get_type::<L>(),).into_pyobject(py)?;
    // SAFETY: the thread is attached (`py`). `spec` and `slots` live during the call, `slots` ends with a
    // zero, and CPython keeps only `name`, which is static. A size of 0 inherits the size of the base.
    let class = unsafe { ffi::PyType_FromSpecWithBases(&raw mut spec, bases.as_ptr()) };
    // SAFETY: the call returned a new reference, or null with an exception.
    let class = unsafe { Bound::from_owned_ptr_or_err(py, class) }?;
    Ok(class.cast_into::<PyType>()?.unbind())
}

/// Fills `buffer` for a request with `flags` (`bf_getbuffer`).
///
/// # Safety
///
/// CPython calls it with an instance of [`subclass`]'s type, a `Py_buffer` to fill and an attached thread.
unsafe extern "C" fn get<L: Lender>(
    exporter: *mut ffi::PyObject,
    buffer: *mut RawBuffer,
    flags: c_int,
) -> c_int {
    // SAFETY: the thread is attached.
    let py = unsafe { Python::assume_attached() };
    if buffer.is_null() {
        PyBufferError::new_err("the request has no Py_buffer").restore(py);
        return -1;
    }
    // SAFETY: `buffer` is valid for writes; `obj` is null if the request fails, as the protocol demands.
    unsafe { (*buffer).obj = ptr::null_mut() };
    // SAFETY: the exporter is alive during the call, because its caller has a reference to it.
    let exporter = unsafe { Borrowed::from_ptr(py, exporter) };
    let memory = match lend::<L>(exporter, flags) {
        Ok(memory) => memory,
        Err(error) => {
            error.restore(py);
            return -1;
        }
    };
    // SAFETY: `buffer` is valid. Only the address of its field is taken.
    let shape = unsafe { &raw mut (*buffer).len };
    // SAFETY: `buffer` is valid. Only the address of its field is taken.
    let strides = unsafe { &raw mut (*buffer).itemsize };
    let if_asked = |mask: c_int, value| if flags & mask == mask { value } else { ptr::null_mut() };
    let format = if flags & PYBUF_FORMAT == 0 { ptr::null_mut() } else { c"B".as_ptr().cast_mut() };
    let filled = RawBuffer {
        buf: memory.start.cast(),
        obj: exporter.to_owned().into_ptr(),
        len: memory.len.cast_signed(),
        itemsize: 1,
        readonly: c_int::from(!memory.is_writable),
        ndim: 1,
        format,
        // Like `PyBuffer_FillInfo`, let the shape and the strides point to fields of the buffer.
        shape: if_asked(PYBUF_ND, shape),
        strides: if_asked(PYBUF_STRIDES, strides),
        suboffsets: ptr::null_mut(),
        internal: ptr::null_mut(),
    };
    // SAFETY: `buffer` is valid for writes, and has nothing to drop.
    unsafe { buffer.write(filled) };
    0
}

/// Returns the memory for a request with `flags`.
fn lend<L: Lender>(exporter: Borrowed<'_, '_, PyAny>, flags: c_int) -> PyResult<Memory> {
    let memory = exporter.cast::<L>()?.get().lend().map_err(PyBufferError::new_err)?;
    if flags & PYBUF_WRITABLE != 0 && !memory.is_writable {
        return Err(PyBufferError::new_err("the view is read-only"));
    }
    Ok(memory)
}
