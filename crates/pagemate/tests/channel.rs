//! Channels in one process. Each kind passes the same tests.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{
    Kind, MessageType, Options, Receiver, RecvError, SendError, Sender, Waiting,
};
use pagemate::sync::SemaphoreOptions;
use pagemate::{ErrorKind, SectionOptions};

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(20);

fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("channel-{what}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn pair<K: Kind>(what: &str, capacity: usize) -> (Sender<K, u64>, Receiver<K, u64>) {
    let name = unique(what);
    let sender = Options::new().capacity(capacity).create_new(&name).unwrap();
    (sender, Receiver::open(&name).unwrap())
}

/// Makes one test of each function, for one kind of channel.
macro_rules! battery {
    ($module:ident, $kind:ident, [$($(#[$attribute:meta])* $test:ident,)*]) => {
        mod $module {
            $($(#[$attribute])* #[test] fn $test() { super::$test::<super::$kind>(); })*
        }
    };
}

/// The tests that every kind passes.
macro_rules! every_test {
    ($module:ident, $kind:ident) => {
        battery!(
            $module,
            $kind,
            [
                messages_arrive_in_order_and_a_full_or_empty_channel_says_so,
                either_side_may_come_first,
                a_successor_continues_where_the_last_endpoint_ended,
                an_endpoint_that_awaits_a_successor_times_out_instead,
                batches_take_what_fits_and_what_is_there,
                messages_are_written_and_read_in_place,
                large_and_aligned_messages_keep_their_bytes,
                each_way_of_waiting_passes_messages_both_ways,
                a_fast_sender_and_a_fast_receiver_lose_and_repeat_nothing,
                wrong_arguments_name_the_cause,
                other_types_and_other_objects_are_refused,
                a_waiting_endpoint_notices_soon_that_its_peer_is_dropped,
                #[cfg(unix)]
                the_inventory_lists_the_endpoints_and_counts_the_messages,
                byte_messages_keep_their_lengths_up_to_the_limit,
                byte_messages_are_written_and_read_in_place,
                bytes_of_a_known_type_travel_to_an_endpoint_with_that_type,
                a_large_message_is_received_without_the_stack,
                a_sample_that_is_put_back_is_received_again,
                a_sender_waits_until_all_messages_were_received,
            ]
        );
    };
}

every_test!(spsc, Spsc);
every_test!(mpmc, Mpmc);

fn messages_arrive_in_order_and_a_full_or_empty_channel_says_so<K: Kind>() {
    let (mut sender, mut receiver) = pair::<K>("order", 3);
    assert_eq!((sender.capacity(), receiver.capacity()), (4, 4));
    for lap in 0..10 {
        assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
        for i in 0..4 {
            sender.try_send(&(lap * 4 + i)).unwrap();
        }
        assert_eq!(sender.try_send(&99), Err(SendError::Full));
        assert_eq!(sender.len(), 4);
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3].map(|i| lap * 4 + i));
        assert!(sender.is_empty());
    }
    assert_eq!(sender.send_timeout(&1, SHORT), Ok(()));
    assert_eq!(receiver.recv_timeout(LONG), Ok(1));
    assert_eq!(receiver.recv_timeout(SHORT), Err(RecvError::TimedOut));
    sender.send_all(&[1, 2, 3, 4]).unwrap();
    assert_eq!(sender.send_timeout(&5, SHORT), Err(SendError::TimedOut));
}

fn either_side_may_come_first<K: Kind>() {
    let name = unique("first");
    let mut receiver = Receiver::<K, u32>::open_or_create(&name).unwrap();
    assert!(receiver.was_created());
    assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
    assert!(!receiver.has_sender().unwrap());
    assert!(!receiver.wait_for_sender(Duration::ZERO).unwrap());
    let (is_done, done) = std::sync::mpsc::channel();
    let name = &name;
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut sender = Sender::<K, u32>::open_or_create(name).unwrap();
            assert!(!sender.was_created());
            assert!(sender.wait_for_receiver(LONG).unwrap());
            sender.send(&7).unwrap();
            done.recv().unwrap();
        });
        assert!(receiver.wait_for_sender(LONG).unwrap());
        assert_eq!(receiver.recv(), Ok(7));
        is_done.send(()).unwrap();
    });
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
}

#[test]
fn a_second_live_endpoint_is_refused() {
    let name = unique("second");
    let sender = Sender::<Spsc, u32>::create_new(&name).unwrap();
    let second = Sender::<Spsc, u32>::open(&name).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::AlreadyExists);
    assert!(second.to_string().contains(&process::id().to_string()), "{second}");
    let receiver = Receiver::<Spsc, u32>::open(&name).unwrap();
    assert_eq!(Receiver::<Spsc, u32>::open(&name).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(
        Receiver::<Spsc, u32>::create_new(&name).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    drop((sender, receiver));
    assert_eq!(Receiver::<Spsc, u32>::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
}

fn a_successor_continues_where_the_last_endpoint_ended<K: Kind>() {
    let (mut sender, mut receiver) = pair::<K>("successor", 4);
    let name = sender.name().to_string();
    sender.send_all(&[0, 1, 2]).unwrap();
    assert_eq!(receiver.recv(), Ok(0));
    drop(receiver);
    assert_eq!(sender.try_send(&3), Ok(()), "there is room without a receiver");
    sender.send(&4).unwrap();
    for _ in 0..2 {
        assert_eq!(sender.try_send(&5), Err(SendError::Disconnected));
        assert_eq!(sender.send(&5), Err(SendError::Disconnected));
    }
    assert_eq!(sender.try_send_many(&[5, 6]), Err(SendError::Disconnected));

    let mut receiver = Receiver::<K, u64>::open(&name).unwrap();
    assert_eq!(receiver.try_iter().collect::<Vec<u64>>(), [1, 2, 3, 4]);
    sender.send(&5).unwrap();
    drop(sender);
    let mut sender = Sender::<K, u64>::open(&name).unwrap();
    sender.send(&6).unwrap();
    drop(sender);
    assert_eq!(receiver.iter().collect::<Vec<u64>>(), [5, 6]);
    assert_eq!(receiver.try_recv(), Err(RecvError::Disconnected));
    assert_eq!(receiver.recv_timeout(LONG), Err(RecvError::Disconnected));
}

fn an_endpoint_that_awaits_a_successor_times_out_instead<K: Kind>() {
    let name = unique("await");
    let mut receiver: Receiver<K, u64> =
        Options::new().await_successor(true).create_new(&name).unwrap();
    drop(Sender::<K, u64>::open(&name).unwrap());
    assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
    assert_eq!(receiver.recv_timeout(SHORT), Err(RecvError::TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut sender = Sender::<K, u64>::open(&name).unwrap();
            sender.send(&1).unwrap();
        });
        assert_eq!(receiver.recv_timeout(LONG), Ok(1));
    });
}

fn batches_take_what_fits_and_what_is_there<K: Kind>() {
    let (mut sender, mut receiver) = pair::<K>("batch", 8);
    let mut into = vec![77];
    assert_eq!(receiver.try_recv_many(&mut into, 4), Err(RecvError::Empty));
    assert_eq!(receiver.try_recv_many(&mut into, 0), Ok(0));
    assert_eq!(sender.try_send_many(&[]), Ok(0));
    let mut sent = 0;
    for _ in 0..100 {
        let messages: Vec<u64> = (sent..sent + 11).collect();
        sent += sender.try_send_many(&messages).unwrap() as u64;
        assert_eq!(sender.try_send_many(&messages), Err(SendError::Full));
        assert_eq!(receiver.recv_many(&mut into, 3), Ok(3));
    }
    assert_eq!(receiver.recv_many(&mut into, usize::MAX), Ok(5));
    assert_eq!(into, [77].into_iter().chain(0..sent).collect::<Vec<_>>());
}

fn messages_are_written_and_read_in_place<K: Kind>() {
    let (mut sender, mut receiver) = pair::<K>("place", 2);
    for i in 0..5 {
        drop(sender.loan().unwrap());
        let mut loan = sender.try_loan().unwrap();
        loan.write(&0);
        assert!(loan.as_mut_ptr().is_aligned());
        loan.write(&i);
        loan.send().unwrap();
        let sample = receiver.sample().unwrap();
        assert!(sample.as_ptr().is_aligned());
        assert_eq!(sample.read(), i);
        drop(sample);
        assert!(matches!(receiver.try_sample(), Err(RecvError::Empty)));
    }
    sender.send_all(&[1, 2]).unwrap();
    assert!(matches!(sender.try_loan(), Err(SendError::Full)));
    let sample = receiver.try_sample().unwrap();
    assert!(matches!(sender.try_loan(), Err(SendError::Full)), "the sample holds its slot");
    drop(sample);
    sender.try_loan().unwrap().send().unwrap();
}

fn large_and_aligned_messages_keep_their_bytes<K: Kind>() {
    fn check<K: Kind, T: pagemate::typed::Plain + PartialEq + std::fmt::Debug>(messages: &[T]) {
        let name = unique("large");
        let mut sender: Sender<K, T> = Options::new().capacity(2).create_new(&name).unwrap();
        let mut receiver = Receiver::<K, T>::open(&name).unwrap();
        for message in messages.iter().chain(messages) {
            sender.send(message).unwrap();
            let sample = receiver.sample().unwrap();
            assert!(sample.as_ptr().is_aligned());
            assert_eq!(&sample.read(), message);
        }
    }
    check::<K, _>(&[[0_u8; 0], []]);
    check::<K, _>(&[1_u8, 2, 3]);
    check::<K, _>(&[u128::MAX, 1 << 99, 5]);
    check::<K, _>(&[[1_u64; 8], [2; 8], [3; 8]]);
    check::<K, _>(&[[7_u8; 5000], [8; 5000]]);
}

fn each_way_of_waiting_passes_messages_both_ways<K: Kind>() {
    for waiting in [Waiting::SpinThenSleep, Waiting::Spin, Waiting::Sleep] {
        let names = [unique("there"), unique("back")];
        let options = || {
            let mut options = Options::new();
            options.capacity(2).waiting(waiting);
            options
        };
        let mut there: Sender<K, u64> = options().create_new(&names[0]).unwrap();
        let mut back: Receiver<K, u64> = options().create_new(&names[1]).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut receiver: Receiver<K, u64> = options().open(&names[0]).unwrap();
                let mut sender: Sender<K, u64> = options().open(&names[1]).unwrap();
                for message in &mut receiver {
                    sender.send(&(message + 1)).unwrap();
                }
            });
            for i in 0..200 {
                there.send(&i).unwrap();
                assert_eq!(back.recv_timeout(LONG), Ok(i + 1));
            }
            drop(there);
            assert_eq!(back.recv_timeout(LONG), Err(RecvError::Disconnected));
        });
    }
}

fn a_fast_sender_and_a_fast_receiver_lose_and_repeat_nothing<K: Kind>() {
    for capacity in [1, 2, 64] {
        // On Windows each sleep creates a kernel object, which takes longer.
        let count = if cfg!(windows) { 2_000 } else { 20_000 };
        let (mut sender, mut receiver) = pair::<K>("fast", capacity);
        thread::scope(|scope| {
            scope.spawn(move || {
                let messages: Vec<u64> = (0..count).collect();
                for chunk in messages.chunks(7) {
                    sender.send_all(chunk).unwrap();
                }
            });
            let mut next = 0;
            let mut into = Vec::new();
            while receiver.recv_many(&mut into, 5).is_ok() {
                for message in into.drain(..) {
                    assert_eq!(message, next);
                    next += 1;
                }
            }
            assert_eq!(next, count);
        });
    }
}

fn wrong_arguments_name_the_cause<K: Kind>() {
    let name = unique("wrong");
    let options = |capacity| Options::new().capacity(capacity).create_new::<Sender<K, u64>>(&name);
    for capacity in [0, usize::MAX, usize::MAX / 2 + 1, 1 << 60] {
        let error = options(capacity).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(&name), "{error}");
    }
    #[cfg(target_pointer_width = "64")]
    assert_eq!(options(1 << 44).unwrap_err().kind(), ErrorKind::NoSpace);
    let error = Options::new()
        .sharing(pagemate::Sharing::Everyone(pagemate::Access::Read))
        .create_new::<Sender<K, u64>>(&name);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(Sender::<K, u64>::create_new("a\\b").unwrap_err().kind(), ErrorKind::InvalidName);
    assert_eq!(Sender::<K, u64>::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
}

fn other_types_and_other_objects_are_refused<K: Kind>() {
    let name = unique("types");
    let _sender = Sender::<K, u64>::create_new(&name).unwrap();
    for error in [
        Receiver::<K, u32>::open(&name).unwrap_err(),
        Receiver::<K, i64>::open(&name).unwrap_err(),
        Receiver::<K, [u8; 8]>::open_or_create(&name).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::WrongKind, "{error}");
        assert!(error.to_string().contains("messages of another type: 8 bytes"), "{error}");
    }
    let semaphore = SemaphoreOptions::new(0, 1).create_new(&name).unwrap_err();
    let section = SectionOptions::new().len(1).create_new(&name).unwrap_err();
    assert_eq!(semaphore.kind(), ErrorKind::AlreadyExists);
    assert_eq!(section.kind(), ErrorKind::AlreadyExists);

    let name = unique("section");
    let section = SectionOptions::new().len(4096).create_new(&name).unwrap();
    section.map().unwrap().write_at(0, &[1; 100]).unwrap();
    let error = Receiver::<K, u64>::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKind, "{error}");
}

fn a_waiting_endpoint_notices_soon_that_its_peer_is_dropped<K: Kind>() {
    let (mut sender, mut receiver) = pair::<K>("dropped", 1);
    sender.send(&1).unwrap();
    let name = sender.name().to_string();
    let start = Instant::now();
    thread::scope(|scope| {
        let blocked = scope.spawn(move || (sender.send(&2), sender));
        thread::sleep(SHORT);
        drop(receiver);
        let (result, sender) = blocked.join().unwrap();
        assert_eq!(result, Err(SendError::Disconnected));
        receiver = Receiver::<K, _>::open(&name).unwrap();
        assert_eq!(receiver.recv(), Ok(1));
        let blocked = scope.spawn(move || receiver.recv());
        thread::sleep(SHORT);
        drop(sender);
        assert_eq!(blocked.join().unwrap(), Err(RecvError::Disconnected));
    });
    assert!(start.elapsed() < LONG);
}

#[cfg(unix)]
fn the_inventory_lists_the_endpoints_and_counts_the_messages<K: Kind>() {
    use pagemate::inventory::{State, find};

    let state = |name: &str| match find(name).unwrap() {
        entry if entry.kind == pagemate::Kind::Channel => entry.state.unwrap(),
        entry => panic!("{entry:?}"),
    };
    let (mut sender, mut receiver) = pair::<K>("listed", 100);
    let name = sender.name().to_string();
    sender.send_all(&[1, 2, 3]).unwrap();
    assert_eq!(receiver.recv(), Ok(1));
    let State::Channel { pending, capacity, senders, receivers, sent, received, .. } = state(&name)
    else {
        panic!("not a channel");
    };
    assert_eq!((pending, capacity, senders, receivers), (2, 128, 1, 1));
    assert_eq!((sent, received), (3, 1));
    drop(sender);
    let State::Channel { senders, receivers, .. } = state(&name) else { panic!("not a channel") };
    assert_eq!((senders, receivers), (0, 1));
}

fn byte_pair<K: Kind>(what: &str, max_len: usize) -> (Sender<K, [u8]>, Receiver<K, [u8]>) {
    let name = unique(what);
    let sender = Options::new().capacity(4).max_len(max_len).create_new(&name).unwrap();
    (sender, Receiver::open(&name).unwrap())
}

fn byte_messages_keep_their_lengths_up_to_the_limit<K: Kind>() {
    let (mut sender, mut receiver) = byte_pair::<K>("bytes", 10);
    assert_eq!((sender.max_len(), receiver.max_len()), (10, 10));
    for lap in 0..3 {
        for len in [0, 1, 9, 10] {
            sender.send(&vec![lap; len]).unwrap();
        }
        assert_eq!(sender.try_send(b"x"), Err(SendError::Full));
        assert_eq!(sender.try_send(&[0; 11]), Err(SendError::WrongLength));
        for len in [0, 1, 9, 10] {
            assert_eq!(receiver.recv(), Ok(vec![lap; len]));
        }
    }
    sender.send_all(&["one", "", "three"]).unwrap();
    let mut messages = Vec::new();
    assert_eq!(receiver.try_recv_many(&mut messages, 9), Ok(3));
    assert_eq!(messages, [&b"one"[..], b"", b"three"]);
    assert_eq!(sender.try_send_many(&["fits", "does not fit"]), Ok(1));
    assert_eq!(sender.try_send_many(&["does not fit", "fits"]), Err(SendError::WrongLength));
    assert_eq!(sender.send_all(&["fits", "does not fit"]), Err(SendError::WrongLength));
    let mut message = vec![0; 100];
    receiver.recv_into(&mut message).unwrap();
    assert_eq!(message, b"fits");
    assert_eq!(receiver.recv(), Ok(b"fits".to_vec()));
    assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
}

fn byte_messages_are_written_and_read_in_place<K: Kind>() {
    let (mut sender, mut receiver) = byte_pair::<K>("bytes-in-place", 10);
    let mut loan = sender.loan().unwrap();
    assert_eq!(loan.max_len(), 10);
    loan.write_at(0, b"abcdef");
    loan.write_at(2, b"XY");
    loan.send(6).unwrap();
    drop(sender.try_loan().unwrap());
    assert_eq!(sender.try_loan().unwrap().send(11), Err(SendError::WrongLength));
    let sample = receiver.sample().unwrap();
    assert_eq!((sample.len(), sample.read()), (6, b"abXYef".to_vec()));
    let mut part = [0; 2];
    sample.read_at(3, &mut part);
    assert_eq!(&part, b"Ye");
    drop(sample);
    assert!(matches!(receiver.try_sample(), Err(RecvError::Empty)));
}

#[test]
#[should_panic(expected = "3 bytes at 4 do not lie in a message of 6 bytes")]
fn a_read_past_the_end_of_a_message_panics() {
    let (mut sender, mut receiver) = byte_pair::<Spsc>("past", 10);
    sender.send(b"abcdef").unwrap();
    receiver.sample().unwrap().read_at(4, &mut [0; 3]);
}

#[test]
#[should_panic(expected = "do not lie in a message of at most")]
fn a_write_past_the_end_of_a_loan_panics() {
    let (mut sender, _receiver) = byte_pair::<Spsc>("past", 10);
    sender.loan().unwrap().write_at(usize::MAX, b"x");
}

fn bytes_of_a_known_type_travel_to_an_endpoint_with_that_type<K: Kind>() {
    let name = unique("known-type");
    let mut receiver = Receiver::<K, [u32; 2]>::create_new(&name).unwrap();
    let error = Sender::<K, [u8]>::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKind, "{error}");
    let wrong = MessageType::new(8, 4, 1);
    let open =
        |message_type| Options::new().message_type(message_type).open::<Sender<K, [u8]>>(&name);
    assert_eq!(open(wrong).unwrap_err().kind(), ErrorKind::WrongKind);
    let mut sender = open(MessageType::of::<[u32; 2]>()).unwrap();
    assert_eq!(sender.max_len(), 8);
    assert_eq!(sender.send(&[0; 7]), Err(SendError::WrongLength));
    let bytes: Vec<u8> = [1_u32, 2].iter().flat_map(|number| number.to_ne_bytes()).collect();
    sender.send(&bytes).unwrap();
    assert_eq!(receiver.recv(), Ok([1, 2]));
    let mut loan = sender.loan().unwrap();
    loan.write_at(0, &bytes);
    assert_eq!(loan.send(4), Err(SendError::WrongLength));
    let error = Receiver::<K, u64>::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKind, "{error}");
    drop(sender);
    let mut sender: Sender<K, [u8]> = Options::new().any_message_type().open(&name).unwrap();
    assert_eq!(sender.message_type(), MessageType::of::<[u32; 2]>());
    sender.send(&bytes).unwrap();
    assert_eq!(receiver.recv(), Ok([1, 2]));
}

fn a_sample_that_is_put_back_is_received_again<K: Kind>() {
    let (mut sender, mut receiver) = pair::<K>("put-back", 4);
    sender.send_all(&[1, 2]).unwrap();
    let sample = receiver.sample().unwrap();
    assert_eq!(sample.read(), 1);
    sample.put_back();
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1, 2]);
}

fn a_sender_waits_until_all_messages_were_received<K: Kind>() {
    let (mut sender, mut receiver) = pair::<K>("received", 4);
    assert_eq!(sender.wait_until_received(Duration::ZERO), Ok(true));
    sender.send_all(&[1, 2]).unwrap();
    assert_eq!(sender.wait_until_received(SHORT), Ok(false));
    thread::scope(|scope| {
        scope.spawn(|| (0..2).for_each(|_| _ = receiver.recv().unwrap()));
        assert_eq!(sender.wait_until_received(LONG), Ok(true));
    });
    sender.send(&3).unwrap();
    drop(receiver);
    assert_eq!(sender.wait_until_received(LONG), Err(SendError::Disconnected));
}

fn a_large_message_is_received_without_the_stack<K: Kind>() {
    const LEN: usize = 16 << 20;
    let name = unique("large");
    let mut sender: Sender<K, [u8; LEN]> = Options::new().capacity(2).create_new(&name).unwrap();
    let mut receiver = Receiver::<K, [u8; LEN]>::open(&name).unwrap();
    let mut loan = sender.loan().unwrap();
    for at in (0..LEN).step_by(1 << 20) {
        loan.write_at(at, &[1, 2, 3]);
    }
    loan.send().unwrap();
    let mut message: Box<[u8; LEN]> = vec![9; LEN].into_boxed_slice().try_into().unwrap();
    receiver.recv_into(&mut message).unwrap();
    assert_eq!(message[5 << 20..][..4], [1, 2, 3, 0]);
}
