//! Two processes that wake each other in turn.

use std::fs;
use std::time::Duration;

use super::means::{self, Means, Side};
use super::measure::{Clock, Comparison, Effort, Watch, titles};
use super::peer::{self, Peer};
use super::place::Place;
use super::processor::{ends, staying_on, without_haste};

/// What a turn costs by this, beside the bare futex; and what it may cost.
const ROWS: [(&str, Option<f64>); 10] = [
    ("event", Some(1.15)),
    ("mutex", Some(1.15)),
    ("semaphore", None),
    ("futex for 50 ms", None),
    ("pthread robust mutex", None),
    ("pthread mutex", None),
    ("pthread condition", None),
    ("sem_t", None),
    ("eventfd", None),
    ("pipe", None),
];

pub(crate) fn table(_: &Place, effort: Effort) {
    println!("  by the clock on the wall; a turn is there and back: two sleeps, two wakes");
    let [first, last] = ends();
    if first != last {
        println!("  on two processors");
        staying_on(first, || rows(last, effort));
    }
    println!("  on one processor");
    staying_on(first, || without_haste(|| rows(first, effort)));
}

fn rows(second: usize, effort: Effort) {
    titles("this", "bare futex");
    for (what, limit) in ROWS {
        let lay = |what| staying_on(second, || Table::lay(what));
        let (mut ours, mut theirs) = (lay(what), lay("bare futex"));
        let mut comparison = Comparison::default();
        let time = effort.pick(Duration::from_secs(4), Duration::from_millis(50));
        comparison.go_on_by_blocks(time, |turns| ours.play(turns), |turns| theirs.play(turns));
        comparison.tell(&format!("{what}, {:.2} sleeps", ours.sleeps_a_turn()), limit);
    }
}

/// We are the first side, and another process is the second.
struct Table {
    means: Box<dyn Means>,
    peer: Peer,
    turns: u64,
    sleeps: u64,
}

impl Table {
    fn lay(what: &str) -> Table {
        // Here first, so that the other inherits what is to be inherited.
        let means = means::open(what, what);
        let peer = Peer::start(&["answer", what]);
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
pub(crate) fn answer(what: &str) {
    let means = means::open(what, what);
    peer::live(|turns| {
        means.prepare(Side::Second);
        peer::reply("begun");
        let before = sleeps();
        means.go(Side::Second, turns.parse().expect("a number"));
        (sleeps() - before).to_string()
    });
}
