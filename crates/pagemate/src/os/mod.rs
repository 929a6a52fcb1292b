//! Platform-specific access: file descriptors on Unix, handles on Windows.
//!
//! Use this module to pass an object to another process without a name, and to open memory that
//! another program created.

#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;
