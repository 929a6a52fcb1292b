//! Fuzzes the opening of a channel of each kind, by arbitrary bytes in its header. An open must either fail, or
//! return endpoints that use the slots of the channel and nothing else.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::watch::{Reader, Writer};
use pagemate::channel::{Kind, MessageType, Options, Receiver, Sender};
use pagemate::inventory;
use pagemate_fuzz::{Channel, Payload, open, options, read, receive, send, write};

type Value = [u32; 5];

struct Channels {
    spsc: [Channel; 2],
    watch: [Channel; 2],
    mpmc: [Channel; 2],
    broadcast: [Channel; 2],
}

static CHANNELS: LazyLock<Channels> = LazyLock::new(|| Channels {
    spsc: [
        Channel::new::<Sender<Spsc, Value>>("spsc-values"),
        Channel::new::<Sender<Spsc, [u8]>>("spsc-bytes"),
    ],
    watch: [
        Channel::new::<Writer<Value>>("watch-values"),
        Channel::new::<Writer<[u8]>>("watch-bytes"),
    ],
    mpmc: [
        Channel::new::<Sender<Mpmc, Value>>("mpmc-values"),
        Channel::new::<Sender<Mpmc, [u8]>>("mpmc-bytes"),
    ],
    broadcast: [
        Channel::with::<Sender<Broadcast, Value>>("broadcast-values", options().lossy(true)),
        Channel::with::<Sender<Broadcast, [u8]>>(
            "broadcast-chunks",
            options().lossy(true).receivers(2).capacity(2).max_len(5000),
        ),
    ],
});

/// Writes the input to the header: as it is, or as changes of a correct one.
fn change(channel: &Channel, has_changes: bool, input: &[u8]) {
    channel.restore();
    if has_changes {
        for patch in input.chunks_exact(4) {
            // Half of the words that can be changed are those of the creator.
            let at = if patch[0] & 1 == 0 { patch[0] / 2 % 24 } else { patch[0] };
            channel.patch([at, patch[1] & 1, patch[2], patch[3]]);
        }
    } else {
        channel.write(0, input);
    }
}

fn use_endpoints<K: Kind, M: Payload + ?Sized>(channel: &Channel, options: &Options) {
    let sender = open::<Sender<K, M>>(channel.name, options);
    let receiver = open::<Receiver<K, M>>(channel.name, options);
    let header = channel.header();
    if let Some(mut sender) = sender {
        assert!(sender.max_len() <= channel.len() && sender.capacity() <= channel.len() / 8);
        (0..16).for_each(|_| send(&mut sender, 5));
    }
    if let Some(mut receiver) = receiver {
        assert!(receiver.max_len() <= channel.len() && receiver.capacity() <= channel.len() / 8);
        (0..16).for_each(|call| receive(&mut receiver, call));
    }
    assert_eq!(channel.header(), header, "an endpoint wrote a message over the header");
}

fn use_latest<M: Payload + ?Sized>(channel: &Channel, options: &Options) {
    let writer = open::<Writer<M>>(channel.name, options);
    let reader = open::<Reader<M>>(channel.name, options);
    let header = channel.header();
    if let Some(mut writer) = writer {
        assert!(writer.max_len() <= channel.len());
        (0..6).for_each(|_| write(&mut writer, 1));
    }
    if let Some(mut reader) = reader {
        assert!(reader.max_len() <= channel.len());
        (0..4).for_each(|call| read(&mut reader, call));
    }
    assert_eq!(channel.header(), header, "an endpoint wrote a value over the header");
}

fuzz_target!(|input: &[u8]| {
    let Some(([kind, how], input)) = input.split_first_chunk() else { return };
    let channels = match kind >> 1 & 3 {
        0 => &CHANNELS.spsc,
        1 => &CHANNELS.watch,
        2 => &CHANNELS.mpmc,
        _ => &CHANNELS.broadcast,
    };
    let channel = &channels[usize::from(kind & 1)];
    change(channel, how & 1 == 0, input);
    if how >> 5 == 7 {
        // It reads the descriptors of all processes, so make this slow call rarely.
        _ = inventory::find(channel.name);
    }
    let mut byte_options = options();
    match how >> 1 & 3 {
        0 => _ = byte_options.any_message_type(),
        1 => _ = byte_options.message_type(MessageType::of::<Value>()),
        _ => {}
    }
    let are_values = kind & 1 == 0 && how & 8 == 0;
    match kind >> 1 & 3 {
        0 if are_values => use_endpoints::<Spsc, Value>(channel, &options()),
        0 => use_endpoints::<Spsc, [u8]>(channel, &byte_options),
        1 if are_values => use_latest::<Value>(channel, &options()),
        1 => use_latest::<[u8]>(channel, &byte_options),
        2 if are_values => use_endpoints::<Mpmc, Value>(channel, &options()),
        2 => use_endpoints::<Mpmc, [u8]>(channel, &byte_options),
        _ if are_values => use_endpoints::<Broadcast, Value>(channel, &options()),
        _ => use_endpoints::<Broadcast, [u8]>(channel, &byte_options),
    }
});
