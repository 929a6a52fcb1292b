//! Where the directories of objects stand unless the user says otherwise.

use std::borrow::Cow;
use std::path::Path;

use crate::name::Namespace;

cfg_select! {
    target_vendor = "apple" => {
        pub(crate) fn default(namespace: Namespace) -> Cow<'static, Path> {
            match namespace {
                // Should the system not say, this is a place where the user can make nothing: an
                // error that names it, rather than a second place where nobody would be met.
                Namespace::Local => match apple::user_dir() {
                    Some(dir) => Cow::Owned(dir),
                    None => Cow::Borrowed(Path::new("/var/folders")),
                },
                // Like /tmp, sticky and open to all, but nothing sweeps old files out of it.
                Namespace::Global => Cow::Borrowed(Path::new("/Users/Shared")),
            }
        }

        /// Whether this program runs with more rights than its caller has.
        #[allow(unsafe_code, reason = "issetugid(2)")]
        pub(crate) fn is_privileged() -> bool {
            // SAFETY: it takes nothing and touches no memory.
            unsafe { libc::issetugid() != 0 }
        }

        #[allow(unsafe_code, reason = "confstr(3)")]
        mod apple {
            use std::ffi::{CStr, OsStr};
            use std::os::unix::ffi::OsStrExt;
            use std::path::PathBuf;

            /// The directory that the system keeps for this user, whatever the environment says.
            /// Its sister for temporary files loses those that nobody touched for three days.
            pub(crate) fn user_dir() -> Option<PathBuf> {
                let mut bytes = [0_u8; 1024];
                // SAFETY: the buffer is writable for the length that is passed with it.
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
        pub(crate) fn default(_: Namespace) -> Cow<'static, Path> {
            Cow::Borrowed(Path::new("/dev/shm"))
        }

        /// Whether this program runs with more rights than its caller has, by the kernel's word: it
        /// is set-user-ID or set-group-ID, or its file has capabilities.
        #[allow(unsafe_code, reason = "getauxval(3)")]
        pub(crate) fn is_privileged() -> bool {
            // SAFETY: it takes a number and reads what the kernel left there at the start.
            unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
        }
    }
}
