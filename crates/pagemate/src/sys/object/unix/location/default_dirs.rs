//! The default parent directories of objects, and the test whether the program may obey
//! `PAGEMATE_DIR`.

use std::borrow::Cow;
use std::path::Path;

use crate::name::Namespace;

cfg_select! {
    target_vendor = "apple" => {
        /// Returns the parent of a namespace's objects unless `PAGEMATE_DIR` is set.
        pub(crate) fn default(namespace: Namespace) -> Cow<'static, Path> {
            match namespace {
                // If the system does not report the directory, use one in which the user can create
                // nothing. The call then fails with an error that names this directory. In a
                // writable fallback directory the objects would be hidden from processes to which
                // the system reports the right directory.
                Namespace::Local => match apple::user_dir() {
                    Some(dir) => Cow::Owned(dir),
                    None => Cow::Borrowed(Path::new("/var/folders")),
                },
                // This directory is sticky and writable by all users, like /tmp, but the system
                // does not remove old files from it.
                Namespace::Global => Cow::Borrowed(Path::new("/Users/Shared")),
            }
        }

        /// Returns whether this program runs with more rights than its caller has.
        #[allow(unsafe_code, reason = "issetugid(2)")]
        pub(crate) fn is_privileged() -> bool {
            // SAFETY: issetugid(2) takes no argument and accesses no memory of this program.
            unsafe { libc::issetugid() != 0 }
        }

        #[allow(unsafe_code, reason = "confstr(3)")]
        mod apple {
            use std::ffi::{CStr, OsStr};
            use std::os::unix::ffi::OsStrExt;
            use std::path::PathBuf;

            /// Returns the user's cache directory, which does not depend on the environment. The
            /// directory for temporary files is unsuitable: the system removes files from it that
            /// no process has accessed for three days.
            pub(crate) fn user_dir() -> Option<PathBuf> {
                let mut bytes = [0_u8; 1024];
                // SAFETY: `bytes` is a local buffer, writable for `bytes.len()` bytes.
                let len = unsafe {
                    libc::confstr(
                        libc::_CS_DARWIN_USER_CACHE_DIR,
                        bytes.as_mut_ptr().cast(),
                        bytes.len(),
                    )
                };
                if len == 0 || len > bytes.len() {
                    return None;
                }
                let path = CStr::from_bytes_until_nul(&bytes).ok()?;
                Some(OsStr::from_bytes(path.to_bytes()).into())
            }
        }
    }
    _ => {
        /// Returns the parent of a namespace's objects unless `PAGEMATE_DIR` is set.
        pub(crate) fn default(_: Namespace) -> Cow<'static, Path> {
            Cow::Borrowed(Path::new("/dev/shm"))
        }

        /// Returns whether this program runs with more rights than its caller has. The kernel sets
        /// `AT_SECURE` if its file is set-user-ID or set-group-ID, or has capabilities.
        #[allow(unsafe_code, reason = "getauxval(3)")]
        pub(crate) fn is_privileged() -> bool {
            // SAFETY: getauxval(3) takes a number and reads the auxiliary vector, which the kernel
            // wrote before the program started and the C library keeps.
            unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
        }
    }
}
