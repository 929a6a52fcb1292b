//! Channels with one sender and several receivers, in one process.
#![allow(clippy::large_stack_arrays, reason = "messages that lie in chunks")]

use std::fmt::Debug;
use std::process;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::channel::broadcast::{Receiver, Sender};
use pagemate::channel::{Options, RecvError, SendError, Waiting, spsc};
use pagemate::typed::Plain;
use pagemate::{ErrorKind, SectionOptions};

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(20);

fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("broadcast-{what}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn channel<T: Plain>(capacity: usize, lossy: bool) -> Sender<T> {
    Options::new().capacity(capacity).lossy(lossy).create_new(unique("channel")).unwrap()
}

fn receiver<T: Plain>(sender: &Sender<T>) -> Receiver<T> {
    Receiver::open(sender.name()).unwrap()
}

/// A message that lies in a chunk.
type Large = [u64; 1024];

/// A message that lies in a chunk, which the sender uses again as soon as it can.
type VeryLarge = [u64; 8192];

/// Runs a test whose messages do not fit into the stack of a thread of tests.
fn on_a_large_stack(test: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(64 << 20);
        builder.spawn_scoped(scope, test).unwrap().join().unwrap();
    });
}

#[test]
fn each_receiver_gets_each_message_in_order() {
    fn check<T: Plain + PartialEq + Debug>(message: impl Fn(u64) -> T) {
        for lossy in [false, true] {
            let mut sender = channel::<T>(3, lossy);
            assert_eq!(sender.capacity(), 4);
            let mut receivers: Vec<_> = (0..3).map(|_| receiver(&sender)).collect();
            assert_eq!(receivers[0].capacity(), 4);
            for lap in 0..10 {
                for i in 0..4 {
                    sender.try_send(&message(lap * 4 + i)).unwrap();
                }
                assert_eq!(sender.len(), 4);
                if !lossy {
                    assert_eq!(sender.try_send(&message(99)), Err(SendError::Full));
                }
                for receiver in &mut receivers {
                    let expected = [0, 1, 2, 3].map(|i| message(lap * 4 + i));
                    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), expected);
                    assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
                    assert_eq!(receiver.missed(), 0);
                }
                assert!(sender.is_empty());
            }
        }
    }
    check(|i| i);
    check(|i| [i; 8]);
    check(|i| [i.to_ne_bytes()[0]; 3]);
    check::<Large>(|i| [i; 1024]);
    on_a_large_stack(|| check::<VeryLarge>(|i| [i; 8192]));
}

#[test]
fn a_receiver_gets_the_messages_that_are_sent_after_it_joined() {
    let mut sender = channel::<u64>(4, false);
    // Without receivers the sender never waits.
    (0..100).for_each(|i| sender.send(&i).unwrap());
    let mut first = receiver(&sender);
    sender.send(&100).unwrap();
    let mut second = receiver(&sender);
    sender.send(&101).unwrap();
    assert_eq!(first.try_iter().collect::<Vec<_>>(), [100, 101]);
    assert_eq!(second.try_iter().collect::<Vec<_>>(), [101]);
    assert_eq!((first.missed(), second.missed()), (0, 0));
}

#[test]
fn a_lossless_sender_waits_for_the_slowest_receiver_until_it_leaves() {
    fn check<T: Plain + PartialEq + Debug>(message: impl Fn(u64) -> T + Sync) {
        let mut sender = channel::<T>(2, false);
        let mut quick = receiver(&sender);
        let slow = receiver(&sender);
        for i in 0..2 {
            sender.send(&message(i)).unwrap();
            assert_eq!(quick.recv(), Ok(message(i)));
        }
        assert_eq!(sender.try_send(&message(2)), Err(SendError::Full));
        assert_eq!(sender.send_timeout(&message(2), SHORT), Err(SendError::TimedOut));
        assert_eq!(sender.len(), 2);
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(SHORT);
                drop(slow);
            });
            sender.send_timeout(&message(2), LONG).unwrap();
        });
        assert_eq!(quick.recv(), Ok(message(2)));
        (3..5).for_each(|i| sender.send(&message(i)).unwrap());
        drop(quick);
        (5..20).for_each(|i| sender.send(&message(i)).unwrap());
    }
    check(|i| i);
    check::<Large>(|i| [i; 1024]);
}

#[test]
fn a_lossy_sender_never_waits_and_receivers_know_exactly_how_many_they_missed() {
    fn check<T: Plain + PartialEq + Debug>(message: impl Fn(u64) -> T) {
        let mut sender = channel::<T>(4, true);
        let mut receiver = receiver(&sender);
        let mut next = 0;
        let mut send = |count| {
            for _ in 0..count {
                sender.send(&message(next)).unwrap();
                next += 1;
            }
            next
        };
        send(4);
        assert_eq!(receiver.recv(), Ok(message(0)));
        let end = send(6);
        assert_eq!(receiver.recv(), Ok(message(end - 4)), "the oldest that is there");
        assert_eq!(receiver.missed(), 5);
        let end = send(103);
        let sample = receiver.sample().unwrap();
        assert_eq!(sample.read(), message(end - 4));
        assert_eq!(sample.missed(), 102);
        drop(sample);
        let sample = receiver.sample().unwrap();
        assert_eq!((sample.read(), sample.missed()), (message(end - 3), 0));
        drop(sample);
        assert_eq!(receiver.missed(), 107);
        let mut into = Vec::new();
        assert_eq!(receiver.try_recv_many(&mut into, 9).map(|count| count > 0), Ok(true));
        into.extend(receiver.try_iter());
        assert_eq!(into, [end - 2, end - 1].map(message));
        assert_eq!(receiver.missed(), 107);
    }
    check(|i| i);
    check(|i| [i; 9]);
    check::<Large>(|i| [i; 1024]);
    on_a_large_stack(|| check::<VeryLarge>(|i| [i; 8192]));
}

#[test]
fn a_held_sample_is_never_overwritten_and_does_not_stop_a_lossy_sender() {
    fn check<T: Plain + PartialEq + Debug>(message: impl Fn(u64) -> T) {
        let mut options = Options::new();
        options.capacity(2).lossy(true).receivers(3);
        let mut sender: Sender<T> = options.create_new(unique("held")).unwrap();
        let mut receivers: Vec<_> = (0..3).map(|_| receiver(&sender)).collect();
        let mut samples = Vec::new();
        for (i, receiver) in (0..).zip(&mut receivers) {
            sender.send(&message(i)).unwrap();
            if i > 0 {
                assert_eq!(receiver.recv(), Ok(message(i - 1)));
            }
            // Each of the calls that lend a sample.
            let sample = match i {
                0 => receiver.sample(),
                1 => receiver.try_sample(),
                _ => receiver.sample_timeout(LONG),
            };
            let sample = sample.unwrap();
            assert_eq!(sample.read(), message(i));
            samples.push(sample);
        }
        for i in 3..50 {
            let mut loan = sender.loan().unwrap();
            loan.write(&message(i));
            loan.send().unwrap();
            for (i, sample) in (0..).zip(&samples) {
                assert!(sample.as_ptr().is_aligned());
                assert_eq!(sample.read(), message(i));
            }
        }
        drop(samples);
        for (i, receiver) in (0..).zip(&mut receivers) {
            assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [48, 49].map(&message));
            assert_eq!(receiver.missed(), 47 - u64::from(i > 0));
        }
    }
    check(|i| i);
    check::<Large>(|i| [i; 1024]);
    on_a_large_stack(|| check::<VeryLarge>(|i| [i; 8192]));
}

#[test]
fn a_held_sample_of_a_lossless_channel_stops_the_sender() {
    let mut sender = channel::<Large>(2, false);
    let mut receiver = receiver(&sender);
    for lap in 0..5 {
        sender.send(&[lap; 1024]).unwrap();
        let sample = receiver.sample().unwrap();
        sender.send(&[99; 1024]).unwrap();
        assert_eq!(sender.try_send(&[98; 1024]), Err(SendError::Full));
        assert_eq!(sample.read(), [lap; 1024]);
        drop(sample);
        assert_eq!(receiver.recv(), Ok([99; 1024]));
    }
}

#[test]
fn large_messages_use_few_chunks_while_receivers_keep_up() {
    let mut sender = channel::<[u8; 100_000]>(16, false);
    let mut receiver = receiver(&sender);
    let mut addresses = std::collections::BTreeSet::new();
    for i in 0..50 {
        let mut loan = sender.loan().unwrap();
        addresses.insert(loan.as_mut_ptr());
        loan.write_at(99_999, &[i]);
        loan.send().unwrap();
        let sample = receiver.sample().unwrap();
        let mut last = [0];
        sample.read_at(99_999, &mut last);
        assert_eq!(last, [i]);
    }
    assert!(addresses.len() <= 2, "{} chunks", addresses.len());
}

#[test]
fn batches_arrive_whole_and_in_order() {
    for lossy in [false, true] {
        let mut sender = channel::<u64>(64, lossy);
        let mut receivers = [receiver(&sender), receiver(&sender)];
        let mut sent = 0;
        for _ in 0..100 {
            let messages: Vec<u64> = (sent..sent + 11).collect();
            sender.send_all(&messages).unwrap();
            sent += 11;
            for receiver in &mut receivers {
                let mut into = Vec::new();
                while into.len() < 11 {
                    receiver.recv_many(&mut into, 5).unwrap();
                }
                assert_eq!(into, messages);
            }
        }
        let many: Vec<u64> = (0..200).collect();
        let count = sender.try_send_many(&many).unwrap();
        assert_eq!(count, if lossy { 16 } else { 64 });
    }
}

#[test]
fn bytes_of_different_lengths_are_messages_too() {
    for (lossy, max_len) in [(false, 10), (true, 10), (false, 5000), (true, 5000)] {
        let mut options = Options::new();
        options.capacity(4).lossy(lossy).max_len(max_len);
        let mut sender: Sender<[u8]> = options.create_new(unique("bytes")).unwrap();
        let mut receiver = Receiver::<[u8]>::open(sender.name()).unwrap();
        for len in [0, 1, max_len / 2, max_len] {
            sender.send(&vec![7; len]).unwrap();
            sender.send(&vec![8; len]).unwrap();
            let sample = receiver.sample().unwrap();
            assert_eq!(sample.read(), vec![7; len]);
            drop(sample);
            assert_eq!(receiver.recv().unwrap(), vec![8; len]);
        }
        assert_eq!(sender.send(&vec![0; max_len + 1]), Err(SendError::WrongLength));
    }
}

#[test]
fn the_number_of_receivers_has_a_limit_and_places_are_used_again() {
    let name = unique("limit");
    let sender: Sender<u64> = Options::new().receivers(2).create_new(&name).unwrap();
    let open = || Receiver::<u64>::open(&name);
    let receivers = [open().unwrap(), open().unwrap()];
    let error = open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("all 2 receivers"), "{error}");
    drop(receivers);
    for _ in 0..200 {
        drop([open().unwrap(), open().unwrap()]);
    }
    assert_eq!(Sender::<u64>::open(&name).unwrap_err().kind(), ErrorKind::AlreadyExists);
    drop(sender);
    for receivers in [0, 65, usize::MAX] {
        let error =
            Options::new().receivers(receivers).create_new::<Sender<u64>>(&name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("between 1 and 64"), "{error}");
    }
    let sender: Sender<u64> = Options::new().receivers(64).create_new(&name).unwrap();
    let receivers: Vec<_> = (0..64).map(|_| open().unwrap()).collect();
    assert_eq!(open().unwrap_err().kind(), ErrorKind::AlreadyExists);
    drop((sender, receivers));
}

#[test]
fn either_side_may_come_first_and_a_new_sender_continues() {
    let name = unique("first");
    let mut receiver = Receiver::<u32>::open_or_create(&name).unwrap();
    assert!(receiver.was_created());
    assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
    assert!(!receiver.has_sender().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut sender = Sender::<u32>::open_or_create(&name).unwrap();
            assert!(sender.wait_for_receiver(LONG).unwrap());
            sender.send(&7).unwrap();
        });
        assert_eq!(receiver.recv(), Ok(7));
        assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    });
    let mut sender = Sender::<u32>::open(&name).unwrap();
    sender.send(&8).unwrap();
    assert_eq!(receiver.recv(), Ok(8));
    drop(receiver);
    assert!(!sender.has_receiver().unwrap());
    sender.send(&9).unwrap();
}

#[test]
fn a_new_sender_continues_with_chunks_that_no_receiver_holds() {
    for lossy in [false, true] {
        let mut sender = channel::<Large>(2, lossy);
        let name = sender.name().to_string();
        let mut receivers = [receiver(&sender), receiver(&sender)];
        let mut next = 0;
        for _ in 0..20 {
            sender.send(&[next; 1024]).unwrap();
            let [first, second] = &mut receivers;
            let sample = first.sample().unwrap();
            assert_eq!(second.recv(), Ok([next; 1024]));
            drop(sender);
            sender = Sender::open(&name).unwrap();
            sender.send(&[next + 1; 1024]).unwrap();
            assert_eq!(second.recv(), Ok([next + 1; 1024]));
            assert_eq!(sample.read(), [next; 1024]);
            drop(sample);
            assert_eq!(first.recv(), Ok([next + 1; 1024]));
            next += 2;
        }
    }
}

#[test]
fn all_sleeping_receivers_are_woken_and_a_sleeping_sender_too() {
    for waiting in [Waiting::SpinThenSleep, Waiting::Sleep] {
        let mut options = Options::new();
        let name = unique("wake");
        let mut sender: Sender<u64> =
            options.capacity(2).waiting(waiting).create_new(&name).unwrap();
        let joined = AtomicU32::new(0);
        let count = if cfg!(windows) { 500 } else { 5_000 };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut receiver: Receiver<u64> =
                        Options::new().waiting(waiting).open(&name).unwrap();
                    joined.fetch_add(1, Ordering::Relaxed);
                    let messages: Vec<u64> = receiver.iter().collect();
                    assert_eq!(messages, (0..count).collect::<Vec<_>>());
                });
            }
            while joined.load(Ordering::Relaxed) < 3 {
                thread::yield_now();
            }
            (0..count).for_each(|i| sender.send(&i).unwrap());
            drop(sender);
        });
    }
}

#[test]
fn a_fast_lossy_sender_and_slow_receivers_lose_what_they_count() {
    fn check<const WORDS: usize>(capacity: usize, count: u64) {
        let mut sender = channel::<[u64; WORDS]>(capacity, true);
        let name = &sender.name().to_string();
        let (joined, sampled) = (AtomicU32::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for in_place in [false, true] {
                let (joined, sampled) = (&joined, &sampled);
                scope.spawn(move || {
                    let mut receiver = Receiver::<[u64; WORDS]>::open(name).unwrap();
                    joined.fetch_add(1, Ordering::Relaxed);
                    let (mut next, mut got) = (0, 0);
                    loop {
                        let before = receiver.missed();
                        let message = if in_place {
                            match receiver.sample() {
                                Ok(sample) => {
                                    let message = sample.read();
                                    thread::yield_now();
                                    assert_eq!(sample.read(), message, "it was overwritten");
                                    sampled.fetch_add(sample.missed(), Ordering::Relaxed);
                                    message
                                }
                                Err(error) => {
                                    assert_eq!(error, RecvError::Disconnected);
                                    break;
                                }
                            }
                        } else {
                            match receiver.recv() {
                                Ok(message) => message,
                                Err(error) => {
                                    assert_eq!(error, RecvError::Disconnected);
                                    break;
                                }
                            }
                        };
                        let missed = receiver.missed() - before;
                        assert!(message.iter().all(|word| *word == message[0]), "a torn message");
                        assert_eq!(message[0], next + missed, "the count is wrong");
                        next = message[0] + 1;
                        got += 1;
                    }
                    assert_eq!(got + receiver.missed(), count);
                });
            }
            while joined.load(Ordering::Relaxed) < 2 {
                thread::yield_now();
            }
            (0..count).for_each(|i| sender.send(&[i; WORDS]).unwrap());
            drop(sender);
        });
    }
    check::<1>(1, 20_000);
    check::<8>(4, 20_000);
    check::<8>(64, 50_000);
    check::<1024>(4, 2_000);
}

#[test]
fn a_sender_waits_until_every_receiver_has_received_all() {
    for lossy in [false, true] {
        let mut sender = channel::<u64>(8, lossy);
        let mut receivers = [receiver(&sender), receiver(&sender)];
        sender.send_all(&[1, 2]).unwrap();
        assert_eq!(sender.wait_until_received(SHORT), Ok(false));
        let [quick, slow] = &mut receivers;
        assert_eq!(quick.try_iter().count(), 2);
        assert_eq!(sender.wait_until_received(SHORT), Ok(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(SHORT);
                assert_eq!(slow.try_iter().count(), 2);
            });
            assert_eq!(sender.wait_until_received(LONG), Ok(true));
        });
    }
}

#[test]
fn a_waiting_receiver_notices_soon_that_the_sender_is_dropped() {
    let sender = channel::<u64>(2, false);
    let mut receiver = receiver(&sender);
    let start = Instant::now();
    thread::scope(|scope| {
        let blocked = scope.spawn(move || receiver.recv());
        thread::sleep(SHORT);
        drop(sender);
        assert_eq!(blocked.join().unwrap(), Err(RecvError::Disconnected));
    });
    assert!(start.elapsed() < LONG);
}

#[test]
fn other_types_kinds_and_objects_and_wrong_arguments_are_refused() {
    let sender = channel::<u64>(2, false);
    let name = sender.name().to_string();
    assert_eq!(Receiver::<u32>::open(&name).unwrap_err().kind(), ErrorKind::WrongKind);
    let error = spsc::Receiver::<u64>::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKind);
    assert!(error.to_string().contains("broadcast"), "{error}");
    let name = unique("section");
    let section = SectionOptions::new().len(1 << 16).create_new(&name).unwrap();
    section.map().unwrap().write_at(0, &[1; 100]).unwrap();
    assert_eq!(Receiver::<u64>::open(&name).unwrap_err().kind(), ErrorKind::WrongKind);
    let name = unique("wrong");
    for lossy in [false, true] {
        for capacity in [0, usize::MAX, usize::MAX / 2 + 1, 1 << 60] {
            let options = |capacity| {
                Options::new().lossy(lossy).capacity(capacity).create_new::<Sender<u64>>(&name)
            };
            let error = options(capacity).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn the_inventory_lists_the_receivers_and_counts_the_messages() {
    use pagemate::channel::ChannelKind;
    use pagemate::inventory::{State, find};

    let mut sender = channel::<u64>(4, true);
    let mut first = receiver(&sender);
    let second = receiver(&sender);
    (0..7).for_each(|i| sender.send(&i).unwrap());
    assert_eq!(first.recv(), Ok(3));
    let state = |name: &str| find(name).unwrap().state.unwrap();
    let State::Channel { kind, pending, capacity, senders, receivers, sent, lost, .. } =
        state(&sender.name().to_string())
    else {
        panic!("not a channel");
    };
    assert_eq!(kind, ChannelKind::Broadcast);
    assert_eq!((pending, capacity, senders, receivers), (4, 4, 1, 2));
    assert_eq!((sent, lost), (7, 3));
    drop((first, second));
    let State::Channel { pending, receivers, .. } = state(&sender.name().to_string()) else {
        panic!("not a channel");
    };
    assert_eq!((pending, receivers), (0, 0));
}
