//! Broadcast channels whose lines of receivers another program changed.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use pagemate::channel::broadcast::Sender;
use pagemate::channel::{Options, SendError};

use super::harness::fork::alone;

/// The offset of the capacity.
const CAPACITY_AT: u64 = 80;

/// The offsets of the number of lines that were used, of the first line, and of the pin in a line.
const USED_AT: u64 = 200;
const LINES_AT: u64 = 512;
const LINE_LEN: u64 = 128;
const PIN_IN_LINE: u64 = 16;

fn file(place: &Path) -> File {
    let user = rustix::process::geteuid().as_raw();
    OpenOptions::new().write(true).open(place.join(format!("pagemate-{user}/x"))).unwrap()
}

#[test]
fn the_capacity_of_an_open_endpoint_does_not_change() {
    let test = "broadcast::the_capacity_of_an_open_endpoint_does_not_change";
    alone(test, |place| {
        let mut sender: Sender<u64> = Options::new().capacity(4).create_new("x").unwrap();
        file(place).write_all_at(&[0; 8], CAPACITY_AT).unwrap();
        assert_eq!(sender.capacity(), 4);
        sender.send(&1).unwrap();
        assert_eq!(sender.len(), 0, "no receiver waits for the message");
    });
}

#[test]
fn a_sender_of_a_lossy_channel_ends_its_call_although_all_chunks_are_pinned() {
    let test =
        "broadcast::a_sender_of_a_lossy_channel_ends_its_call_although_all_chunks_are_pinned";
    alone(test, |place| {
        let mut sender: Sender<[u64; 1024]> =
            Options::new().capacity(1).receivers(1).lossy(true).create_new("x").unwrap();
        let file = file(place);
        file.write_all_at(&u32::to_ne_bytes(64), USED_AT).unwrap();
        for line in 0..64 {
            let pin = u64::to_ne_bytes(line + 1);
            file.write_all_at(&pin, LINES_AT + line * LINE_LEN + PIN_IN_LINE).unwrap();
        }
        let message = [7; 1024];
        assert_eq!(sender.try_send(&message), Err(SendError::Corrupted));
        let timeout = Duration::from_millis(1);
        assert_eq!(sender.send_timeout(&message, timeout), Err(SendError::Corrupted));
        assert_eq!(sender.send(&message), Err(SendError::Corrupted));
    });
}
