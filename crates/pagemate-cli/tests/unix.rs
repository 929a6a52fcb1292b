//! Signals, terminals and directories, tested on the real executable.
#![cfg(unix)]

mod harness;
#[path = "harness/terminal.rs"]
mod terminal;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt as _, PermissionsExt};
use std::process::Stdio;

use harness::{Held, Place, Ran};
use rustix::process::Signal;
use terminal::Terminal;

#[test]
fn examples_in_the_help_of_share_work_one_after_another() {
    let place = Place::new();
    place.file("weights.bin", &[7; 5000]);
    // The `Global\` objects are in this directory itself, which must therefore have the sticky bit.
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let help = place.run(&["share", "--help"]).text();
    let (_, examples) = help.split_once("Examples:\n").unwrap();
    let mut sharing = Vec::new();
    for line in examples.lines().filter_map(|line| line.trim_start().strip_prefix("pagemate ")) {
        let words = line.trim_end_matches(['&', ' ']);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("exec \"$0\" {words}"), env!("CARGO_BIN_EXE_pagemate")]);
        shell.current_dir(place.path()).env("PAGEMATE_DIR", place.path());
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        sharing.push(Held::start(&mut shell));
    }
    assert_eq!(sharing.len(), 4);
    for process in sharing {
        process.signal(Signal::TERM);
        assert_eq!(process.wait().code(), Some(0));
    }
    assert!(place.objects().is_empty());
}

#[test]
fn examples_in_the_help_of_other_commands_work_as_printed() {
    // Shell functions replace these programs, which may not be installed.
    const PROGRAMS: &str = "pagemate() { \"$0\" \"$@\"; }; man() { test -f \"$1\"; }; \
                            jq() { cat > /dev/null; }; ";
    let place = Place::new();
    place.file("frame.bin", b"frame");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let _text = place.hold(&["share", "ShareMemory", "--text", "This is common data!"]);
    let _frames = place.hold(&["share", "frames", "--size", "2M"]);
    let _sim = place.hold(&["share", "sim-1", "--size", "1"]);
    let _counters = place.hold(&["share", "counters", "--size", "4096"]);
    for command in ["read", "write", "list", "info", "prune", "demo", "man", "doctor"] {
        let help = place.run(&[command, "--help"]).text();
        let (_, examples) = help.split_once("Example").unwrap();
        let lines = examples.lines().skip(1).take_while(|line| !line.is_empty());
        assert!(lines.clone().count() > 0, "{command}");
        for line in lines {
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", &format!("{PROGRAMS}{line}"), env!("CARGO_BIN_EXE_pagemate")]);
            shell.current_dir(place.path()).env("PAGEMATE_DIR", place.path());
            shell.env("HOME", place.path());
            shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let ran = Ran::of(&mut shell, b"");
            assert_eq!((ran.code, &*ran.errors), (Some(0), ""), "{line}");
        }
    }
}

#[test]
fn signals_end_a_share_with_exit_code_0() {
    let place = Place::new();
    for signal in [Signal::INT, Signal::TERM] {
        let name = &place.name("signal");
        let held = place.hold(&["share", name, "--text", "x"]);
        held.signal(signal);
        assert_eq!(held.wait().code(), Some(0), "{signal:?}");
        // `share` removed the file of its object when it ended, and no other call swept it.
        assert!(place.objects().is_empty(), "{signal:?}");
    }
    let held = place.hold(&["share", &place.name("timed"), "--size", "1", "--hold", "3600"]);
    held.signal(Signal::TERM);
    assert_eq!(held.wait().code(), Some(0));
    assert!(place.objects().is_empty());
}

/// `share` waits for its input or for a name, and holds no object yet. A signal ends it. The test
/// sends SIGTERM, because shells start background processes with SIGINT ignored.
#[test]
fn signals_end_a_share_that_waits() {
    let place = Place::new();
    for args in [&["-"][..], &["-", "--size", "1M"], &["--read-only", "--wait"]] {
        let name = place.name("waiting");
        let mut command = place.command(&[&["share", &name], args].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        // Wait until the process sleeps. An earlier signal would not test the wait.
        let asleep = || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
            stat.contains(") S ")
        };
        let deadline = std::time::Instant::now() + harness::PATIENCE;
        while cfg!(target_os = "linux") && !asleep() && std::time::Instant::now() < deadline {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        rustix::process::kill_process(pid, Signal::TERM).unwrap();
        let deadline = std::time::Instant::now() + harness::PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if std::time::Instant::now() > deadline {
                child.kill().unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(signal, Some(Signal::TERM.as_raw()), "{args:?}");
        assert_eq!(place.run(&["info", &name]).code, Some(1));
    }
}

#[test]
fn enter_and_the_end_of_input_end_a_share_at_a_terminal() {
    let place = Place::new();
    // The keys are Enter, and Ctrl-D on an empty line.
    for keys in [&b"\r"[..], b"\x04"] {
        let mut terminal = Terminal::new();
        let name = &place.name("terminal");
        let mut command = place.command(&["share", name, "--text", "x"]);
        let held = Held::start(command.stdin(terminal.side()));
        assert_eq!(held.error_line(), "holding the object; press Enter to release it");
        terminal.type_in(keys);
        assert_eq!(held.wait().code(), Some(0), "{keys:?}");
        assert!(place.objects().is_empty());
    }
}

/// If a process in the background reads from the terminal, the kernel stops it by SIGTTIN. A
/// stopped process does not react to SIGTERM.
#[test]
#[cfg(target_os = "linux")]
fn a_share_in_the_background_does_not_read_from_the_terminal() {
    let place = Place::new();
    let mut terminal = Terminal::new();
    let name = &place.name("background");
    let script = r#""$0" share "$1" --text x --hold 60 & echo pid $!.; wait $!; echo over $?."#;
    let mut shell = std::process::Command::new("setsid");
    shell.args(["--ctty", "--wait", "sh", "-mc", script, env!("CARGO_BIN_EXE_pagemate"), name]);
    shell.env("PAGEMATE_DIR", place.path());
    shell.stdin(terminal.side()).stdout(terminal.side()).stderr(terminal.side());
    let mut shell = shell.spawn().unwrap();
    terminal.wait_for("Write shared memory data: x");
    let (_, pid) = terminal.wait_for(".").split_once("pid ").unwrap();
    let pid = pid.split_once('.').unwrap().0.parse().unwrap();
    terminal.type_in(b"\r");
    assert_eq!(place.run(&["read", name]).text(), "x\n");
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::TERM)
        .unwrap();
    terminal.wait_for("over 0.");
    assert!(shell.wait().unwrap().success());
}

#[test]
fn terminals_get_control_characters_escaped() {
    let place = Place::new();
    let mut terminal = Terminal::new();
    let name = &place.name("screen");
    let _held = place.hold(&["share", name, "--text", "\u{1b}[2Jend"]);
    let ran = Ran::of(place.command(&["read", name]).stdout(terminal.side()), b"");
    assert_eq!((ran.code, &*ran.errors), (Some(0), ""));
    let shown = terminal.wait_for("end");
    assert!(shown.contains(r"\u{1b}[2Jend"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn an_empty_list_prints_a_sentence_at_a_terminal() {
    let place = Place::new();
    let mut terminal = Terminal::new();
    assert_eq!(Ran::of(place.command(&["list"]).stdout(terminal.side()), b"").code, Some(0));
    terminal.wait_for("No process holds a named object.");
}

#[test]
fn a_list_warns_of_a_damaged_object_and_prints_the_others() {
    let place = Place::new();
    let _whole = place.hold(&["share", "whole", "--text", "x", "--hold", "60"]);
    let damaged = place.hold(&["share", "damaged", "--text", "x", "--hold", "60"]);
    let file = place.objects().into_iter().find(|path| path.ends_with("damaged")).unwrap();
    let opened = File::options().write(true).open(&file).unwrap();
    // Overwrite the last page, which is the trailer.
    opened.write_all_at(b"no trailer", opened.metadata().unwrap().len() - 4096).unwrap();
    let ran = place.run(&["list"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let listed = String::from_utf8_lossy(&ran.bytes);
    assert!(listed.contains("whole") && !listed.contains("damaged"), "{ran:?}");
    assert!(ran.errors.contains(file.to_str().unwrap()), "{ran:?}");
    assert!(ran.errors.contains("does not end in a trailer"), "{ran:?}");
    damaged.kill();
    assert_eq!(place.run(&["list"]).errors, "");
}

#[test]
fn an_error_names_the_directory_that_is_missing_or_insecure() {
    let place = Place::new();
    let missing = place.path().join("missing");
    let mut command = place.command(&["share", "x", "--text", "x"]);
    let error = Ran::of(command.env("PAGEMATE_DIR", &missing), b"").error_line(2);
    assert!(error.contains(missing.to_str().unwrap()) && error.contains("PAGEMATE_DIR"), "{error}");
    let mut command = place.command(&["read", "x"]);
    // The exit code is not 1: without the directory, the command cannot determine whether a process
    // holds the name.
    Ran::of(command.env("PAGEMATE_DIR", &missing), b"").error_line(2);
    let mut demo = place.command(&["demo"]);
    let ran = Ran::of(demo.env("PAGEMATE_DIR", &missing), b"");
    assert_eq!(ran.code, Some(2), "{ran:?}");

    // pagemate refuses a directory to which other users may write.
    let uid = rustix::process::geteuid().as_raw();
    let local = place.path().join(format!("pagemate-{uid}"));
    fs::create_dir(&local).unwrap();
    fs::set_permissions(&local, fs::Permissions::from_mode(0o777)).unwrap();
    let error = place.run(&["share", "x", "--text", "x"]).error_line(2);
    assert!(error.contains(local.to_str().unwrap()) && error.contains("0777"), "{error}");
}

#[test]
fn a_pipe_can_be_shared_and_written_from() {
    let place = Place::new();
    let name = &place.name("pipe");
    let error = place.run_with(&["share", name, "-"], b"").error_line(2);
    assert_eq!(
        error,
        "pagemate: read standard input: it is empty, and a section has at least 1 byte; add --size"
    );
    for source in [&["-"][..], &["--file", "-"], &["--file", "/dev/stdin"], &["-", "--size", "4kb"]]
    {
        let args = [&["share", name, "--hold", "0", "--json"][..], source].concat();
        let json = place.run_with(&args, &[7; 4096]).text();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["created"], &json["written"]), (&true.into(), &4096.into()), "{args:?}");
    }
    let ran = place.run_with(&["share", name, "-", "--size", "4096"], &[7; 4097]);
    assert!(ran.error_line(2).contains("it has more than the 4096 bytes of the section"));
    let ran = place.run(&["share", name, "--text", "four", "--size", "4"]);
    assert!(ran.error_line(2).contains("the data has 5 bytes, more than the 4 of --size"));
    assert!(place.objects().is_empty());

    let held = place.hold(&["share", name, "--size", "1"]);
    // The section exists, so `share` does not read its input, which has no end here.
    let mut command = place.command(&["share", name, "-"]);
    let second = Held::start(command.stdin(Stdio::piped()));
    assert_eq!(second.line, "Found shared memory: 4096 bytes");
    assert!(second.error_line().contains("standard input was not written"));
    drop((held, second));

    let _held = place.hold(&["share", name, "--size", "1"]);
    place.run_with(&["write", name, "--file", "/dev/stdin"], b"through a pipe").text();
    assert_eq!(place.run(&["read", name]).text(), "through a pipe\n");
    if cfg!(target_os = "linux") {
        place.run(&["write", name, "--file", "/proc/version"]).text();
        assert_eq!(place.run(&["read", name]).text(), fs::read_to_string("/proc/version").unwrap());
    }
}

#[test]
fn a_closed_standard_error_changes_nothing() {
    let place = Place::new();
    let name = place.name("x");
    let closed_pipe = || {
        let (_, closed) = std::io::pipe().unwrap();
        closed
    };
    let missing = Ran::of(place.command(&["read", &name]).stderr(closed_pipe()), b"");
    assert_eq!(missing.code, Some(1));
    let bad = Ran::of(place.command(&["read", "a\\b"]).stderr(closed_pipe()), b"");
    assert_eq!(bad.code, Some(2));
    let held = Held::start(place.command(&["share", &name, "--text", "hi"]).stderr(closed_pipe()));
    held.signal(Signal::TERM);
    assert_eq!(held.wait().code(), Some(0));
}

#[test]
fn a_closed_standard_output_does_not_end_a_share() {
    let place = Place::new();
    let file = place.file("file", b"hi");
    for (which, words) in
        [["--text", "hi"], ["--file", &file], ["--size", "1"]].into_iter().enumerate()
    {
        let name = place.name(&which.to_string());
        for held_already in [false, true] {
            let first = held_already.then(|| place.hold(&["share", &name, words[0], words[1]]));
            let mut command = place.command(&["share", &name, words[0], words[1]]);
            let (_, closed) = std::io::pipe().unwrap();
            // The first line on standard error appears when the command holds the section.
            let (output, errors) = std::io::pipe().unwrap();
            let mut child = command.stdout(closed).stderr(errors).spawn().unwrap();
            drop(command);
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            let line = lines.find(|line| line.contains("holds the object"));
            drop(first);
            let code = place.run(&["info", &name]).code;
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(line.is_some(), "{words:?}");
            assert_eq!(code, Some(0));
        }
    }
}

#[test]
fn an_error_is_one_line_for_any_directory_name() {
    let place = Place::new();
    let odd = place.path().join("a\nb\u{1b}[31m");
    let ran = Ran::of(place.command(&["list"]).env("PAGEMATE_DIR", odd), b"");
    assert!(ran.error_line(2).contains(r"a\nb\u{1b}[31m"));
}

#[test]
fn lock_tells_that_its_name_was_removed_meanwhile() {
    let place = Place::new();
    let remove = format!("rm {}/pagemate-*/lock-removed", place.path().display());
    let ran = place.run(&["lock", "lock-removed", "--", "sh", "-c", &remove]);
    assert_eq!((ran.code, &*ran.bytes), (Some(0), &b""[..]));
    assert!(ran.errors.contains("another program removed"), "{}", ran.errors);
    assert!(ran.errors.contains("another command may have run"), "{}", ran.errors);
}

#[test]
fn share_publishes_data_from_a_pipe_when_it_is_complete() {
    let place = Place::new();
    let data = vec![7; 1 << 20];
    let mut command = place.command(&["share", "piped", "-", "--size", "1M", "--hold", "60"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than a pipe holds, so that the command has read some of it.
    input.write_all(&data[..1 << 19]).unwrap();
    assert_eq!(place.run(&["list", "--json"]).text(), "[]\n");
    assert!(
        place.run(&["read", "piped", "--len", "1"]).error_line(1).contains("no process holds it")
    );
    input.write_all(&data[1 << 19..]).unwrap();
    drop(input);
    let read = place.run(&["read", "piped", "--as", "raw", "--wait", "--timeout", "30"]);
    assert_eq!((read.code, read.bytes == data), (Some(0), true), "{}", read.errors);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn share_publishes_nothing_if_its_data_is_incomplete() {
    let place = Place::new();
    let short = place.file("short", &[7; 100]);
    let ran = place.run_with(&["share", "late", "-", "--size", "10"], &vec![7; 100_000]);
    assert!(ran.error_line(2).contains("nothing is shared"));
    let ran = place.run(&["share", "late", "--file", &short, "--size", "10"]);
    assert!(ran.error_line(2).contains("nothing was created"));
    assert!(place.objects().is_empty());
}
