//! Measures the time from the kill of a mutex owner until a waiter has acquired the mutex.

use std::thread;
use std::time::{Duration, Instant};

use pagemate::sync::{Mutex, MutexOptions};

use super::measure::{Effort, print_alone};
use super::peer::{self, Peer};
use super::place::Place;

pub(crate) fn table(_: &Place, effort: Effort) {
    let mutex = MutexOptions::new().create_new("left").expect("a free name");
    let times = (0..effort.pick(60, 4)).map(|round| {
        let mut owner = Peer::start(&["owner", "left"]);
        owner.send("");
        assert_eq!(owner.receive(), "had");
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                assert!(mutex.lock().expect("a mutex").was_abandoned());
                Instant::now()
            });
            // Vary the time of the kill within the interval between two liveness tests of the
            // waiter.
            thread::sleep(Duration::from_millis(10 + round * 7 % 50));
            let killed = Instant::now();
            owner.kill();
            let had = waiter.join().expect("a waiter");
            had.duration_since(killed).as_nanos() as f64
        })
    });
    let times: Vec<f64> = times.collect();
    let worst = times.iter().copied().fold(0.0, f64::max);
    print_alone("time", times, 100.0);
    print_alone("maximum", vec![worst], 100.0);
}

/// The main function of the owner.
pub(crate) fn own(name: &str) {
    let mutex = Mutex::open(name).expect("a mutex");
    peer::serve(|_| {
        std::mem::forget(mutex.lock().expect("a mutex"));
        "had".to_owned()
    });
}
