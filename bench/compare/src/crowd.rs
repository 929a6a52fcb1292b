//! One sender and several receivers that all get each message, and queues with several senders and
//! receivers.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::group::{self, Channel, Pattern, Receive, Send};
use crate::member::{self, Failure, Member};
use crate::results::{Results, Value};
use crate::run::Run;
use crate::transport::{Setting, Waiting};

const DEPTH: usize = 1024;

/// The number of a message that ends a round for one receiver.
const STOP: u64 = u64::MAX;

/// A receiver gives up after so many calls without a message.
const IDLE: usize = 100;

/// One sender, and one to eight receivers.
pub(crate) fn fan_out(run: &mut Run, results: &mut Results) {
    for receivers in [1, 2, 4, 8] {
        let channels = group::ALL.iter().filter(|channel| channel.pattern != Pattern::Queue);
        measure(run, results, "fan-out", channels.collect(), 1, receivers);
    }
}

/// As many senders as receivers.
pub(crate) fn queues(run: &mut Run, results: &mut Results) {
    for side in [1, 4] {
        let channels = group::ALL.iter().filter(|channel| channel.pattern == Pattern::Queue);
        measure(run, results, "queues", channels.collect(), side, side);
    }
}

fn measure(
    run: &mut Run,
    results: &mut Results,
    table: &'static str,
    channels: Vec<&'static Channel>,
    senders: usize,
    receivers: usize,
) {
    let row = format!("{senders} to {receivers}");
    let count = run.effort.crowd_messages();
    let mut scenes = Vec::new();
    for channel in channels {
        if !run.wants(channel.name) {
            continue;
        }
        let setting = run.setting(DEPTH, Waiting::Default);
        match Scene::open(channel, &setting, senders, receivers) {
            Ok(scene) => scenes.push(scene),
            Err(failure) => println!("  {}, {row}: {}", channel.name, failure.name()),
        }
    }
    for _ in 0..run.effort.rounds() {
        for scene in &mut scenes {
            if scene.failure.is_none()
                && let Err(failure) = scene.play(count)
            {
                println!("  {}, {row}: {}", scene.channel.name, failure.name());
                scene.failure = Some(failure);
            }
        }
    }
    for scene in scenes {
        let subject = scene.channel.name.to_owned();
        let mut value = |unit, values: Vec<f64>| {
            let (row, subject) = (row.clone(), subject.clone());
            results.values.push(Value { table, row, subject, unit, values });
        };
        value("million deliveries per second", scene.rates);
        value("% delivered", scene.delivered);
    }
}

/// A channel and its processes.
struct Scene {
    channel: &'static Channel,
    _creator: Member,
    senders: Vec<Member>,
    receivers: Vec<Member>,
    rates: Vec<f64>,
    delivered: Vec<f64>,
    failure: Option<Failure>,
}

impl Scene {
    fn open(
        channel: &'static Channel,
        setting: &Setting,
        senders: usize,
        receivers: usize,
    ) -> Result<Scene, Failure> {
        let processors = member::processors();
        let start = |role: &str, processor: usize| {
            let mut member = Member::start("crowd", processor);
            member.ask(open_line(role, channel, setting))?;
            Ok(member)
        };
        let creator = start("create", processors[0])?;
        // Several senders and receivers are spread over both processors. One sender has a processor of
        // its own.
        let spread = senders > 1;
        let at =
            |number: usize, own: usize| processors[if spread { (number + own) % 2 } else { own }];
        let senders =
            (0..senders).map(|number| start("send", at(number, 0))).collect::<Result<_, _>>()?;
        let receivers = (0..receivers)
            .map(|number| start("receive", at(number, 1)))
            .collect::<Result<_, _>>()?;
        Ok(Scene {
            channel,
            _creator: creator,
            senders,
            receivers,
            rates: Vec::new(),
            delivered: Vec::new(),
            failure: None,
        })
    }

    fn play(&mut self, count: u64) -> Result<(), Failure> {
        let everyone = self.channel.pattern != Pattern::Queue;
        let each = count / self.senders.len() as u64;
        for receiver in &mut self.receivers {
            receiver.ask("take")?;
        }
        for sender in &mut self.senders {
            sender.tell(format!("send|{each}"))?;
        }
        let mut start = u64::MAX;
        for sender in &mut self.senders {
            let begun: u64 = sender.hear()?.parse().map_err(|_| Failure::Failed)?;
            start = start.min(begun);
        }
        let stops = if everyone { 1 } else { self.receivers.len() };
        self.senders[0].ask(format!("stop|{stops}"))?;
        let (mut received, mut end) = (0, start + 1);
        for receiver in &mut self.receivers {
            let answer = receiver.hear()?;
            let (count, last) = answer.split_once('|').ok_or(Failure::Failed)?;
            received += count.parse::<u64>().map_err(|_| Failure::Failed)?;
            end = end.max(last.parse::<u64>().map_err(|_| Failure::Failed)?);
        }
        let sent = each * self.senders.len() as u64;
        let due = if everyone { sent * self.receivers.len() as u64 } else { sent };
        self.rates.push(received as f64 / (end - start) as f64 * 1e3);
        self.delivered.push(received as f64 / due as f64 * 100.0);
        Ok(())
    }
}

/// Returns the command by which a member opens its end of a channel.
pub(crate) fn open_line(role: &str, channel: &Channel, setting: &Setting) -> String {
    let Setting { name, folder, depth, .. } = setting;
    format!("{role}|{}|{name}|{}|{depth}", channel.name, folder.display())
}

/// An end of a channel in a member.
#[derive(Default)]
pub(crate) struct End {
    created: Option<Box<dyn std::any::Any>>,
    pub(crate) sender: Option<Box<dyn Send>>,
    pub(crate) receiver: Option<Box<dyn Receive>>,
}

impl End {
    /// Executes a command of [`open_line`].
    pub(crate) fn open(&mut self, words: &[&str]) {
        let [role, channel, name, folder, depth] = words[..] else { panic!("five words") };
        let channel = group::named(channel);
        let setting = Setting {
            name: name.to_owned(),
            folder: folder.into(),
            depth: depth.parse().expect("a number"),
            waiting: Waiting::Default,
        };
        match role {
            "create" => self.created = Some((channel.create)(&setting)),
            "send" => self.sender = Some((channel.sender)(&setting)),
            _ => self.receiver = Some((channel.receiver)(&setting)),
        }
    }
}

/// The main function of a process of a crowd.
pub(crate) fn member(processor: usize) {
    let mut end = End::default();
    member::serve(processor, |line| {
        let words: Vec<&str> = line.split('|').collect();
        let number = |word: &str| word.parse::<u64>().expect("a number");
        match words[..] {
            ["send", count] => {
                let start = now();
                let sender = end.sender.as_mut().expect("a sender");
                for message in 0..number(count) {
                    until_sent(&mut **sender, message);
                }
                start.to_string()
            }
            ["stop", count] => {
                let sender = end.sender.as_mut().expect("a sender");
                for _ in 0..number(count) {
                    until_sent(&mut **sender, STOP);
                }
                "stopped".to_owned()
            }
            ["take"] => {
                member::reply("begun");
                let (count, last) = take(&mut **end.receiver.as_mut().expect("a receiver"));
                format!("{count}|{last}")
            }
            _ => {
                end.open(&words);
                "ready".to_owned()
            }
        }
    });
    // The created channel lives until here.
    drop(end.created);
}

/// Sends a message. Tries again for some seconds.
fn until_sent(sender: &mut dyn Send, number: u64) {
    assert!((0..IDLE).any(|_| sender.send(number)), "the channel accepts nothing");
}

/// Receives messages until the one that ends the round. Returns their number, and the time of the last
/// one.
fn take(receiver: &mut dyn Receive) -> (u64, u64) {
    let (mut count, mut idle) = (0, 0);
    let mut last = now();
    while idle < IDLE {
        match receiver.receive() {
            Some(STOP) => break,
            Some(_) => {
                count += 1;
                idle = 0;
                if count % 256 == 0 {
                    last = now();
                }
            }
            None => idle += 1,
        }
    }
    if idle == 0 {
        last = now();
    }
    (count, last)
}

/// Returns the nanoseconds of a clock that all processes share.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32).as_nanos() as u64
}
