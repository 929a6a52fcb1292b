//! Parts of one platform.

use pyo3::prelude::*;

cfg_select! {
    unix => {
        mod unix;
        pub(crate) use unix::*;
    }
    windows => {
        mod windows;
        pub(crate) use windows::*;
    }
}

/// Registers the functions of this platform.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    add_functions(module)
}
