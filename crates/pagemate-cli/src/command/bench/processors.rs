//! The processors that the two processes use, and the work of other programs.

use serde::Serialize;

/// The machine, as far as the system describes it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Machine {
    /// The name of the processor, if the system tells it.
    pub(super) processor: Option<String>,
    /// The numbers of the processors of the two processes. Empty if the processes are not pinned.
    pub(super) used: Vec<usize>,
    /// The level of the cache that both processors share, if they share one.
    pub(super) shared_cache: Option<u32>,
}

impl Machine {
    /// Returns the processors of the first and of the second process.
    pub(super) fn pair(&self) -> [Option<usize>; 2] {
        [self.used.first().copied(), self.used.last().copied()]
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::time::Instant;

    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::Machine;

    impl Machine {
        pub(in super::super) fn new() -> Machine {
            let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
            let line = info.lines().find(|line| line.starts_with("model name"));
            let processor = line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()));
            let used = first_and_last();
            let shared_cache = match used[..] {
                [first, last] => shared_cache(first, last),
                _ => None,
            };
            Machine { processor, used, shared_cache }
        }
    }

    /// Returns the first and the last processor that this process may run on.
    fn first_and_last() -> Vec<usize> {
        let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
        let mut all = (0..CpuSet::MAX_CPU).filter(|number| set.is_set(*number));
        [all.next(), all.next_back()].into_iter().flatten().collect()
    }

    /// Returns the lowest level of a cache that both processors share.
    fn shared_cache(first: usize, last: usize) -> Option<u32> {
        let read = |index: u32, file: &str| {
            let cache = format!("/sys/devices/system/cpu/cpu{first}/cache/index{index}/{file}");
            fs::read_to_string(cache).ok()
        };
        (0..8).find_map(|index| {
            let shared = read(index, "shared_cpu_list")?;
            contains(shared.trim(), last).then(|| read(index, "level")?.trim().parse().ok())?
        })
    }

    /// Returns whether a list such as `0-3,8` contains a number.
    pub(super) fn contains(list: &str, number: usize) -> bool {
        list.split(',').any(|part| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let bounds = low.parse::<usize>().ok().zip(high.parse::<usize>().ok());
            bounds.is_some_and(|(low, high)| (low..=high).contains(&number))
        })
    }

    /// Lets this thread run on one processor only. Without the permission it runs on all.
    pub(in super::super) fn pin(processor: usize) {
        let mut set = CpuSet::new();
        set.set(processor);
        _ = sched_setaffinity(None, &set);
    }

    /// A measurement of the processor time that other programs use.
    pub(in super::super) struct ForeignWork {
        start: Instant,
        before: Option<f64>,
    }

    impl ForeignWork {
        pub(in super::super) fn start() -> ForeignWork {
            ForeignWork { start: Instant::now(), before: foreign_ticks() }
        }

        /// Returns how many processors other programs used on average. `None` if the system does not
        /// tell it.
        pub(in super::super) fn end(self) -> Option<f64> {
            let ticks = foreign_ticks()? - self.before?;
            let all = self.start.elapsed().as_secs_f64() * TICKS_PER_SECOND;
            Some((ticks / all).max(0.0))
        }
    }

    const TICKS_PER_SECOND: f64 = 100.0;

    /// Returns the ticks of all processors without idle time, less those of this process and of its
    /// ended children.
    fn foreign_ticks() -> Option<f64> {
        let numbers = |text: &str| -> Vec<f64> {
            text.split_whitespace().map(|word| word.parse().unwrap_or(0.0)).collect()
        };
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let all = numbers(stat.lines().next()?.strip_prefix("cpu ")?);
        // user, nice, system, idle, iowait, irq, softirq, steal
        let busy: f64 = [0, 1, 2, 5, 6, 7].iter().filter_map(|index| all.get(*index)).sum();
        let own = fs::read_to_string("/proc/self/stat").ok()?;
        // The name can contain spaces. The fields after it begin with the third one; the times of this
        // process and of its children are the fields 14 to 17.
        let own = numbers(own.rsplit_once(") ")?.1);
        let own: f64 = own.get(11..15)?.iter().sum();
        Some(busy - own)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Machine;

    impl Machine {
        pub(in super::super) fn new() -> Machine {
            Machine { processor: None, used: Vec::new(), shared_cache: None }
        }
    }

    pub(in super::super) fn pin(_: usize) {}

    /// A measurement of the processor time that other programs use, which this system does not tell.
    pub(in super::super) struct ForeignWork;

    impl ForeignWork {
        pub(in super::super) fn start() -> ForeignWork {
            ForeignWork
        }

        #[allow(clippy::unused_self, reason = "on other systems it has the start")]
        pub(in super::super) fn end(self) -> Option<f64> {
            None
        }
    }
}

pub(super) use system::{ForeignWork, pin};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::system::contains;

    #[test]
    fn lists_of_processors_contain_their_ranges() {
        assert!(contains("0-3,8", 2));
        assert!(contains("0-3,8", 8));
        assert!(!contains("0-3,8", 7));
        assert!(!contains("", 0));
    }
}
