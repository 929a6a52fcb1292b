//! pagemate for C and C++: two faces of one library.
//!
//! - The native one, `include/pagemate.h`.
//! - On Linux the Win32 one, `include/win32/windows.h`: programs for Windows that share memory
//!   compile against it unchanged, and behave as there.

pub mod native;
#[cfg(target_os = "linux")]
pub mod win32;
