use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use pagemate::Name;
use pagemate::channel::{Options, RecvError};

use crate::arguments::{ObjectName, WaitForName};
use crate::channel::{Form, Receiving, open_receiver};
use crate::failure::{self, Failure, Outcome};
use crate::opening;
use crate::text::escape_line;
use crate::time::{duration, format_duration};

/// Receive the messages of a channel, and print them.
///
/// The command prints each message as soon as it arrives. It ends when the channel is empty and its last
/// sender has ended. With --follow it waits for the name, and after the last sender for the next one. A
/// message stays in the channel until it was printed: if this command is killed, the next receiver gets it.
///
/// Several receivers share the messages of an mpmc channel, which is the kind that 'pagemate send' creates. Each
/// receiver of a broadcast channel gets every message that is sent after it came. If that channel is lossy and
/// this command is too slow, it warns of the messages that it missed. Of a watch channel the command prints the
/// latest value and ends; with --follow or --count it prints the latest value and then each change, and skips
/// the values that are replaced while it prints.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate recv ticks --follow
  pagemate recv jobs --count 1 --idle 10s
  pagemate recv frames --as frames > frames.bin
  pagemate recv temperature             # the latest value of a watch channel
  pagemate recv temperature --follow    # each change of it

Exit status:
  0    the messages were printed
  1    no process holds the name, or a timeout expired
  2    failure")]
pub(crate) struct Recv {
    #[command(flatten)]
    pub(super) object: ObjectName,
    /// Wait until a process creates the channel, and go on after its last sender has ended.
    #[arg(long, conflicts_with = "wait")]
    follow: bool,
    /// End after this number of messages.
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    count: Option<u64>,
    /// Wait for at most this time for each message, such as 2s or 500ms, then exit with code 1.
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    idle: Option<Duration>,
    /// The form of messages in the output. The default is lines, and hex if the channel has messages of
    /// one type.
    #[arg(long = "as", value_name = "FORM")]
    form: Option<Form>,
    /// Print bytes unchanged even if standard output is a terminal, which may interpret them as commands.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    waiting: WaitForName,
}

impl Recv {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        let is_terminal = io::stdout().is_terminal();
        if self.form == Some(Form::Frames) && !self.force && is_terminal {
            let why = "frames can change the state of a terminal; redirect the output, use --as hex, or \
                       add --force";
            return Err(failure(&name, &why));
        }
        let mut receiver = self.open(&name)?;
        let default = if receiver.is_bytes() { Form::Lines } else { Form::Hex };
        let form = self.form.unwrap_or(default);
        let time = self.idle.unwrap_or(Duration::MAX);
        let mut out = io::stdout().lock();
        let mut buffer = Vec::new();
        let mut consume = |message: &[u8], missed| {
            if missed > 0 {
                warn_missed(&name, missed);
            }
            match form {
                Form::Lines if is_terminal && !self.force => {
                    writeln!(out, "{}", escape_line(&String::from_utf8_lossy(message)))
                }
                form => form.write(message, &mut buffer, &mut out).and_then(|()| out.flush()),
            }
        };
        let is_one_value = receiver.has_latest_value() && !self.follow;
        let count = self.count.or(is_one_value.then_some(1));
        let mut printed = 0;
        while count.is_none_or(|count| printed < count) {
            match receiver.recv(time, &mut consume) {
                Ok(consumed) => consumed?,
                Err(RecvError::Disconnected) if count.is_some() => {
                    let why = match printed {
                        1 => "its senders ended after 1 message".to_owned(),
                        printed => format!("its senders ended after {printed} messages"),
                    };
                    return Err(Failure::No(failure_text(&name, &why)));
                }
                Err(RecvError::Disconnected) => return Ok(()),
                Err(RecvError::TimedOut) => {
                    let why = format!("no message came within {}", format_duration(time));
                    return Err(Failure::No(failure_text(&name, &why)));
                }
                Err(error) => return Err(failure(&name, &error)),
            }
            printed += 1;
        }
        Ok(())
    }

    fn open(&self, name: &Name) -> Outcome<Box<dyn Receiving>> {
        let mut options = Options::new();
        options.any_message_type().await_successor(self.follow);
        if !self.follow {
            return self.waiting.open(name, |time| open_receiver(name, &options, time));
        }
        let time = Duration::MAX;
        let found = opening::wait_for(name, time, |time| open_receiver(name, &options, time))?;
        found.ok_or_else(|| opening::timed_out(name, time))
    }
}

/// Warns that the receiver was too slow for a lossy channel.
fn warn_missed(name: &Name, missed: u64) {
    let messages = if missed == 1 { "1 message was" } else { &format!("{missed} messages were") };
    let why = "this receiver was too slow";
    failure::warn(&failure_text(name, &format!("{messages} missed before the next one: {why}")));
}

fn failure_text(name: &Name, why: &str) -> String {
    format!("receive from \"{name}\": {why}")
}

fn failure(name: &Name, why: &impl ToString) -> Failure {
    Failure::new(failure_text(name, &why.to_string()))
}
