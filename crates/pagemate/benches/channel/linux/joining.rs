//! The time to create and to open a channel of each kind.

use pagemate::channel::{broadcast, mpmc, spsc, watch};

use super::measure::{Clock, Effort, Spread, Watch};
use super::place::Place;

/// The most that one call may take, in microseconds.
const LIMIT: f64 = 60.0;

/// Prints the time of one call. Its result is dropped after the clock was read.
fn row<T>(effort: Effort, what: &str, mut call: impl FnMut() -> T) {
    let times = (0..effort.pick(2000, 20)).map(|_| {
        let watch = Watch::by(Clock::Wall);
        let result = call();
        let time = watch.ns() / 1e3;
        drop(result);
        time
    });
    let time = Spread::of(times.collect());
    let verdict = if time.median <= LIMIT { "met" } else { "MISSED" };
    println!("  {what:34} {time} \u{b5}s; limit {LIMIT:.0} \u{b5}s {verdict}");
}

pub(crate) fn group(place: &Place, effort: Effort) {
    let new = place.name("Local", "joining new");
    row(effort, "spsc, create", || spsc::Sender::<u64>::create_new(&new).expect("a sender"));
    row(effort, "mpmc, create", || mpmc::Sender::<u64>::create_new(&new).expect("a sender"));
    row(effort, "broadcast, create", || {
        broadcast::Sender::<u64>::create_new(&new).expect("a sender")
    });
    row(effort, "watch, create", || watch::Writer::<u64>::create_new(&new).expect("a writer"));
    let name = |kind: &str| place.name("Local", &format!("joining {kind}"));
    let _spsc = spsc::Sender::<u64>::create_new(name("spsc")).expect("a sender");
    row(effort, "spsc, open", || spsc::Receiver::<u64>::open(name("spsc")).expect("a receiver"));
    let _mpmc = mpmc::Sender::<u64>::create_new(name("mpmc")).expect("a sender");
    row(effort, "mpmc, open", || mpmc::Receiver::<u64>::open(name("mpmc")).expect("a receiver"));
    let _broadcast = broadcast::Sender::<u64>::create_new(name("broadcast")).expect("a sender");
    row(effort, "broadcast, open", || {
        broadcast::Receiver::<u64>::open(name("broadcast")).expect("a receiver")
    });
    let _watch = watch::Writer::<u64>::create_new(name("watch")).expect("a writer");
    row(effort, "watch, open", || watch::Reader::<u64>::open(name("watch")).expect("a reader"));
}
