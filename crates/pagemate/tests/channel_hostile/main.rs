//! A hostile process overwrites the bytes of a channel while other threads use it. Each call has to return
//! in time, with a result or with an error that its documentation names.
//!
//! A test runs for a second. `PAGEMATE_HOSTILE_SECONDS` sets another time, and `cargo xtask hostile` runs the
//! tests under `AddressSanitizer`.
#![cfg(target_os = "linux")]

mod attack;
mod broadcast;
mod endpoints;
#[path = "../harness/mod.rs"]
mod harness;
mod headers;
mod latest;
mod mpmc;
mod no_room;
mod request;
mod traffic;
mod users;

use std::path::Path;

use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{Kind, Options};

use self::attack::Attack;
use self::harness::fork::alone;
use self::traffic::Traffic;
use self::users::Users;

/// Returns the options of each channel: few slots, so that the hostile process often finds the one in use.
fn options() -> Options {
    let mut options = Options::new();
    options.capacity(8).max_len(100);
    options
}

/// The number of senders and of receivers.
#[derive(Clone, Copy)]
struct Count(usize, usize);

/// Runs senders and receivers of one kind of channel, and the hostile process.
fn overwrite<K: Kind, M: Traffic + ?Sized>(place: &Path, options: &Options, count: Count) {
    let users = Users::new(true);
    users.run(Attack::new(place), |scope| {
        for _ in 0..count.0 {
            users.start(scope, |user, random| endpoints::send::<K, M>(user, random, options));
        }
        for _ in 0..count.1 {
            users.start(scope, |user, random| endpoints::receive::<K, M>(user, random, options));
        }
        users.start(scope, users::list);
    });
    // The overwritten channel is gone, and its name can be used again.
    endpoints::pass_a_message::<K, M>(options);
}

#[test]
fn an_overwritten_spsc_channel_of_values_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_spsc_channel_of_values_hangs_and_crashes_no_endpoint";
    alone(test, |place| overwrite::<Spsc, [u64; 3]>(place, &options(), Count(1, 1)));
}

#[test]
fn an_overwritten_spsc_channel_of_bytes_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_spsc_channel_of_bytes_hangs_and_crashes_no_endpoint";
    alone(test, |place| overwrite::<Spsc, [u8]>(place, &options(), Count(1, 1)));
}

#[test]
fn an_overwritten_mpmc_channel_of_values_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_mpmc_channel_of_values_hangs_and_crashes_no_endpoint";
    alone(test, |place| overwrite::<Mpmc, [u64; 3]>(place, &options(), Count(2, 2)));
}

#[test]
fn an_overwritten_mpmc_channel_of_bytes_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_mpmc_channel_of_bytes_hangs_and_crashes_no_endpoint";
    alone(test, |place| overwrite::<Mpmc, [u8]>(place, &options(), Count(2, 2)));
}

#[test]
fn an_overwritten_broadcast_channel_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_broadcast_channel_hangs_and_crashes_no_endpoint";
    alone(test, |place| overwrite::<Broadcast, [u8]>(place, &options(), Count(1, 2)));
}

#[test]
fn an_overwritten_lossy_broadcast_channel_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_lossy_broadcast_channel_hangs_and_crashes_no_endpoint";
    let lossy = |place: &Path| {
        overwrite::<Broadcast, [u64; 3]>(place, options().receivers(3).lossy(true), Count(1, 2));
    };
    alone(test, lossy);
}

#[test]
fn an_overwritten_broadcast_channel_with_chunks_hangs_and_crashes_no_endpoint() {
    let test = "an_overwritten_broadcast_channel_with_chunks_hangs_and_crashes_no_endpoint";
    let large = |place: &Path| {
        let mut options = options();
        options.receivers(2).capacity(2).max_len(5000).lossy(true);
        overwrite::<Broadcast, [u8]>(place, &options, Count(1, 2));
        overwrite::<Broadcast, [u64; 600]>(place, options.lossy(false), Count(1, 2));
    };
    alone(test, large);
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

#[test]
fn overwritten_requests_hang_and_crash_no_client_and_no_server() {
    let test = "overwritten_requests_hang_and_crash_no_client_and_no_server";
    alone(test, request::overwrite_requests);
}

#[test]
fn overwritten_responses_hang_and_crash_no_client_and_no_server() {
    let test = "overwritten_responses_hang_and_crash_no_client_and_no_server";
    alone(test, request::overwrite_responses);
}
