use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use pagemate::channel::{Options, SendError};
use pagemate::{Name, Sharing};

use crate::arguments::{ObjectName, check_sharing};
use crate::bytes;
use crate::channel::{Form, KindArg, Reader, Sending, open_sender};
use crate::description::sharing;
use crate::failure::{Failure, Outcome};
use crate::input::Input;
use crate::signals::StopRequests;
use crate::time::{duration, format_duration};

/// Send messages to the receivers of a channel.
///
/// Each line of standard input is a message; --text gives messages as arguments. If no process holds the
/// name, the command creates the channel. When the channel is full, it waits for a receiver. After the last
/// message it waits until all messages were received, because a channel ends with its last process.
///
/// Each message goes to one receiver. With --kind broadcast it goes to all receivers that are there when it
/// is sent, and the command waits for the first one before it sends anything.
///
/// With --kind watch each message replaces the one before, and receivers get the latest one. If the command has
/// created such a channel, it holds the channel after the last message until Ctrl-C or SIGTERM, because the value
/// ends with the last process that has the channel open.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vmstat -n 1 | pagemate send ticks    # in one shell
  pagemate recv ticks --follow         # in another shell, before or after
  pagemate send jobs --text build --text test
  vmstat -n 1 | pagemate send ticks --kind broadcast --lossy
  pagemate send log --file app.log --max-len 64K
  pagemate send temperature --kind watch --text 21.5

A channel that a program created with messages of one type accepts messages of exactly that \
length; --as hex or --as frames sends bytes that are not text. A program opens a channel by its kind, \
and this command opens a channel of every kind. An existing channel keeps its kind and its capacity.

Exit status:
  0    all messages were sent and received; with --no-wait or to a watch channel, sent
  1    the time of --timeout expired
  2    failure")]
pub(crate) struct Send {
    #[command(flatten)]
    pub(super) object: ObjectName,
    /// Send this text as a message. May be given several times.
    #[arg(long, conflicts_with = "file", allow_hyphen_values = true)]
    text: Vec<String>,
    /// Send the messages in this file; '-' is standard input, which is the default.
    #[arg(long)]
    file: Option<PathBuf>,
    /// The form of messages in the input.
    #[arg(long = "as", value_name = "FORM", default_value = "lines")]
    form: Form,
    /// The kind of a new channel.
    #[arg(long, default_value = "mpmc")]
    kind: KindArg,
    /// Let receivers of a new broadcast channel miss messages if they are slow, instead of waiting for them.
    #[arg(long)]
    lossy: bool,
    /// The number of messages that a new channel has room for, rounded up to a power of two.
    #[arg(long, value_name = "COUNT", default_value = "1024", allow_negative_numbers = true)]
    capacity: usize,
    /// The length of the longest message of a new channel: 4096, 64K.
    #[arg(long, value_name = "SIZE", default_value = "4K", value_parser = bytes::parse)]
    #[arg(allow_negative_numbers = true)]
    max_len: u64,
    /// Let these users open a new channel. For users other than the owner it needs a 'Global\' name.
    #[arg(long, value_name = "WHO", default_value = "owner")]
    #[arg(value_parser = PossibleValuesParser::new(SENDER_SHARINGS).map(|word| sharing(&word)))]
    sharing: Sharing,
    /// Wait for the next receiver if the last one ends before it received all messages. Without this option
    /// the command then fails.
    #[arg(long)]
    follow: bool,
    /// Wait for at most this time while the channel is full, until all messages were received, and for the first
    /// receiver of a broadcast channel, such as 2s, then exit with code 1. Hold a new watch channel for this time, then exit
    /// with code 0.
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    timeout: Option<Duration>,
    /// Wait for no receiver, and end after the last message was sent. Messages are lost if no other
    /// process has the channel open.
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,
}

/// The words for the users that may open a new channel. Each use of a channel writes to it.
const SENDER_SHARINGS: [&str; 3] = ["owner", "group-read-write", "everyone-read-write"];

impl Send {
    pub(crate) fn run(self) -> Outcome {
        let name = self.object.parse()?;
        if self.lossy && self.kind != KindArg::Broadcast {
            let why = "--lossy applies to a broadcast channel; add --kind broadcast";
            return Err(Failure::new(format!("send to \"{name}\": {why}")));
        }
        check_sharing("send to", &name, self.sharing)?;
        // Open the input first: if that fails, no channel is created.
        let path = self.file.as_deref().unwrap_or(Path::new("-"));
        let input = if self.text.is_empty() { Some(Input::open(path)?) } else { None };
        let max_len = usize::try_from(self.max_len).unwrap_or(usize::MAX);
        let mut options = Options::new();
        options.capacity(self.capacity).max_len(max_len).sharing(self.sharing);
        options.any_message_type().await_successor(self.follow).lossy(self.lossy);
        let mut sender = open_sender(&name, &options, self.kind)?;
        let time = self.timeout.unwrap_or(Duration::MAX);
        if !self.no_wait && sender.needs_receiver() && !sender.wait_for_receiver(time)? {
            let time = format_duration(time);
            let why = format!("no receiver came within {time}");
            return Err(Failure::No(format!("send to \"{name}\": {why}")));
        }
        match input {
            Some(input) => self.send_input(&name, sender.as_mut(), input)?,
            None => {
                for text in &self.text {
                    self.send(&name, sender.as_mut(), text.as_bytes())?;
                }
            }
        }
        if self.no_wait {
            return Ok(());
        }
        if sender.has_latest_value() {
            if sender.was_created() {
                StopRequests::install()?.wait(self.timeout);
            }
            return Ok(());
        }
        match sender.wait_until_received(time) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let left = left(sender.as_ref());
                let time = format_duration(time);
                Err(Failure::No(format!("send to \"{name}\": {left} within {time}")))
            }
            Err(error) => Err(failure(&name, sender.as_ref(), error)),
        }
    }

    /// Sends the messages of the input.
    fn send_input(&self, name: &Name, sender: &mut dyn Sending, input: Input) -> Outcome {
        let input_name = input.name().to_owned();
        let mut reader = Reader::new(input, self.form, sender.max_len().0);
        let mut message = Vec::new();
        while reader
            .read(&mut message)
            .map_err(|why| Failure::new(format!("read {input_name}: {why}")))?
        {
            self.send(name, sender, &message)?;
        }
        Ok(())
    }

    fn send(&self, name: &Name, sender: &mut dyn Sending, message: &[u8]) -> Outcome {
        let time = self.timeout.unwrap_or(Duration::MAX);
        sender.send(message, time).map_err(|error| match (error, sender.max_len()) {
            (SendError::WrongLength, (max, is_limit)) => {
                let relation = if is_limit { "at most" } else { "exactly" };
                let len = bytes::bytes(message.len() as u64);
                Failure::new(format!(
                    "send to \"{name}\": the message has {len}, and messages of this channel have \
                     {relation} {max}"
                ))
            }
            (SendError::TimedOut, _) => {
                let time = format_duration(time);
                Failure::No(format!("send to \"{name}\": the channel was full for {time}"))
            }
            (error, _) => failure(name, sender, error),
        })
    }
}

fn failure(name: &Name, sender: &dyn Sending, error: SendError) -> Failure {
    let why = match error {
        SendError::Disconnected => {
            let left = left(sender);
            format!("{left}: its receiver ended; --follow waits for the next one")
        }
        error => error.to_string(),
    };
    Failure::new(format!("send to \"{name}\": {why}"))
}

/// Returns how many messages were not received, in words.
fn left(sender: &dyn Sending) -> String {
    match sender.pending() {
        1 => "1 message was not received".to_owned(),
        count => format!("{count} messages were not received"),
    }
}
