//! Waiting, signaling and locking from shells.
#![cfg(unix)]

mod harness;

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use harness::{Held, PATIENCE, Place};

impl Place {
    /// What `info` says of an object, once it says `wanted` of a field.
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

    /// Locks `name` with a command that says so, and ends with its input.
    fn lock(&self, name: &str) -> Held {
        let mut command = self.command(&["lock", name, "--", "sh", "-c", "echo locked; read line"]);
        let held = Held::start(command.stdin(Stdio::piped()));
        assert_eq!(held.line, "locked");
        held
    }
}

#[test]
fn a_signal_lets_all_go_who_wait_and_the_event_goes_with_them() {
    let place = Place::new();
    let mut waiting: Vec<_> = (0..2)
        .map(|_| place.command(&["wait", "ready", "--create", "manual"]).spawn().unwrap())
        .collect();
    let info = place.once("ready", "waiting", &json!(2));
    assert_eq!(info["kind"], "event");
    assert_eq!(info["state"], json!({ "signaled": false, "reset": "manual" }));
    assert!(place.run(&["list"]).text().contains("not set, 2 wait"));
    place.run(&["signal", "ready"]).text();
    for child in &mut waiting {
        assert!(child.wait().unwrap().success());
    }
    assert!(place.run(&["signal", "ready"]).complaint(1).contains("no process holds it"));
    assert!(place.objects().is_empty());
}

#[test]
fn one_goes_at_a_time_if_it_was_made_so() {
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
    let told = place.run(&["wait", "later", "--timeout", "0.05"]).complaint(1);
    assert_eq!(told, "pagemate: wait for \"later\": no process created it within 0.05 seconds");
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
fn waiting_longer_than_the_timeout_is_told() {
    let place = Place::new();
    let told =
        place.run(&["wait", "never", "--create", "manual", "--timeout", "0.05"]).complaint(1);
    assert_eq!(told, "pagemate: wait for \"never\": it did not happen within 0.05 seconds");
    let _held = place.hold(&["share", "memory", "--size", "1"]);
    assert!(place.run(&["wait", "memory"]).complaint(2).contains("another kind"));
    assert!(place.run(&["signal", "memory"]).complaint(2).contains("neither an event nor"));
    assert!(place.run(&["lock", "memory", "--", "true"]).complaint(2).contains("another kind"));
}

#[test]
fn one_command_runs_at_a_time() {
    let place = Place::new();
    let held = place.lock("deploy");
    let told = place.run(&["lock", "deploy", "--timeout", "0", "--", "echo", "no"]).complaint(1);
    assert_eq!(told, "pagemate: lock \"deploy\": another process has it");
    let info = place.once("deploy", "kind", &json!("mutex"));
    assert_eq!(info["state"], json!({ "owner": held.id(), "abandoned": false }));
    assert!(place.run(&["signal", "deploy"]).complaint(2).contains("neither an event nor"));
    let next = place.command(&["lock", "deploy", "--", "echo", "next"]).spawn().unwrap();
    place.once("deploy", "waiting", &json!(1));
    drop_input(held);
    assert_eq!(next.wait_with_output().unwrap().stdout, b"next\n");
    assert!(place.objects().is_empty());
}

/// Lets the command of a lock end by itself.
fn drop_input(mut held: Held) {
    held.close_input();
    // `read` fails at the end of input, and the shell with it.
    assert_eq!(held.wait().code(), Some(1));
}

#[test]
fn who_comes_after_a_killed_holder_is_told() {
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
    // It was told once.
    place.run(&["lock", "deploy", "--", "true"]).text();
    assert!(place.objects().is_empty());
}

#[test]
fn the_exit_code_is_the_commands() {
    let place = Place::new();
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)] {
        assert_eq!(place.run(&["lock", "x", "--", "sh", "-c", script]).code, Some(code));
    }
    let told = place.run(&["lock", "x", "--", "no-such-program"]).complaint(2);
    assert!(told.starts_with("pagemate: run no-such-program: "), "{told}");
}

#[test]
fn a_request_to_end_goes_to_the_command() {
    let place = Place::new();
    let held = place.lock("deploy");
    held.signal(Signal::TERM);
    assert_eq!(held.wait().code(), Some(128 + Signal::TERM.as_raw()));
    assert!(place.objects().is_empty());
}
