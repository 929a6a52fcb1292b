//! One sender and several receivers: messages that all of them get.
//!
//! Each receiver is a process of its own. The sender is pinned to the first processor, and the receivers
//! share the last one. Each time is compared with that of one minimal ring to one receiver. Several receivers of
//! minimal rings would keep each other from running, because they never sleep.

use std::hint::black_box;

use pagemate::channel::broadcast::{Receiver, Sender};
use pagemate::channel::{Options, RecvError, Waiting};

use super::contender::{Message, Receiving, Ring, Sending};
use super::measure::{Clock, Comparison, Effort, Spread, Watch};
use super::peer::{self, Peer};
use super::place::Place;
use super::processor::{first_and_last, pinned_to};
use super::rings::InSlot;

const DEPTH: usize = 1024;

/// A kind of channel of this report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Lossless,
    Lossy,
    /// A minimal ring with one receiver.
    Ring,
}

const KINDS: [Kind; 3] = [Kind::Lossless, Kind::Lossy, Kind::Ring];

type Words = Message<8>;
type Minimal = InSlot<8>;

enum From {
    Channel(Box<Receiver<Words>>),
    Ring(<Minimal as Ring<8>>::Receiving),
}

impl From {
    fn open(kind: Kind, name: &str) -> From {
        match kind {
            Kind::Ring => From::Ring(<Minimal as Ring<8>>::receiving(name, DEPTH)),
            _ => From::Channel(Box::new(
                Options::new().waiting(Waiting::SpinThenSleep).open(name).expect("a receiver"),
            )),
        }
    }

    /// Receives or misses `count` messages, and returns how many it received.
    fn take(&mut self, count: u64) -> u64 {
        let receiver = match self {
            From::Channel(receiver) => receiver,
            From::Ring(ring) => {
                for _ in 0..count {
                    black_box::<Words>(ring.receive());
                }
                return count;
            }
        };
        let before = receiver.missed();
        let mut taken = 0;
        while taken + (receiver.missed() - before) < count {
            match receiver.recv() {
                Ok(message) => black_box(message),
                Err(RecvError::Disconnected) => break,
                Err(error) => panic!("{error}"),
            };
            taken += 1;
        }
        taken
    }
}

enum To {
    Channel(Box<Sender<Words>>),
    Ring(<Minimal as Ring<8>>::Sending),
}

impl To {
    fn open(kind: Kind, name: &str) -> To {
        if kind == Kind::Ring {
            return To::Ring(<Minimal as Ring<8>>::sending(name, DEPTH));
        }
        let mut options = Options::new();
        options.capacity(DEPTH).lossy(kind == Kind::Lossy).waiting(Waiting::SpinThenSleep);
        To::Channel(Box::new(options.create_new(name).expect("a sender")))
    }

    fn send(&mut self, message: &Words) {
        match self {
            To::Channel(sender) => sender.send(message).expect("receivers"),
            To::Ring(ring) => ring.send(message),
        }
    }
}

/// A channel with its sender here and its receivers in other processes.
struct Scene {
    to: To,
    peers: Vec<Peer>,
    /// The nanoseconds of a message in each round.
    rounds: Vec<f64>,
    /// The number of messages that receivers got in all rounds.
    delivered: u64,
}

impl Scene {
    fn new(place: &Place, kind: Kind, receivers: usize) -> Scene {
        let name = place.name("Local", &format!("spread {kind:?} {receivers}"));
        let to = To::open(kind, &name);
        let which = KINDS.iter().position(|other| *other == kind).expect("one of them");
        let [_, last] = first_and_last();
        let peers = (0..if kind == Kind::Ring { 1 } else { receivers }).map(|_| {
            let mut peer = pinned_to(last, || Peer::start(&["receiver"]));
            peer.send(format!("open|{which}|{name}"));
            assert_eq!(peer.receive(), "opened");
            peer
        });
        Scene { to, peers: peers.collect(), rounds: Vec::new(), delivered: 0 }
    }

    fn play(&mut self, count: u64) {
        for peer in &mut self.peers {
            peer.send(format!("take|{count}"));
            assert_eq!(peer.receive(), "begun");
        }
        let [first, _] = first_and_last();
        let ns = pinned_to(first, || {
            let watch = Watch::by(Clock::Wall);
            for number in 0..count {
                self.to.send(black_box(&[number; 8]));
            }
            for peer in &mut self.peers {
                self.delivered += peer.receive().parse::<u64>().expect("a number");
            }
            watch.ns()
        });
        self.rounds.push(ns / count as f64);
    }
}

/// Prints the rows for this number of receivers.
pub(crate) fn rows(place: &Place, effort: Effort, receivers: usize) {
    let mut scenes = KINDS.map(|kind| Scene::new(place, kind, receivers));
    let count = effort.pick(100_000, 10_000);
    for _ in 0..effort.pick(20, 2) {
        for scene in &mut scenes {
            scene.play(count);
        }
    }
    let [lossless, lossy, ring] = scenes;
    for (kind, scene) in KINDS.iter().zip([lossless, lossy]) {
        let mut comparison = Comparison::default();
        for (ours, theirs) in scene.rounds.iter().zip(&ring.rounds) {
            comparison.add(*ours, *theirs);
        }
        comparison.print(&format!("{kind:?}, 1 to {receivers}"), None);
        let sent = count * scene.rounds.len() as u64 * receivers as u64;
        let share = scene.delivered as f64 / sent as f64;
        let rate = receivers as f64 * share / Spread::of(scene.rounds).median * 1e3;
        println!("    {:.0} % delivered, {rate:.2} million deliveries per second", share * 100.0);
    }
}

/// The main function of a receiver.
pub(crate) fn receiver() {
    let mut from = None;
    peer::serve(|line| {
        let words: Vec<&str> = line.split('|').collect();
        let number = |word: &str| word.parse::<usize>().expect("a number");
        match words[..] {
            ["open", kind, name] => {
                from = Some(From::open(KINDS[number(kind)], name));
                "opened".to_owned()
            }
            ["take", count] => {
                peer::reply("begun");
                from.as_mut().expect("an open channel").take(number(count) as u64).to_string()
            }
            _ => panic!("{line}"),
        }
    });
}
