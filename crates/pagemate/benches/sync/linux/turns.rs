//! Two processes that wake each other in turn.

use std::fs;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::means::{self, Means, Side};
use super::measure::{Clock, Comparison, Effort, Watch, titles};
use super::peer::{self, Peer};
use super::place::Place;

/// What a turn costs by this, beside the bare futex; and what it may cost.
const ROWS: [(&str, Option<f64>); 9] = [
    ("event", Some(1.15)),
    ("mutex", Some(1.15)),
    ("semaphore", None),
    ("pthread robust mutex", None),
    ("pthread mutex", None),
    ("pthread condition", None),
    ("sem_t", None),
    ("eventfd", None),
    ("pipe", None),
];

pub(crate) fn table(_: &Place, effort: Effort) {
    println!("  by the clock on the wall; a turn is there and back: two sleeps, two wakes");
    let processors = processors();
    let [first, .., last] = processors[..] else {
        return on("one processor, the only one", [processors[0]; 2], effort);
    };
    on("two processors", [first, last], effort);
    on("one processor", [first; 2], effort);
}

/// Those that this process may run on.
fn processors() -> Vec<usize> {
    let set = sched_getaffinity(None).expect("a set");
    (0..CpuSet::MAX_CPU).filter(|number| set.is_set(*number)).collect()
}

fn stay_on(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor);
    sched_setaffinity(None, &set).expect("a processor of ours");
}

fn on(title: &str, [first, second]: [usize; 2], effort: Effort) {
    let whole = sched_getaffinity(None).expect("a set");
    stay_on(first);
    println!("  on {title}");
    titles("this", "bare futex");
    for (what, limit) in ROWS {
        let (mut ours, mut theirs) = (Table::lay(what, second), Table::lay("bare futex", second));
        let mut comparison = Comparison::default();
        let time = effort.pick(Duration::from_secs(4), Duration::from_millis(50));
        comparison.go_on_by_blocks(time, |turns| ours.play(turns), |turns| theirs.play(turns));
        comparison.tell(&format!("{what}, {:.2} sleeps", ours.sleeps_a_turn()), limit);
    }
    sched_setaffinity(None, &whole).expect("what it was");
}

/// We are the first side, and another process is the second.
struct Table {
    means: Box<dyn Means>,
    peer: Peer,
    turns: u64,
    sleeps: u64,
}

impl Table {
    fn lay(what: &str, processor: usize) -> Table {
        // Here first, so that the other inherits what is to be inherited.
        let means = means::open(what, what);
        let peer = Peer::start(&["answer", what, &processor.to_string()]);
        Table { means, peer, turns: 0, sleeps: 0 }
    }

    /// So many turns; gives the nanoseconds they took.
    fn play(&mut self, turns: u32) -> f64 {
        self.means.prepare(Side::First);
        self.peer.tell(turns);
        assert_eq!(self.peer.hear(), "begun");
        let before = sleeps();
        let watch = Watch::by(Clock::Wall);
        self.means.go(Side::First, turns);
        let ns = watch.ns();
        self.sleeps += sleeps() - before + self.peer.hear().parse::<u64>().expect("a number");
        self.turns += u64::from(turns);
        ns
    }

    fn sleeps_a_turn(&self) -> f64 {
        self.sleeps as f64 / self.turns as f64
    }
}

/// How often this thread has gone to sleep.
fn sleeps() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").expect("about this thread");
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).expect("a number")
}

/// The life of the second side.
pub(crate) fn answer(words: &[&str]) {
    let &[what, processor] = words else { unreachable!("{words:?}") };
    stay_on(processor.parse().expect("a number"));
    let means = means::open(what, what);
    peer::live(|turns| {
        means.prepare(Side::Second);
        peer::reply("begun");
        let before = sleeps();
        means.go(Side::Second, turns.parse().expect("a number"));
        (sleeps() - before).to_string()
    });
}
