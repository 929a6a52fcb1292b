//! The commands `send` and `recv`, tested on the real executable.

mod harness;

use std::io::Read as _;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Held, PATIENCE, Place, Ran};
#[cfg(unix)]
use pagemate::channel::request;
use pagemate::channel::{Options, broadcast, spsc, watch};
use serde_json::Value;

impl Place {
    /// Calls `info` repeatedly until the channel has sent this number of messages.
    #[track_caller]
    fn until_sent(&self, name: &str, count: u64) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ran = self.run(&["info", name, "--json"]);
            if ran.code == Some(0) {
                let info: Value = serde_json::from_slice(&ran.bytes).unwrap();
                let sent = info["state"]["sent"].as_u64();
                if cfg!(windows) || sent.is_some_and(|sent| sent >= count) {
                    return info;
                }
            }
            assert!(Instant::now() < deadline, "{name} does not exist, or sent less than {count}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Calls `info` repeatedly until the channel has this number of receivers.
    #[track_caller]
    fn until_receivers(&self, name: &str, count: u64) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let info = self.until_sent(name, 0);
            if info["state"]["receivers"] == count {
                return info;
            }
            assert!(Instant::now() < deadline, "{name} has not {count} receivers: {info}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Starts `recv` with these arguments, and returns the thread that waits for its end.
    fn start(&self, args: &[&str]) -> thread::JoinHandle<Ran> {
        let mut command = self.command(args);
        thread::spawn(move || Ran::of(&mut command, b""))
    }
}

#[test]
fn lines_cross_from_the_input_of_send_to_the_output_of_recv_in_either_order() {
    let place = Place::new();
    let lines: Vec<String> = (0..5000).map(|i| format!("line {i}\n")).collect();
    let lines = lines.concat();
    for follow in [true, false] {
        let name = place.name("ticks");
        let receiver = follow.then(|| place.start(&["recv", &name, "--follow", "--count", "5000"]));
        let path = place.file("lines", lines.as_bytes());
        let sender = place.start(&["send", &name, "--file", &path, "--capacity", "16"]);
        let receiver = receiver.unwrap_or_else(|| place.start(&["recv", &name, "--wait"]));
        assert_eq!(receiver.join().unwrap().text(), lines);
        assert_eq!(sender.join().unwrap().text(), "");
    }
}

#[test]
fn every_form_of_messages_keeps_all_bytes() {
    let place = Place::new();
    let name = place.name("forms");
    for (form, input) in [("hex", &b"00ff0a\n\n41\n"[..]), ("frames", b"\x02\0\0\0\n\0\0\0\0\0")] {
        let mut command = place.command(&["send", &name, "--as", form]);
        let input = input.to_vec();
        let sent = input.clone();
        let sender = thread::spawn(move || Ran::of(command.stdin(Stdio::piped()), &sent));
        let received = place.run(&["recv", &name, "--as", form, "--wait"]);
        assert_eq!((received.code, received.bytes), (Some(0), input), "{}", received.errors);
        assert_eq!(sender.join().unwrap().text(), "");
    }
}

#[test]
fn a_channel_with_typed_messages_is_read_and_written_in_hexadecimal_digits() {
    let place = Place::new();
    let name = place.name("typed");
    // The commands look for the channel in the directory of this process.
    let run = |args: &[&str], input: &[u8]| {
        Ran::of(place.command(args).env_remove("PAGEMATE_DIR").stdin(Stdio::piped()), input)
    };
    let mut receiver = spsc::Receiver::<[u8; 2]>::create_new(&name).unwrap();
    let sent = run(&["send", &name, "--as", "hex", "--no-wait"], b"01 ff\n");
    assert_eq!(sent.text(), "");
    assert_eq!(receiver.recv(), Ok([1, 255]));
    let wrong = run(&["send", &name, "--text", "abc"], b"").error_line(2);
    assert!(
        wrong.ends_with("the message has 3 bytes, and messages of this channel have exactly 2")
    );
    drop(receiver);

    let mut sender: spsc::Sender<[u8; 2]> = Options::new().create_new(&name).unwrap();
    sender.send_all(&[[1, 2], [3, 255]]).unwrap();
    let printed = run(&["recv", &name, "--count", "2"], b"");
    assert_eq!(printed.text(), "0102\n03ff\n");
}

#[test]
fn failures_name_the_cause_and_the_remedy() {
    let place = Place::new();
    let name = place.name("bad");
    let line = place.run(&["recv", &name]).error_line(1);
    assert!(line.contains("no process holds it; --wait waits until one does"), "{line}");
    let line = place.run(&["send", &name, "--file", "/no/such"]).error_line(2);
    assert!(line.contains("read file \"/no/such\""), "{line}");
    let line = place.run_with(&["send", &name, "--max-len", "2"], b"ab\nabc\n").error_line(2);
    assert!(line.contains("message 2: a message of this channel has at most 2 bytes"), "{line}");
    let line = place.run(&["send", &name, "--text", "x", "--timeout", "50ms"]).error_line(1);
    assert!(line.ends_with("1 message was not received within 50ms"), "{line}");
    let full = ["send", &name, "--text=x", "--text=y", "--capacity=1", "--timeout=50ms"];
    let line = place.run(&full).error_line(1);
    assert!(line.ends_with("the channel was full for 50ms"), "{line}");
    let line = place.run(&["send", &name, "--text", "x", "--capacity", "0"]).error_line(2);
    assert!(line.contains("use at least 1"), "{line}");
    place.run(&["send", &name, "--timeout", "1s", "--no-wait"]).usage_error();
    for args in [["recv", &name, "--count", "-1"], ["send", &name, "--capacity", "-1"]] {
        let error = place.run(&args).usage_error();
        assert!(error.contains("invalid value '-1'"), "{error}");
    }
    if cfg!(unix) {
        let shared = ["send", &name, "--sharing", "everyone-read-write", "--text", "x"];
        let line = place.run(&shared).error_line(2);
        assert!(line.contains("other users cannot open a local name; add --global"), "{line}");
    }

    let section = place.name("section");
    let _held = place.hold(&["share", &section, "--size", "1"]);
    for command in ["send", "recv"] {
        let args = [command, &section, if command == "send" { "--text=x" } else { "--count=1" }];
        let line = place.run(&args).error_line(2);
        // On Windows a section of zeros looks like a channel whose creator has not completed it.
        let cause = if cfg!(windows) { "did not complete it" } else { "is a section)" };
        assert!(line.contains(cause), "{line}");
    }
}

/// Windows does not report the number of receivers, for which the test waits.
#[cfg(not(windows))]
#[test]
fn a_second_receiver_of_a_channel_for_one_is_refused_while_the_first_lives() {
    let place = Place::new();
    let name = place.name("second");
    let mut command = place.command(&["send", &name, "--kind", "spsc"]);
    let mut sender = Held::start_silent(command.stdin(Stdio::piped()));
    place.until_sent(&name, 0);
    let first = place.start(&["recv", &name]);
    place.until_receivers(&name, 1);
    let line = place.run(&["recv", &name]).error_line(2);
    assert!(line.contains("is its receiver and is alive"), "{line}");
    sender.close_input();
    assert!(sender.wait().success());
    assert_eq!(first.join().unwrap().text(), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_message_that_recv_failed_to_print_is_received_again() {
    let place = Place::new();
    let name = place.name("unprinted");
    let mut command = place.command(&["send", &name, "--follow", "--text", "1", "--text", "2"]);
    let sender = thread::spawn(move || Ran::of(&mut command, b""));
    place.until_sent(&name, 2);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Ran::of(place.command(&["recv", &name]).stdout(full), b"");
    assert!(ran.error_line(2).contains("write standard output"));
    assert_eq!(place.run(&["recv", &name, "--count", "2"]).text(), "1\n2\n");
    assert_eq!(sender.join().unwrap().text(), "");
}

#[cfg(unix)]
#[test]
fn a_sender_whose_receiver_ends_names_the_remedy() {
    let place = Place::new();
    let name = place.name("ended");
    let lines = place.file("lines", "line\n".repeat(100).as_bytes());
    let sender = place.start(&["send", &name, "--file", &lines, "--capacity", "4"]);
    assert_eq!(place.run(&["recv", &name, "--wait", "--count", "1"]).text(), "line\n");
    let line = sender.join().unwrap().error_line(2);
    assert!(
        line.contains("messages were not received: its receiver ended; --follow waits"),
        "{line}"
    );
}

#[test]
fn receivers_of_the_default_kind_share_the_messages() {
    let place = Place::new();
    let name = place.name("shared");
    let receivers = [0, 1].map(|_| place.start(&["recv", &name, "--follow", "--count", "100"]));
    let lines: Vec<String> = (0..200).map(|i| format!("{i}\n")).collect();
    let path = place.file("lines", lines.concat().as_bytes());
    // Two senders may have the channel, too.
    let mut other = place.command(&["send", &name]);
    let mut other = Held::start_silent(other.stdin(Stdio::piped()));
    assert_eq!(place.run(&["send", &name, "--file", &path]).text(), "");
    other.close_input();
    assert!(other.wait().success());
    let mut received = Vec::new();
    for receiver in receivers {
        let text = receiver.join().unwrap().text();
        let numbers: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        received.extend(numbers);
    }
    received.sort_unstable();
    assert!(received.iter().copied().eq(0..200), "{received:?}");
}

#[test]
fn every_receiver_of_a_broadcast_channel_gets_every_message() {
    if cfg!(windows) {
        // `info` has no state there, so that the test cannot know when both receivers are there.
        return;
    }
    let place = Place::new();
    let name = place.name("broadcast");
    let mut sender = place.command(&["send", &name, "--kind", "broadcast", "--capacity", "4"]);
    let mut sender = Held::start_silent(sender.stdin(Stdio::piped()));
    let receivers = [0, 1, 2].map(|_| place.start(&["recv", &name, "--wait"]));
    let info = place.until_receivers(&name, 3);
    assert_eq!(info["state"]["channel"], "broadcast");
    let lines: Vec<String> = (0..100).map(|i| format!("{i}\n")).collect();
    sender.write(lines.concat().as_bytes());
    sender.close_input();
    assert!(sender.wait().success());
    for receiver in receivers {
        assert_eq!(receiver.join().unwrap().text(), lines.concat());
    }
}

#[test]
fn a_broadcast_begins_when_a_receiver_is_there() {
    let place = Place::new();
    let name = place.name("first");
    let broadcast = ["send", &name, "--kind", "broadcast", "--text", "1"];
    let line = place.run(&[&broadcast[..], &["--timeout", "50ms"]].concat()).error_line(1);
    assert!(line.ends_with("no receiver came within 50ms"), "{line}");
    assert_eq!(place.run(&[&broadcast[..], &["--no-wait"]].concat()).text(), "");
    let sender = place.start(&broadcast);
    assert_eq!(place.run(&["recv", &name, "--wait"]).text(), "1\n");
    assert_eq!(sender.join().unwrap().text(), "");
    let line = place.run(&["send", &name, "--lossy", "--text", "1"]).error_line(2);
    assert!(line.contains("add --kind broadcast"), "{line}");
}

#[test]
fn a_slow_receiver_of_a_lossy_channel_warns_of_missed_messages() {
    let place = Place::new();
    let name = place.name("lossy");
    let mut options = Options::new();
    options.capacity(4).max_len(1 << 20).lossy(true);
    let mut sender: broadcast::Sender<[u8]> = options.create_new(&name).unwrap();
    // The command looks for the channel in the directory of this process.
    let mut command = place.command(&["recv", &name]);
    command.env_remove("PAGEMATE_DIR").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut receiver = command.spawn().unwrap();
    assert!(sender.wait_for_receiver(PATIENCE).unwrap());
    // No pipe has room for this message, so that the command blocks after the first bytes of it.
    sender.send(&vec![b'a'; 1 << 20]).unwrap();
    let mut out = [0];
    receiver.stdout.as_mut().unwrap().read_exact(&mut out).unwrap();
    (0..10).for_each(|i| sender.send(format!("{i}").as_bytes()).unwrap());
    drop(sender);
    let ended = receiver.wait_with_output().unwrap();
    let text = String::from_utf8(ended.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0].len(), (1 << 20) - 1);
    assert_eq!(lines[1..], ["6", "7", "8", "9"]);
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert!(errors.contains("6 messages were missed before the next one"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[cfg(unix)]
#[test]
fn list_and_info_show_the_values_of_a_watch_channel() {
    let place = Place::new();
    let name = place.name("watch");
    let mut writer: watch::Writer<u64> = Options::new().create_new(&name).unwrap();
    (0..3).for_each(|value| writer.write(&value).unwrap());
    // The commands look for the channel in the directory of this process.
    let run = |args: &[&str]| Ran::of(place.command(args).env_remove("PAGEMATE_DIR"), b"");
    let list = run(&["list", &name]).text();
    assert!(list.contains(" watch ") && list.contains(" senders 1, values 3 "), "{list}");
    let info = run(&["info", &name]).text();
    assert!(info.contains("state:      watch, senders 1, values 3\n"), "{info}");
}

#[cfg(unix)]
#[test]
fn list_and_info_tell_the_service_of_a_channel_for_responses() {
    let place = Place::new();
    let name = place.name("service");
    let _client = request::Client::<u32, u64>::open_or_create(&name).unwrap();
    let run = |args: &[&str]| Ran::of(place.command(args).env_remove("PAGEMATE_DIR"), b"");
    let list = run(&["list", &format!("{name}*")]).text();
    let kinds: Vec<_> = list.lines().skip(1).map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(kinds, [Some("mpmc"), Some("response")], "{list}");
    let client = list.lines().last().unwrap().split_whitespace().next().unwrap();
    let info = run(&["info", client]).text();
    assert!(info.contains(&format!("service:    {name}, whose responses")), "{info}");
    let json: Value = serde_json::from_slice(&run(&["info", client, "--json"]).bytes).unwrap();
    assert_eq!(json["service"], *name);
    let json: Value = serde_json::from_slice(&run(&["info", &name, "--json"]).bytes).unwrap();
    assert_eq!(json["service"], Value::Null);
}

#[test]
fn recv_prints_the_latest_value_of_a_watch_channel_and_with_follow_each_change() {
    let place = Place::new();
    let name = place.name("value");
    let mut sender = place.command(&["send", &name, "--kind", "watch"]);
    let mut sender = Held::start_silent(sender.stdin(Stdio::piped()));
    sender.write(b"1\n");
    let follower = place.hold(&["recv", &name, "--follow"]);
    assert_eq!(follower.line, "1");
    for _ in 0..2 {
        assert_eq!(place.run(&["recv", &name, "--wait"]).text(), "1\n");
    }
    sender.write(b"2\n");
    assert_eq!(follower.next_line(), "2");
    assert_eq!(place.run(&["recv", &name]).text(), "2\n");
    let line = place.run(&["send", &name, "--text", "x"]).error_line(2);
    assert!(line.contains("is its writer and is alive"), "{line}");
    sender.kill();
    // The follower has the channel open, so that the value stays, and waits for the next writer.
    assert_eq!(place.run(&["recv", &name]).text(), "2\n");
    assert_eq!(place.run(&["send", &name, "--text", "3"]).text(), "");
    assert_eq!(follower.next_line(), "3");
    let ended = place.run(&["recv", &name, "--count", "2"]);
    assert_eq!((ended.code, &*ended.bytes), (Some(1), &b"3\n"[..]));
    assert!(ended.errors.contains("its senders ended after 1 message\n"), "{}", ended.errors);
}

#[test]
fn send_holds_the_watch_channel_that_it_has_created() {
    let place = Place::new();
    let name = place.name("held");
    let sender = ["send", &name, "--kind", "watch", "--text", "21.5"];
    let held = Held::start_silent(&mut place.command(&sender));
    assert_eq!(place.run(&["recv", &name, "--wait"]).text(), "21.5\n");
    assert!(held.error_line().contains("holds the object"));
    drop(held);
    for limit in [&["--timeout", "1ms"][..], &["--no-wait"]] {
        assert_eq!(place.run(&[&sender[..], limit].concat()).text(), "");
        assert!(place.run(&["recv", &name]).error_line(1).contains("no process holds it"));
    }
}

#[test]
fn a_watch_channel_of_a_program_is_read_and_written() {
    let place = Place::new();
    let name = place.name("typed-value");
    // The commands look for the channel in the directory of this process.
    let run = |args: &[&str], input: &[u8]| {
        Ran::of(place.command(args).env_remove("PAGEMATE_DIR").stdin(Stdio::piped()), input)
    };
    let mut reader = watch::Reader::<[u8; 2]>::create_new(&name).unwrap();
    let line = run(&["recv", &name, "--idle", "1ms"], b"").error_line(1);
    assert!(line.ends_with("no message came within 1ms"), "{line}");
    assert_eq!(run(&["send", &name, "--as", "hex"], b"0102\n03ff\n").text(), "");
    assert_eq!((reader.read(), reader.version()), (Ok([3, 255]), 2));
    assert_eq!(run(&["recv", &name], b"").text(), "03ff\n");
    let line = run(&["send", &name, "--text", "abc"], b"").error_line(2);
    assert!(line.ends_with("messages of this channel have exactly 2"), "{line}");
}
