//! How long a waiter waits for a mutex whose owner was killed.

use std::thread;
use std::time::{Duration, Instant};

use pagemate::sync::{Mutex, MutexOptions};

use super::measure::{Effort, tell_alone};
use super::peer::{self, Peer};
use super::place::Place;

pub(crate) fn table(_: &Place, effort: Effort) {
    let mutex = MutexOptions::new().create_new("left").expect("a free name");
    let times = (0..effort.pick(60, 4)).map(|round| {
        let mut owner = Peer::start(&["owner", "left"]);
        owner.tell("");
        assert_eq!(owner.hear(), "had");
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                assert!(mutex.lock().expect("a mutex").was_abandoned());
                Instant::now()
            });
            // At another moment each time between two looks of the waiter.
            thread::sleep(Duration::from_millis(10 + round * 7 % 50));
            let killed = Instant::now();
            owner.kill();
            let had = waiter.join().expect("a waiter");
            had.duration_since(killed).as_nanos() as f64
        })
    });
    let times: Vec<f64> = times.collect();
    let worst = times.iter().copied().fold(0.0, f64::max);
    tell_alone("time", times, 100.0);
    tell_alone("the longest of them", vec![worst], 100.0);
}

/// The life of an owner.
pub(crate) fn own(name: &str) {
    let mutex = Mutex::open(name).expect("a mutex");
    peer::live(|_| {
        std::mem::forget(mutex.lock().expect("a mutex"));
        "had".to_owned()
    });
}
