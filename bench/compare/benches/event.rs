//! Compares events with those of iceoryx2: two processes wake each other alternately.
//!
//! Run it in this directory, on Linux. The build of iceoryx2 takes some minutes and needs libclang.
//!
//! ```sh
//! cargo bench             # takes a minute
//! cargo bench -- quick    # takes seconds, and only checks that the benchmark runs
//! ```
#![allow(clippy::print_stdout, reason = "the benchmark prints a report")]
#![allow(clippy::cast_precision_loss, reason = "the report rounds the numbers")]

#[path = "../../../crates/pagemate/benches/common/mod.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod common;

use std::{env, fs};

use common::measure::{Effort, titles};
use common::place::Place;
use common::turns::{self, Mechanism, Pair, Side, Signal};
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::prelude::{Config, FileName, NodeBuilder, Path, SemanticString, ipc};

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["answer", what] => turns::answer(open, what),
        _ => common::report(&[("turns: events", take_turns)]),
    }
}

fn take_turns(_: &Place, effort: Effort) {
    turns::tables(|second| {
        titles("pagemate", "iceoryx2");
        turns::row(open, ["event", "iceoryx2"], second, effort, None);
    });
    clear();
}

fn open(what: &str, side: Side) -> Box<dyn Mechanism> {
    match what {
        "event" => Box::new(Pair(["there", "back"].map(turns::event))),
        _ => Box::new(Pair(ends(side))),
    }
}

/// One end of an event service.
enum End {
    Notifier(Notifier<ipc::Service>),
    Listener(Listener<ipc::Service>),
}

/// Returns the directory of this run, in which both sides create their files.
fn place() -> String {
    env::var("PAGEMATE_DIR").expect("the harness sets PAGEMATE_DIR")
}

/// Returns the prefix of the names of iceoryx2's shared memory: the last component of the
/// directory.
fn prefix(place: &str) -> String {
    format!("{}-", place.rsplit('/').next().unwrap_or_default())
}

/// Removes the shared memory that iceoryx2 does not remove after its last node.
fn clear() {
    let left = fs::read_dir("/dev/shm").expect("shared memory").flatten();
    let prefix = prefix(&place());
    left.filter(|file| file.file_name().to_string_lossy().starts_with(&prefix))
        .for_each(|file| fs::remove_file(file.path()).expect("a file of this run"));
}

/// Returns the two ends of a side: one for each direction of the wake-ups.
fn ends(side: Side) -> [End; 2] {
    match side {
        Side::First => [end("there", true), end("back", false)],
        Side::Second => [end("there", false), end("back", true)],
    }
}

fn end(name: &str, notifies: bool) -> End {
    let (mut config, place) = (Config::default(), place());
    config.global.set_root_path(&Path::new(place.as_bytes()).expect("a path"));
    config.global.prefix = FileName::new(prefix(&place).as_bytes()).expect("a file name");
    let node = NodeBuilder::new().config(&config).create::<ipc::Service>().expect("a node");
    let service = node.service_builder(&name.try_into().expect("a name"));
    let service = service.event().open_or_create().expect("a service");
    if notifies {
        End::Notifier(service.notifier_builder().create().expect("a notifier"))
    } else {
        End::Listener(service.listener_builder().create().expect("a listener"))
    }
}

impl Signal for End {
    fn raise(&self) {
        let End::Notifier(notifier) = self else { unreachable!("it listens") };
        assert_eq!(notifier.notify(), Ok(1), "the other side listens");
    }

    fn wait(&self) {
        let End::Listener(listener) = self else { unreachable!("it notifies") };
        let mut came = false;
        while !came {
            listener.blocking_wait(|_| came = true).expect("a listener");
        }
    }
}
