//! Two processes, each on a processor of its own, that exchange messages through each kind of ring
//! in turn.

use std::hint::black_box;
use std::time::Duration;

use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;

use super::contender::{Message, Pagemate, Receiving, Ring, Sending};
use super::measure::{Clock, Comparison, Effort, Spread, Watch, time};
use super::peer::{self, Peer};
use super::place::Place;
use super::processor::{first_and_last, pinned_to};
use super::rings::{HeadTail, InSlot};

/// The pattern in which the two sides exchange messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// Each message in one direction is answered by one message in the other.
    Trip,
    /// Messages in one direction, one by one.
    Single,
    /// Messages in one direction, 64 at a time.
    Batch,
}

const EXCHANGES: [Exchange; 3] = [Exchange::Trip, Exchange::Single, Exchange::Batch];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The kind of channel: "spsc" or "mpmc".
    pub(crate) kind: &'static str,
    pub(crate) exchange: Exchange,
    /// The length of a message in words of eight bytes: 8 or 512.
    pub(crate) words: usize,
    pub(crate) depth: usize,
}

/// The kinds of minimal rings.
const MINIMAL: [&str; 3] = ["positions", "sequence, own line", "sequence, packed"];

const BATCH: usize = 64;

/// The number of round trips at the start of each round. They show how far apart the processors are: a virtual
/// machine may move between processors that share a cache and others.
const PROBE: usize = 256;

/// The time of one chunk of messages.
const CHUNK: Duration = Duration::from_millis(20);

/// One side of one kind of ring.
trait Side {
    /// Exchanges this many messages, and returns the nanoseconds that it took.
    fn first(&mut self, exchange: Exchange, count: usize) -> f64;
    fn second(&mut self, exchange: Exchange, count: usize);
}

/// The two rings between the processes, seen from one side.
struct Pair<S, R, const WORDS: usize> {
    to: S,
    from: R,
    batch: Vec<Message<WORDS>>,
}

fn open<const WORDS: usize>(kind: &str, name: &str, depth: usize, first: bool) -> Box<dyn Side> {
    fn pair<T: Ring<WORDS>, const WORDS: usize>(
        name: &str,
        depth: usize,
        first: bool,
    ) -> Box<dyn Side>
    where
        T::Sending: 'static,
        T::Receiving: 'static,
    {
        let (to, from) = if first { ("there", "back") } else { ("back", "there") };
        let to = T::sending(&format!("{name} {to}"), depth);
        let from = T::receiving(&format!("{name} {from}"), depth);
        Box::new(Pair::<_, _, WORDS> { to, from, batch: vec![[7; WORDS]; BATCH] })
    }
    match kind {
        "spsc" => pair::<Pagemate<Spsc>, WORDS>(name, depth, first),
        "mpmc" => pair::<Pagemate<Mpmc>, WORDS>(name, depth, first),
        "positions" => pair::<HeadTail, WORDS>(name, depth, first),
        "sequence, own line" => pair::<InSlot<64>, WORDS>(name, depth, first),
        "sequence, packed" => pair::<InSlot<8>, WORDS>(name, depth, first),
        _ => panic!("{kind}"),
    }
}

fn sum(words: &[u64]) -> u64 {
    words.iter().fold(0, |sum: u64, word| sum.wrapping_add(*word))
}

impl<S: Sending<WORDS>, R: Receiving<WORDS>, const WORDS: usize> Side for Pair<S, R, WORDS> {
    fn first(&mut self, exchange: Exchange, count: usize) -> f64 {
        let watch = Watch::by(Clock::Wall);
        let mut message = [0; WORDS];
        match exchange {
            Exchange::Trip => {
                for number in 0..count {
                    message[0] = number as u64;
                    self.to.send(black_box(&message));
                    black_box(self.from.receive());
                }
            }
            Exchange::Single => {
                for number in 0..count {
                    message.fill(number as u64);
                    self.to.send(black_box(&message));
                }
            }
            Exchange::Batch => {
                for _ in 0..count / BATCH {
                    self.to.send_batch(black_box(&self.batch));
                }
            }
        }
        if exchange != Exchange::Trip {
            // The other side sends one message when it has received all of these.
            black_box(self.from.receive());
        }
        watch.ns()
    }

    fn second(&mut self, exchange: Exchange, count: usize) {
        match exchange {
            Exchange::Trip => {
                for _ in 0..count {
                    let message = self.from.receive();
                    self.to.send(&message);
                }
            }
            Exchange::Single if WORDS <= 8 => {
                for _ in 0..count {
                    black_box(sum(&self.from.receive()));
                }
            }
            Exchange::Single => {
                let message: &mut Message<WORDS> = self.batch.first_mut().expect("it has messages");
                for _ in 0..count {
                    self.from.receive_into(message);
                    black_box(sum(message));
                }
            }
            Exchange::Batch => {
                let mut left = count / BATCH * BATCH;
                while left > 0 {
                    self.from.receive_batch(&mut self.batch, left.min(BATCH));
                    left -= black_box(&self.batch).len();
                }
                self.batch.resize(BATCH, [7; WORDS]);
            }
        }
        if exchange != Exchange::Trip {
            self.to.send(&[1; WORDS]);
        }
    }
}

/// Prints one row. The channel may take at most `limit` times as long as the fastest minimal ring.
pub(crate) fn row(place: &Place, effort: Effort, row: Row, limit: f64) {
    let Row { kind, exchange, words, depth } = row;
    let [first, last] = first_and_last();
    let mut peer = pinned_to(last, || Peer::start(&["second"]));
    pinned_to(first, || {
        let mut sides: Vec<Box<dyn Side>> = Vec::new();
        let rings = [kind, MINIMAL[0], MINIMAL[1], MINIMAL[2]];
        for (number, kind) in rings.iter().enumerate() {
            let name =
                place.name("Local", &format!("channel {number} {exchange:?} {words} {depth}"));
            sides.push(match words {
                8 => open::<8>(kind, &name, depth, true),
                _ => open::<512>(kind, &name, depth, true),
            });
            peer.send(format!("open|{kind}|{name}|{depth}|{words}"));
            assert_eq!(peer.receive(), "opened");
        }
        let mut play = |ring: usize, exchange: Exchange, count: usize| {
            let what = EXCHANGES.iter().position(|other| *other == exchange).expect("one of them");
            peer.send(format!("play|{ring}|{what}|{count}"));
            assert_eq!(peer.receive(), "begun");
            let ns = sides[ring].first(exchange, count);
            assert_eq!(peer.receive(), "done");
            ns
        };
        let trial = 64 * BATCH;
        play(0, exchange, trial);
        let one = play(0, exchange, trial) / trial as f64;
        let chunk = effort.pick(CHUNK, Duration::from_millis(2)).as_nanos() as f64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let count = ((chunk / one) as usize).next_multiple_of(BATCH);
        let mut comparison = Comparison::default();
        let mut all: [Vec<f64>; 1 + MINIMAL.len()] = Default::default();
        let mut trips = Vec::new();
        for _ in 0..effort.pick(40, 3) {
            trips.push(play(2, Exchange::Trip, PROBE) / PROBE as f64);
            let times: Vec<f64> =
                (0..rings.len()).map(|ring| play(ring, exchange, count) / count as f64).collect();
            for (all, ns) in all.iter_mut().zip(&times) {
                all.push(*ns);
            }
            comparison.add(times[0], times[1..].iter().copied().fold(f64::INFINITY, f64::min));
        }
        comparison.print(&format!("{exchange:?}, {} bytes, depth {depth}", words * 8), Some(limit));
        let medians = all.map(|mut times| {
            times.sort_by(f64::total_cmp);
            time(times[times.len() / 2])
        });
        let rings: Vec<String> =
            MINIMAL.iter().zip(&medians[1..]).map(|(ring, ns)| format!("{ring} {ns}")).collect();
        println!("    {}; round trips {} ns", rings.join(", "), Spread::of(trips));
    });
}

/// The main function of the second side.
pub(crate) fn second_side() {
    let mut sides: Vec<Box<dyn Side>> = Vec::new();
    peer::serve(|line| {
        let words: Vec<&str> = line.split('|').collect();
        let number = |word: &str| word.parse::<usize>().expect("a number");
        match words[..] {
            ["open", kind, name, depth, words] => {
                sides.push(match words {
                    "8" => open::<8>(kind, name, number(depth), false),
                    _ => open::<512>(kind, name, number(depth), false),
                });
                "opened".to_owned()
            }
            ["play", ring, exchange, count] => {
                peer::reply("begun");
                sides[number(ring)].second(EXCHANGES[number(exchange)], number(count));
                "done".to_owned()
            }
            _ => panic!("{line}"),
        }
    });
}
