//! The commands `wait`, `signal` and `lock`, tested on the real executable.
#![cfg(unix)]

mod harness;

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use harness::{Held, PATIENCE, Place};

impl Place {
    /// Polls `info` until `field` has the value `wanted`, and returns its JSON.
    #[track_caller]
    fn once(&self, name: &str, field: &str, wanted: &Value) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ran = self.run(&["info", name, "--json"]);
            if ran.code == Some(0) {
                let info: Value = serde_json::from_slice(&ran.bytes).unwrap();
                if info[field] == *wanted {
                    return info;
                }
            }
            assert!(Instant::now() < deadline, "{field} of {name} does not become {wanted}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Starts a command under the mutex `name` that prints `locked` and ends at the end of its input.
    fn lock(&self, name: &str) -> Held {
        let mut command = self.command(&["lock", name, "--", "sh", "-c", "echo locked; read line"]);
        let held = Held::start(command.stdin(Stdio::piped()));
        assert_eq!(held.line, "locked");
        held
    }
}

#[test]
fn a_signal_wakes_all_waiters_and_the_event_ends_with_the_last() {
    let place = Place::new();
    let mut waiting: Vec<_> = (0..2)
        .map(|_| place.command(&["wait", "ready", "--create", "manual"]).spawn().unwrap())
        .collect();
    let info = place.once("ready", "waiting", &json!(2));
    assert_eq!(info["kind"], "event");
    assert_eq!(info["state"], json!({ "signaled": false, "reset": "manual" }));
    assert!(place.run(&["list"]).text().contains("not set, 2 waiters"));
    place.run(&["signal", "ready"]).text();
    for child in &mut waiting {
        assert!(child.wait().unwrap().success());
    }
    assert!(place.run(&["signal", "ready"]).error_line(1).contains("no process holds it"));
    assert!(place.objects().is_empty());
}

#[test]
fn wait_one_creates_an_event_that_wakes_one_waiter_per_signal() {
    let place = Place::new();
    let mut waiting: Vec<_> = (0..2)
        .map(|_| place.command(&["wait", "turn", "--create", "auto"]).spawn().unwrap())
        .collect();
    place.once("turn", "waiting", &json!(2));
    place.run(&["signal", "turn"]).text();
    let info = place.once("turn", "waiting", &json!(1));
    assert_eq!(info["state"], json!({ "signaled": false, "reset": "auto" }));
    place.run(&["signal", "turn"]).text();
    for child in &mut waiting {
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn waiting_for_a_missing_name_creates_nothing() {
    let place = Place::new();
    let error = place.run(&["wait", "later", "--timeout", "0.05"]).error_line(1);
    assert_eq!(error, "pagemate: wait for \"later\": no process created it within 0.05 seconds");
    let waiting = place.command(&["wait", "later"]).spawn().unwrap();
    let beside = place.command(&["wait", "later"]).spawn().unwrap();
    // The name stays free for an object of any kind.
    let held = place.lock("later");
    place.once("later", "waiting", &json!(2));
    drop_input(held);
    for child in [waiting, beside] {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert!(place.objects().is_empty());
}

#[test]
fn a_timeout_has_exit_code_1() {
    let place = Place::new();
    let error =
        place.run(&["wait", "never", "--create", "manual", "--timeout", "0.05"]).error_line(1);
    assert_eq!(
        error,
        "pagemate: wait for \"never\": it did not become available within 0.05 seconds"
    );
    let _held = place.hold(&["share", "memory", "--size", "1"]);
    assert!(place.run(&["wait", "memory"]).error_line(2).contains("another kind"));
    assert!(place.run(&["signal", "memory"]).error_line(2).contains("neither an event nor"));
    assert!(place.run(&["lock", "memory", "--", "true"]).error_line(2).contains("another kind"));
}

#[test]
fn one_command_runs_at_a_time() {
    let place = Place::new();
    let held = place.lock("deploy");
    let error = place.run(&["lock", "deploy", "--timeout", "0", "--", "echo", "no"]).error_line(1);
    assert_eq!(error, "pagemate: lock \"deploy\": another process holds it");
    let info = place.once("deploy", "kind", &json!("mutex"));
    assert_eq!(info["state"], json!({ "owner": held.id(), "abandoned": false }));
    assert!(place.run(&["signal", "deploy"]).error_line(2).contains("neither an event nor"));
    let next = place.command(&["lock", "deploy", "--", "echo", "next"]).spawn().unwrap();
    place.once("deploy", "waiting", &json!(1));
    drop_input(held);
    assert_eq!(next.wait_with_output().unwrap().stdout, b"next\n");
    assert!(place.objects().is_empty());
}

/// Ends the command of a lock by closing its input.
fn drop_input(mut held: Held) {
    held.close_input();
    // `read` fails at the end of input, so the shell exits with 1.
    assert_eq!(held.wait().code(), Some(1));
}

#[test]
fn the_next_owner_after_a_killed_one_gets_a_warning() {
    let place = Place::new();
    let held = place.lock("deploy");
    let next = place.command(&["lock", "deploy", "--", "echo", "next"]).spawn().unwrap();
    place.once("deploy", "waiting", &json!(1));
    held.kill();
    let ran = next.wait_with_output().unwrap();
    assert_eq!((ran.status.code(), &*ran.stdout), (Some(0), &b"next\n"[..]));
    let errors = String::from_utf8(ran.stderr).unwrap();
    assert!(errors.starts_with("pagemate: lock \"deploy\": abandoned:"), "{errors}");
    assert_eq!(errors.lines().count(), 1);
    // Only the first owner after the death gets the warning.
    place.run(&["lock", "deploy", "--", "true"]).text();
    assert!(place.objects().is_empty());
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let place = Place::new();
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)] {
        assert_eq!(place.run(&["lock", "x", "--", "sh", "-c", script]).code, Some(code));
    }
    let error = place.run(&["lock", "x", "--", "no-such-program"]).error_line(2);
    assert!(error.starts_with("pagemate: run no-such-program: "), "{error}");
}

#[test]
fn sigterm_is_forwarded_to_the_command() {
    let place = Place::new();
    let held = place.lock("deploy");
    held.signal(Signal::TERM);
    assert_eq!(held.wait().code(), Some(128 + Signal::TERM.as_raw()));
    assert!(place.objects().is_empty());
}
