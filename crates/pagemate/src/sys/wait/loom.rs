//! A model of sleeping and waking that loom can check: a queue of waiters for each word, without time.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use loom::sync::{Condvar, Mutex};

use super::WaitWord;

/// One condition variable for each waiter, by the address of its word. The thread that has waited
/// longest is woken first.
type Queues = BTreeMap<usize, VecDeque<Arc<Condvar>>>;

loom::lazy_static! {
    static ref QUEUES: Mutex<Queues> = Mutex::new(BTreeMap::new());
    /// Notified when a thread goes to sleep.
    static ref ARRIVAL: Condvar = Condvar::new();
}

pub(crate) fn wait(word: WaitWord<'_>, expected: u32, _: Duration) -> io::Result<bool> {
    let mut queues = QUEUES.lock().expect("no thread panics with the lock");
    let sleeps = word.load() == expected;
    if sleeps {
        let condvar = Arc::new(Condvar::new());
        queues.entry(word.address()).or_default().push_back(Arc::clone(&condvar));
        ARRIVAL.notify_all();
        drop(condvar.wait(queues).expect("no thread panics with the lock"));
    }
    Ok(sleeps)
}

pub(crate) fn wake(word: WaitWord<'_>, count: u32) -> usize {
    let mut queues = QUEUES.lock().expect("no thread panics with the lock");
    let Some(queue) = queues.get_mut(&word.address()) else { return 0 };
    let woken = queue.len().min(count as usize);
    queue.drain(..woken).for_each(|condvar| condvar.notify_one());
    woken
}

/// Blocks until `count` threads sleep on a word.
pub(crate) fn until_asleep(word: WaitWord<'_>, count: usize) {
    let mut queues = QUEUES.lock().expect("no thread panics with the lock");
    while queues.get(&word.address()).map_or(0, VecDeque::len) < count {
        queues = ARRIVAL.wait(queues).expect("no thread panics with the lock");
    }
}

pub(crate) fn wait_any(words: &[(WaitWord<'_>, u32)], time: Duration) -> io::Result<Option<usize>> {
    let (word, expected) = words[0];
    Ok(wait(word, expected, time)?.then_some(0))
}
