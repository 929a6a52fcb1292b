//! Channels with several senders and receivers, in one process. `channel.rs` has the tests that every kind
//! passes.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::channel::mpmc::{Receiver, Sender};
use pagemate::channel::{Options, RecvError, SendError, Waiting};
use pagemate::{ErrorKind, channel};

const LONG: Duration = Duration::from_mins(1);

fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("mpmc-{what}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Sends from four threads to four others, and checks that every message arrives once, and that each
/// receiver gets the messages of each sender in order.
fn crowd(waiting: Waiting, capacity: usize, count: u64, run: usize) {
    const SIDE: usize = 4;
    let name = &unique("crowd");
    let mut options = Options::new();
    options.capacity(capacity).waiting(waiting);
    let options = &options;
    let first: Sender<[u64; 2]> = options.create_new(name).unwrap();
    let mut found: Vec<[u64; 2]> = thread::scope(|scope| {
        let receivers: Vec<_> = (0..SIDE)
            .map(|_| {
                let mut receiver: Receiver<[u64; 2]> = options.open(name).unwrap();
                scope.spawn(move || {
                    let mut found = Vec::new();
                    let mut last = [None; SIDE];
                    let mut batch = Vec::new();
                    while receiver.recv_many(&mut batch, run).is_ok() {
                        assert!(!receiver.redelivered());
                        for [sender, number] in batch.drain(..) {
                            let last = &mut last[usize::try_from(sender).unwrap()];
                            assert!(Some(number) > *last, "{number} after {last:?}");
                            *last = Some(number);
                            found.push([sender, number]);
                        }
                    }
                    found
                })
            })
            .collect();
        for sender in 0..SIDE as u64 {
            let mut endpoint: Sender<[u64; 2]> = options.open(name).unwrap();
            scope.spawn(move || {
                let messages: Vec<[u64; 2]> = (0..count).map(|number| [sender, number]).collect();
                for chunk in messages.chunks(run) {
                    endpoint.send_all(chunk).unwrap();
                }
            });
        }
        drop(first);
        receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()).collect()
    });
    found.sort_unstable();
    let sent = (0..SIDE as u64).flat_map(|sender| (0..count).map(move |number| [sender, number]));
    assert!(found.into_iter().eq(sent), "lost or repeated");
}

#[test]
fn many_senders_and_receivers_lose_and_repeat_nothing() {
    let count = if cfg!(windows) { 500 } else { 5_000 };
    for capacity in [1, 2, 64] {
        for run in [1, 5] {
            crowd(Waiting::SpinThenSleep, capacity, count, run);
            crowd(Waiting::Sleep, capacity, count / 5, run);
        }
    }
    crowd(Waiting::Spin, 64, count, 100);
}

#[test]
fn a_message_goes_to_one_receiver() {
    let name = unique("one");
    let mut sender = Sender::<u32>::create_new(&name).unwrap();
    let mut receivers = [(); 3].map(|()| Receiver::<u32>::open(&name).unwrap());
    for number in 0..100 {
        sender.send(&number).unwrap();
    }
    for number in 0..100 {
        assert_eq!(receivers[number as usize % 3].try_recv(), Ok(number));
    }
    for receiver in &mut receivers {
        assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
    }
}

#[test]
fn a_receiver_that_was_idle_for_laps_gets_the_next_message() {
    let name = unique("idle");
    let open = |capacity| Options::new().capacity(capacity).open_or_create(&name);
    let mut sender: Sender<u32> = open(4).unwrap();
    let mut other: Sender<u32> = Sender::open(&name).unwrap();
    let mut idle = Receiver::<u32>::open(&name).unwrap();
    let mut busy = Receiver::<u32>::open(&name).unwrap();
    sender.send_all(&[0, 1]).unwrap();
    assert_eq!(idle.recv_timeout(LONG), Ok(0));
    assert_eq!(idle.recv_timeout(LONG), Ok(1));
    sender.send_all(&[2, 3]).unwrap();
    assert_eq!(busy.try_iter().collect::<Vec<_>>(), [2, 3]);
    // The loan's slot is free for the lap after next, and the messages before it are not received.
    sender.send_all(&[4, 5]).unwrap();
    drop(sender.loan().unwrap());
    assert_eq!(idle.try_iter().collect::<Vec<_>>(), [4, 5]);
    for lap in 0..1000 {
        sender.send_all(&[lap, lap + 1, lap + 2]).unwrap();
        assert_eq!(busy.try_iter().count(), 3);
    }
    other.send(&7).unwrap();
    assert_eq!(idle.try_recv(), Ok(7));
    assert_eq!(busy.try_recv(), Err(RecvError::Empty));
}

#[test]
fn a_sample_in_hand_blocks_its_slot_alone() {
    let name = unique("hand");
    let mut sender: Sender<u32> = Options::new().capacity(4).create_new(&name).unwrap();
    let mut slow = Receiver::<u32>::open(&name).unwrap();
    let mut fast = Receiver::<u32>::open(&name).unwrap();
    sender.send_all(&[0, 1, 2, 3]).unwrap();
    let sample = slow.sample().unwrap();
    assert_eq!(fast.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(sender.try_send(&4), Err(SendError::Full), "its slot comes next");
    assert_eq!((sample.read(), sample.redelivered()), (0, false));
    drop(sample);
    sender.send_all(&[4, 5, 6, 7]).unwrap();
    assert_eq!(fast.try_iter().collect::<Vec<_>>(), [4, 5, 6, 7]);
}

#[test]
fn a_forgotten_sample_and_a_forgotten_loan_cost_nothing_for_ever() {
    let name = unique("forgotten");
    let mut sender: Sender<u32> = Options::new().capacity(2).create_new(&name).unwrap();
    let mut receiver = Receiver::<u32>::open(&name).unwrap();
    sender.send(&1).unwrap();
    std::mem::forget(receiver.sample().unwrap());
    assert_eq!(receiver.try_recv(), Ok(1));
    std::mem::forget(sender.loan().unwrap());
    sender.send(&2).unwrap();
    assert_eq!(receiver.try_recv(), Ok(2));
    sender.send_all(&[3, 4]).unwrap();
    assert_eq!(sender.try_send(&5), Err(SendError::Full));
}

#[test]
fn all_sleepers_learn_that_the_last_peer_is_dropped() {
    let name = &unique("dropped");
    let sender = Sender::<u32>::create_new(name).unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        let open = || Options::new().waiting(Waiting::Sleep).open::<Receiver<u32>>(name).unwrap();
        let blocked = [(); 4].map(|()| {
            let mut receiver = open();
            scope.spawn(move || receiver.recv())
        });
        thread::sleep(Duration::from_millis(20));
        drop(sender);
        for receiver in blocked {
            assert_eq!(receiver.join().unwrap(), Err(RecvError::Disconnected));
        }
    });
    assert!(start.elapsed() < LONG);
}

#[test]
fn endpoints_beyond_the_limit_are_refused_until_one_is_dropped() {
    let name = unique("limit");
    let mut senders: Vec<Sender<u8>> =
        (0..128).map(|_| Sender::open_or_create(&name).unwrap()).collect();
    let error = Sender::<u8>::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("128 live senders"), "{error}");
    senders.pop();
    let sender = Sender::<u8>::open(&name).unwrap();
    assert!(Receiver::<u8>::open(&name).unwrap().has_sender().unwrap());
    drop(sender);
}

#[test]
fn another_kind_of_channel_is_refused() {
    let name = unique("kind");
    let _sender = Sender::<u8>::create_new(&name).unwrap();
    let error = channel::spsc::Receiver::<u8>::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKind);
    assert!(error.to_string().contains("mpmc"), "{error}");
}
