//! Tests of typed memory that programs in C, C++ and Rust share.
//!
//! A robot is a process in one of these languages that opens the typed memory, or creates and initialises it.
//! Its first reply is `initialised` or `opened`. With `hang` it stops in the middle of the initialisation, after
//! the reply `begun`. Commands and replies:
//!
//! - `pose`: the two numbers of the sequence-locked value, which the robot reads from memory that is mapped
//!   for reading
//! - `label`: the racy value, and the limit
//! - `move N` adds N to the two numbers, `step` increments the frame and wakes its waiters: `ok`
//! - `wait N` waits until the frame is no longer N: the frame
#![allow(clippy::print_stdout, reason = "replies go over standard output")]
#![allow(clippy::exit, reason = "exit is one of the ways to end that the tests cover")]

use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;
use std::{env, process, thread};

use pagemate::typed::{Racy, SeqLock, SharedReader, WaitWord as _, WakeWord as _};
use pagemate::{Shareable, Shared};

use super::build::Linked;
use super::harness::{Actor, Place};
use super::program;

const NAME: &str = "robot";
const LANGUAGES: [&str; 3] = ["rust", "c", "c++"];

/// The environment variable that makes a test process a robot. Its value is `hang` or `finish`.
const ROLE: &str = "PAGEMATE_TEST_ROBOT";

/// The longest wait, after which the test fails.
const LONG: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Shareable)]
#[repr(C)]
struct Pose {
    x: f64,
    y: f64,
}

#[derive(Shareable)]
#[repr(C)]
struct Robot {
    pose: SeqLock<Pose>,
    frame: AtomicU32,
    errors: AtomicU32,
    label: Racy<[u8; 8]>,
    limit: AtomicU64,
}

#[test]
fn robot() {
    if let Ok(role) = env::var(ROLE) {
        run(role == "hang").unwrap();
        process::exit(0);
    }
}

/// Stores initial values.
fn initialise(robot: &Shared<Robot>, hang: bool) -> pagemate::Result<()> {
    assert_eq!(robot.errors.load(Relaxed), 0);
    robot.errors.store(1, Relaxed);
    if hang {
        println!("@begun");
        loop {
            thread::sleep(LONG);
        }
    }
    robot.pose.writer(robot)?.write(&Pose { x: 1.0, y: 2.0 })?;
    robot.label.set(b"in Rust\0");
    robot.limit.store(1000, Relaxed);
    Ok(())
}

/// Executes commands until the end of input.
fn run(hang: bool) -> pagemate::Result<()> {
    let robot = Shared::<Robot>::open_or_create_with(NAME, |robot| initialise(robot, hang))?;
    let reader = Shared::<Robot>::open_read_only_within(NAME, LONG)?;
    println!("@{}", if Shared::was_initialised(&robot) { "initialised" } else { "opened" });
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (verb, number) = line.split_once(' ').unwrap_or((&line, "0"));
        println!("@{}", play(&robot, &reader, verb, number.parse().unwrap())?);
    }
    Ok(())
}

/// Executes one command.
fn play(
    robot: &Shared<Robot>,
    reader: &SharedReader<Robot>,
    verb: &str,
    number: u32,
) -> pagemate::Result<String> {
    Ok(match verb {
        "pose" => {
            let Pose { x, y } = reader.pose.read();
            format!("{x} {y}")
        }
        "label" => {
            let label = reader.label.get();
            let label = label.split(|byte| *byte == 0).next().unwrap();
            format!("{} {}", String::from_utf8_lossy(label), reader.limit.load(Relaxed))
        }
        "wait" => reader.frame.wait_while_for(number, LONG).unwrap().to_string(),
        "move" => {
            let by = f64::from(number);
            robot.pose.writer(robot)?.update(|pose| {
                pose.x += by;
                pose.y += by;
            })?;
            "ok".to_owned()
        }
        "step" => {
            robot.frame.fetch_add(1, Relaxed);
            robot.frame.wake_all();
            "ok".to_owned()
        }
        _ => process::exit(0),
    })
}

/// Starts a robot and checks its first reply.
fn start(place: &Place, language: &str, hang: bool, first: &str) -> Actor {
    let role = if hang { "hang" } else { "finish" };
    let mut command = match language {
        "rust" => {
            let mut test = Command::new(env::current_exe().unwrap());
            test.args(["robot::robot", "--exact", "--nocapture", "--test-threads=1"]);
            test.env(ROLE, role);
            test
        }
        "c" => program("robot.c", "c11", Linked::Shared),
        _ => program("robot.cpp", "c++17", Linked::Static),
    };
    if language != "rust" {
        command.args([NAME, role]);
    }
    command.env("PAGEMATE_DIR", place.path());
    let mut actor = Actor::start(command);
    assert_eq!(actor.reply().as_deref(), Some(first), "{language}");
    actor
}

/// Returns the label that a robot of this language stores.
fn label(language: &str) -> &'static str {
    match language {
        "rust" => "in Rust 1000",
        "c" => "in C 1000",
        _ => "in C++ 1000",
    }
}

#[test]
fn all_languages_share_one_struct_with_any_initialiser() {
    let mut languages = LANGUAGES;
    for _ in 0..languages.len() {
        let place = Place::new("native-robot");
        let mut first = true;
        let mut robots = languages.map(|language| {
            let reply = if std::mem::take(&mut first) { "initialised" } else { "opened" };
            start(&place, language, false, reply)
        });
        let (mut sum, mut frame) = (0, 0);
        for writer in 0..robots.len() {
            sum += writer + 1;
            robots[writer].expect(&format!("move {}", writer + 1), "ok");
            for robot in &mut robots {
                robot.expect("pose", &format!("{} {}", sum + 1, sum + 2));
                robot.expect("label", label(languages[0]));
            }
            // Each one is woken by each other one, from memory that is mapped for reading.
            for waiter in (0..robots.len()).filter(|waiter| *waiter != writer) {
                robots[waiter].tell(&format!("wait {frame}"));
                robots[writer].expect("step", "ok");
                frame += 1;
                assert_eq!(robots[waiter].reply().as_deref(), Some(frame.to_string().as_str()));
            }
        }
        languages.rotate_left(1);
    }
}

#[test]
fn an_initialiser_that_is_killed_leaves_zeros_to_the_next_one_in_any_language() {
    for dies in LANGUAGES {
        for next in LANGUAGES {
            let place = Place::new("native-robot-kill");
            let first = start(&place, dies, true, "begun");
            first.end("kill");
            let mut robot = start(&place, next, false, "initialised");
            robot.expect("pose", "1 2");
            robot.expect("label", label(next));
        }
    }
}
