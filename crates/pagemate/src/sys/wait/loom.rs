//! Sleeping and waking as loom can check it: a queue of sleepers for each place, and no time.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use loom::sync::{Condvar, Mutex};

use super::Place;

/// The sleepers' bells by place, the first to be woken first.
type Queues = BTreeMap<usize, VecDeque<Arc<Condvar>>>;

loom::lazy_static! {
    static ref QUEUES: Mutex<Queues> = Mutex::new(BTreeMap::new());
    /// Rings when a thread goes to sleep.
    static ref ARRIVAL: Condvar = Condvar::new();
}

pub(crate) fn wait(place: Place<'_>, expected: u32, _: Duration) -> io::Result<bool> {
    let mut queues = QUEUES.lock().expect("no panic in a queue");
    let sleeps = place.load() == expected;
    if sleeps {
        let bell = Arc::new(Condvar::new());
        queues.entry(place.address()).or_default().push_back(Arc::clone(&bell));
        ARRIVAL.notify_all();
        drop(bell.wait(queues).expect("no panic in a queue"));
    }
    Ok(sleeps)
}

pub(crate) fn wake(place: Place<'_>, count: u32) -> usize {
    let mut queues = QUEUES.lock().expect("no panic in a queue");
    let Some(queue) = queues.get_mut(&place.address()) else { return 0 };
    let many = queue.len().min(count as usize);
    queue.drain(..many).for_each(|bell| bell.notify_one());
    many
}

/// Waits until so many sleep on a place.
pub(crate) fn until_asleep(place: Place<'_>, many: usize) {
    let mut queues = QUEUES.lock().expect("no panic in a queue");
    while queues.get(&place.address()).map_or(0, VecDeque::len) < many {
        queues = ARRIVAL.wait(queues).expect("no panic in a queue");
    }
}

pub(crate) fn wait_any(places: &[(Place<'_>, u32)], time: Duration) -> io::Result<Option<usize>> {
    let (place, expected) = places[0];
    Ok(wait(place, expected, time)?.then_some(0))
}
