//! A hostile process overwrites the bytes of a channel while other threads use it. Each call has to return
//! in time, with a result or with an error that its documentation names.
//!
//! A test runs for a second. `PAGEMATE_HOSTILE_SECONDS` sets another time, and `cargo xtask hostile` runs the
//! tests under `AddressSanitizer`.
#![cfg(target_os = "linux")]

mod attack;
mod endpoints;
#[path = "../harness/mod.rs"]
mod harness;
mod headers;
mod latest;
mod no_room;
mod traffic;
mod users;

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{Kind, Options};

use self::attack::Attack;
use self::harness::fork::alone;
use self::traffic::Traffic;
use self::users::Users;

/// The sort of broadcast channels in this process, which runs one test.
static BROADCAST: AtomicU8 = AtomicU8::new(LOSSLESS);

const LOSSLESS: u8 = 0;
const LOSSY: u8 = 1;
const LOSSLESS_CHUNKS: u8 = 2;
const LOSSY_CHUNKS: u8 = 3;

/// Returns the options of each channel: few slots, so that the hostile process often finds the one in use.
fn options() -> Options {
    let mut options = Options::new();
    options.capacity(8).max_len(100);
    match BROADCAST.load(Ordering::Relaxed) {
        LOSSY => options.lossy(true),
        LOSSLESS_CHUNKS => options.max_len(5000),
        LOSSY_CHUNKS => options.lossy(true).max_len(5000),
        _ => &options,
    };
    options
}

/// Runs senders and receivers of one kind of channel, and the hostile process.
fn overwrite<K: Kind, M: Traffic + ?Sized>(place: &Path, count: usize) {
    let users = Users::new(true);
    users.run(Attack::new(place), |scope| {
        for _ in 0..count {
            users.start(scope, endpoints::send::<K, M>);
            users.start(scope, endpoints::receive::<K, M>);
        }
        users.start(scope, users::list);
    });
    // The overwritten channel is gone, and its name can be used again.
    endpoints::pass_a_message::<K, M>();
}

#[test]
fn an_overwritten_spsc_channel_of_values_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_spsc_channel_of_values_hangs_and_crashes_no_endpoint";
    alone(test, |place| overwrite::<Spsc, [u64; 3]>(place, 1));
}

#[test]
fn an_overwritten_spsc_channel_of_bytes_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_spsc_channel_of_bytes_hangs_and_crashes_no_endpoint";
    alone(test, |place| overwrite::<Spsc, [u8]>(place, 1));
}

#[test]
fn an_overwritten_broadcast_channel_of_values_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_broadcast_channel_of_values_hangs_and_crashes_no_endpoint";
    alone(test, |place| overwrite::<Broadcast, [u64; 3]>(place, 2));
}

#[test]
fn an_overwritten_lossy_broadcast_channel_of_bytes_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_lossy_broadcast_channel_of_bytes_hangs_and_crashes_no_endpoint";
    alone(test, |place| {
        BROADCAST.store(LOSSY, Ordering::Relaxed);
        overwrite::<Broadcast, [u8]>(place, 2);
    });
}

#[test]
fn an_overwritten_broadcast_channel_with_chunks_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_broadcast_channel_with_chunks_hangs_and_crashes_no_endpoint";
    alone(test, |place| {
        BROADCAST.store(LOSSLESS_CHUNKS, Ordering::Relaxed);
        overwrite::<Broadcast, [u8]>(place, 2);
    });
}

#[test]
fn an_overwritten_lossy_broadcast_channel_with_chunks_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_lossy_broadcast_channel_with_chunks_hangs_and_crashes_no_endpoint";
    alone(test, |place| {
        BROADCAST.store(LOSSY_CHUNKS, Ordering::Relaxed);
        overwrite::<Broadcast, [u8]>(place, 2);
    });
}

#[test]
fn an_overwritten_watch_channel_of_values_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_watch_channel_of_values_hangs_and_crashes_no_endpoint";
    alone(test, |place| latest::overwrite::<[u64; 3]>(place, false));
}

#[test]
fn an_overwritten_watch_channel_of_bytes_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_watch_channel_of_bytes_hangs_and_crashes_no_endpoint";
    alone(test, |place| latest::overwrite::<[u8]>(place, true));
}
