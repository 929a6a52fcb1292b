//! Fuzzes the endpoints of a live channel of each kind: a sequence of calls of both sides, and of changes of
//! arbitrary words of the channel between the calls.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::watch::{Reader, Writer};
use pagemate::channel::{Endpoint, Kind, Sender};
use pagemate_fuzz::{Channel, Payload, open, options, read, receive, send, write};

type Value = [u32; 5];

struct Channels {
    spsc_values: Channel,
    spsc_bytes: Channel,
    watch_values: Channel,
    watch_bytes: Channel,
    mpmc_values: Channel,
    mpmc_bytes: Channel,
    broadcast_bytes: Channel,
    lossy_values: Channel,
    lossy_chunks: Channel,
}

static CHANNELS: LazyLock<Channels> = LazyLock::new(|| Channels {
    spsc_values: Channel::new::<Sender<Spsc, Value>>("spsc-values"),
    spsc_bytes: Channel::new::<Sender<Spsc, [u8]>>("spsc-bytes"),
    watch_values: Channel::new::<Writer<Value>>("watch-values"),
    watch_bytes: Channel::new::<Writer<[u8]>>("watch-bytes"),
    mpmc_values: Channel::new::<Sender<Mpmc, Value>>("mpmc-values"),
    mpmc_bytes: Channel::new::<Sender<Mpmc, [u8]>>("mpmc-bytes"),
    broadcast_bytes: Channel::new::<Sender<Broadcast, [u8]>>("broadcast-bytes"),
    lossy_values: Channel::with::<Sender<Broadcast, Value>>("lossy-values", options().lossy(true)),
    lossy_chunks: Channel::with::<Sender<Broadcast, [u8]>>(
        "lossy-chunks",
        options().lossy(true).receivers(1).capacity(2).max_len(5000),
    ),
});

/// Executes the steps of the input with two endpoints.
fn execute<S: Endpoint, R: Endpoint>(
    channel: &Channel,
    mut steps: &[u8],
    give: impl Fn(&mut S, u8),
    take: impl Fn(&mut R, u8),
) {
    channel.restore();
    let mut sender = open::<S>(channel.name, &options());
    let mut receiver = open::<R>(channel.name, &options());
    while let Some((step, rest)) = steps.split_first() {
        steps = rest;
        match (step >> 6, &mut sender, &mut receiver) {
            (0, Some(sender), _) => give(sender, *step),
            (1, _, Some(receiver)) => take(receiver, *step),
            (2, ..) => {
                if let Some((patch, rest)) = steps.split_first_chunk() {
                    channel.patch(*patch);
                    steps = rest;
                }
            }
            // Another endpoint continues.
            _ if step & 1 == 0 => {
                drop(sender.take());
                sender = open(channel.name, &options());
            }
            _ => {
                drop(receiver.take());
                receiver = open(channel.name, &options());
            }
        }
    }
}

fn exchange<K: Kind, M: Payload + ?Sized>(channel: &Channel, steps: &[u8]) {
    execute(channel, steps, send::<K, M>, receive::<K, M>);
}

fn watch<M: Payload + ?Sized>(channel: &Channel, steps: &[u8]) {
    execute::<Writer<M>, Reader<M>>(channel, steps, write, read);
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, steps)) = input.split_first() else { return };
    match kind % 9 {
        0 => exchange::<Spsc, Value>(&CHANNELS.spsc_values, steps),
        1 => exchange::<Spsc, [u8]>(&CHANNELS.spsc_bytes, steps),
        2 => watch::<Value>(&CHANNELS.watch_values, steps),
        3 => exchange::<Broadcast, [u8]>(&CHANNELS.broadcast_bytes, steps),
        4 => exchange::<Broadcast, Value>(&CHANNELS.lossy_values, steps),
        5 => exchange::<Broadcast, [u8]>(&CHANNELS.lossy_chunks, steps),
        6 => exchange::<Mpmc, Value>(&CHANNELS.mpmc_values, steps),
        7 => exchange::<Mpmc, [u8]>(&CHANNELS.mpmc_bytes, steps),
        _ => watch::<[u8]>(&CHANNELS.watch_bytes, steps),
    }
});
