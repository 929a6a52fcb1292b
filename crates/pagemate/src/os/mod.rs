//! What is honestly different from system to system: descriptors and handles.

#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;
