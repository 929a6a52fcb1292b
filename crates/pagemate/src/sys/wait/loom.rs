//! Sleeping and waking as loom can check it: one crowd of sleepers, and no time.

use std::io;
use std::time::Duration;

use loom::sync::{Condvar, Mutex};

use crate::primitive::{AtomicU32, Ordering};

loom::lazy_static! {
    static ref CROWD: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());
}

pub(crate) fn wait(word: &AtomicU32, expected: u32, _: Duration) -> io::Result<()> {
    let (asleep, bell) = &*CROWD;
    let mut asleep = asleep.lock().expect("no panic in the crowd");
    if word.load(Ordering::SeqCst) == expected {
        *asleep += 1;
        drop(bell.wait(asleep).expect("no panic in the crowd"));
    }
    Ok(())
}

pub(crate) fn wake(_: &AtomicU32, count: u32) -> usize {
    let (asleep, bell) = &*CROWD;
    let mut asleep = asleep.lock().expect("no panic in the crowd");
    let woken = count.min(*asleep);
    *asleep -= woken;
    for _ in 0..woken {
        bell.notify_one();
    }
    woken as usize
}

pub(crate) fn wait_any(words: &[(&AtomicU32, u32)], time: Duration) -> io::Result<()> {
    let (word, expected) = words[0];
    wait(word, expected, time)
}
