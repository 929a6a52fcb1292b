//! Runs each example to its end, with real processes, and checks its output.
#![allow(clippy::print_stdout, reason = "a skipped test prints the reason")]

mod harness;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use harness::Place;

/// A timeout that is longer than any wait of an example.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A running example. Dropping it kills and reaps the process.
struct Example {
    child: Child,
    lines: Receiver<String>,
}

impl Example {
    fn start(place: &Place, name: &str, args: &[&str]) -> Example {
        Example::spawn(place, Command::new(program(name)).args(args))
    }

    fn spawn(place: &Place, command: &mut Command) -> Example {
        command.env("PAGEMATE_DIR", place.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| {
            panic!("{command:?}: {e}; build it: cargo build -p pagemate --examples")
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

    /// Returns the lines up to the end of the output.
    #[track_caller]
    fn rest(&self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(TIMEOUT) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return lines,
                Err(RecvTimeoutError::Timeout) => panic!("the example hangs after {lines:?}"),
            }
        }
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

/// A folder, which is removed when it is dropped.
#[cfg(target_os = "linux")]
struct Folder(PathBuf);

#[cfg(target_os = "linux")]
impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
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
    let reader = Example::start(&place, "read_only", &[]);
    let publisher = Example::start(&place, "read_only", &["publish"]);
    assert_prints_releases(reader);
    drop(publisher);
}

#[track_caller]
fn assert_prints_releases(reader: Example) {
    let mut last = 0;
    for _ in 0..3 {
        let line = reader.line();
        let (version, value) = line.split_once(": ").expect(&line);
        let version = version.strip_prefix("version ").expect(&line).parse::<u64>().expect(&line);
        assert!(version > last, "version {version} after {last}");
        assert_eq!(value, (version * version).to_string());
        last = version;
    }
    reader.ends_well();
}

#[cfg(target_os = "linux")]
#[test]
fn read_only_as_another_user() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become another user");
        return;
    }
    let place = Place::new("read-only-other-user");
    fs::set_permissions(place.path(), Permissions::from_mode(0o1777)).unwrap();
    // Other users may not reach the folder with the examples, and /dev/shm may not run programs. A process
    // of its own makes the copy: if this one did, a child of another test could inherit the open copy, which
    // makes it busy.
    let folder = Folder(env::temp_dir().join(harness::unique("pagemate-read-only")));
    let script = "mkdir -m 755 \"$1\" && cp \"$0\" \"$1/reader\" && chmod 755 \"$1/reader\" && \
                  exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$1/reader\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(program("read_only")).arg(&folder.0);
    let reader = Example::spawn(&place, &mut command);
    let publisher = Example::start(&place, "read_only", &["publish"]);
    assert_prints_releases(reader);
    drop(publisher);
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
    // Killing the producer ends the name.
    drop(producer);
}

#[test]
fn telemetry() {
    let place = Place::new("telemetry");
    let display = Example::start(&place, "telemetry", &[]);
    let car = Example::start(&place, "telemetry", &["drive"]);
    for _ in 0..5 {
        let line = display.line();
        assert!(line.starts_with("Car { metres: "), "{line}");
        assert!(line.contains("metres_per_second: 33.3, gear: 4 }, "), "{line}");
    }
    display.ends_well();
    drop(car);
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

/// Returns the number of a reading in a line such as `Reading { number: 3, celsius: 20.75 }`.
#[track_caller]
fn reading(line: &str) -> u32 {
    let number = line.strip_prefix("Reading { number: ").and_then(|rest| rest.split_once(','));
    number.expect(line).0.parse().expect(line)
}

#[test]
fn messages() {
    let place = Place::new("messages");
    let first = Example::start(&place, "messages", &[]);
    let gauge = Example::start(&place, "messages", &["gauge"]);
    assert_eq!(reading(&first.line()), 1);
    assert_eq!(reading(&first.line()), 2);
    // Killing the logger loses no reading. It may have received some without printing them.
    drop(first);
    let second = Example::start(&place, "messages", &[]);
    let mut next = reading(&second.line());
    while next < 40 {
        let number = reading(&second.line());
        assert_eq!(number, next + 1);
        next = number;
    }
    second.ends_well();
    assert_eq!(gauge.line(), "all readings were received");
    gauge.ends_well();
    place.assert_empty();
}

#[test]
fn camera() {
    let place = Place::new("camera");
    let viewer = Example::start(&place, "camera", &[]);
    let slow = Example::start(&place, "camera", &["view", "100"]);
    let killed = Example::start(&place, "camera", &["view", "1000000"]);
    let camera = Example::start(&place, "camera", &["record"]);
    let missed_before = |line: String| {
        let (frame, missed) = line.split_once(" is whole, ").expect(&line);
        assert!(frame.starts_with("frame "), "{line}");
        missed.strip_suffix(" missed before it").expect(&line).parse::<u64>().expect(&line)
    };
    for _ in 0..10 {
        missed_before(viewer.line());
    }
    viewer.ends_well();
    // A viewer that holds a frame, and is killed with it, does not stop the camera.
    drop(killed);
    let total: u64 = (0..10).map(|_| missed_before(slow.line())).sum();
    assert!(total > 0, "the slow viewer missed nothing");
    slow.ends_well();
    drop(camera);
}

#[test]
fn work_queue() {
    let place = Place::new("work-queue");
    let submitter = Example::start(&place, "work_queue", &["submit"]);
    let slow = [0; 3].map(|_| Example::start(&place, "work_queue", &["work", "1000000"]));
    let mut in_hand = slow.each_ref().map(Example::line);
    in_hand.sort();
    assert_eq!(in_hand, ["begins job 1", "begins job 2", "begins job 3"]);
    drop(slow);
    let workers = [0; 2].map(|_| Example::start(&place, "work_queue", &["work", "1"]));
    assert_eq!(submitter.line(), "all jobs are done");
    submitter.ends_well();
    let lines: Vec<String> = workers.iter().flat_map(Example::rest).collect();
    workers.into_iter().for_each(Example::ends_well);
    for job in 1..=40 {
        let note = if job <= 3 { ", whose last worker was killed" } else { "" };
        for line in [format!("begins job {job}{note}"), format!("has done job {job}")] {
            assert_eq!(
                lines.iter().filter(|other| **other == line).count(),
                1,
                "{line}: {lines:?}"
            );
        }
    }
    assert_eq!(lines.len(), 80, "{lines:?}");
    place.assert_empty();
}

#[test]
fn request() {
    let place = Place::new("request");
    let client = Example::start(&place, "request", &[]);
    // This server is killed with the first request in hand.
    let slow = Example::start(&place, "request", &["serve", "1000000"]);
    assert_eq!(slow.line(), "has the request 1");
    drop(slow);
    assert_eq!(client.line(), "the server died; asking the next one");
    let servers = [0; 2].map(|_| Example::start(&place, "request", &["serve"]));
    let ids = servers.each_ref().map(|server| server.child.id().to_string());
    for number in 1..=20 {
        let line = client.line();
        let expected = format!("the square of {number} is {}, says process ", number * number);
        let id = line.strip_prefix(&expected).expect(&line);
        assert!(ids.iter().any(|known| known == id), "{line}");
    }
    client.ends_well();
    drop(servers);
}

#[test]
fn ledger() {
    let place = Place::new("ledger");
    let example = Example::start(&place, "ledger", &[]);
    assert_eq!(example.rest(), [""; 0]);
    example.ends_well();
    place.assert_empty();
}

#[test]
fn notes() {
    let place = Place::new("notes");
    let reader = Example::start(&place, "notes", &[]);
    let say = |text: &str| {
        // Wait until the reader has created the channel.
        let deadline = Instant::now() + TIMEOUT;
        while !Example::start(&place, "notes", &[text]).wait().success() {
            assert!(Instant::now() < deadline, "no reader has the channel");
        }
    };
    say("hello");
    assert_eq!(reader.line(), "hello");
    let other = Example::start(&place, "notes", &[]);
    drop(reader);
    say("again");
    assert_eq!(other.line(), "again");
    drop(other);
}

#[test]
fn several() {
    let place = Place::new("several");
    let listener = Example::start(&place, "several", &[]);
    assert_eq!(listener.line(), "waiting");
    for (args, line) in [
        (["say", "Hello"], "message: Hello"),
        (["command", "pause"], "command: pause"),
        (["say", "again"], "message: again"),
    ] {
        Example::start(&place, "several", &args).ends_well();
        assert_eq!(listener.line(), line);
    }
    Example::start(&place, "several", &["quit"]).ends_well();
    listener.ends_well();
    place.assert_empty();
}
