//! The cost of one message against the capacity, the number of other channels, and time. One thread sends and
//! receives each message, so that the processors' caches are the only other influence.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{Kind, Options, Receiver, Sender, broadcast};

use super::contender::Message;
use super::measure::{Effort, compare};
use super::place::Place;

type Pair<K> = (Sender<K, Message<8>>, Receiver<K, Message<8>>);

/// The capacity of the channel that the others are compared with.
const SMALLEST: usize = 64;

/// The most by which a cost may exceed that of the smallest channel.
const LIMIT: f64 = 1.1;

fn open<K: Kind>(name: &str, capacity: usize) -> Pair<K> {
    let mut options = Options::new();
    options.capacity(capacity);
    let sender = options.open_or_create(name).expect("a sender");
    (sender, options.open_or_create(name).expect("a receiver"))
}

fn pass<K: Kind>((sender, receiver): &mut Pair<K>) {
    sender.send(black_box(&[7; 8])).expect("a receiver");
    black_box(receiver.recv().expect("a sender"));
}

/// Prints the rows of one kind of channel.
fn rows<K: Kind>(kind: &str, place: &Place, effort: Effort) {
    let name = |what: &str| place.name("Local", &format!("flat {kind} {what}"));
    let mut smallest = open::<K>(&name("smallest"), SMALLEST);
    let mut row = |what: &str, pair: &mut Pair<K>| {
        let comparison = compare(effort, || pass(pair), || pass(&mut smallest));
        comparison.print(&format!("{kind}, {what}"), Some(LIMIT));
    };
    for capacity in [1024, 65536] {
        let mut pair = open::<K>(&name(&capacity.to_string()), capacity);
        row(&format!("capacity {capacity}"), &mut pair);
    }
    let mut pair = open::<K>(&name("among others"), SMALLEST);
    let others: Vec<Pair<K>> =
        (0..100).map(|number| open(&name(&format!("other {number}")), SMALLEST)).collect();
    row("beside 100 channels", &mut pair);
    drop(others);
    let end = Instant::now() + effort.pick(Duration::from_secs(5), Duration::from_millis(20));
    while Instant::now() < end {
        (0..1024).for_each(|_| pass(&mut pair));
    }
    let mut new = open::<K>(&name("new"), SMALLEST);
    let comparison = compare(effort, || pass(&mut pair), || pass(&mut new));
    comparison.print(&format!("{kind}, after many messages"), Some(LIMIT));
}

pub(crate) fn group(place: &Place, effort: Effort) {
    rows::<Spsc>("spsc", place, effort);
    rows::<Mpmc>("mpmc", place, effort);
    rows::<broadcast::Broadcast>("broadcast", place, effort);
}
