//! Messages of bytes that receivers copy to buffers of their callers.

mod harness;

use std::time::Duration;

use harness::unique;
use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{Kind, Options, Receiver, RecvError, Sender, broadcast};

const LONG: Duration = Duration::from_secs(30);

fn pair<K: Kind>(options: &mut Options) -> (Sender<K, [u8]>, Receiver<K, [u8]>) {
    let name = unique("slice");
    let sender = options.capacity(4).max_len(8).create_new(&name).unwrap();
    (sender, options.open(&name).unwrap())
}

fn one_message_at_a_time<K: Kind>(options: &mut Options) {
    let (mut sender, mut receiver) = pair::<K>(options);
    let mut to = *b"........";
    assert_eq!(receiver.try_recv_to_slice(&mut to), Err(RecvError::Empty));
    let short = Duration::from_millis(1);
    assert_eq!(receiver.recv_to_slice_timeout(&mut to, short), Err(RecvError::TimedOut));
    for message in [&b"one"[..], b"", b"12345678"] {
        sender.send(message).unwrap();
    }
    assert_eq!((receiver.recv_to_slice(&mut to), &to), (Ok(3), b"one....."));
    assert_eq!(receiver.try_recv_to_slice(&mut []), Ok(0));
    // A message that is too long stays.
    assert_eq!((receiver.recv_to_slice(&mut to[..7]), &to), (Ok(8), b"one....."));
    assert_eq!(receiver.try_recv_to_slice(&mut []), Ok(8));
    assert_eq!((receiver.recv_to_slice_timeout(&mut to, LONG), &to), (Ok(8), b"12345678"));
    sender.send(b"next").unwrap();
    assert_eq!(receiver.recv().unwrap(), b"next");
}

fn several_messages_together<K: Kind>(options: &mut Options) {
    let (mut sender, mut receiver) = pair::<K>(options);
    let (mut to, mut lens) = ([b'.'; 24], [77; 3]);
    assert_eq!(receiver.try_recv_to_slices(&mut to, &mut lens), Err(RecvError::Empty));
    assert_eq!(receiver.try_recv_to_slices(&mut [], &mut []), Ok(0));
    for message in [&b"one"[..], b"12345678", b"", b"last"] {
        sender.send(message).unwrap();
    }
    assert_eq!(receiver.recv_to_slices(&mut to, &mut lens), Ok(3));
    assert_eq!((&to[..16], lens), (&b"one.....12345678"[..], [3, 8, 0]));
    assert_eq!(receiver.try_recv_to_slices(&mut to, &mut lens), Ok(1));
    assert_eq!((&to[..4], lens[0]), (&b"last"[..], 4));
}

#[test]
fn messages_of_every_kind_are_copied_to_buffers() {
    one_message_at_a_time::<Spsc>(&mut Options::new());
    one_message_at_a_time::<Mpmc>(&mut Options::new());
    one_message_at_a_time::<Broadcast>(&mut Options::new());
    one_message_at_a_time::<Broadcast>(Options::new().lossy(true));
    several_messages_together::<Spsc>(&mut Options::new());
    several_messages_together::<Mpmc>(&mut Options::new());
    several_messages_together::<Broadcast>(&mut Options::new());
    several_messages_together::<Broadcast>(Options::new().lossy(true));
}

#[test]
#[should_panic(expected = "buffers of 7 bytes are too short for messages of 8")]
fn buffers_that_are_too_short_for_a_batch_are_a_bug() {
    let (_sender, mut receiver) = pair::<Spsc>(&mut Options::new());
    _ = receiver.try_recv_to_slices(&mut [0; 14], &mut [0; 2]);
}

/// Returns how many times a message repeats its number.
fn words(number: u64) -> usize {
    usize::try_from(number % 128 + 1).unwrap()
}

/// The sender overwrites messages while the receiver copies them. Each message that arrives is whole, none comes
/// twice, and those that are missing were counted.
#[test]
fn a_lossy_receiver_gets_whole_messages_and_counts_the_others() {
    const COUNT: u64 = 20_000;
    let name = unique("slice-lossy");
    let mut options = Options::new();
    options.capacity(8).max_len(1024).lossy(true);
    let mut sender: broadcast::Sender<[u8]> = options.create_new(&name).unwrap();
    let mut receiver = broadcast::Receiver::<[u8]>::open(&name).unwrap();
    let thread = std::thread::spawn(move || {
        for number in 1..=COUNT {
            sender.send(&number.to_ne_bytes().repeat(words(number))).unwrap();
        }
    });
    let (mut to, mut lens) = (vec![0; 4 * 1024], [0; 4]);
    let (mut last, mut arrived) = (0, 0);
    loop {
        let one = arrived % 3 == 0;
        let outcome = if one {
            receiver.recv_to_slice(&mut to).inspect(|len| lens[0] = *len).map(|_| 1)
        } else {
            receiver.recv_to_slices(&mut to, &mut lens)
        };
        let Ok(count) = outcome else {
            assert_eq!(outcome, Err(RecvError::Disconnected));
            break;
        };
        for (message, len) in to.chunks(1024).zip(&lens[..count]) {
            let number = u64::from_ne_bytes(message[..8].try_into().unwrap());
            assert!(number > last, "{number} after {last}");
            assert_eq!(*len, words(number) * 8);
            assert!(message[..*len].chunks(8).all(|word| word == number.to_ne_bytes()));
            last = number;
            arrived += 1;
        }
    }
    thread.join().unwrap();
    assert_eq!(last, COUNT);
    assert_eq!(arrived + receiver.missed(), COUNT);
}
