//! The threads that use a channel, and the watchdog that finds a call that does not return.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "reports of the processes of tests")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};
use std::{env, process};

use pagemate::{ErrorKind, inventory};

use super::attack::{Attack, Random};
use super::harness::REPLY;

/// The name of the channel. Each test has a directory of its own.
pub(crate) const NAME: &str = "c";

/// The time after which a call that has not returned is considered hanging. Calls have timeouts of
/// milliseconds, and some try again for two seconds.
const LIMIT: Duration = Duration::from_secs(40);

/// The time in which each of the expected results occurs at least once, also on a busy machine.
const LONG: Duration = Duration::from_mins(1);

/// The threads of a test.
pub(crate) struct Users {
    began: Instant,
    seed: AtomicU64,
    over: AtomicBool,
    /// The present calls: their names and the times when they began.
    calls: Mutex<BTreeMap<u64, (&'static str, Instant)>>,
    results: Results,
    /// Whether the endpoints can tell invalid bytes from valid ones.
    sees_corruption: bool,
    /// Whether endpoints open the channels that the hostile process overwrites.
    opens_damaged: bool,
}

/// The number of calls with each result.
#[derive(Debug, Default)]
struct Results {
    sent: AtomicU64,
    received: AtomicU64,
    corrupted: AtomicU64,
    refused: AtomicU64,
}

/// A thread that uses a channel.
pub(crate) struct User<'a> {
    users: &'a Users,
    id: u64,
}

/// The result of a call that sends or receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Sent,
    Received,
    /// An error of a correct channel, such as `Full`.
    Nothing,
    Corrupted,
}

impl Users {
    pub(crate) fn new(sees_corruption: bool) -> Users {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        #[allow(clippy::cast_possible_truncation, reason = "any number")]
        let seed = env::var("PAGEMATE_HOSTILE_SEED")
            .map_or(now.as_nanos() as u64, |seed| seed.parse().unwrap());
        eprintln!("PAGEMATE_HOSTILE_SEED={seed}");
        Users {
            began: Instant::now(),
            seed: AtomicU64::new(seed),
            over: AtomicBool::new(false),
            calls: Mutex::default(),
            results: Results::default(),
            sees_corruption,
            opens_damaged: true,
        }
    }

    /// Expects that no open fails.
    pub(crate) fn that_open_new_channels(self) -> Users {
        Users { opens_damaged: false, ..self }
    }

    /// Runs the threads that `start` starts, and the attack, for the time of a test.
    pub(crate) fn run<'a>(&'a self, attack: Attack, start: impl for<'s> FnOnce(&'s Scope<'s, 'a>)) {
        let seconds = env::var("PAGEMATE_HOSTILE_SECONDS").map_or(1, |text| text.parse().unwrap());
        let time = Duration::from_secs(seconds);
        thread::scope(|scope| {
            self.start(scope, |user, random| attack.run(user, random));
            start(scope);
            while self.began.elapsed() < time || !self.has_each_result() {
                if self.began.elapsed() > time + LONG {
                    self.over.store(true, Ordering::Relaxed);
                    panic!("a result did not occur: {:?}", self.results);
                }
                thread::sleep(Duration::from_millis(20));
                self.check_calls();
                if self.over.load(Ordering::Relaxed) {
                    break;
                }
            }
            self.over.store(true, Ordering::Relaxed);
            while !self.calls.lock().unwrap().is_empty() {
                thread::sleep(Duration::from_millis(20));
                self.check_calls();
            }
        });
        println!("{REPLY}{:?}", self.results);
    }

    /// Starts a thread. If it panics, all threads end.
    pub(crate) fn start<'s, 'a>(
        &'a self,
        scope: &'s Scope<'s, 'a>,
        body: impl FnOnce(&User<'_>, &mut Random) + Send + 'a,
    ) {
        let seed = self.seed.fetch_add(1, Ordering::Relaxed);
        scope.spawn(move || {
            let user = User { users: self, id: seed };
            let body = || body(&user, &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            self.calls.lock().unwrap().remove(&seed);
            if let Err(panic) = result {
                self.over.store(true, Ordering::Relaxed);
                std::panic::resume_unwind(panic);
            }
        });
    }

    /// Returns whether each result occurred that shows that the test can find anything.
    fn has_each_result(&self) -> bool {
        let occurred = |count: &AtomicU64| count.load(Ordering::Relaxed) > 0;
        let Results { sent, received, corrupted, refused } = &self.results;
        [sent, received].into_iter().all(occurred)
            && occurred(refused) == self.opens_damaged
            && occurred(corrupted) == self.sees_corruption
    }

    /// Ends the process if a call takes too long.
    fn check_calls(&self) {
        for (call, began) in self.calls.lock().unwrap().values() {
            if began.elapsed() > LIMIT {
                eprintln!("{call} has not returned for {:?}", began.elapsed());
                process::abort();
            }
        }
    }
}

impl User<'_> {
    pub(crate) fn goes_on(&self) -> bool {
        !self.users.over.load(Ordering::Relaxed)
    }

    /// Makes a call, which the watchdog observes.
    pub(crate) fn call<T>(&self, name: &'static str, body: impl FnOnce() -> T) -> T {
        self.users.calls.lock().unwrap().insert(self.id, (name, Instant::now()));
        let result = body();
        self.users.calls.lock().unwrap().remove(&self.id);
        result
    }

    /// Opens or creates an endpoint. Returns `None` after an error that is documented for a channel with
    /// invalid bytes.
    pub(crate) fn open<E>(&self, body: impl FnOnce() -> pagemate::Result<E>) -> Option<E> {
        use ErrorKind::{AlreadyExists, Corrupted, NoSpace, TimedOut, WrongKind, WrongVersion};
        match self.call("open", body) {
            Ok(endpoint) => Some(endpoint),
            Err(error) => {
                let kinds = [AlreadyExists, Corrupted, NoSpace, TimedOut, WrongKind, WrongVersion];
                assert!(kinds.contains(&error.kind()), "{error:#}");
                self.users.results.refused.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_micros(200));
                None
            }
        }
    }

    pub(crate) fn count(&self, outcome: Outcome) {
        let results = &self.users.results;
        let counter = match outcome {
            Outcome::Sent => &results.sent,
            Outcome::Received => &results.received,
            Outcome::Corrupted => &results.corrupted,
            Outcome::Nothing => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Lists the channel.
pub(crate) fn list(user: &User<'_>, random: &mut Random) {
    while user.goes_on() {
        match user.call("find", || inventory::find(NAME)) {
            Ok(entry) => assert_eq!(entry.kind, pagemate::Kind::Channel),
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error:#}"),
        }
        thread::sleep(Duration::from_micros(random.below(2000)));
    }
}
