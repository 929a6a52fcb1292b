//! The machine, and how much of it other programs used during a measurement.

use std::fs;
use std::time::Instant;

/// Facts about the machine for the reports.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) caches: String,
    pub(crate) kernel: String,
    pub(crate) memory_gib: u64,
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn field(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
}

impl Machine {
    pub(crate) fn new([first, last]: [usize; 2]) -> Machine {
        let processors = read("/proc/cpuinfo");
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory.split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
        Machine {
            processor: field(&processors, "model name"),
            processors: processors.lines().filter(|line| line.starts_with("processor")).count(),
            caches: shared_cache(first, last),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            memory_gib: kib.div_ceil(1 << 20),
        }
    }
}

/// Names the cache that two processors share, by the system's description of its hardware. A virtual
/// machine may move its processors, so that the description need not be true.
fn shared_cache(first: usize, last: usize) -> String {
    if first == last {
        return "one processor runs both processes".to_owned();
    }
    let path = format!("/sys/devices/system/cpu/cpu{first}/cache");
    let shares = |index: &String| {
        let list = read(&format!("{index}/shared_cpu_list"));
        list.trim().split(',').any(|part| match part.split_once('-') {
            Some((low, high)) => {
                (low.parse().unwrap_or(usize::MAX)..=high.parse().unwrap_or(0)).contains(&last)
            }
            None => part.parse() == Ok(last),
        })
    };
    let indexes = (0..8).map(|number| format!("{path}/index{number}"));
    let shared = indexes.filter(|index| fs::metadata(index).is_ok()).find(shares);
    match shared {
        Some(index) => format!(
            "processors {first} and {last} share a level {} cache",
            read(&format!("{index}/level")).trim()
        ),
        None => format!("processors {first} and {last} share no cache"),
    }
}

/// The processor time that a measurement and the rest of the machine have used.
#[derive(Clone, Copy)]
struct Used {
    /// Ticks of all processors, without idle time.
    busy: f64,
    /// Ticks that the hypervisor gave to others.
    stolen: f64,
    /// Ticks of the processes of the measurement.
    ours: f64,
}

const TICKS_PER_SECOND: f64 = 100.0;

fn used(processes: &[u32]) -> Used {
    let stat = read("/proc/stat");
    let numbers: Vec<f64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map(|word| word.parse().unwrap_or(0.0))
        .collect();
    let at = |index: usize| numbers.get(index).copied().unwrap_or(0.0);
    // user, nice, system, idle, iowait, irq, softirq, steal
    let busy = at(0) + at(1) + at(2) + at(5) + at(6);
    Used { busy, stolen: at(7), ours: processes.iter().map(|id| ticks(*id)).sum() }
}

fn ticks(process: u32) -> f64 {
    let stat = read(&format!("/proc/{process}/stat"));
    // The name can contain spaces. The fields after it are the third and following ones.
    let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    let field = |index: usize| {
        after.split(' ').nth(index - 3).and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0)
    };
    field(14) + field(15)
}

/// A measurement of the noise during some work.
pub(crate) struct Noise {
    before: Used,
    start: Instant,
}

/// How many processors other programs and the hypervisor took, on average.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Foreign {
    pub(crate) programs: f64,
    pub(crate) stolen: f64,
}

/// More than this many processors of foreign work make a measurement worthless.
pub(crate) const TOO_MUCH: f64 = 0.05;

impl Foreign {
    pub(crate) fn is_too_much(self) -> bool {
        self.programs + self.stolen > TOO_MUCH
    }
}

impl Noise {
    pub(crate) fn start(processes: &[u32]) -> Noise {
        Noise { before: used(processes), start: Instant::now() }
    }

    pub(crate) fn end(self, processes: &[u32]) -> Foreign {
        let (now, seconds) = (used(processes), self.start.elapsed().as_secs_f64());
        let ticks = seconds * TICKS_PER_SECOND;
        let ours = now.ours - self.before.ours;
        Foreign {
            programs: ((now.busy - self.before.busy - ours) / ticks).max(0.0),
            stolen: (now.stolen - self.before.stolen) / ticks,
        }
    }
}
