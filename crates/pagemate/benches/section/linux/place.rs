//! Where the measured objects stand, and who keeps them alive.
#![allow(unsafe_code, reason = "an environment of our own, and signals waited for")]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::{env, fs, process, thread};

use pagemate::SectionOptions;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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

    /// The files of live and dead objects.
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

/// Processes that keep objects alive; they end when this is dropped, or its process dies.
#[derive(Debug)]
pub(crate) struct Holders {
    children: Vec<(Child, Option<ChildStdin>)>,
}

impl Holders {
    /// Has `count` objects of 4 KiB held in a namespace, `Local` or `Global`.
    pub(crate) fn of(namespace: &str, count: u64) -> Holders {
        let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX).saturating_sub(64);
        let mut holders = Holders { children: Vec::new() };
        let mut left = count;
        while left > 0 {
            let part = left.min(most);
            let mut child = Command::new(env::current_exe().expect("this program"))
                .args([OsString::from("hold"), namespace.into(), part.to_string().into()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("a second process");
            let input = child.stdin.take();
            let output = child.stdout.take().expect("a pipe");
            holders.children.push((child, input));
            let mut reply = String::new();
            BufReader::new(output).read_line(&mut reply).expect("a reply");
            assert_eq!(reply, "ready\n", "the holder failed");
            left -= part;
        }
        holders
    }

    /// The name of the first object.
    pub(crate) fn first(&self, namespace: &str) -> String {
        name(namespace, self.children[0].0.id(), 0)
    }
}

impl Drop for Holders {
    fn drop(&mut self) {
        for (child, input) in &mut self.children {
            drop(input.take());
            _ = child.wait();
        }
    }
}

fn name(namespace: &str, pid: u32, index: u64) -> String {
    format!("{namespace}\\held-{pid}-{index}")
}

/// The life of a holder: makes its objects, says so, and ends when its input does.
pub(crate) fn hold(namespace: &str, count: u64) {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .expect("as many descriptors as may be had");
    let sections: Vec<_> = (0..count)
        .map(|i| SectionOptions::new().len(4096).create_new(name(namespace, process::id(), i)))
        .collect::<Result<_, _>>()
        .expect("an object");
    println!("ready");
    std::io::stdout().flush().expect("a listener");
    _ = std::io::stdin().read(&mut [0]);
    drop(sections);
}
