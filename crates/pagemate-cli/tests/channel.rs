//! The commands `send` and `recv`, tested on the real executable.

mod harness;

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Held, PATIENCE, Place, Ran};
use pagemate::channel::{Options, spsc};
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
                if cfg!(windows) || info["state"]["sent"] == count {
                    return info;
                }
            }
            assert!(Instant::now() < deadline, "{name} does not exist, or sent less than {count}");
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
    let line = place.run(&["send", &name, "--text", "x", "--capacity", "0"]).error_line(2);
    assert!(line.contains("use at least 1"), "{line}");
    place.run(&["send", &name, "--timeout", "1s", "--no-wait"]).usage_error();

    let section = place.name("section");
    let _held = place.hold(&["share", &section, "--size", "1"]);
    for command in ["send", "recv"] {
        let args = [command, &section, if command == "send" { "--text=x" } else { "--count=1" }];
        let line = place.run(&args).error_line(2);
        assert!(line.ends_with("is a section)"), "{line}");
    }
}

#[test]
fn a_second_receiver_of_a_channel_for_one_is_refused_while_the_first_lives() {
    let place = Place::new();
    let name = place.name("second");
    let mut command = place.command(&["send", &name]);
    let mut sender = Held::start_silent(command.stdin(Stdio::piped()));
    place.until_sent(&name, 0);
    let first = place.start(&["recv", &name]);
    if cfg!(not(windows)) {
        let deadline = Instant::now() + PATIENCE;
        while place.until_sent(&name, 0)["state"]["receivers"] != 1 {
            assert!(Instant::now() < deadline, "no receiver");
        }
        let line = place.run(&["recv", &name]).error_line(2);
        assert!(line.contains("is its receiver and is alive"), "{line}");
    }
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
