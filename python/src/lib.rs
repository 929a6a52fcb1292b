//! The extension module `pagemate._pagemate`: the Python face of pagemate.
//!
//! Each file registers its own classes and functions. `python/pagemate/__init__.py` re-exports them.

use pyo3::prelude::*;

mod argument;
mod buffer;
mod error;
mod inventory;
mod os;
mod section;
mod view;

/// The implementation of the package `pagemate`, which documents it.
#[pymodule(gil_used = false)]
fn _pagemate(module: &Bound<'_, PyModule>) -> PyResult<()> {
    section::register(module)?;
    view::register(module)?;
    inventory::register(module)?;
    os::register(module)
}
