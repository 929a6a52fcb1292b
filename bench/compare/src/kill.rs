//! The cost of a death to the other processes. One process is killed in the middle of a call, at many
//! moments of it: after the first instruction, and so on to the last one. A debugger's interface steps
//! the process, so that each moment is exact, in every library alike.

use std::io;
use std::time::{Duration, Instant};

use crate::crowd::{End, open_line};
use crate::group::{self, Channel, Pattern};
use crate::member::{self, Failure, Member};
use crate::results::{Results, Value};
use crate::run::Run;
use crate::transport::{Setting, Waiting};

/// Few slots, so that a slot which does not come back is needed again soon.
const DEPTH: usize = 16;

/// The number of messages that the living sender sends after the death.
const AFTER: u64 = 64;

/// The number of the first message after the death.
const FIRST: u64 = 1000;

/// A survivor that takes longer counts as stuck for ever.
const STUCK: Duration = Duration::from_secs(4);

/// The process that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Sender,
    Receiver,
}

pub(crate) fn measure(run: &mut Run, results: &mut Results) {
    for channel in group::ALL {
        if channel.pattern == Pattern::Lossy || !run.wants(channel.name) {
            continue;
        }
        // A broadcast has one sender, so that no living sender is left when it is killed.
        let victims: &[Victim] = match channel.pattern {
            Pattern::Queue => &[Victim::Sender, Victim::Receiver],
            _ => &[Victim::Receiver],
        };
        for victim in victims {
            moments(run, results, channel, *victim);
        }
    }
}

/// Kills a process at some moments of a call, and records the cost of each.
fn moments(run: &mut Run, results: &mut Results, channel: &'static Channel, victim: Victim) {
    let steps = match Scene::open(run, channel, victim).and_then(|mut scene| scene.count_steps()) {
        Ok(steps) => steps,
        Err(failure) => {
            println!("  {}, {victim:?}: {} before a death", channel.name, failure.name());
            return;
        }
    };
    let wanted = run.effort.moments();
    let (mut delays, mut lost, mut stuck) = (Vec::new(), Vec::new(), 0);
    for number in 0..wanted {
        let moment = steps * number / wanted;
        let cost = Scene::open(run, channel, victim).and_then(|scene| scene.kill_after(moment));
        match cost {
            Ok(Cost { delay, lost: messages }) => {
                delays.push(delay.as_secs_f64() * 1e3);
                lost.push(messages as f64);
            }
            Err(_) => stuck += 1,
        }
    }
    let row = format!(
        "a {} killed in a call",
        if victim == Victim::Sender { "sender" } else { "receiver" }
    );
    println!(
        "  {}, {row}: {steps} steps, {stuck} of {wanted} deaths leave others stuck",
        channel.name
    );
    let mut value = |unit, values| {
        let (row, subject) = (row.clone(), channel.name.to_owned());
        results.values.push(Value { table: "deaths", row, subject, unit, values });
    };
    value("ms until the others go on", delays);
    value("messages of others lost", lost);
    value("% of deaths that stop the others", vec![f64::from(stuck) / wanted as f64 * 100.0]);
}

/// The cost of one death.
struct Cost {
    /// The time from the death until the living receiver has the messages of the living sender.
    delay: Duration,
    lost: u64,
}

/// A channel with a victim and with living processes.
struct Scene {
    victim: Member,
    sender: Member,
    receiver: Member,
    role: Victim,
    _creator: Member,
}

impl Scene {
    fn open(run: &mut Run, channel: &'static Channel, role: Victim) -> Result<Scene, Failure> {
        let setting: Setting = run.setting(DEPTH, Waiting::Default);
        let processors = member::processors();
        let start = |what: &str, processor: usize| {
            let mut member = Member::start("kill", processors[processor]);
            member.ask(open_line(what, channel, &setting))?;
            Ok(member)
        };
        let creator = start("create", 0)?;
        let sender = start("send", 0)?;
        let receiver = start("receive", 1)?;
        let victim = start(if role == Victim::Sender { "send" } else { "receive" }, 1)?;
        let mut scene = Scene { victim, sender, receiver, role, _creator: creator };
        // The living sender sends some messages first. In a queue that has a receiver as victim they
        // stay in the channel for the victim.
        scene.sender.ask("send|1|4")?;
        match role {
            Victim::Sender => scene.receiver.ask("take|4")?,
            Victim::Receiver => String::new(),
        };
        scene.victim.tell("trace")?;
        debugger::wait_for_stop(scene.victim.id())?;
        Ok(scene)
    }

    /// Steps the victim to the end of its call, and returns the number of instructions.
    fn count_steps(&mut self) -> Result<usize, Failure> {
        const MOST: usize = 200_000;
        for step in 0..MOST {
            if debugger::step(self.victim.id())? == debugger::Step::End {
                return Ok(step);
            }
        }
        Ok(MOST)
    }

    /// Kills the victim after so many instructions, and lets the living processes go on.
    fn kill_after(mut self, steps: usize) -> Result<Cost, Failure> {
        for _ in 0..steps {
            if debugger::step(self.victim.id())? == debugger::Step::End {
                break;
            }
        }
        debugger::kill(self.victim.id());
        let start = Instant::now();
        self.receiver.tell(format!("take until|{}", FIRST + AFTER - 1))?;
        self.sender.tell(format!("send|{FIRST}|{AFTER}"))?;
        self.sender.hear_within(STUCK)?;
        let answer = self.receiver.hear_within(STUCK)?;
        let delay = start.elapsed();
        let received: u64 = answer.parse().map_err(|_| Failure::Failed)?;
        // A message that the dead receiver had in its hand counts as lost only if others are lost as well.
        let due = if self.role == Victim::Receiver { AFTER + 4 } else { AFTER };
        let in_hand = u64::from(self.role == Victim::Receiver);
        Ok(Cost { delay, lost: due.saturating_sub(received.saturating_add(in_hand).min(due)) })
    }
}

/// The main function of a process of such a scene.
pub(crate) fn member(processor: usize) {
    let mut end = End::default();
    member::serve(processor, |line| {
        let words: Vec<&str> = line.split('|').collect();
        let number = |word: &str| word.parse::<u64>().expect("a number");
        match words[..] {
            ["send", first, count] => {
                let sender = end.sender.as_mut().expect("a sender");
                for message in number(first)..number(first) + number(count) {
                    while !sender.send(message) {}
                }
                "sent".to_owned()
            }
            ["take", count] => {
                let receiver = end.receiver.as_mut().expect("a receiver");
                let mut left = number(count);
                while left > 0 {
                    left -= u64::from(receiver.receive().is_some());
                }
                "taken".to_owned()
            }
            ["take until", last] => {
                let receiver = end.receiver.as_mut().expect("a receiver");
                // After the last message, wait a moment for messages that come again.
                let (mut count, mut over, mut idle) = (0_u64, false, 0);
                while !(over && idle > 2) {
                    match receiver.receive() {
                        Some(message) => {
                            count += 1;
                            over |= message == number(last);
                            idle = 0;
                        }
                        None => idle += 1,
                    }
                }
                count.to_string()
            }
            ["trace"] => {
                debugger::trace_me();
                match (&mut end.sender, &mut end.receiver) {
                    (Some(sender), _) => _ = sender.send(100),
                    (None, Some(receiver)) => _ = receiver.receive(),
                    (None, None) => panic!("a process with an end"),
                }
                debugger::stop();
                "survived".to_owned()
            }
            _ => {
                end.open(&words);
                "ready".to_owned()
            }
        }
    });
}

/// The system's interface for debuggers.
mod debugger {
    use super::{Failure, io};

    /// The result of a step.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Step {
        Middle,
        /// The process has reached the end of its call.
        End,
    }

    /// Makes this process one that its parent can step, and stops it.
    pub(super) fn trace_me() {
        // SAFETY: the request has no arguments.
        let done = unsafe { libc::ptrace(libc::PTRACE_TRACEME) };
        assert_eq!(done, 0, "{}", io::Error::last_os_error());
        stop();
    }

    pub(super) fn stop() {
        // SAFETY: raising a signal has no preconditions.
        unsafe { libc::raise(libc::SIGSTOP) };
    }

    fn wait(process: u32) -> Result<i32, Failure> {
        let (mut status, process) = (0, process.cast_signed());
        // SAFETY: the pointer is to a local.
        let waited = unsafe { libc::waitpid(process, &raw mut status, libc::__WALL) };
        if waited == process && libc::WIFSTOPPED(status) {
            Ok(status)
        } else {
            Err(Failure::Failed)
        }
    }

    pub(super) fn wait_for_stop(process: u32) -> Result<(), Failure> {
        wait(process).map(|_| ())
    }

    /// Lets the process execute one instruction.
    pub(super) fn step(process: u32) -> Result<Step, Failure> {
        let no = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: the request uses no memory.
        let done = unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, process.cast_signed(), no, no) };
        if done != 0 {
            return Err(Failure::Failed);
        }
        let status = wait(process)?;
        let end = libc::WSTOPSIG(status) == libc::SIGSTOP;
        Ok(if end { Step::End } else { Step::Middle })
    }

    /// Kills the process, and waits until it is gone.
    pub(super) fn kill(process: u32) {
        let (mut status, process) = (0, process.cast_signed());
        // SAFETY: the process is a child that has not been waited for, and the pointer is to a local.
        unsafe {
            libc::kill(process, libc::SIGKILL);
            libc::waitpid(process, &raw mut status, libc::__WALL);
        }
    }
}
