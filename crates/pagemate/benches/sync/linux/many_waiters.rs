//! Measures waking one of a thousand waiters, compared with waking a single waiter.
//!
//! Threads of a few processes wait for one object. A thread that wakes up records the time, and
//! waits again. While the single waiter is measured, the thousand threads wait at a gate without
//! timeouts, so that they take no processor time.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use pagemate::{Shareable, Shared};
use rustix::thread::futex::{self, Flags};
use rustix::time::{ClockId, clock_gettime};

use super::measure::{Clock, Comparison, Effort, Spread, Watch, time, titles};
use super::mechanisms::semaphore;
use super::peer::{self, Peer};
use super::place::Place;
use super::posix::Word;
use super::processor::{first_and_last, pinned_to};
use super::turns::{Signal, event};

const PROCESSES: u32 = 4;

/// A pause that is long enough for all threads to go to sleep.
const PAUSE: Duration = Duration::from_micros(500);

pub(crate) fn table(_: &Place, effort: Effort) {
    let [ours, theirs] = first_and_last();
    pinned_to(ours, || rows(theirs, effort));
}

/// All waiters run on this processor.
fn rows(theirs: usize, effort: Effort) {
    let many = effort.pick(1000, 40);
    println!("  elapsed time; threads of {PROCESSES} processes");
    for (what, limit) in [("event", Some(1.5)), ("semaphore", Some(1.5)), ("bare futex", None)] {
        titles(&format!("of {many}"), "of 1");
        let of = |many| pinned_to(theirs, || Crowd::of(what, many));
        let (mut crowd, alone) = (of(many), of(1));
        let (mut calls, mut runs) = (Comparison::default(), Comparison::default());
        let (mut all_runs, mut all_runs_alone) = (Vec::new(), Vec::new());
        for _ in 0..effort.pick(40, 2) {
            let (call, run) = crowd.wake(effort);
            let (call_alone, run_alone) = alone.wake(effort);
            calls.add(Spread::of(call).median, Spread::of(call_alone).median);
            all_runs.extend(&run);
            all_runs_alone.extend(&run_alone);
            runs.add(Spread::of(run).median, Spread::of(run_alone).median);
        }
        calls.print(&format!("{what}: the waking call"), limit);
        runs.print(&format!("{what}: until a waiter runs"), limit);
        let (most, most_alone) =
            (time(percentile_90(all_runs)), time(percentile_90(all_runs_alone)));
        println!("  {what}: 90th percentile {most}; of a single waiter {most_alone}");
        let share = crowd.idle(effort) * 100.0;
        println!("  {what}: {many} sleeping waiters take {share:.1} % of a processor");
    }
}

/// Returns the 90th percentile.
fn percentile_90(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * 9 / 10]
}

fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("a time after zero")
}

/// The state that the processes share, in addition to the object.
struct Board(Shared<Words>);

/// Words in cache lines of their own.
#[derive(Shareable)]
#[repr(C)]
struct Words {
    gate: AtomicU32,
    to_next_line: [AtomicU32; 15],
    present: AtomicU32,
    to_third_line: [AtomicU32; 15],
    woken: AtomicU32,
    to_last_line: [AtomicU32; 15],
    when: AtomicU64,
}

impl Board {
    fn open(name: &str) -> Board {
        Board(Shared::open_or_create(format!("{name} board")).expect("a page"))
    }

    /// The generation of the gate. If it is odd, the gate is open.
    fn gate(&self) -> &AtomicU32 {
        &self.0.gate
    }

    /// The number of threads that have passed the gate.
    fn present(&self) -> &AtomicU32 {
        &self.0.present
    }

    /// The number of wake-ups, and the time of the last one.
    fn woken(&self) -> (&AtomicU32, &AtomicU64) {
        (&self.0.woken, &self.0.when)
    }
}

struct Crowd {
    signal: Box<dyn Signal + Send + Sync>,
    board: Board,
    many: u32,
    processes: Vec<Peer>,
}

impl Crowd {
    fn of(what: &str, many: u32) -> Crowd {
        let name = format!("{what} for {many}");
        let (signal, board) = (open(what, &name), Board::open(&name));
        let processes = many.min(PROCESSES);
        let each = (many / processes).to_string();
        let start = |_| Peer::start(&["crowd", what, &name, &each]);
        Crowd { signal, board, many, processes: (0..processes).map(start).collect() }
    }

    /// Opens the gate, and waits until all threads sleep on the object.
    fn gather(&self) {
        self.board.gate().fetch_add(1, Ordering::Release);
        futex::wake(self.board.gate(), Flags::empty(), i32::MAX.cast_unsigned()).expect("a word");
        while self.board.present().load(Ordering::Acquire) < self.many {
            thread::sleep(PAUSE);
        }
        thread::sleep(40 * PAUSE);
    }

    fn leave(&self) {
        self.board.gate().fetch_add(1, Ordering::Release);
        while self.board.present().load(Ordering::Acquire) > 0 {
            self.signal.raise();
            thread::sleep(PAUSE / 20);
        }
    }

    /// Wakes one thread several times. Returns the nanoseconds of each call, and those from the
    /// beginning of each call until a thread runs.
    fn wake(&self, effort: Effort) -> (Vec<f64>, Vec<f64>) {
        let (woken, when) = self.board.woken();
        let (mut calls, mut runs) = (Vec::new(), Vec::new());
        self.gather();
        for _ in 0..effort.pick(25, 5) {
            thread::sleep(PAUSE);
            let before = woken.load(Ordering::Acquire);
            let (start, watch) = (now(), Watch::by(Clock::Wall));
            self.signal.raise();
            calls.push(watch.ns());
            while woken.load(Ordering::Acquire) == before {
                thread::sleep(PAUSE);
            }
            runs.push(when.load(Ordering::Relaxed).saturating_sub(start) as f64);
        }
        self.leave();
        (calls, runs)
    }

    /// Returns the processor share of all processes together while no thread is woken.
    fn idle(&mut self, effort: Effort) -> f64 {
        self.gather();
        let before = self.processor_time();
        let watch = Watch::by(Clock::Wall);
        thread::sleep(effort.pick(Duration::from_secs(1), PAUSE * 100));
        let share = (self.processor_time() - before) / watch.ns();
        self.leave();
        share
    }

    /// Returns the processor time of all processes in nanoseconds.
    fn processor_time(&mut self) -> f64 {
        self.processes.iter_mut().map(|process| process.send("")).for_each(drop);
        self.processes
            .iter_mut()
            .map(|process| process.receive().parse::<f64>())
            .sum::<Result<f64, _>>()
            .expect("numbers")
    }
}

fn open(what: &str, name: &str) -> Box<dyn Signal + Send + Sync> {
    match what {
        "event" => Box::new(event(name)),
        "semaphore" => Box::new(semaphore(name)),
        _ => Box::new(Word::open(name)),
    }
}

/// The main function of one of the processes.
pub(crate) fn gather(what: &str, name: &str, threads: &str) {
    let threads: u32 = threads.parse().expect("a number");
    let (signal, board) = (open(what, name), Board::open(name));
    thread::scope(|scope| {
        for _ in 0..threads {
            let sleeper = thread::Builder::new().stack_size(64 << 10);
            sleeper.spawn_scoped(scope, || sleep(&*signal, &board)).expect("a thread");
        }
        peer::serve(|_| {
            let time = clock_gettime(ClockId::ProcessCPUTime);
            (time.tv_sec * 1_000_000_000 + time.tv_nsec).to_string()
        });
        #[allow(clippy::exit, reason = "threads that sleep for ever end with their process")]
        std::process::exit(0);
    });
}

/// The body of one of the threads.
fn sleep(signal: &dyn Signal, board: &Board) {
    let (woken, when) = board.woken();
    loop {
        let gate = board.gate().load(Ordering::Acquire);
        if gate.is_multiple_of(2) {
            // The call returns if the word has changed, and after a wake-up, also a spurious one.
            // The loop tests the word.
            _ = futex::wait(board.gate(), Flags::empty(), gate, None);
            continue;
        }
        board.present().fetch_add(1, Ordering::Release);
        while board.gate().load(Ordering::Acquire) == gate {
            signal.wait();
            when.store(now(), Ordering::Relaxed);
            // Release: publishes the time, which is stored first.
            woken.fetch_add(1, Ordering::Release);
        }
        board.present().fetch_sub(1, Ordering::Release);
    }
}
