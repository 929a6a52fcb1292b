//! Mpmc channels whose positions another program changed.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;

use pagemate::channel::mpmc::{Receiver, Sender};
use pagemate::channel::{Options, RecvError};

use super::harness::fork::alone;

/// The offsets of the number of received messages, and of the word of the first slot.
const RECEIVED_AT: u64 = 384;
const SLOTS_AT: u64 = 2688;
const SLOT_LEN: u64 = 16;

/// The words of a slot in the last lap before positions wrap around, whose run of eight slots the process with
/// the first seat has: it reads them, or writes to them.
const READING: u64 = 0xffff_ffff << 32 | 7 << 26 | 3 << 22 | 1;
const WRITING: u64 = 0xffff_ffff << 32 | 7 << 26 | 1 << 22 | 1;

#[test]
fn a_receiver_opens_although_its_position_is_about_to_wrap_around() {
    let test = "mpmc::a_receiver_opens_although_its_position_is_about_to_wrap_around";
    alone(test, |place| {
        let mut sender: Sender<u64> = Options::new().capacity(8).create_new("x").unwrap();
        let user = rustix::process::geteuid().as_raw();
        let path = place.join(format!("pagemate-{user}/x"));
        let file = OpenOptions::new().write(true).open(path).unwrap();
        for slot in 0..8 {
            let word = if slot == 5 { WRITING } else { READING };
            file.write_all_at(&u64::to_ne_bytes(word), SLOTS_AT + slot * SLOT_LEN).unwrap();
        }
        file.write_all_at(&u64::to_ne_bytes(u64::MAX - 2), RECEIVED_AT).unwrap();
        let mut receiver = Receiver::<u64>::open("x").unwrap();
        assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
        assert!(sender.try_send(&1).is_err());
    });
}
