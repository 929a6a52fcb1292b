//! The commands `wait`, `signal` and `lock`, tested on the real executable.
#![cfg(unix)]

mod harness;

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use harness::{Held, PATIENCE, Place};
#[cfg(not(target_os = "macos"))]
use pagemate::ErrorKind;
use pagemate::sync::Mutex;

impl Place {
    /// Calls `info` repeatedly until `field` has the value `wanted`. Returns the JSON.
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

    /// Runs a command that holds the mutex `name`. It prints `locked`, and ends at the end of its
    /// input.
    fn lock(&self, name: &str) -> Held {
        let mut command = self.command(&["lock", name, "--", "sh", "-c", "echo locked; read line"]);
        let held = Held::start(command.stdin(Stdio::piped()));
        assert_eq!(held.line, "locked");
        held
    }
}

/// The first process that finds the name never finds a free mutex.
#[cfg(not(target_os = "macos"))]
#[test]
fn lock_owns_a_new_mutex_before_other_processes_find_it() {
    let place = Place::new();
    for round in 0..50 {
        let name = place.name(&format!("owned-{round}"));
        let mut command = place.command(&["lock", &name, "--", "sh", "-c", "echo locked; cat"]);
        // This process looks for the mutex in its own directory.
        command.env_remove("PAGEMATE_DIR").stdin(Stdio::piped());
        let locker = thread::spawn(move || Held::start(&mut command));
        let deadline = Instant::now() + PATIENCE;
        let mutex = loop {
            match Mutex::open(&name) {
                Ok(mutex) => break mutex,
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
            }
            assert!(Instant::now() < deadline, "lock creates no mutex");
        };
        assert!(mutex.try_lock().unwrap().is_none(), "round {round}");
        let mut locker = locker.join().unwrap();
        locker.close_input();
        assert_eq!(locker.wait().code(), Some(0));
        let guard = mutex.try_lock().unwrap().expect("a free mutex");
        assert!(!guard.was_abandoned());
    }
}

#[test]
fn lock_does_not_abandon_a_new_mutex_if_its_command_does_not_start() {
    let place = Place::new();
    for round in 0..20 {
        let name = place.name(&format!("not-started-{round}"));
        let mut command = place.command(&["lock", &name, "--", "/nonexistent/program"]);
        let mut child = command.env_remove("PAGEMATE_DIR").spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if let Ok(mutex) = Mutex::open(&name) {
                let guard = mutex.try_lock_for(PATIENCE).unwrap().expect("a free mutex");
                assert!(!guard.was_abandoned());
                break;
            }
        }
        assert_eq!(child.wait().unwrap().code(), Some(127));
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
    let wanted = "pagemate: wait for \"later\": no process created it within 50ms";
    assert!(error.starts_with(wanted), "{error}");
    let waiting = place.command(&["wait", "later"]).spawn().unwrap();
    let beside = place.command(&["wait", "later"]).spawn().unwrap();
    // The processes wait for a name that no process holds, so an object of any kind can get it. The
    // test creates an event: a new mutex would be free for a moment, and a waiting process could
    // acquire it before its creator.
    let creator = place.command(&["wait", "later", "--create", "manual"]).spawn().unwrap();
    place.once("later", "waiting", &json!(3));
    assert_eq!(place.run(&["signal", "later"]).code, Some(0));
    for child in [waiting, beside, creator] {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert!(place.objects().is_empty());
}

#[test]
fn a_timeout_has_exit_code_1() {
    let place = Place::new();
    let error =
        place.run(&["wait", "never", "--create", "manual", "--timeout", "0.05"]).error_line(1);
    assert_eq!(error, "pagemate: wait for \"never\": it did not become available within 50ms");
    let _held = place.hold(&["share", "memory", "--size", "1"]);
    assert!(place.run(&["wait", "memory"]).error_line(2).contains("--open waits until the name"));
    assert!(
        place
            .run(&["signal", "memory"])
            .error_line(2)
            .contains("nor a semaphore (\"memory\" is a section)")
    );
    assert!(
        place
            .run(&["lock", "memory", "--", "true"])
            .error_line(125)
            .contains("another kind (\"memory\" is a section)")
    );
}

#[test]
fn one_command_runs_at_a_time() {
    let place = Place::new();
    let held = place.lock("deploy");
    let error =
        place.run(&["lock", "deploy", "--timeout", "0", "--", "echo", "no"]).error_line(124);
    assert_eq!(error, format!("pagemate: lock \"deploy\": process {} holds it", held.id()));
    let info = place.once("deploy", "kind", &json!("mutex"));
    assert_eq!(info["state"], json!({ "owner": held.id(), "abandoned": false }));
    assert!(place.run(&["signal", "deploy"]).error_line(2).contains("neither an event nor"));
    let next = place.command(&["lock", "deploy", "--", "echo", "next"]).spawn().unwrap();
    place.once("deploy", "waiting", &json!(1));
    drop_input(held);
    assert_eq!(next.wait_with_output().unwrap().stdout, b"next\n");
    assert!(place.objects().is_empty());
}

/// Ends the command that holds a lock by closing its standard input.
fn drop_input(mut held: Held) {
    held.close_input();
    // The shell command `read` fails at the end of input, so the shell exits with 1.
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
    // Only the first owner after the death gets the warning, so this command prints none.
    place.run(&["lock", "deploy", "--", "true"]).text();
    assert!(place.objects().is_empty());
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let place = Place::new();
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)] {
        assert_eq!(place.run(&["lock", "x", "--", "sh", "-c", script]).code, Some(code));
    }
    let error = place.run(&["lock", "x", "--", "no-such-program"]).error_line(127);
    assert!(error.starts_with("pagemate: run no-such-program: "), "{error}");
    // The two dashes may be omitted. Options after the command belong to the command.
    let ran =
        place.run(&["lock", "--timeout", "1s", "x", "sh", "-c", "exit $#", "--", "--timeout"]);
    assert_eq!((ran.code, &*ran.errors), (Some(1), ""));
    let error = place.run(&["lock", "x", "--", "/dev/null"]).error_line(126);
    assert!(error.starts_with("pagemate: run /dev/null: "), "{error}");
}

#[test]
fn signals_are_forwarded_to_the_command() {
    let place = Place::new();
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut command =
            place.command(&["lock", "deploy", "--", "sh", "-c", "echo locked; read line"]);
        // Run the command in a session of its own, because a terminal would send the signal to the
        // child as well. Restore the default actions of the signals, because they may be ignored if
        // the tests run under `nohup` or in the background.
        let mut session = std::process::Command::new("env");
        session.args(["--default-signal=TERM,HUP,INT", "setsid"]);
        session.arg(command.get_program()).args(command.get_args());
        session.env("PAGEMATE_DIR", place.path());
        session.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command = session;
        let held = Held::start(&mut command);
        held.signal(signal);
        assert_eq!(held.wait().code(), Some(128 + signal.as_raw()), "{signal:?}");
        assert!(place.objects().is_empty());
    }
}

/// `nohup` makes a command ignore SIGHUP. `pagemate lock` and the command that it runs must
/// continue to ignore it.
#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_is_ignored_stays_ignored() {
    let place = Place::new();
    let script = r#"trap "" HUP; exec "$0" lock x -- sh -c "kill -HUP \$\$; exit 5""#;
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_pagemate")]).env("PAGEMATE_DIR", place.path());
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    assert_eq!(harness::Ran::of(&mut shell, b"").code, Some(5));
}

#[test]
fn waiting_for_a_name_ends_when_the_name_exists() {
    let place = Place::new();
    let open = place.command(&["wait", "late", "--open", "--json"]).spawn().unwrap();
    let read = place.command(&["read", "late", "--wait", "--json"]).spawn().unwrap();
    let write = place.command(&["write", "late", "--text", "new", "--offset", "4K", "--wait"]);
    let write = { write }.spawn().unwrap();
    let signal = place.command(&["signal", "later", "--wait"]).spawn().unwrap();
    let error = place.run(&["read", "never", "--wait", "--timeout", "50ms"]).error_line(1);
    assert!(error.contains("no process created it within 50ms"), "{error}");
    let _held = place.hold(&["share", "late", "--text", "old", "--size", "8K"]);
    let printed = |child: std::process::Child| {
        let ran = child.wait_with_output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        serde_json::from_slice::<Value>(&ran.stdout).unwrap_or_default()
    };
    assert_eq!(printed(open), json!({ "name": "late", "kind": "section", "abandoned": false }));
    // The section exists before the text is written into it.
    assert!(["old", ""].contains(&printed(read).as_str().unwrap()));
    printed(write);
    assert_eq!(place.run(&["read", "late", "--offset", "4K"]).text(), "new\n");
    let waiting = place.command(&["wait", "later", "--create", "manual"]).spawn().unwrap();
    printed(signal);
    printed(waiting);
}
