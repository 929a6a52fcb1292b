//! Notification of the creation of a name.
//!
//! Every platform provides `NameWatch`. `new` begins to watch the name. `wait` blocks until the
//! name may have been created after that, or until a given time has passed. A wait may also end for
//! other reasons, so the caller then tries to open the name.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub(crate) use crate::sys::object::wait_for_name::Poll as NameWatch;
#[cfg(target_os = "linux")]
pub(crate) use linux::NameWatch;
