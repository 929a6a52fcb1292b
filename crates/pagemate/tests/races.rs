//! Processes create, open and close the same few names as fast as they can, while some of them are
//! stopped and killed at random moments.
//!
//! `cargo test` runs it briefly; `cargo xtask torture` takes a minute, and
//! `cargo xtask torture long` takes 400,000 rounds and 10,000 kills.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the numbers of a race are its result")]

mod harness;

use std::io::{PipeWriter, Read as _, pipe};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, thread};

use harness::Place;
use pagemate::{Access, ErrorKind, Section, SectionOptions, Shareable, Shared, View, inventory};
use rustix::process::{Pid, Signal, getppid, kill_process};

const RACERS: usize = 8;
const NAMES: usize = 3;
const PAGE: usize = 4096;

/// The variable that makes this process a racer: the pid of its parent, its number and its seed.
const ROLE: &str = "PAGEMATE_TEST_RACER";

/// The names of a racer's counters on the board.
const COUNTERS: [&str; 6] = ["created", "opened", "exists", "missing", "timed out", "lists"];
const CREATED: usize = 0;
const OPENED: usize = 1;
const EXISTS: usize = 2;
const MISSING: usize = 3;
const TIMED_OUT: usize = 4;
const LISTS: usize = 5;

/// The state of a race, in memory that its processes share.
#[derive(Shareable)]
#[repr(C)]
struct Board {
    /// The counters of each racer.
    counters: [[AtomicU64; COUNTERS.len()]; RACERS],
    /// Not 0 when the race is over.
    over: AtomicU64,
}

#[test]
fn actor() {
    harness::actor();
}

/// The minimum numbers that a race has to reach before it ends.
struct Goal {
    rounds: u64,
    kills: u64,
    time: Duration,
}

impl Goal {
    fn wanted() -> Goal {
        match env::var("PAGEMATE_TORTURE").as_deref() {
            Ok("minute") => Goal { rounds: 0, kills: 0, time: Duration::from_mins(1) },
            Ok("long") => Goal { rounds: 400_000, kills: 10_000, time: Duration::ZERO },
            _ => Goal { rounds: 4_000, kills: 100, time: Duration::ZERO },
        }
    }

    /// Returns the average number of rounds between kills.
    fn rounds_per_kill(&self) -> u64 {
        self.rounds.checked_div(self.kills).unwrap_or(40)
    }
}

/// The generator `SplitMix64`: the same seed reproduces the same run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn index(&mut self, n: usize) -> usize {
        usize::try_from(self.below(n as u64)).unwrap()
    }
}

fn name(index: usize) -> String {
    format!("race-{index}")
}

/// Returns the length of a section. Each name has another length, so that an object under a wrong
/// name is detected.
fn pages(index: usize) -> usize {
    index + 1
}

// The memory contains a random number of the creator, and one slot for each racer. The rest is
// zero.
const STAMP_AT: usize = 0;

fn slot(racer: usize) -> usize {
    8 + 8 * racer
}

// The code that each racer process runs.

#[test]
fn racer() {
    let Ok(role) = env::var(ROLE) else { return };
    let [parent, number, seed] = role.split(' ').collect::<Vec<_>>()[..] else { panic!("{role}") };
    let parent = Pid::from_raw(parent.parse().unwrap());
    let number = number.parse().unwrap();
    // The standard input is the descriptor of the section with the board.
    let board = Section::try_from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    let board = Shared::map(&board.unwrap(), 0).unwrap();
    let mut racer = Racer { number, random: Random(seed.parse().unwrap()), board, held: None };
    // A parent that is killed cannot set the flag, so the racer also ends with its parent.
    while racer.board.over.load(Ordering::Relaxed) == 0 && getppid() == parent {
        racer.round();
    }
}

struct Racer {
    number: usize,
    random: Random,
    board: Shared<Board>,
    /// A section that is held for several rounds, so that names live for different times.
    held: Option<(usize, Section, View)>,
}

impl Racer {
    fn count(&self, counter: usize) {
        self.board.counters[self.number][counter].fetch_add(1, Ordering::Relaxed);
    }

    /// Tries to create or open a section, checks the result, and closes the section.
    fn round(&mut self) {
        let index = self.random.index(NAMES);
        let name = name(index);
        let mut options = SectionOptions::new();
        options.len((pages(index) * PAGE) as u64);
        let result = match self.random.below(8) {
            0 | 1 => options.create_new(&name),
            2 | 3 => options.open_or_create(&name),
            4 => options.access(Access::Read).open_or_create(&name),
            5 => options.access(Access::Read).open(&name),
            _ => options.open(&name),
        };
        let held = self.held.as_ref().is_some_and(|(held, ..)| *held == index);
        match result {
            Ok(section) => self.check(index, &section, held),
            Err(error) => match error.kind() {
                ErrorKind::AlreadyExists => self.count(EXISTS),
                ErrorKind::NotFound if !held => self.count(MISSING),
                ErrorKind::TimedOut => self.count(TIMED_OUT),
                _ => panic!("{error:?} (held: {held})"),
            },
        }
        if self.random.below(2) == 0 {
            self.held = None;
        }
        // Without these pauses a name would nearly always have a holder, and hardly any object
        // would die.
        if self.random.below(4) == 0 {
            thread::sleep(Duration::from_micros(self.random.below(300)));
        }
    }

    fn check(&mut self, index: usize, section: &Section, held: bool) {
        assert_eq!(section.len(), (pages(index) * PAGE) as u64);
        let view = section.map().unwrap();
        if section.was_created() {
            self.count(CREATED);
            assert!(!held, "created while held by this very process");
            // Other racers may have written to their slots already, but no racer has written to
            // these two words.
            assert_eq!(view.read::<u64>(STAMP_AT).unwrap(), 0, "a created section has a stamp");
            assert_eq!(
                view.read::<u64>(slot(self.number)).unwrap(),
                0,
                "a created section is not zero"
            );
            if view.is_writable() {
                view.write(STAMP_AT, &(self.random.next() | 1)).unwrap();
            }
        } else {
            self.count(OPENED);
        }
        let mut rest = vec![0; view.len() - slot(RACERS)];
        view.read_at(slot(RACERS), &mut rest).unwrap();
        assert!(rest.iter().all(|byte| *byte == 0), "bytes that no racer wrote");
        if let Some((_, _, own)) = self.held.as_ref().filter(|_| held) {
            assert_same(self.number, &mut self.random, own, &view);
        }
        // This process holds the name, so a second open must succeed and show the same memory.
        let again = Section::open(name(index)).expect("a live name is lost");
        assert_same(self.number, &mut self.random, &again.map().unwrap(), &view);
        if self.random.below(8) == 0 {
            let second = SectionOptions::new().len(1).create_new(name(index));
            let kind = second.map_err(|error| error.kind()).map(|_| "a second object");
            assert_eq!(kind, Err(ErrorKind::AlreadyExists));
        }
        if self.random.below(200) == 0 {
            self.count(LISTS);
            let listed = inventory::list().unwrap().entries;
            assert!(
                listed.iter().any(|entry| entry.name.bare() == name(index)),
                "a live name is not listed: {listed:?}"
            );
        }
        if self.held.is_none() && self.random.below(16) == 0 {
            self.held = Some((index, section.try_clone().unwrap(), view));
        }
    }
}

/// Asserts that both views show the same memory.
fn assert_same(number: usize, random: &mut Random, one: &View, other: &View) {
    let (to, from) = if one.is_writable() { (one, other) } else { (other, one) };
    let stamps = [one, other].map(|view| view.read::<u64>(STAMP_AT).unwrap());
    // The creator stores its random number once, and may do so between the two reads.
    assert!(stamps[0] == stamps[1] || stamps[0] == 0, "two objects under one name: {stamps:x?}");
    if !to.is_writable() {
        return;
    }
    let nonce = random.next();
    to.write(slot(number), &nonce).unwrap();
    let seen = from.read::<u64>(slot(number)).unwrap();
    assert_eq!(seen, nonce, "two objects under one name");
}

// The code of the parent process, which starts, stops and kills the racers.

struct Race {
    place: Place,
    seed: u64,
    random: Random,
    board: Section,
    counts: Shared<Board>,
    reports: PipeWriter,
    /// The output of the racers, which is empty unless one fails.
    output: Arc<Mutex<String>>,
    failed: Arc<AtomicBool>,
    racers: Vec<Child>,
    /// The rounds of each racer at its start.
    started_at: Vec<u64>,
}

impl Race {
    fn new(seed: u64) -> Race {
        let board = SectionOptions::new().len(PAGE as u64).create_unnamed().unwrap();
        let (mut reader, reports) = pipe().unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let failed = Arc::new(AtomicBool::new(false));
        let (to, flag) = (Arc::clone(&output), Arc::clone(&failed));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                to.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
                flag.store(true, Ordering::Relaxed);
            }
        });
        let counts = Shared::map(&board, 0).unwrap();
        let mut race = Race {
            place: Place::new("races"),
            seed,
            random: Random(seed),
            board,
            counts,
            reports,
            output,
            failed,
            racers: Vec::new(),
            started_at: vec![0; RACERS],
        };
        for number in 0..RACERS {
            let racer = race.start(number);
            race.racers.push(racer);
        }
        race
    }

    fn start(&mut self, number: usize) -> Child {
        self.started_at[number] = self.rounds_of(number);
        Command::new(env::current_exe().unwrap())
            .args(["racer", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, format!("{} {number} {}", std::process::id(), self.random.next()))
            .env("PAGEMATE_DIR", self.place.path())
            .stdin(Stdio::from(self.board.as_fd().try_clone_to_owned().unwrap()))
            .stdout(Stdio::null())
            .stderr(self.reports.try_clone().unwrap())
            .spawn()
            .unwrap()
    }

    fn counter(&self, number: usize, counter: usize) -> u64 {
        self.counts.counters[number][counter].load(Ordering::Relaxed)
    }

    fn total(&self, counter: usize) -> u64 {
        (0..RACERS).map(|number| self.counter(number, counter)).sum()
    }

    fn rounds_of(&self, number: usize) -> u64 {
        [CREATED, OPENED, EXISTS, MISSING, TIMED_OUT]
            .iter()
            .map(|counter| self.counter(number, *counter))
            .sum()
    }

    fn rounds(&self) -> u64 {
        (0..RACERS).map(|number| self.rounds_of(number)).sum()
    }

    #[track_caller]
    fn assert_no_failure(&self) {
        if self.failed.load(Ordering::Relaxed) {
            // Wait for the remaining output.
            thread::sleep(Duration::from_millis(200));
            panic!("PAGEMATE_SEED={}:\n{}", self.seed, self.output.lock().unwrap());
        }
    }

    /// Waits until `rounds` more rounds are done, or for `timeout`. Returns whether they are done.
    fn wait(&self, rounds: u64, timeout: Duration) -> bool {
        let (goal, deadline) = (self.rounds() + rounds, Instant::now() + timeout);
        while self.rounds() < goal {
            self.assert_no_failure();
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_micros(100));
        }
        true
    }

    /// Returns a random racer that has finished its first round.
    fn victim(&mut self) -> usize {
        for _ in 0..300_000 {
            let number = self.random.index(RACERS);
            if self.rounds_of(number) > self.started_at[number] {
                return number;
            }
            self.assert_no_failure();
            thread::sleep(Duration::from_micros(100));
        }
        panic!("PAGEMATE_SEED={}: no racer finishes a round", self.seed);
    }

    /// Stops the victim for a few rounds of the other racers, which may have to wait for it.
    fn stop(&mut self, victim: usize) {
        let pid = Pid::from_child(&self.racers[victim]);
        kill_process(pid, Signal::STOP).unwrap();
        let rounds = 1 + self.random.below(20);
        self.wait(rounds, Duration::from_millis(5));
    }

    fn kill(&mut self, victim: usize) {
        let racer = &mut self.racers[victim];
        racer.kill().unwrap();
        let status = racer.wait().unwrap();
        if status.signal() != Some(Signal::KILL.as_raw()) {
            self.failed.store(true, Ordering::Relaxed);
            self.assert_no_failure();
        }
        self.racers[victim] = self.start(victim);
    }

    fn resume(&self, victim: usize) {
        kill_process(Pid::from_child(&self.racers[victim]), Signal::CONT).unwrap();
    }

    /// Ends the race, and asserts that the racers leave nothing behind.
    fn end(&mut self) {
        self.counts.over.store(1, Ordering::Relaxed);
        for racer in &mut self.racers {
            let status = racer.wait().unwrap();
            if !status.success() {
                self.failed.store(true, Ordering::Relaxed);
            }
        }
        self.assert_no_failure();
        let mut actor = self.place.actor();
        actor.ask("prune");
        actor.expect("list", "");
        self.place.assert_empty();
    }
}

impl Drop for Race {
    fn drop(&mut self) {
        for racer in &mut self.racers {
            _ = racer.kill();
            _ = racer.wait();
        }
    }
}

#[test]
fn no_live_name_is_lost_and_no_two_objects_meet_under_one() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = env::var("PAGEMATE_SEED").map_or(now.as_secs(), |seed| seed.parse().unwrap());
    let goal = Goal::wanted();
    let start = Instant::now();
    let mut race = Race::new(seed);
    let (mut kills, mut stops) = (0, 0);
    while race.rounds() < goal.rounds || kills < goal.kills || start.elapsed() < goal.time {
        let rounds = race.random.below(2 * goal.rounds_per_kill());
        assert!(race.wait(rounds, Duration::from_secs(30)), "PAGEMATE_SEED={seed}: no progress");
        let victim = race.victim();
        match race.random.below(4) {
            0 => {
                race.stop(victim);
                race.resume(victim);
                stops += 1;
                continue;
            }
            1 => {
                race.stop(victim);
                stops += 1;
            }
            _ => {}
        }
        race.kill(victim);
        kills += 1;
    }
    race.end();
    let counts = (0..COUNTERS.len()).map(|i| format!("{} {}", race.total(i), COUNTERS[i]));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let (rounds, time) = (race.rounds(), start.elapsed().as_secs_f64());
    println!(
        "PAGEMATE_SEED={seed}: {rounds} rounds ({counts}), {kills} kills, {stops} stops, {time:.1} s"
    );
    // A victim is stopped for less time than the other racers wait. On a loaded machine it may be
    // stopped for longer.
    assert!(race.total(TIMED_OUT) <= rounds / 1000, "too many time-outs");
    assert!(race.total(CREATED) > 0 && race.total(OPENED) > 0, "no race");
}

/// Each process releases the name first and then tests for other holders. The last process to
/// release it is therefore also the last to test, so one of them always removes the name.
#[test]
fn one_of_two_holders_that_close_at_once_removes_the_name() {
    let place = Place::new("at-once");
    let mut actors = [place.actor(), place.actor()];
    for _ in 0..2000 {
        for actor in &mut actors {
            actor.ask("share x 4096");
        }
        for actor in &mut actors {
            actor.tell("close x");
        }
        for actor in &mut actors {
            assert_eq!(actor.reply().as_deref(), Some("ok"));
        }
        place.assert_empty();
    }
}
