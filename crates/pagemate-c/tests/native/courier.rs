//! Tests of channels that programs in C, C++ and Rust share.
//!
//! A courier is a process in one of these languages that sends or receives letters with the numbers FIRST to
//! LAST, some in place and some by copy. Its arguments are NAME, KIND, `send` or `receive`, FIRST, LAST and
//! END. KIND is a number of `pagemate_channel_kind`. If END is `hang`, the courier then takes a loan or a sample
//! of one more message, and waits until it is killed.
//!
//! The replies are `ready` once a receiver is open, and `sent`, `lent`, `received` or `held` at the end.
#![allow(clippy::print_stdout, reason = "replies go over standard output")]
#![allow(clippy::exit, reason = "the test process ends after its role as a courier")]

use std::process::Command;
use std::time::Duration;
use std::{env, io, process};

use pagemate::Shareable;
use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{Kind, Options, Receiver, Sender};

use super::build::Linked;
use super::harness::{Actor, Place};
use super::program;

const LANGUAGES: [&str; 3] = ["rust", "c", "c++"];

/// The kinds of channels, by their numbers in C. An mpmc channel is not among them, because it may deliver the
/// message of a killed receiver after newer messages.
const KINDS: [u32; 2] = [0, 2];

/// The environment variable that makes a test process a courier. It has the arguments.
const ROLE: &str = "PAGEMATE_TEST_COURIER";

const LONG: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Shareable)]
#[repr(C)]
struct Letter {
    number: u64,
    check: u64,
}

impl Letter {
    fn new(number: u64) -> Letter {
        Letter { number, check: number.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }
}

#[test]
fn courier() {
    let Ok(role) = env::var(ROLE) else { return };
    let words: Vec<&str> = role.split(' ').collect();
    let [name, kind, verb, first, last, end] = words[..] else { panic!("{words:?}") };
    let numbers = (first.parse().unwrap(), last.parse().unwrap());
    let run = match kind {
        "0" => run::<Spsc>,
        _ => run::<Broadcast>,
    };
    run(name, verb, numbers, end == "hang");
    process::exit(0);
}

fn run<K: Kind>(name: &str, verb: &str, (first, last): (u64, u64), hangs: bool) {
    let mut options = Options::new();
    options.capacity(16).await_successor(true).take_over(true);
    if verb == "send" {
        send::<K>(options.open_or_create(name).unwrap(), first, last, hangs);
    } else {
        receive::<K>(options.open_or_create(name).unwrap(), first, last, hangs);
    }
}

fn send<K: Kind>(mut sender: Sender<K, Letter>, first: u64, last: u64, hangs: bool) {
    for number in first..=last {
        if number % 3 == 0 {
            let mut loan = sender.loan().unwrap();
            loan.write(&Letter::new(number));
            loan.send().unwrap();
        } else {
            sender.send(&Letter::new(number)).unwrap();
        }
    }
    if !hangs {
        assert!(sender.wait_until_received(LONG).unwrap());
        println!("@sent");
        return;
    }
    let mut loan = sender.loan().unwrap();
    loan.write_at(0, &[0x55; 8]);
    println!("@lent");
    _ = io::stdin().read_line(&mut String::new());
    drop(loan);
}

fn receive<K: Kind>(mut receiver: Receiver<K, Letter>, first: u64, last: u64, hangs: bool) {
    println!("@ready");
    for number in first..=last {
        let letter = if number % 2 == 0 {
            receiver.sample().unwrap().read()
        } else {
            receiver.recv().unwrap()
        };
        assert_eq!(letter, Letter::new(number));
    }
    if !hangs {
        println!("@received");
        return;
    }
    let sample = receiver.sample().unwrap();
    println!("@held");
    _ = io::stdin().read_line(&mut String::new());
    drop(sample);
}

fn start(place: &Place, language: &str, arguments: &str) -> Actor {
    let mut command = match language {
        "rust" => {
            let mut test = Command::new(env::current_exe().unwrap());
            test.args(["courier::courier", "--exact", "--nocapture", "--test-threads=1"]);
            test.env(ROLE, arguments);
            test
        }
        "c" => program("courier.c", "c11", Linked::Shared),
        _ => program("courier.cpp", "c++17", Linked::Static),
    };
    if language != "rust" {
        command.args(arguments.split(' '));
    }
    command.env("PAGEMATE_DIR", place.path());
    Actor::start(command)
}

/// A receiver is killed with a sample, and a sender with a loan. Their successors are of other languages, and
/// receive and send every letter once and in order.
#[test]
fn letters_survive_couriers_of_every_language_that_are_killed() {
    let mut languages = LANGUAGES;
    for kind in KINDS {
        for _ in 0..languages.len() {
            let [one, two, three] = languages;
            let place = Place::new("native-courier");
            let start =
                |language, role: &str| start(&place, language, &format!("letters {kind} {role}"));
            let reply = |actor: &mut Actor, expected: &str| {
                let found = actor.has_replied(LONG);
                assert_eq!(found.as_deref(), Some(expected), "kind {kind}, {languages:?}");
            };
            let mut receiver = start(one, "receive 1 300 hang");
            reply(&mut receiver, "ready");
            let mut sender = start(two, "send 1 500 hang");
            reply(&mut receiver, "held");
            receiver.end("kill");
            let mut receiver = start(three, "receive 301 1000 finish");
            reply(&mut receiver, "ready");
            reply(&mut sender, "lent");
            sender.end("kill");
            let mut sender = start(one, "send 501 1000 finish");
            reply(&mut receiver, "received");
            reply(&mut sender, "sent");
            assert!(receiver.wait().success() && sender.wait().success());
            place.assert_empty();
            languages.rotate_left(1);
        }
    }
}
