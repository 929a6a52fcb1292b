//! Kills, stops and forks processes that write and read a watch channel.
//!
//! Values have numbers and checksums, and each writer notes on a board how far it has come. So the tests find
//! values that are lost, torn or go back.
//! `cargo xtask faults` also kills a process at every fault point, and `cargo xtask channels` kills and stops
//! processes in many more rounds.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "fork(2)")]
#![allow(clippy::print_stdout, reason = "measured delays")]
#![allow(clippy::exit, reason = "a victim that exits without a drop")]

mod harness;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use harness::channel::{
    LONG, ROUNDS, SURVIVOR_LIMIT, Scene, board, checked, kill, message, random_pause, role, signal,
    wait_for_state,
};
use pagemate::channel::watch::{Reader, Writer};
use pagemate::channel::{Options, RecvError, SendError, Waiting};
use pagemate::{ErrorKind, inventory};
use rustix::process::Signal;

/// A value of a page, whose copy takes long enough to be interrupted.
const WORDS: usize = 512;

type Value = [u64; WORDS];

/// The main function of a victim. The test harness of each process runs it.
#[test]
fn victim() {
    let Some((role, name)) = role() else { return };
    let board = board(&name);
    board.done.store(0, Ordering::Relaxed);
    if role == "read" {
        let mut options = Options::new();
        let mut reader: Reader<Value> =
            options.waiting(Waiting::Sleep).await_successor(true).open(&name).unwrap();
        board.lives.fetch_add(1, Ordering::Relaxed);
        while let Ok(found) = reader.changed() {
            checked(&found);
            board.done.store(reader.version(), Ordering::Release);
        }
        return;
    }
    let mut writer = Writer::<Value>::open(&name).unwrap();
    let life = board.lives.fetch_add(1, Ordering::Relaxed) + 1;
    for number in 0.. {
        if role == "exit" && number == 5 {
            std::process::exit(0);
        }
        writer.write(&message(life, number)).unwrap();
        board.done.store(number + 1, Ordering::Release);
    }
}

#[test]
fn killed_stopped_and_forked_processes_leave_the_latest_value() {
    if role().is_some() {
        return;
    }
    writers_die();
    readers_die();
    a_writer_that_exits_without_a_drop_leaves_its_place();
    stopped_processes_are_alive();
    a_forked_child_reads_and_does_not_write();
    #[cfg(pagemate_fault)]
    faults::every_point_leaves_a_state_that_a_successor_continues();
}

/// Checks the value that a dead writer left, and returns its version.
fn check_left(scene: &Scene, reader: &mut Reader<Value>, life: u64, before: u64) -> u64 {
    let done = scene.done();
    match reader.read() {
        Ok(found) => {
            let (found, number) = checked(&found);
            if found == life {
                assert!(number + 1 == done || number == done, "{number} of {done}");
                assert_eq!(reader.version(), before + number + 1);
            } else {
                assert_eq!((done, reader.version()), (0, before), "an older value");
            }
        }
        Err(error) => assert_eq!((error, done, before), (RecvError::Empty, 0, 0)),
    }
    let start = Instant::now();
    assert_eq!(reader.wait_for_change(), Err(RecvError::Disconnected));
    assert!(start.elapsed() < SURVIVOR_LIMIT, "{:?}", start.elapsed());
    reader.version()
}

fn writers_die() {
    let mut scene = Scene::new("watch-writers");
    let mut reader = Reader::<Value>::create_new(&scene.name).unwrap();
    let mut version = 0;
    let mut longest = Duration::ZERO;
    for round in 0..ROUNDS {
        let victim = scene.start("write", None);
        if round % 2 == 0 {
            for _ in 0..round % 20 {
                reader.wait_for_change_timeout(LONG).unwrap();
                checked(&reader.read().unwrap());
            }
        }
        random_pause(round);
        assert!(reader.has_writer().unwrap());
        kill(&victim);
        assert!(!reader.has_writer().unwrap(), "a zombie counts as alive");
        let start = Instant::now();
        version = check_left(&scene, &mut reader, scene.started, version);
        longest = longest.max(start.elapsed());
        reap(victim);
    }
    println!("a reader waited for a dead writer for at most {longest:?}");
}

fn reap(mut victim: std::process::Child) {
    victim.wait().unwrap();
}

fn sleepers(scene: &Scene) -> u32 {
    inventory::find(&scene.name).unwrap().waiting.unwrap()
}

fn readers_die() {
    let mut scene = Scene::new("watch-readers");
    let mut writer = Writer::<Value>::create_new(&scene.name).unwrap();
    let mut reader = Reader::<Value>::open(&scene.name).unwrap();
    let mut number = 0;
    for round in 0..ROUNDS {
        let victim = scene.start("read", None);
        for _ in 0..round % 20 {
            writer.write(&message(0, number)).unwrap();
            number += 1;
        }
        if round % 2 == 0 && number > 0 {
            // It sleeps when it is killed.
            scene.wait_until_done(number);
            let end = Instant::now() + LONG;
            while sleepers(&scene) == 0 {
                assert!(Instant::now() < end, "the reader does not sleep");
                std::thread::yield_now();
            }
        } else {
            random_pause(round);
        }
        kill(&victim);
        let start = Instant::now();
        writer.write(&message(0, number)).unwrap();
        number += 1;
        assert!(start.elapsed() < SURVIVOR_LIMIT);
        assert_eq!(sleepers(&scene), 0, "the note of a killed sleeper stays");
        assert_eq!(checked(&reader.read().unwrap()), (0, number - 1));
        assert_eq!(reader.version(), number);
        reap(victim);
    }
}

fn a_writer_that_exits_without_a_drop_leaves_its_place() {
    let mut scene = Scene::new("watch-exit");
    let mut reader = Reader::<Value>::create_new(&scene.name).unwrap();
    let mut victim = scene.start("exit", None);
    assert!(victim.wait().unwrap().success());
    assert_eq!(checked(&reader.changed().unwrap()), (1, 4));
    assert_eq!(reader.wait_for_change(), Err(RecvError::Disconnected));
    assert_eq!(Writer::<Value>::open(&scene.name).unwrap().version(), 5);
}

fn stopped_processes_are_alive() {
    let mut scene = Scene::new("watch-stop");
    let mut reader = Reader::<Value>::create_new(&scene.name).unwrap();
    let victim = scene.start("write", None);
    scene.wait_until_done(10);
    signal(&victim, Signal::STOP);
    wait_for_state(&victim, 'T');
    for _ in 0..3 {
        checked(&reader.read().unwrap());
        let waited = reader.wait_for_change_timeout(Duration::from_millis(300));
        assert_eq!(waited, Err(RecvError::TimedOut));
    }
    assert!(reader.has_writer().unwrap());
    let second = Writer::<Value>::open(&scene.name).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::AlreadyExists);
    signal(&victim, Signal::CONT);
    reader.wait_for_change_timeout(LONG).unwrap();
    checked(&reader.read().unwrap());
    kill(&victim);
    reap(victim);

    // A stopped reader does not delay the writer, and goes on with the latest value.
    let mut writer = Writer::<Value>::open(&scene.name).unwrap();
    let victim = scene.start("read", None);
    writer.write(&message(7, 1)).unwrap();
    scene.wait_until_done(writer.version());
    signal(&victim, Signal::STOP);
    wait_for_state(&victim, 'T');
    (0..1000).for_each(|number| writer.write(&message(7, number)).unwrap());
    signal(&victim, Signal::CONT);
    scene.wait_until_done(writer.version());
    kill(&victim);
    reap(victim);
}

fn a_forked_child_reads_and_does_not_write() {
    let scene = Scene::new("watch-fork");
    let mut writer = Writer::<Value>::create_new(&scene.name).unwrap();
    let mut reader = Reader::<Value>::open(&scene.name).unwrap();
    writer.write(&message(1, 1)).unwrap();
    let mut into = [0; WORDS];
    // SAFETY: the child only calls functions of pagemate that allocate nothing, and ends itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let right = writer.write(&message(0, 0)) == Err(SendError::Forked)
            && matches!(writer.loan(), Err(SendError::Forked))
            && reader.read_into(&mut into) == Ok(())
            && into == message(1, 1);
        drop((writer, reader));
        // SAFETY: _exit ends this process.
        unsafe { libc::_exit(i32::from(!right)) };
    }
    let mut status = 0;
    // SAFETY: the child is this process's, and `status` is a local.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child wrote, or could not read");
    assert!(reader.has_writer().unwrap());
    writer.write(&message(2, 2)).unwrap();
    assert_eq!(checked(&reader.read().unwrap()), (2, 2));
}

#[cfg(pagemate_fault)]
mod faults {
    use super::*;
    use harness::channel::ended;

    pub(super) fn every_point_leaves_a_state_that_a_successor_continues() {
        let mut points = harness::fault_points("src/channel/watch");
        assert!(points.len() >= 3, "{points:?}");
        points.extend(["channel-after-claim", "channel-before-wake"].map(str::to_owned));
        for point in points {
            writer_dies_at(&point);
        }
        reader_dies_asleep();
    }

    fn writer_dies_at(point: &str) {
        let mut scene = Scene::new("watch-point");
        let mut reader = Reader::<Value>::create_new(&scene.name).unwrap();
        let mut sleeper = scene.start("read", None);
        let end = Instant::now() + LONG;
        while sleepers(&scene) == 0 {
            assert!(Instant::now() < end, "the reader does not sleep");
            std::thread::yield_now();
        }
        let mut victim = scene.start("write", Some(&format!("{point}:kill")));
        assert!(ended(&scene, &mut victim), "{point}: no process came here");
        scene.board.lives.store(scene.started, Ordering::Relaxed);
        let found = match reader.read() {
            Ok(found) => Some(checked(&found)),
            Err(RecvError::Empty) => None,
            Err(error) => panic!("{error}"),
        };
        assert!(matches!(found, None | Some((2, 0))), "{point}: {found:?}");
        let version = u64::from(found.is_some());
        assert_eq!(reader.version(), version);
        // The sleeper finds the value by itself, if the writer did not come to the wake-up.
        scene.wait_until_done(version);
        let mut writer = Writer::<Value>::open(&scene.name).unwrap();
        assert_eq!(writer.version(), version);
        writer.write(&message(9, 9)).unwrap();
        assert_eq!(checked(&reader.changed().unwrap()), (9, 9));
        scene.wait_until_done(version + 1);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }

    fn reader_dies_asleep() {
        let mut scene = Scene::new("watch-asleep");
        let mut writer = Writer::<Value>::create_new(&scene.name).unwrap();
        let mut victim = scene.start("read", Some("channel-before-sleep:kill"));
        assert!(ended(&scene, &mut victim));
        assert_eq!(sleepers(&scene), 1);
        writer.write(&message(1, 1)).unwrap();
        assert_eq!(sleepers(&scene), 0);
    }
}
