//! Several processes that send to one mpmc channel, and several that receive, on two processors.

use std::time::Duration;

use pagemate::channel::mpmc::{Receiver, Sender};
use pagemate::channel::{Options, RecvError};

use super::contender::Message;
use super::measure::{Clock, Comparison, Effort, Watch, titles};
use super::peer::{self, Peer};
use super::place::Place;
use super::processor::{first_and_last, pinned_to};

const SIDE: usize = 4;

/// The number of messages in one chunk.
const COUNT: usize = 1 << 18;

/// The word of a message that ends a chunk for one receiver.
const STOP: u64 = u64::MAX;

/// Some senders and as many receivers of one channel, and a sender that ends the chunks.
struct Crowd {
    senders: Vec<Peer>,
    receivers: Vec<Peer>,
    last: Sender<Message<8>>,
}

impl Crowd {
    fn start(name: &str, side: usize) -> Crowd {
        let last = Options::new().capacity(1024).create_new(name).expect("a channel");
        let processors = first_and_last();
        let start = |role: &str, processor: usize| {
            let mut member = pinned_to(processor, || Peer::start(&["crowd"]));
            member.send(format!("{role}|{name}"));
            assert_eq!(member.receive(), "opened");
            member
        };
        let senders = (0..side).map(|number| start("send", processors[number % 2])).collect();
        let receivers =
            (0..side).map(|number| start("receive", processors[1 - number % 2])).collect();
        Crowd { senders, receivers, last }
    }

    /// Lets the members exchange `count` messages, and returns the nanoseconds of each message.
    fn exchange(&mut self, count: usize) -> f64 {
        for receiver in &mut self.receivers {
            receiver.send("go");
            assert_eq!(receiver.receive(), "begun");
        }
        let watch = Watch::by(Clock::Wall);
        let each = count / self.senders.len();
        for sender in &mut self.senders {
            sender.send(each);
        }
        for sender in &mut self.senders {
            assert_eq!(sender.receive(), "done");
        }
        for _ in &self.receivers {
            self.last.send(&[STOP; 8]).expect("a receiver");
        }
        let mut received = 0;
        for receiver in &mut self.receivers {
            received += receiver.receive().parse::<usize>().expect("a number");
        }
        assert_eq!(received, count);
        watch.ns() / count as f64
    }
}

/// Prints the row. Four of each may take at most twice as long for a message as one of each.
pub(crate) fn row(place: &Place, effort: Effort) {
    titles("four of each", "one of each");
    let mut four = Crowd::start(&place.name("Local", "crowd four"), SIDE);
    let mut one = Crowd::start(&place.name("Local", "crowd one"), 1);
    let count = effort.pick(COUNT, COUNT / 16);
    let mut comparison = Comparison::default();
    for _ in 0..effort.pick(40, 3) {
        let ours = four.exchange(count);
        comparison.add(ours, one.exchange(count));
    }
    comparison.print("single, 64 bytes, depth 1024", Some(2.0));
}

/// The main function of a sender or a receiver.
pub(crate) fn member() {
    let mut sender = None;
    let mut receiver = None;
    peer::serve(|line| {
        match line.split_once('|') {
            Some(("send", name)) => {
                sender = Some(Sender::<Message<8>>::open(name).expect("a sender"));
            }
            Some((_, name)) => {
                receiver = Some(Receiver::<Message<8>>::open(name).expect("a receiver"));
            }
            None => match (&mut sender, &mut receiver) {
                (Some(sender), _) => {
                    send(sender, line.parse().expect("a number"));
                    return "done".to_owned();
                }
                (None, Some(receiver)) => {
                    peer::reply("begun");
                    return receive(receiver).to_string();
                }
                (None, None) => panic!("{line}"),
            },
        }
        "opened".to_owned()
    });
}

fn send(sender: &mut Sender<Message<8>>, count: usize) {
    for number in 0..count {
        sender.send(&[number as u64; 8]).expect("a receiver");
    }
}

fn receive(receiver: &mut Receiver<Message<8>>) -> usize {
    let mut count = 0;
    loop {
        match receiver.recv_timeout(Duration::from_secs(20)) {
            Ok(message) if message[0] == STOP => return count,
            Ok(_) => count += 1,
            Err(RecvError::Disconnected) => return count,
            Err(error) => panic!("{error}"),
        }
    }
}
