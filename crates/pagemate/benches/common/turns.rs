//! Two processes that wake each other in turn, by whatever means.

use std::fs;
use std::time::Duration;

use pagemate::sync::{Event, EventOptions, Reset, Semaphore};

use super::measure::{Clock, Comparison, Effort, Watch};
use super::peer::{self, Peer};
use super::processor::{ends, staying_on, without_haste};

/// Something that one raises and one waits for, who takes it away.
pub(crate) trait Signal {
    fn raise(&self);
    fn wait(&self);
}

/// An event that is to be made or opened.
pub(crate) fn event(name: &str) -> Event {
    EventOptions::new(Reset::Auto).open_or_create(name).expect("an event")
}

impl Signal for Event {
    fn raise(&self) {
        self.set().expect("an event");
    }

    fn wait(&self) {
        Event::wait(self).expect("an event");
    }
}

impl Signal for Semaphore {
    fn raise(&self) {
        self.release(1).expect("room for one");
    }

    fn wait(&self) {
        self.acquire().expect("a semaphore");
    }
}

/// How the turn goes from one process to another and back.
pub(crate) trait Means {
    /// What each side does before the first turn.
    fn prepare(&self, _: Side) {}

    /// Has so many turns.
    fn go(&self, side: Side, turns: u32);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    First,
    Second,
}

/// Two signals: one there, one back.
pub(crate) struct Pair<S>(pub(crate) [S; 2]);

impl<S: Signal> Means for Pair<S> {
    fn go(&self, side: Side, turns: u32) {
        let Pair([there, back]) = self;
        for _ in 0..turns {
            if side == Side::First {
                there.raise();
                back.wait();
            } else {
                there.wait();
                back.raise();
            }
        }
    }
}

/// Makes or opens what is called so, for one side.
pub(crate) type Open = fn(&str, Side) -> Box<dyn Means>;

/// Prints a table for each way in which the processes can run: each on a processor of its own, and
/// both on one; `rows` is told the second side's.
pub(crate) fn tables(rows: impl Fn(usize)) {
    println!("  by the clock on the wall; a turn is there and back: two sleeps, two wakes");
    let [first, last] = ends();
    if first != last {
        println!("  on two processors");
        staying_on(first, || rows(last));
    }
    println!("  on one processor");
    staying_on(first, || without_haste(|| rows(first)));
}

/// One row: turns by `ours` beside turns by `theirs`.
pub(crate) fn row(
    open: Open,
    [ours, theirs]: [&str; 2],
    second: usize,
    effort: Effort,
    limit: Option<f64>,
) {
    let lay = |what| staying_on(second, || Table::lay(open, what));
    let (mut our_table, mut their_table) = (lay(ours), lay(theirs));
    let mut comparison = Comparison::default();
    let time = effort.pick(Duration::from_secs(4), Duration::from_millis(50));
    let play = |turns| our_table.play(turns);
    comparison.go_on_by_blocks(time, play, |turns| their_table.play(turns));
    comparison.tell(&format!("{ours}, {:.2} sleeps", our_table.sleeps_a_turn()), limit);
}

/// We are the first side, and another process is the second.
struct Table {
    means: Box<dyn Means>,
    peer: Peer,
    turns: u64,
    sleeps: u64,
}

impl Table {
    fn lay(open: Open, what: &str) -> Table {
        // Here first, so that the other inherits what is to be inherited.
        let means = open(what, Side::First);
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
pub(crate) fn answer(open: Open, what: &str) {
    let means = open(what, Side::Second);
    peer::live(|turns| {
        means.prepare(Side::Second);
        peer::reply("begun");
        let before = sleeps();
        means.go(Side::Second, turns.parse().expect("a number"));
        (sleeps() - before).to_string()
    });
}
