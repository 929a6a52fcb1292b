//! The messages of the tests: values, and bytes of different lengths.

use std::borrow::Borrow;

use pagemate::channel::{Kind, Loan, Message, Sample, SendError, Sender, watch};
use pagemate::typed::Plain;

use super::attack::Random;

/// A type of messages, with the calls that differ between values and bytes.
pub(crate) trait Traffic: Message<Owned: Borrow<Self> + Send> {
    /// Makes a message of at most `max` bytes.
    fn make(random: &mut Random, max: usize) -> Self::Owned;

    fn send_many<K: Kind>(
        sender: &mut Sender<K, Self>,
        random: &mut Random,
    ) -> Result<usize, SendError>;

    fn send_loan<K: Kind>(loan: Loan<'_, K, Self>, random: &mut Random) -> Result<(), SendError>;

    fn read_sample<K: Kind>(sample: &Sample<'_, K, Self>) -> Self::Owned;

    fn publish(loan: watch::Loan<'_, Self>, random: &mut Random) -> Result<(), SendError>;
}

/// Returns several messages.
fn some<M: Traffic + ?Sized>(random: &mut Random, max: usize) -> Vec<M::Owned> {
    (0..random.below(12)).map(|_| M::make(random, max)).collect()
}

impl<const N: usize> Traffic for [u64; N]
where
    [u64; N]: Plain,
{
    fn make(random: &mut Random, _: usize) -> [u64; N] {
        std::array::from_fn(|_| random.next())
    }

    fn send_many<K: Kind>(
        sender: &mut Sender<K, Self>,
        random: &mut Random,
    ) -> Result<usize, SendError> {
        sender.try_send_many(&some::<Self>(random, 0))
    }

    fn send_loan<K: Kind>(
        mut loan: Loan<'_, K, Self>,
        random: &mut Random,
    ) -> Result<(), SendError> {
        loan.write(&Self::make(random, 0));
        loan.send()
    }

    fn read_sample<K: Kind>(sample: &Sample<'_, K, Self>) -> [u64; N] {
        sample.read()
    }

    fn publish(mut loan: watch::Loan<'_, Self>, random: &mut Random) -> Result<(), SendError> {
        loan.write(&Self::make(random, 0));
        loan.publish()
    }
}

impl Traffic for [u8] {
    fn make(random: &mut Random, max: usize) -> Vec<u8> {
        let len = random.below(max as u64 + 1);
        random.bytes(len.try_into().unwrap())
    }

    fn send_many<K: Kind>(
        sender: &mut Sender<K, Self>,
        random: &mut Random,
    ) -> Result<usize, SendError> {
        sender.try_send_many(&some::<Self>(random, sender.max_len()))
    }

    fn send_loan<K: Kind>(
        mut loan: Loan<'_, K, Self>,
        random: &mut Random,
    ) -> Result<(), SendError> {
        let message = Self::make(random, loan.max_len());
        loan.write_at(0, &message);
        loan.send(message.len())
    }

    fn read_sample<K: Kind>(sample: &Sample<'_, K, Self>) -> Vec<u8> {
        let message = sample.read();
        assert_eq!(message.len(), sample.len());
        message
    }

    fn publish(mut loan: watch::Loan<'_, Self>, random: &mut Random) -> Result<(), SendError> {
        let message = Self::make(random, loan.max_len());
        loan.write_at(0, &message);
        loan.publish(message.len())
    }
}
