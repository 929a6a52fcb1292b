//! The settings of a run, and the place for the files of the libraries.

use std::path::PathBuf;
use std::{fs, process};

use crate::transport::{Setting, Waiting};

/// How long a run measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Effort {
    /// Some seconds: shows that every row runs.
    Quick,
    /// Some minutes.
    Short,
    /// Half an hour: for numbers to publish.
    Full,
}

impl Effort {
    fn pick<T>(self, quick: T, short: T, full: T) -> T {
        match self {
            Effort::Quick => quick,
            Effort::Short => short,
            Effort::Full => full,
        }
    }

    /// The nanoseconds of one transport's work in a round.
    pub(crate) fn chunk_ns(self) -> f64 {
        self.pick(2e5, 1e7, 2e7)
    }

    pub(crate) fn rounds(self) -> usize {
        self.pick(1, 9, 25)
    }

    pub(crate) fn distribution_chunks(self) -> u64 {
        self.pick(1, 20, 50)
    }

    /// The number of messages in a round with several processes.
    pub(crate) fn crowd_messages(self) -> u64 {
        self.pick(2_000, 100_000, 200_000)
    }

    /// The number of repetitions of an operation that takes microseconds.
    pub(crate) fn repetitions(self) -> usize {
        self.pick(5, 200, 1000)
    }

    /// The number of moments at which a process is killed.
    pub(crate) fn moments(self) -> usize {
        self.pick(3, 25, 100)
    }

    /// The number of objects that exist beside the measured one.
    pub(crate) fn crowd(self) -> usize {
        self.pick(50, 10_000, 10_000)
    }
}

/// A run of the program. Its files are removed when it is dropped.
pub(crate) struct Run {
    pub(crate) effort: Effort,
    /// The transports that are wanted; all if empty.
    only: Vec<String>,
    folder: PathBuf,
    connections: usize,
}

impl Run {
    pub(crate) fn new(effort: Effort, only: Vec<String>) -> Run {
        let folder = PathBuf::from(format!("/dev/shm/compare-{}", process::id()));
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Run { effort, only, folder, connections: 0 }
    }

    /// Returns whether the user wants this transport.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| name.contains(word.as_str()))
    }

    /// Returns the settings of a connection with a name of its own.
    pub(crate) fn setting(&mut self, depth: usize, waiting: Waiting) -> Setting {
        self.connections += 1;
        let name = format!("compare-{}-{}", process::id(), self.connections);
        Setting { name, folder: self.folder.clone(), depth, waiting }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.folder);
        // Libraries leave files behind. Their names begin with that of the run.
        let run = format!("compare-{}-", process::id());
        for folder in ["/dev/shm", "/dev/mqueue", "/tmp"] {
            let files = fs::read_dir(folder).into_iter().flatten().flatten();
            let ours = files.filter(|file| {
                let name = file.file_name().to_string_lossy().into_owned();
                // The names of semaphores have a prefix.
                name.contains(&run)
            });
            ours.for_each(|file| _ = fs::remove_file(file.path()));
        }
        _ = pagemate::inventory::prune();
    }
}
