//! Notification of the creation of a name.
//!
//! Every platform provides `NameWatch`: `new` begins the watch, and `wait` blocks until the name may
//! have been created since, or until a given time has passed. The end of a wait is a hint: the caller
//! opens the name to test it.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub(crate) use crate::sys::object::wait_for_name::Poll as NameWatch;
#[cfg(target_os = "linux")]
pub(crate) use linux::NameWatch;
