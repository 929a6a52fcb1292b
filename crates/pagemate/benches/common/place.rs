//! Where the measured objects stand.
#![allow(unsafe_code, reason = "an environment of our own, and signals waited for")]

use std::io::ErrorKind;
use std::path::PathBuf;
use std::{env, fs, process, thread};

/// A fresh directory for all objects of this run; it goes at the end, also by panic or Ctrl-C.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Place {
        let path = PathBuf::from(format!("/dev/shm/pagemate-bench-{}", process::id()));
        fs::create_dir(&path).expect("a directory in /dev/shm");
        // SAFETY: this process has no second thread yet that could read the environment.
        unsafe { env::set_var("PAGEMATE_DIR", &path) };
        let place = Place { path };
        place.clear_when_ended();
        place
    }

    /// The name of a POSIX object of this run, which stands beside the directory.
    pub(crate) fn raw_name() -> String {
        format!("/pagemate-bench-raw-{}", process::id())
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
        let path = self.path.clone();
        thread::spawn(move || {
            let mut signal = 0;
            // SAFETY: both point to locals of this thread, and all threads block these signals.
            unsafe { libc::sigwait(&raw const signals, &raw mut signal) };
            clear(&path);
            #[allow(clippy::exit, reason = "the signal said so")]
            process::exit(128 + signal);
        });
    }

    /// The file of this user's object `name`, in which no letter is spelt in another way.
    pub(crate) fn file_of(&self, name: &str) -> PathBuf {
        let bare = name.strip_prefix(r"Local\").unwrap_or(name);
        self.path.join(format!("pagemate-{}", rustix::process::geteuid().as_raw())).join(bare)
    }

    /// Whether no file of an object, live or dead, is there.
    pub(crate) fn is_empty(&self) -> bool {
        let dirs = fs::read_dir(&self.path).expect("our directory").flatten();
        dirs.flat_map(|dir| fs::read_dir(dir.path()).expect("our directory")).next().is_none()
    }
}

fn clear(path: &PathBuf) {
    _ = rustix::shm::unlink(Place::raw_name());
    // What is being measured may go on meanwhile, and make one more object.
    for _ in 0..1000 {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            _ => return,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        clear(&self.path);
    }
}
