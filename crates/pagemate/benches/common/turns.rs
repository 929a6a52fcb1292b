//! Two processes that wake each other in turn, by one of several mechanisms.

use std::fs;
use std::time::Duration;

use pagemate::sync::{Event, EventOptions, Reset, Semaphore};

use super::measure::{Clock, Comparison, Effort, Watch};
use super::peer::{self, Peer};
use super::processor::{first_and_last, pinned_to, without_preemption};

/// A signal that one side raises and the other side waits for and consumes.
pub(crate) trait Signal {
    fn raise(&self);
    fn wait(&self);
}

/// Creates or opens an event.
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
        self.acquire().expect("a semaphore").forget();
    }
}

/// A mechanism by which the turn passes from one process to the other and back.
pub(crate) trait Mechanism {
    /// Prepares one side before the first turn.
    fn prepare(&self, _: Side) {}

    /// Plays this number of turns.
    fn go(&self, side: Side, turns: u32);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    First,
    Second,
}

/// Two signals: one for each direction.
pub(crate) struct Pair<S>(pub(crate) [S; 2]);

impl<S: Signal> Mechanism for Pair<S> {
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

/// A function that creates or opens a mechanism by its name, for one side.
pub(crate) type Open = fn(&str, Side) -> Box<dyn Mechanism>;

/// Prints three tables: with each process on a processor of its own, with both processes on
/// processors that the kernel chooses, and with both on one processor. `rows` gets the processor of
/// the second process.
///
/// In the first and the last table each thread may run on one processor only, so that pagemate does not
/// spin.
pub(crate) fn tables(rows: impl Fn(Option<usize>)) {
    println!("  elapsed time; a turn is a round trip, or one critical section of each side");
    let [first, last] = first_and_last();
    if first != last {
        println!("  each process on a processor of its own");
        pinned_to(first, || rows(Some(last)));
        println!("  both processes on any processor");
        rows(None);
    }
    println!("  on one processor");
    pinned_to(first, || without_preemption(|| rows(Some(first))));
}

/// Prints one row, which compares turns by two mechanisms.
pub(crate) fn row(
    open: Open,
    [ours, theirs]: [&str; 2],
    second: Option<usize>,
    effort: Effort,
    limit: Option<f64>,
) {
    let lay = |what| match second {
        Some(processor) => pinned_to(processor, || Table::lay(open, what)),
        None => Table::lay(open, what),
    };
    let (mut our_table, mut their_table) = (lay(ours), lay(theirs));
    let mut comparison = Comparison::default();
    let time = effort.pick(Duration::from_secs(4), Duration::from_millis(50));
    let play = |turns| our_table.play(turns);
    comparison.add_block_rounds(time, play, |turns| their_table.play(turns));
    comparison.print(&format!("{ours}, {:.2} sleeps", our_table.sleeps_a_turn()), limit);
}

/// A running mechanism: this process is the first side, and another process is the second.
struct Table {
    mechanism: Box<dyn Mechanism>,
    peer: Peer,
    turns: u64,
    sleeps: u64,
}

impl Table {
    fn lay(open: Open, what: &str) -> Table {
        // Opened before the peer starts, so that the peer inherits its descriptors.
        let mechanism = open(what, Side::First);
        let peer = Peer::start(&["answer", what]);
        Table { mechanism, peer, turns: 0, sleeps: 0 }
    }

    /// Plays this number of turns, and returns the nanoseconds that they took.
    fn play(&mut self, turns: u32) -> f64 {
        self.mechanism.prepare(Side::First);
        self.peer.send(turns);
        assert_eq!(self.peer.receive(), "begun");
        let before = sleeps();
        let watch = Watch::by(Clock::Wall);
        self.mechanism.go(Side::First, turns);
        let ns = watch.ns();
        self.sleeps += sleeps() - before + self.peer.receive().parse::<u64>().expect("a number");
        self.turns += u64::from(turns);
        ns
    }

    fn sleeps_a_turn(&self) -> f64 {
        self.sleeps as f64 / self.turns as f64
    }
}

/// Returns the number of times that this thread has gone to sleep.
fn sleeps() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").expect("about this thread");
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).expect("a number")
}

/// The main function of the second side.
pub(crate) fn answer(open: Open, what: &str) {
    let mechanism = open(what, Side::Second);
    peer::serve(|turns| {
        mechanism.prepare(Side::Second);
        peer::reply("begun");
        let before = sleeps();
        mechanism.go(Side::Second, turns.parse().expect("a number"));
        (sleeps() - before).to_string()
    });
}
