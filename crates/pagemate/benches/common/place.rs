//! Where the measured objects stand: where everybody's do, under names of this run.
#![allow(unsafe_code, reason = "signals waited for")]

use std::path::PathBuf;
use std::{env, process, thread};

use pagemate::inventory;

/// The names of this run. What they stand for goes at the end, also by panic or Ctrl-C.
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

    /// The name of an object in the namespace `Local` or `Global`.
    pub(crate) fn name(&self, namespace: &str, own: &str) -> String {
        format!("{namespace}\\{}{own}", self.run)
    }

    /// The name of a POSIX object.
    pub(crate) fn raw_name(&self) -> String {
        format!("/{}raw", self.run)
    }

    /// The file of this user's object `name`, in which no letter is spelt in another way.
    pub(crate) fn file_of(name: &str) -> PathBuf {
        let parent = env::var_os("PAGEMATE_DIR").unwrap_or_else(|| "/dev/shm".into());
        let bare = name.strip_prefix(r"Local\").expect("this user's");
        let user = rustix::process::geteuid().as_raw();
        PathBuf::from(parent).join(format!("pagemate-{user}")).join(bare)
    }

    /// How many live objects have a name of this run.
    pub(crate) fn count(&self) -> usize {
        let live = inventory::list().expect("the inventory");
        live.iter().filter(|entry| entry.name.as_str().starts_with(&self.run)).count()
    }

    /// A signal that asks us to end removes what stands here first.
    fn clear_when_ended(&self) {
        // SAFETY: a `sigset_t` is plain data, for which zero is a value.
        let mut signals: libc::sigset_t = unsafe { std::mem::zeroed() };
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: the set is ours and the number is a signal's.
            unsafe { libc::sigaddset(&raw mut signals, signal) };
        }
        // SAFETY: the set is whole, and the old mask is not asked for.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut()) };
        let raw = self.raw_name();
        thread::spawn(move || {
            let mut signal = 0;
            // SAFETY: both point to locals of this thread, and all threads block these signals.
            unsafe { libc::sigwait(&raw const signals, &raw mut signal) };
            _ = rustix::shm::unlink(raw);
            #[allow(clippy::exit, reason = "the signal said so")]
            process::exit(128 + signal);
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = rustix::shm::unlink(self.raw_name());
        // What a panic may have left behind.
        _ = inventory::prune();
    }
}
