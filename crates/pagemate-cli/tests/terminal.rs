//! The output on a terminal: no line is wider than the terminal, and `--color` and the environment
//! decide about colours.
#![cfg(unix)]

mod harness;
#[path = "harness/terminal.rs"]
mod terminal;

use std::io::Write;
use std::process::Stdio;

use harness::{Held, Place};
use terminal::{Terminal, run};

/// Removes the colours and styles from a text.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[track_caller]
fn assert_fits(text: &str, columns: u16) {
    for line in plain(text).lines() {
        assert!(line.chars().count() <= columns.into(), "{line}");
    }
}

#[test]
fn tables_fit_terminals() {
    let place = Place::new();
    let long = &place.name("a-name-that-is-much-longer-than-any-terminal-would-like-to-show");
    let _long = place.hold(&["share", long, "--size", "1000.5M"]);
    let _second = place.hold(&["share", long, "--read-only"]);
    let _global = place.hold(&[
        "share",
        "wide",
        "--global",
        "--size",
        "1",
        "--sharing",
        "everyone-read-write",
    ]);
    let mut locked = place.command(&["lock", "mutex", "--", "sh", "-c", "echo locked; read line"]);
    let _locked = Held::start(locked.stdin(Stdio::piped()));
    for columns in [20, 40, 60, 80, 100, 120, 200] {
        let (code, shown) = run(&place, columns, &["list"]);
        assert_eq!(code, Some(0), "{shown}");
        assert_fits(&shown, columns);
        let shown = plain(&shown);
        assert_eq!(shown.lines().count(), 4, "{shown}");
        assert!(shown.starts_with("NAME") && shown.contains("mutex"), "{shown}");
        if columns >= 80 {
            assert!(shown.contains("locked by"), "{shown}");
            assert!(shown.contains("HELD BY"), "{shown}");
        }
        assert_eq!(shown.contains(&**long), columns == 200, "{shown}");
    }
    // If standard output is a pipe, nothing is truncated.
    assert!(place.run(&["list"]).text().contains(&**long));
}

#[test]
fn list_shows_the_numbers_of_a_channel_in_a_narrow_terminal() {
    let place = Place::new();
    let name = &place.name("ticks");
    let mut send = place.command(&["send", name, "--text", "a", "--text", "b", "--capacity", "64"]);
    let _sender = Held::start_silent(&mut send);
    let state = "2 of 64, 1 to 0, sent 2, received 0";
    let deadline = std::time::Instant::now() + harness::PATIENCE;
    while !place.run(&["list"]).text().contains(state) {
        assert!(std::time::Instant::now() < deadline, "{}", place.run(&["list"]).text());
    }
    for columns in [80, 120] {
        let (code, shown) = run(&place, columns, &["list"]);
        assert_eq!(code, Some(0), "{shown}");
        assert_fits(&shown, columns);
        let shown = plain(&shown);
        assert!(shown.contains("mpmc") && shown.contains(state), "{shown}");
    }
}

#[test]
fn list_truncates_long_names_and_holders_rather_than_the_numbers_of_a_channel() {
    let place = Place::new();
    let name = &place.name("a-channel-with-a-name-that-is-longer-than-its-numbers");
    let mut send = place.command(&["send", name, "--text", "a"]);
    let _sender = Held::start_silent(&mut send);
    let state = "1 of 1024, 1 to 0, sent 1, received 0";
    let deadline = std::time::Instant::now() + harness::PATIENCE;
    while !place.run(&["list"]).text().contains(state) {
        assert!(std::time::Instant::now() < deadline, "{}", place.run(&["list"]).text());
    }
    for columns in [60, 80, 100, 120] {
        let (code, shown) = run(&place, columns, &["list"]);
        assert_eq!(code, Some(0), "{shown}");
        assert_fits(&shown, columns);
        let shown = plain(&shown);
        assert!(shown.contains(state) && shown.contains("a-channel"), "{shown}");
        assert_eq!(shown.contains(" mpmc "), columns >= 80, "{shown}");
        assert_eq!(shown.contains("HELD BY"), columns >= 100, "{shown}");
    }
}

#[test]
fn help_fits_terminals() {
    let place = Place::new();
    let program = [
        "share",
        "read",
        "write",
        "list",
        "info",
        "prune",
        "wait",
        "signal",
        "lock",
        "send",
        "recv",
        "doctor",
        "demo",
        "completions",
        "man",
    ];
    for command in program {
        for columns in [80, 120] {
            for help in ["-h", "--help"] {
                let (code, shown) = run(&place, columns, &[command, help]);
                assert_eq!(code, Some(0), "{shown}");
                assert_fits(&shown, columns);
            }
        }
        // The lines of examples are not wrapped.
        let (_, narrow) = run(&place, 80, &[command, "--help"]);
        let whole = place.run(&[command, "--help"]).text();
        let examples = |text: &str| {
            let (_, examples) = text.split_once("Example").unwrap();
            examples.split("\n\n").next().unwrap().to_owned()
        };
        assert_eq!(examples(&plain(&narrow)), examples(&whole), "{command}");
    }
    let (_, shown) = run(&place, 80, &["--help"]);
    assert_fits(&shown, 80);
}

#[test]
fn the_demo_fits_a_terminal_and_uses_colours() {
    let place = Place::new();
    let (code, shown) = run(&place, 80, &["demo"]);
    assert_eq!(code, Some(0), "{shown}");
    assert_fits(&shown, 80);
    assert!(shown.contains("\u{1b}[32mok\u{1b}[0m  B opened the section"), "{shown:?}");
}

#[test]
fn the_report_of_doctor_fits_terminals() {
    let place = Place::new();
    for columns in [60, 80, 120] {
        assert_fits(&run(&place, columns, &["doctor"]).1, columns);
    }
}

#[test]
fn colours_follow_the_option_and_the_environment() {
    let place = Place::new();
    let shown = |args: &[&str], key: &str, value: &str| {
        let mut command = place.command(args);
        command.env_remove("NO_COLOR").env("TERM", "xterm").env(key, value);
        Terminal::new().run(&mut command).1
    };
    for args in [&["read", "missing"][..], &["doctor"], &["--bad"], &["share", "--help"]] {
        assert!(shown(args, "PAGEMATE_TEST", "").contains('\u{1b}'), "{args:?}");
        assert!(!shown(args, "NO_COLOR", "1").contains('\u{1b}'), "{args:?}");
        let never = [args, &["--color=never"]].concat();
        assert!(!shown(&never, "PAGEMATE_TEST", "").contains('\u{1b}'), "{args:?}");
        let always = [args, &["--color", "always"]].concat();
        assert!(shown(&always, "NO_COLOR", "1").contains('\u{1b}'), "{args:?}");
    }
    assert!(!place.run(&["read", "missing"]).errors.contains('\u{1b}'));
    assert!(place.run(&["read", "missing", "--color=always"]).errors.contains('\u{1b}'));
}

#[test]
fn raw_bytes_go_to_a_terminal_only_by_force() {
    let place = Place::new();
    let _held = place.hold(&["share", "x", "--text", "\u{1b}]0;title\u{7}"]);
    let (code, shown) = run(&place, 80, &["read", "x", "--as", "raw"]);
    assert_eq!(code, Some(2));
    assert!(shown.contains("raw bytes can change the state of a terminal"), "{shown}");
    assert!(!shown.contains("title"), "{shown:?}");
    let (code, shown) = run(&place, 80, &["read", "x", "--as", "raw", "--len", "9", "--force"]);
    assert_eq!((code, &*shown), (Some(0), "\u{1b}]0;title"));
}

#[test]
fn a_long_transfer_shows_its_progress() {
    let place = Place::new();
    let mut terminal = Terminal::new();
    let mut command = place.command(&["share", "slow", "-", "--size", "1M"]);
    command.stdin(Stdio::piped()).stderr(terminal.side());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // The progress line appears half a second after the start, so write until it appears.
    let shown = loop {
        input.write_all(&[7; 16]).unwrap();
        if let Some(shown) = terminal.poll().filter(|shown| shown.contains(" left")) {
            break shown;
        }
    };
    let shown = plain(&shown);
    assert!(shown.contains(" of 1 MiB, ") && shown.contains(" left"), "{shown:?}");
    drop(input);
    terminal.wait_for("holds the object");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_wait_for_a_missing_name_says_so_and_hints() {
    let place = Place::new();
    let _held = place.hold(&["share", "x", "--global", "--size", "1"]);
    let (code, shown) = run(&place, 80, &["wait", "x", "--open", "--timeout", "10ms"]);
    assert_eq!(code, Some(1));
    let (note, error) = shown.split_once('\n').unwrap();
    let hint = "\"Global\\x\" exists: add --global";
    assert_eq!(note, format!("waiting until a process creates \"x\"; {hint}"));
    assert!(plain(error).contains("no process created it within 10ms"), "{error}");
}
