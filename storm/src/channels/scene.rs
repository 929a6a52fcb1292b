//! A scene: one channel, its victims and the process that judges them.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use super::process::{self, Process, State};
use super::shared::{Board, Totals};
use crate::random::Random;

/// The limit of each wait for progress, after which the test fails.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// A short wait, during which the judge receives or sends.
pub(crate) const MOMENT: Duration = Duration::from_micros(200);

/// The interval of the liveness tests of a blocked endpoint.
pub(crate) const LIVENESS_TEST: Duration = Duration::from_millis(100);

/// The time in which a victim has to come to its end by itself. Afterwards it is killed.
const REACH: Duration = Duration::from_millis(12);

/// The points that a process passes while it opens an endpoint.
const AT_OPEN: [&str; 5] = [
    "channel-after-claim",
    "mpmc-in-repair",
    "mpmc-before-return",
    "broadcast-before-cursor",
    "broadcast-after-take-over",
];

/// The way in which a victim ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is killed at a random moment.
    Kill,
    /// It is stopped at a random moment, and killed later.
    Stop,
    /// It kills or stops itself at a fault point. It is killed after a stop.
    Point { index: usize, stops: bool },
    /// It exits without dropping its endpoints.
    Exit,
    /// It forks a child, which lives on with copies of the endpoints, and is killed.
    Fork,
    /// It drops its endpoints and exits.
    Leave,
}

pub(crate) const FATES: [&str; 6] =
    ["killed", "stopped and killed", "at a point", "exits", "killed with a child", "left"];

impl Fate {
    fn index(self) -> usize {
        match self {
            Fate::Kill => 0,
            Fate::Stop => 1,
            Fate::Point { .. } => 2,
            Fate::Exit => 3,
            Fate::Fork => 4,
            Fate::Leave => 5,
        }
    }
}

pub(crate) struct Scene {
    /// The name of the channel.
    pub(crate) name: String,
    pub(crate) board: &'static Board,
    pub(crate) totals: &'static Totals,
    pub(crate) random: Random,
    /// The fault points of this kind of channel. Empty if the build has none.
    pub(crate) points: Vec<String>,
    /// The number of victims so far.
    pub(crate) lives: u64,
}

/// A process whose end the scene has planned.
pub(crate) struct Victim {
    process: Process,
    pub(crate) index: usize,
    pub(crate) life: u64,
    fate: Fate,
    /// Whether a stopped victim continues before it is killed.
    resumes: bool,
}

/// The view of a victim on its own plan.
pub(crate) struct Role {
    pub(crate) board: &'static Board,
    pub(crate) index: usize,
    pub(crate) life: u64,
    /// The number that selects how the victim sends or receives.
    pub(crate) mode: usize,
    /// The pid of the judge.
    judge: u32,
    fate: Fate,
    /// The number of the step at which its end comes, or at which it begins to look for its point.
    at: u64,
    point: String,
    step: u64,
}

impl Role {
    /// Notes that the victim has opened its endpoints.
    pub(crate) fn is_ready(&self) {
        self.board.ready[self.index].store(self.life, SeqCst);
    }

    /// Begins the next step, at which the end of the victim may come. Returns false if the victim leaves.
    pub(crate) fn step(&mut self) -> bool {
        let is_now = self.step == self.at;
        self.step += 1;
        match self.fate {
            Fate::Point { stops, .. } if is_now => {
                let action = if stops { "stop-once" } else { "kill" };
                process::set_variable("PAGEMATE_FAULT", format!("{}:{action}", self.point));
            }
            Fate::Exit if is_now => process::exit(0),
            Fate::Fork if is_now => {
                let round = self.board.round.load(SeqCst);
                let (board, judge) = (self.board, self.judge);
                board.forks[0].fetch_add(1, SeqCst);
                process::start_idle_child(
                    || _ = board.forks[1].fetch_add(1, SeqCst),
                    || board.round.load(SeqCst) != round || !process::exists(judge),
                );
            }
            Fate::Leave if is_now => return false,
            _ => {}
        }
        true
    }

    pub(crate) fn note_done(&self, done: u64) {
        self.board.done[self.index].store(done, SeqCst);
    }
}

impl Scene {
    /// Selects the end of a victim.
    pub(crate) fn fate(&mut self) -> Fate {
        match self.random.below(16) {
            0..8 if !self.points.is_empty() => {
                let index = self.random.below(self.points.len());
                Fate::Point { index, stops: self.random.below(3) == 0 }
            }
            0..10 => Fate::Kill,
            10..12 => Fate::Stop,
            12 => Fate::Exit,
            13 => Fate::Leave,
            _ => Fate::Fork,
        }
    }

    /// Returns the fate of a victim that ends at this point.
    pub(crate) fn fate_at(&mut self, point: &str) -> Option<Fate> {
        let index = self.points.iter().position(|name| name == point)?;
        Some(Fate::Point { index, stops: self.random.below(2) == 0 })
    }

    /// Starts a victim, and waits until it has its endpoints or is at its end.
    pub(crate) fn start(&mut self, index: usize, fate: Fate, body: impl FnOnce(Role)) -> Victim {
        self.lives += 1;
        let life = self.lives;
        let mode = self.random.below(60);
        let point = match fate {
            Fate::Point { index, .. } => self.points[index].clone(),
            _ => String::new(),
        };
        // The first step opens the endpoint.
        let is_early = AT_OPEN.contains(&point.as_str()) || self.random.below(4) == 0;
        let at = if is_early { 0 } else { self.random.below(40) as u64 };
        self.board.done[index].store(0, SeqCst);
        self.board.note[index].store(u64::MAX, SeqCst);
        let board = self.board;
        let judge = std::process::id();
        let role = Role { board, index, life, mode, judge, fate, at, point, step: 0 };
        let process = process::start(|| body(role));
        let resumes = self.random.below(2) == 0;
        let victim = Victim { process, index, life, fate, resumes };
        let end = Instant::now() + LONG;
        while !victim.is_ready(self) && victim.process.state() == State::Runs {
            assert!(Instant::now() < end, "{fate:?}: victim {index} does not open its endpoint");
            thread::sleep(Duration::from_micros(30));
        }
        victim
    }

    /// Waits until the victim has come to its end. Calls `traffic` meanwhile, which sends or receives for a
    /// moment, and `check` while the victim is alive and has its endpoints.
    pub(crate) fn end<T>(
        &mut self,
        victim: &Victim,
        with: &mut T,
        mut traffic: impl FnMut(&mut Scene, &mut T),
        mut check: impl FnMut(&mut Scene, &mut T),
    ) {
        let by_itself = !matches!(victim.fate, Fate::Kill | Fate::Stop);
        let time = Duration::from_micros(self.random.next() % 4000);
        let end = Instant::now() + if by_itself { REACH } else { time };
        let mut state = victim.process.state();
        while state == State::Runs && Instant::now() < end {
            traffic(self, with);
            state = victim.process.state();
        }
        if state == State::Runs && victim.fate == Fate::Stop {
            victim.process.stop();
            state = victim.process.state();
        }
        if state == State::Stopped {
            if victim.is_ready(self) {
                check(self, with);
            }
            if self.random.below(4) == 0 {
                // Every blocked process tests the liveness of its peers meanwhile.
                thread::sleep(LIVENESS_TEST + Duration::from_millis(10));
                if victim.is_ready(self) {
                    check(self, with);
                }
            }
            if let Fate::Point { index, .. } = victim.fate {
                self.totals.stops[index].fetch_add(1, SeqCst);
            }
            if victim.resumes {
                victim.process.resume();
                for _ in 0..self.random.below(8) {
                    traffic(self, with);
                }
            }
        }
        let by_itself = victim.process.state();
        match victim.process.kill() {
            State::Exited(0) | State::Killed => {}
            state => panic!("{:?}: {state:?}: a victim found a fault", victim.fate),
        }
        if victim.fate == Fate::Fork {
            self.wait_for_children();
        }
        let fate = match (victim.fate, by_itself) {
            (Fate::Point { index, stops: false }, State::Killed) => {
                self.totals.deaths[index].fetch_add(1, SeqCst);
                victim.fate
            }
            (Fate::Exit | Fate::Leave, State::Exited(_)) | (Fate::Stop | Fate::Fork, _) => {
                victim.fate
            }
            (Fate::Point { stops: true, .. }, _) if state == State::Stopped => victim.fate,
            _ => Fate::Kill,
        };
        self.totals.fates[fate.index()].fetch_add(1, SeqCst);
    }

    /// Waits until the children of victims run. A child closes the copies of its parent's seats before
    /// `fork` returns in it, and until then its parent counts as alive.
    fn wait_for_children(&self) {
        let end = Instant::now() + Duration::from_secs(1);
        let forks = || self.board.forks.each_ref().map(|count| count.load(SeqCst));
        while forks()[0] != forks()[1] && Instant::now() < end {
            thread::sleep(MOMENT);
        }
        // A victim that was killed at the call has no child.
        self.board.forks[1].store(forks()[0], SeqCst);
    }

    /// Notes that a survivor was blocked from a death until now.
    pub(crate) fn note_wait(&self, since: Instant) {
        let time = since.elapsed();
        assert!(time < LONG, "a survivor was blocked for {time:?}");
        self.totals.waits.fetch_add(1, SeqCst);
        let late = time > LIVENESS_TEST + Duration::from_millis(20);
        self.totals.late.fetch_add(u64::from(late), SeqCst);
        let nanoseconds = u64::try_from(time.as_nanos()).expect("seconds");
        self.totals.longest.fetch_max(nanoseconds, SeqCst);
    }

    pub(crate) fn done(&self, victim: usize) -> u64 {
        self.board.done[victim].load(SeqCst)
    }

    /// Checks that no endpoint of the idle channel counts as blocked. This reads the descriptors of all
    /// processes, so the rounds call it rarely.
    pub(crate) fn check_sleepers(&mut self) {
        if self.random.below(64) == 0 {
            let found = pagemate::inventory::find(&self.name).expect("the channel is live");
            assert_eq!(found.waiting, Some(0), "the note of a sleeper stayed");
        }
    }
}

impl Victim {
    pub(crate) fn is_ready(&self, scene: &Scene) -> bool {
        scene.board.ready[self.index].load(SeqCst) == self.life
    }

    /// Waits until the victim ends by itself, and checks that it found no fault.
    pub(crate) fn join(self) {
        assert!(self.process.join(), "a victim found a fault");
    }

    /// Returns whether the victim has left its place by a drop.
    pub(crate) fn has_left(&self) -> bool {
        self.fate == Fate::Leave && self.process.state() == State::Exited(0)
    }
}
