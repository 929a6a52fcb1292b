//! The threads that send to a channel and receive from it, for all kinds of channels with a sender and a
//! receiver.

use std::borrow::Borrow as _;
use std::time::Duration;

use pagemate::channel::{Kind, Options, Receiver, RecvError, Sample, SendError, Sender};

use super::attack::Random;
use super::traffic::Traffic;
use super::users::{NAME, Outcome, User};

/// The timeout of a call.
const MOMENT: Duration = Duration::from_millis(2);

/// The most calls with one endpoint.
const CALLS: u64 = 300;

/// Counts the result of a call that sends.
pub(crate) fn sent<T>(user: &User<'_>, result: &Result<T, SendError>) -> Outcome {
    use SendError::{Corrupted, Disconnected, Full, TimedOut};
    let outcome = match result {
        Ok(_) => Outcome::Sent,
        Err(Full | TimedOut | Disconnected) => Outcome::Nothing,
        Err(Corrupted) => Outcome::Corrupted,
        Err(error) => panic!("{error}: {error:?}"),
    };
    user.count(outcome);
    outcome
}

/// Counts the result of a call that receives.
pub(crate) fn received<T>(user: &User<'_>, result: &Result<T, RecvError>) -> Outcome {
    use RecvError::{Corrupted, Disconnected, Empty, TimedOut};
    let outcome = match result {
        Ok(_) => Outcome::Received,
        Err(Empty | TimedOut | Disconnected) => Outcome::Nothing,
        Err(Corrupted) => Outcome::Corrupted,
        Err(error) => panic!("{error}: {error:?}"),
    };
    user.count(outcome);
    outcome
}

/// Sends messages until the test is over.
pub(crate) fn send<K: Kind, M: Traffic + ?Sized>(
    user: &User<'_>,
    random: &mut Random,
    options: &Options,
) {
    while user.goes_on() {
        let Some(mut sender) = user.open(|| options.open_or_create::<Sender<K, M>>(NAME)) else {
            continue;
        };
        assert!(sender.capacity() > 0);
        for _ in 0..random.below(CALLS) {
            let outcome = send_once(&mut sender, user, random);
            // Half of the senders go on after the error.
            if !user.goes_on() || outcome == Outcome::Corrupted && random.below(2) == 0 {
                break;
            }
        }
        user.call("drop sender", || drop(sender));
    }
}

fn send_once<K: Kind, M: Traffic + ?Sized>(
    sender: &mut Sender<K, M>,
    user: &User<'_>,
    random: &mut Random,
) -> Outcome {
    let message = M::make(random, sender.max_len());
    let message = message.borrow();
    match random.below(16) {
        0..4 => sent(user, &user.call("try_send", || sender.try_send(message))),
        4..6 => sent(user, &user.call("send_timeout", || sender.send_timeout(message, MOMENT))),
        6..10 => sent(user, &user.call("try_send_many", || M::send_many(sender, random))),
        10..12 => {
            let send = || sender.loan_timeout(MOMENT).and_then(|loan| M::send_loan(loan, random));
            sent(user, &user.call("loan_timeout", send))
        }
        12 => sent(user, &user.call("try_loan", || sender.try_loan().map(drop))),
        13 => {
            let waited = user.call("wait_until_received", || sender.wait_until_received(MOMENT));
            sent(user, &waited)
        }
        14 => {
            user.call("len", || sender.len());
            user.call("has_receiver", || sender.has_receiver()).unwrap();
            Outcome::Nothing
        }
        _ => {
            user.call("wait_for_receiver", || sender.wait_for_receiver(MOMENT)).unwrap();
            Outcome::Nothing
        }
    }
}

/// Receives messages until the test is over.
pub(crate) fn receive<K: Kind, M: Traffic + ?Sized>(
    user: &User<'_>,
    random: &mut Random,
    options: &Options,
) {
    while user.goes_on() {
        let Some(mut receiver) = user.open(|| options.open_or_create::<Receiver<K, M>>(NAME))
        else {
            continue;
        };
        assert!(receiver.capacity() > 0);
        for _ in 0..random.below(CALLS) {
            let outcome = receive_once(&mut receiver, user, random);
            if !user.goes_on() || outcome == Outcome::Corrupted && random.below(2) == 0 {
                break;
            }
        }
        user.call("drop receiver", || drop(receiver));
    }
}

fn receive_once<K: Kind, M: Traffic + ?Sized>(
    receiver: &mut Receiver<K, M>,
    user: &User<'_>,
    random: &mut Random,
) -> Outcome {
    match random.below(16) {
        0..4 => received(user, &user.call("try_recv", || receiver.try_recv())),
        4..7 => received(user, &user.call("recv_timeout", || receiver.recv_timeout(MOMENT))),
        7..10 => {
            let mut messages = Vec::new();
            let most = random.below(20).try_into().unwrap();
            let receive = || receiver.try_recv_many(&mut messages, most);
            received(user, &user.call("try_recv_many", receive))
        }
        10 | 11 => {
            let receive = || receiver.try_sample().map(|sample| drop(M::read_sample(&sample)));
            received(user, &user.call("try_sample", receive))
        }
        12 => {
            let receive =
                || receiver.sample_timeout(MOMENT).map(|sample| drop(M::read_sample(&sample)));
            received(user, &user.call("sample_timeout", receive))
        }
        13 => {
            let put_back = || receiver.try_sample().map(Sample::put_back);
            user.call("put_back", put_back)
                .map_or_else(|error| received(user, &Err::<(), _>(error)), |()| Outcome::Nothing)
        }
        14 => {
            user.call("has_sender", || receiver.has_sender()).unwrap();
            Outcome::Nothing
        }
        _ => {
            user.call("wait_for_sender", || receiver.wait_for_sender(MOMENT)).unwrap();
            Outcome::Nothing
        }
    }
}

/// Passes a message through a new channel.
pub(crate) fn pass_a_message<K: Kind, M: Traffic + ?Sized>(options: &Options) {
    let mut receiver: Receiver<K, M> = options.create_new(NAME).unwrap();
    let mut sender: Sender<K, M> = options.open(NAME).unwrap();
    let message = M::make(&mut Random(1), sender.max_len());
    sender.send(message.borrow()).unwrap();
    receiver.recv().unwrap();
}
