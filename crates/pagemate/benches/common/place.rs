//! The names of the measured objects. The objects are in the real namespaces, and their names have
//! a prefix of this run.
#![allow(unsafe_code, reason = "waits for signals")]

use std::path::PathBuf;
use std::{env, process, thread};

use pagemate::inventory;

/// The names of this run. Its objects are removed at the end, also after a panic or Ctrl-C.
#[derive(Debug)]
pub(crate) struct Place {
    run: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        let place = Place { run: format!("pagemate-bench-{}-", process::id()) };
        place.clear_when_ended();
        place
    }

    /// Returns the name of an object in the namespace `Local` or `Global`.
    pub(crate) fn name(&self, namespace: &str, own: &str) -> String {
        format!("{namespace}\\{}{own}", self.run)
    }

    /// Returns the name of a POSIX object.
    pub(crate) fn raw_name(&self) -> String {
        format!("/{}raw", self.run)
    }

    /// Returns the file of this user's object `name`. The name must contain no character that its
    /// file name escapes.
    pub(crate) fn file_of(name: &str) -> PathBuf {
        let parent = env::var_os("PAGEMATE_DIR").unwrap_or_else(|| "/dev/shm".into());
        let bare = name.strip_prefix(r"Local\").expect("this user's");
        let user = rustix::process::geteuid().as_raw();
        PathBuf::from(parent).join(format!("pagemate-{user}")).join(bare)
    }

    /// Counts the live objects whose names belong to this run.
    pub(crate) fn count(&self) -> usize {
        let live = inventory::list().expect("the inventory").entries;
        live.iter().filter(|entry| entry.name.bare().starts_with(&self.run)).count()
    }

    /// Removes the POSIX object before a signal ends this process.
    fn clear_when_ended(&self) {
        // SAFETY: a `sigset_t` is plain data, for which zero is a valid value.
        let mut signals: libc::sigset_t = unsafe { std::mem::zeroed() };
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: the set is a local, and the number is a valid signal.
            unsafe { libc::sigaddset(&raw mut signals, signal) };
        }
        // SAFETY: the set is initialised, and no old mask is requested.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut()) };
        let raw = self.raw_name();
        thread::spawn(move || {
            let mut signal = 0;
            // SAFETY: both pointers are to locals of this thread, and all threads block these
            // signals.
            unsafe { libc::sigwait(&raw const signals, &raw mut signal) };
            _ = rustix::shm::unlink(raw);
            #[allow(clippy::exit, reason = "the signal requests the end of the process")]
            process::exit(128 + signal);
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = rustix::shm::unlink(self.raw_name());
        // Remove objects that a panic has not removed.
        _ = inventory::prune();
    }
}
