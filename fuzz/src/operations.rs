//! Calls of endpoints, which the fuzzer chooses. Each of them has to return with a result, or with an error
//! that is documented for a channel with invalid bytes.

use std::borrow::Borrow;
use std::time::Duration;

use pagemate::channel::watch::{Reader, Writer};
use pagemate::channel::{
    Kind, Loan, Message, Receiver, RecvError, Sample, SendError, Sender, watch,
};

const MOMENT: Duration = Duration::from_micros(1);

/// A type of messages, with the calls that differ between values and bytes.
pub trait Payload: Message<Owned: Borrow<Self>> {
    fn message(byte: u8, max: usize) -> Self::Owned;

    fn send_many<K: Kind>(
        sender: &mut Sender<K, Self>,
        messages: &[Self::Owned],
    ) -> Result<usize, SendError>;

    fn send_loan<K: Kind>(loan: Loan<'_, K, Self>, byte: u8) -> Result<(), SendError>;

    fn look<K: Kind>(sample: &Sample<'_, K, Self>);

    fn publish(loan: watch::Loan<'_, Self>, byte: u8) -> Result<(), SendError>;
}

impl Payload for [u32; 5] {
    fn message(byte: u8, _: usize) -> [u32; 5] {
        [byte.into(); 5]
    }

    fn send_many<K: Kind>(
        sender: &mut Sender<K, Self>,
        messages: &[[u32; 5]],
    ) -> Result<usize, SendError> {
        sender.try_send_many(messages)
    }

    fn send_loan<K: Kind>(mut loan: Loan<'_, K, Self>, byte: u8) -> Result<(), SendError> {
        loan.write(&Self::message(byte, 0));
        loan.send()
    }

    fn look<K: Kind>(sample: &Sample<'_, K, Self>) {
        sample.read();
        assert!(sample.as_ptr().is_aligned());
    }

    fn publish(mut loan: watch::Loan<'_, Self>, byte: u8) -> Result<(), SendError> {
        loan.write(&Self::message(byte, 0));
        loan.publish()
    }
}

impl Payload for [u8] {
    fn message(byte: u8, max: usize) -> Vec<u8> {
        vec![byte; usize::from(byte) % (max + 1)]
    }

    fn send_many<K: Kind>(
        sender: &mut Sender<K, Self>,
        messages: &[Vec<u8>],
    ) -> Result<usize, SendError> {
        sender.try_send_many(messages)
    }

    fn send_loan<K: Kind>(mut loan: Loan<'_, K, Self>, byte: u8) -> Result<(), SendError> {
        let len = loan.max_len();
        loan.write_at(0, &vec![byte; len]);
        loan.send(len)
    }

    fn look<K: Kind>(sample: &Sample<'_, K, Self>) {
        assert_eq!(sample.read().len(), sample.len());
    }

    fn publish(mut loan: watch::Loan<'_, Self>, byte: u8) -> Result<(), SendError> {
        let len = loan.max_len();
        loan.write_at(0, &vec![byte; len]);
        loan.publish(len)
    }
}

/// Calls the sender as `call` says.
pub fn send<K: Kind, M: Payload + ?Sized>(sender: &mut Sender<K, M>, call: u8) {
    let max = sender.max_len();
    let message = M::message(call, max);
    let sent = match call % 8 {
        0 | 1 => sender.try_send(message.borrow()),
        2 => sender.send_timeout(message.borrow(), MOMENT),
        3 | 4 => {
            let messages: Vec<_> = (0..call / 16).map(|byte| M::message(byte, max)).collect();
            M::send_many(sender, &messages).map(drop)
        }
        5 => sender.try_loan().and_then(|loan| M::send_loan(loan, call)),
        6 => sender.try_loan().map(drop),
        _ => {
            assert!(sender.len() <= sender.capacity());
            sender.has_receiver().unwrap();
            sender.wait_for_receiver(MOMENT).unwrap();
            sender.wait_until_received(MOMENT).map(drop)
        }
    };
    check_sent(sent);
}

/// Calls the receiver as `call` says.
pub fn receive<K: Kind, M: Payload + ?Sized>(receiver: &mut Receiver<K, M>, call: u8) {
    let received = match call % 8 {
        0 | 1 => receiver.try_recv().map(drop),
        2 => receiver.recv_timeout(MOMENT).map(drop),
        3 | 4 => receiver.try_recv_many(&mut Vec::new(), usize::from(call / 8)).map(drop),
        5 => receiver.try_sample().map(|sample| M::look(&sample)),
        6 => receiver.try_sample().map(Sample::put_back),
        _ => {
            receiver.has_sender().unwrap();
            receiver.wait_for_sender(MOMENT).map(drop).unwrap();
            Ok(())
        }
    };
    check_received(received);
}

/// Calls the writer of a watch channel as `call` says.
pub fn write<M: Payload + ?Sized>(writer: &mut Writer<M>, call: u8) {
    let value = M::message(call, writer.max_len());
    check_sent(match call % 3 {
        0 => writer.write(value.borrow()),
        1 => writer.loan().and_then(|loan| M::publish(loan, call)),
        _ => writer.loan().map(drop),
    });
}

/// Calls the reader of a watch channel as `call` says.
pub fn read<M: Payload + ?Sized>(reader: &mut Reader<M>, call: u8) {
    check_received(match call % 4 {
        0 => reader.read().map(drop),
        1 => reader.wait_for_change_timeout(MOMENT),
        2 => reader.read_into(&mut M::message(call, 9)),
        _ => {
            reader.has_writer().unwrap();
            reader.wait_for_writer(MOMENT).map(drop).unwrap();
            Ok(())
        }
    });
}

fn check_sent(sent: Result<(), SendError>) {
    use SendError::{Corrupted, Disconnected, Full, TimedOut};
    let expected = matches!(sent, Ok(()) | Err(Corrupted | Disconnected | Full | TimedOut));
    assert!(expected, "{sent:?}");
}

fn check_received(received: Result<(), RecvError>) {
    use RecvError::{Corrupted, Disconnected, Empty, TimedOut};
    let expected = matches!(received, Ok(()) | Err(Corrupted | Disconnected | Empty | TimedOut));
    assert!(expected, "{received:?}");
}
