//! Runs each example to its end, with real processes, and checks its output.

mod harness;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use harness::Place;

/// Longer than any wait of an example.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A running example. Dropping it kills and reaps the process.
struct Example {
    child: Child,
    lines: Receiver<String>,
}

impl Example {
    fn start(place: &Place, name: &str, args: &[&str]) -> Example {
        let program = program(name);
        let mut child = Command::new(&program)
            .args(args)
            .env("PAGEMATE_DIR", place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| {
                panic!("{}: {e}; build it: cargo build -p pagemate --examples", program.display())
            });
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Example { child, lines }
    }

    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(TIMEOUT).expect("one more line")
    }

    /// Closes the standard input, which ends an example that waits for Enter.
    fn end(mut self) {
        self.child.stdin = None;
        self.ends_well();
    }

    #[track_caller]
    fn ends_well(mut self) {
        let status = self.wait();
        assert!(status.success(), "{status}");
    }

    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("the example hangs");
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Returns the path of an example, which cargo builds beside the tests.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    profile.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION)
}

#[test]
fn common_data() {
    let place = Place::new("common-data");
    let first = Example::start(&place, "common_data", &[]);
    assert_eq!(first.line(), "Write shared memory data: This is common data!");
    let second = Example::start(&place, "common_data", &[]);
    assert_eq!(second.line(), "read shared memory data: This is common data!");
    first.end();
    let third = Example::start(&place, "common_data", &[]);
    assert_eq!(third.line(), "read shared memory data: This is common data!");
    second.end();
    third.end();
    place.assert_empty();
}

#[test]
fn typed_data() {
    let place = Place::new("typed-data");
    let writer = Example::start(&place, "typed_data", &[]);
    assert_eq!(writer.line(), "writing poses; Enter ends");
    let reader = Example::start(&place, "typed_data", &[]);
    for _ in 0..5 {
        let line = reader.line();
        assert!(line.starts_with("read Pose { time: "), "{line}");
    }
    reader.ends_well();
    writer.end();
    place.assert_empty();
}

#[test]
fn read_only() {
    let place = Place::new("read-only");
    let consumer = Example::start(&place, "read_only", &[]);
    let producer = Example::start(&place, "read_only", &["produce"]);
    for _ in 0..3 {
        let line = consumer.line();
        assert!(line.starts_with("version "), "{line}");
    }
    consumer.ends_well();
    producer.end();
    place.assert_empty();
}

#[test]
fn producer_consumer() {
    let place = Place::new("producer-consumer");
    let consumer = Example::start(&place, "producer_consumer", &[]);
    let producer = Example::start(&place, "producer_consumer", &["produce"]);
    for _ in 0..5 {
        let line = consumer.line();
        assert!(line.starts_with("Sample { number: "), "{line}");
        assert!(line.ends_with("volts: [0.5, 0.5, 0.5, 0.5] }"), "{line}");
    }
    consumer.ends_well();
    // Killing the producer removes its name.
    drop(producer);
}

#[test]
fn frame_ring() {
    let place = Place::new("frame-ring");
    let viewer = Example::start(&place, "frame_ring", &[]);
    let camera = Example::start(&place, "frame_ring", &["camera"]);
    for _ in 0..5 {
        let line = viewer.line();
        assert!(line.ends_with(" is whole"), "{line}");
    }
    viewer.ends_well();
    drop(camera);
}

#[test]
fn windows_port() {
    let place = Place::new("windows-port");
    let waiter = Example::start(&place, "windows_port", &[]);
    assert_eq!(waiter.line(), "waiting");
    Example::start(&place, "windows_port", &["post", "Hello"]).ends_well();
    assert_eq!(waiter.line(), "1: Hello");
    waiter.ends_well();
    place.assert_empty();
}

#[test]
fn handed_to_child() {
    let place = Place::new("handed-to-child");
    let example = Example::start(&place, "handed_to_child", &[]);
    assert_eq!(example.line(), format!("process {} asks", example.child.id()));
    let asked = example.line();
    assert!(asked.ends_with(" was asked: What is six times 7?"), "{asked}");
    assert_eq!(example.line(), "it was answered: 42");
    example.ends_well();
}

#[test]
fn over_file() {
    let place = Place::new("over-file");
    let file = place.path().join("counter.bin");
    for run in 1..=3 {
        let example = Example::start(&place, "over_file", &[file.to_str().unwrap()]);
        assert_eq!(example.line(), format!("run {run} of {}", file.display()));
        example.ends_well();
    }
    assert_eq!(fs::read(&file).unwrap().len(), 4096);
}
