//! `storm channels ROUNDS [KIND [SEED]]`: endpoints of channels that are killed, stopped and forked.
//!
//! For each kind of channel, several *scenes* run at the same time. A scene is one channel, a process that
//! judges, and victims that the judge forks. In each round victims send or receive numbered messages with
//! checksums. Each victim ends at a random moment, at a fault point, by an exit or by a drop. The zombie stays until
//! the end of the round. The judge then checks that no message is lost, repeated, reordered or torn, that
//! survivors were blocked for one liveness test at most, and that every slot and every place came back.
//!
//! The channel of a scene stays the same for all rounds, so that damage accumulates. A build with `--cfg
//! pagemate_fault` has the fault points; `cargo xtask channels` makes one.

mod broadcast;
mod message;
mod mpmc;
mod process;
mod request;
mod scene;
mod shared;
mod spsc;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use self::process::State;
use self::scene::{FATES, Scene};
use self::shared::{Board, POINTS, Totals};
use crate::random::Random;

/// The number of scenes of one kind. Most of them sleep at a time.
const SCENES: usize = 24;

/// If no scene completes a round for this time, the test hangs.
const PATIENCE: Duration = Duration::from_mins(3);

/// The number of rounds from which on victims end at every point.
const ENOUGH: u64 = 2000;

/// The number of rounds from which on victims die at every point, and stop at every point.
const MANY: u64 = 50_000;

/// The rounds of one kind of channel, in one scene.
pub(crate) trait Rounds {
    /// Lets victims end, and checks the outcome.
    fn round(&mut self, scene: &mut Scene);
}

/// A kind of channel: its name, its rounds, and the fault points that its endpoints reach. A point belongs to
/// it if it begins with one of `points` and is not in `others`.
struct Kind {
    name: &'static str,
    rounds: fn(&mut Scene) -> Box<dyn Rounds>,
    points: &'static [&'static str],
    others: &'static [&'static str],
}

/// The points of endpoints of every kind.
const CLAIM: &str = "channel-after-claim";
const SLEEP: &str = "channel-before-sleep";
const WAKE: &str = "channel-before-wake";

const KINDS: [Kind; 6] = [
    Kind {
        name: "spsc",
        rounds: |scene| Box::new(spsc::Spsc::new(scene)),
        points: &["channel-"],
        others: &[],
    },
    Kind {
        name: "mpmc",
        rounds: |scene| Box::new(mpmc::Mpmc::new(scene)),
        points: &["mpmc-", CLAIM, SLEEP, WAKE],
        others: &[],
    },
    Kind {
        name: "broadcast",
        rounds: |scene| broadcast::rounds(scene, false),
        points: &["broadcast-", CLAIM, SLEEP, WAKE],
        others: &["broadcast-after-pin"],
    },
    Kind {
        name: "lossy",
        rounds: |scene| broadcast::rounds(scene, true),
        points: &["broadcast-", CLAIM, SLEEP, WAKE],
        others: &["broadcast-in-batch"],
    },
    Kind {
        name: "watch",
        rounds: |scene| Box::new(watch::Watch::new(scene)),
        points: &["watch-", CLAIM, SLEEP, WAKE],
        others: &[],
    },
    Kind {
        name: "request",
        rounds: |scene| Box::new(request::Requests::new(scene)),
        points: &["mpmc-", CLAIM, SLEEP, WAKE],
        // Requests and responses are sent and received one at a time.
        others: &["mpmc-in-run", "mpmc-in-repair", "mpmc-before-return"],
    },
];

/// Returns whether the name belongs to a kind of channel.
pub(crate) fn is_kind(name: Option<&str>) -> bool {
    name.is_none_or(|name| KINDS.iter().any(|kind| kind.name == name))
}

/// Returns the names of all fault points below a directory of sources.
fn points_below(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).expect("the sources of the core").flatten() {
        let path = entry.path();
        if path.is_dir() {
            points_below(&path, found);
        } else {
            let text = fs::read_to_string(path).expect("a source");
            let calls = text.split("fault::point(\"").skip(1);
            found.extend(calls.filter_map(|call| call.split('"').next()).map(str::to_owned));
        }
    }
}

impl Kind {
    fn points(&self) -> Vec<String> {
        let mut points = Vec::new();
        if cfg!(pagemate_fault) {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            points_below(&root.join("../crates/pagemate/src/channel"), &mut points);
        }
        points.retain(|point| self.points.iter().any(|prefix| point.starts_with(prefix)));
        points.retain(|point| !self.others.contains(&point.as_str()));
        points.sort();
        points.dedup();
        assert!(points.len() <= POINTS, "raise the number of points on the board");
        points
    }
}

/// Runs this many rounds of each kind of channel, or of the one with this name.
pub(crate) fn run(rounds: u64, only: Option<&str>, seed: u64) -> ExitCode {
    let mut failed = false;
    process::adopt_orphans();
    for kind in KINDS.iter().filter(|kind| only.is_none_or(|only| kind.name == only)) {
        let place = PathBuf::from(format!("/dev/shm/pagemate-channels-{}", std::process::id()));
        fs::create_dir(&place).expect("a directory for the channels");
        let result = run_kind(kind, rounds, seed, &place);
        // The victims of a failed scene end after it.
        process::reap_all();
        let left = files(&place);
        fs::remove_dir_all(&place).expect("the directory of the channels");
        if let Err(error) = result {
            eprintln!("storm: {}, seed {seed}: {error}", kind.name);
            failed = true;
        } else if !left.is_empty() {
            eprintln!("storm: {}: left behind: {left:?}", kind.name);
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Returns the files of objects.
fn files(place: &Path) -> Vec<PathBuf> {
    let entries = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten();
    let paths = |dir: &Path| entries(dir).map(|entry| entry.path()).collect::<Vec<_>>();
    paths(place).iter().flat_map(|dir| paths(dir)).collect()
}

fn run_kind(kind: &Kind, rounds: u64, seed: u64, place: &Path) -> Result<(), String> {
    let totals: &'static Totals = shared::map();
    let points = kind.points();
    let began = Instant::now();
    let mut scenes: Vec<_> = (0..SCENES)
        .map(|number| {
            process::start(|| {
                let seed = seed ^ (number as u64) << 32;
                play(kind, rounds, Random::new(seed), totals, place, number);
            })
        })
        .collect();
    let mut progress = (0, Instant::now());
    while !scenes.is_empty() {
        thread::sleep(Duration::from_millis(5));
        for at in (0..scenes.len()).rev() {
            match scenes[at].state() {
                State::Runs | State::Stopped => {}
                State::Exited(0) => drop(scenes.swap_remove(at)),
                state => return Err(format!("a scene has failed: {state:?}")),
            }
        }
        let done = totals.done.load(SeqCst);
        if done != progress.0 {
            progress = (done, Instant::now());
        } else if progress.1.elapsed() > PATIENCE {
            return Err(format!("no round is completed after {done} rounds"));
        }
    }
    report(kind, totals, &points, began.elapsed());
    check_points(kind, rounds, totals, &points)
}

/// Runs rounds of one scene until enough were begun by all scenes.
fn play(
    kind: &Kind,
    rounds: u64,
    random: Random,
    totals: &'static Totals,
    place: &Path,
    number: usize,
) {
    process::adopt_orphans();
    process::set_variable("PAGEMATE_DIR", place);
    let board: &'static Board = shared::map();
    let name = format!("{}-{number}", kind.name);
    let mut scene = Scene { name, board, totals, random, points: kind.points(), lives: 0 };
    let mut scene_rounds = (kind.rounds)(&mut scene);
    while totals.begun.fetch_add(1, SeqCst) < rounds {
        scene_rounds.round(&mut scene);
        board.round.fetch_add(1, SeqCst);
        totals.done.fetch_add(1, SeqCst);
        process::reap_ended();
    }
    drop(scene_rounds);
    process::reap_all();
    // The last holder may have been killed.
    pagemate::inventory::prune().expect("an empty directory");
}

fn report(kind: &Kind, totals: &Totals, points: &[String], time: Duration) {
    let load = |count: &std::sync::atomic::AtomicU64| count.load(SeqCst);
    println!(
        "{}: {} rounds in {:.1} s, {} messages, {} delivered again, {} missed",
        kind.name,
        load(&totals.done),
        time.as_secs_f64(),
        load(&totals.messages),
        load(&totals.again),
        load(&totals.missed)
    );
    let fates: Vec<String> =
        FATES.iter().zip(&totals.fates).map(|(fate, n)| format!("{} {fate}", load(n))).collect();
    println!("  ends: {}", fates.join(", "));
    println!(
        "  survivors were blocked {} times, for {:.1} ms at most, {} times for more than 120 ms",
        load(&totals.waits),
        Duration::from_nanos(load(&totals.longest)).as_secs_f64() * 1000.0,
        load(&totals.late)
    );
    let hits: Vec<String> = points
        .iter()
        .enumerate()
        .map(|(i, point)| format!("{point} {}+{}", load(&totals.deaths[i]), load(&totals.stops[i])))
        .collect();
    if !hits.is_empty() {
        println!("  deaths and stops at points: {}", hits.join(", "));
    }
}

/// Checks that the rounds reached every point: in many rounds victims have to die and to stop at each of them.
fn check_points(
    kind: &Kind,
    rounds: u64,
    totals: &Totals,
    points: &[String],
) -> Result<(), String> {
    let is_missing = |at: usize| {
        let counts = [&totals.deaths[at], &totals.stops[at]].map(|count| count.load(SeqCst));
        if rounds < MANY { counts == [0, 0] } else { counts.contains(&0) }
    };
    let missing: Vec<&String> =
        points.iter().enumerate().filter(|(at, _)| is_missing(*at)).map(|(_, p)| p).collect();
    if rounds < ENOUGH || missing.is_empty() {
        return Ok(());
    }
    Err(format!("{}: no victim died or stopped at {missing:?}", kind.name))
}
