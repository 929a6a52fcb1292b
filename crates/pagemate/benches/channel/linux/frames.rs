//! The hand-over of large messages in place, beside that of short ones.

use pagemate::channel::Options;
use pagemate::channel::spsc::{Receiver, Sender};

use super::contender::Message;
use super::measure::{Effort, compare};
use super::place::Place;

type Pair<const WORDS: usize> = (Sender<Message<WORDS>>, Receiver<Message<WORDS>>);

/// The number of messages that the channels have room for.
const DEPTH: usize = 4;

fn open<const WORDS: usize>(place: &Place) -> Pair<WORDS> {
    let name = place.name("Local", &format!("frames {WORDS}"));
    let mut options = Options::new();
    options.capacity(DEPTH);
    let sender = options.open_or_create(&name).expect("a sender");
    (sender, options.open_or_create(&name).expect("a receiver"))
}

/// Sends a message from its slot and receives it in its slot. Nothing accesses its bytes.
fn pass<const WORDS: usize>((sender, receiver): &mut Pair<WORDS>) {
    sender.loan().expect("a receiver").send().expect("its own loan");
    drop(receiver.sample().expect("a sender"));
}

/// Prints the row of one thread that hands messages over to itself.
pub(crate) fn row(place: &Place, effort: Effort) {
    let (mut large, mut short) = (open::<{ 1 << 17 }>(place), open::<8>(place));
    let comparison = compare(effort, || pass(&mut large), || pass(&mut short));
    comparison.print("hand-over in place", Some(1.3));
}
