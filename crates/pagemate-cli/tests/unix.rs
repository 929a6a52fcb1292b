//! What the command promises about signals, terminals and directories.
#![cfg(unix)]

mod harness;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use harness::{Held, PATIENCE, Place, Ran};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A terminal with somebody in front of it.
struct Terminal {
    master: File,
    output: Receiver<Vec<u8>>,
    screen: String,
    name: String,
}

impl Terminal {
    fn new() -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let master = File::from(master);
        let mut from = master.try_clone().unwrap();
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Without anybody at the other side, reading fails.
            while let Ok(len) = from.read(&mut bytes)
                && sender.send(bytes[..len].to_vec()).is_ok()
            {}
        });
        Terminal { master, output, screen: String::new(), name }
    }

    /// The side of the program that runs in it.
    fn side(&self) -> Stdio {
        File::options().read(true).write(true).open(&self.name).unwrap().into()
    }

    fn type_in(&mut self, keys: &[u8]) {
        self.master.write_all(keys).unwrap();
    }

    /// Waits until this is on the screen, and returns all that is.
    fn wait_for(&mut self, text: &str) -> &str {
        while !self.screen.contains(text) {
            let more = self.output.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|_| panic!("{}", self.screen));
            self.screen += &String::from_utf8_lossy(&more);
        }
        &self.screen
    }
}

#[test]
fn examples_in_the_help_of_share_work_one_after_another() {
    let place = Place::new();
    place.file("weights.bin", &[7; 5000]);
    // The machine's objects lie in the directory itself, which has to be sticky.
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let help = place.run(&["share", "--help"]).text();
    let (_, examples) = help.split_once("Examples:\n").unwrap();
    let mut sharing = Vec::new();
    for line in examples.lines().filter_map(|line| line.trim_start().strip_prefix("pagemate ")) {
        // The command ends where its explanation is set off.
        let words = line.split("   ").next().unwrap().trim_end_matches(['&', ' ']);
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
fn signals_let_go_properly() {
    let place = Place::new();
    for signal in [Signal::INT, Signal::TERM] {
        let name = &place.name("signal");
        let held = place.hold(&["share", name, "--text", "x"]);
        held.signal(signal);
        assert_eq!(held.wait().code(), Some(0), "{signal:?}");
        // Gone with the process, not with the next look.
        assert!(place.objects().is_empty(), "{signal:?}");
    }
    let held = place.hold(&["share", &place.name("timed"), "--size", "1", "--hold", "3600"]);
    held.signal(Signal::TERM);
    assert_eq!(held.wait().code(), Some(0));
    assert!(place.objects().is_empty());
}

#[test]
fn enter_and_the_end_of_input_let_go_at_a_terminal() {
    let place = Place::new();
    // Enter, and Ctrl-D on an empty line.
    for keys in [&b"\r"[..], b"\x04"] {
        let mut terminal = Terminal::new();
        let name = &place.name("terminal");
        let mut command = place.command(&["share", name, "--text", "x"]);
        let held = Held::start(command.stdin(terminal.side()));
        assert_eq!(held.complaint(), "holding on; Enter lets go");
        terminal.type_in(keys);
        assert_eq!(held.wait().code(), Some(0), "{keys:?}");
        assert!(place.objects().is_empty());
    }
}

/// To read from the terminal would stop it there, and it would not hear the signal.
#[test]
#[cfg(target_os = "linux")]
fn a_share_in_the_background_leaves_the_terminal_alone() {
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
fn terminals_are_shown_nothing_that_they_would_obey() {
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
fn an_empty_list_says_so_at_a_terminal() {
    let place = Place::new();
    let mut terminal = Terminal::new();
    assert_eq!(Ran::of(place.command(&["list"]).stdout(terminal.side()), b"").code, Some(0));
    terminal.wait_for("Nobody holds any named memory.");
}

#[test]
fn a_directory_that_is_missing_or_not_ours_is_named() {
    let place = Place::new();
    let missing = place.path().join("missing");
    let mut command = place.command(&["share", "x", "--text", "x"]);
    let said = Ran::of(command.env("PAGEMATE_DIR", &missing), b"").complaint(2);
    assert!(said.contains(missing.to_str().unwrap()) && said.contains("PAGEMATE_DIR"), "{said}");
    let mut command = place.command(&["read", "x"]);
    // Not exit code 1: nobody can tell whether the name lives.
    Ran::of(command.env("PAGEMATE_DIR", &missing), b"").complaint(2);
    let mut demo = place.command(&["demo"]);
    let ran = Ran::of(demo.env("PAGEMATE_DIR", &missing), b"");
    assert_eq!(ran.code, Some(2), "{ran:?}");

    // Open to all, it is as good as somebody else's.
    let uid = rustix::process::geteuid().as_raw();
    let local = place.path().join(format!("pagemate-{uid}"));
    fs::create_dir(&local).unwrap();
    fs::set_permissions(&local, fs::Permissions::from_mode(0o777)).unwrap();
    let said = place.run(&["share", "x", "--text", "x"]).complaint(2);
    assert!(said.contains(local.to_str().unwrap()) && said.contains("0777"), "{said}");
}

#[test]
fn a_pipe_is_no_file_to_share_but_one_to_write() {
    let place = Place::new();
    let name = &place.name("pipe");
    let said = place.run_with(&["share", name, "--file", "/dev/stdin"], b"x").complaint(2);
    assert!(said.contains("its length shows only at its end"), "{said}");
    let _held = place.hold(&["share", name, "--size", "1"]);
    place.run_with(&["write", name, "--file", "/dev/stdin"], b"through a pipe").text();
    assert_eq!(place.run(&["read", name]).text(), "through a pipe\n");
    if cfg!(target_os = "linux") {
        place.run(&["write", name, "--file", "/proc/version"]).text();
        assert_eq!(place.run(&["read", name]).text(), fs::read_to_string("/proc/version").unwrap());
    }
}

#[test]
fn nobody_to_complain_to_changes_nothing() {
    let place = Place::new();
    let name = place.name("x");
    let deaf = || {
        let (_, nobody_reads) = std::io::pipe().unwrap();
        nobody_reads
    };
    let missing = Ran::of(place.command(&["read", &name]).stderr(deaf()), b"");
    assert_eq!(missing.code, Some(1));
    let bad = Ran::of(place.command(&["read", "a\\b"]).stderr(deaf()), b"");
    assert_eq!(bad.code, Some(2));
    let held = Held::start(place.command(&["share", &name, "--text", "hi"]).stderr(deaf()));
    held.signal(Signal::TERM);
    assert_eq!(held.wait().code(), Some(0));
}

#[test]
fn shares_are_held_whether_anybody_reads_what_they_say_or_not() {
    let place = Place::new();
    let file = place.file("file", b"hi");
    for (which, words) in
        [["--text", "hi"], ["--file", &file], ["--size", "1"]].into_iter().enumerate()
    {
        let name = place.name(&which.to_string());
        for held_already in [false, true] {
            let first = held_already.then(|| place.hold(&["share", &name, words[0], words[1]]));
            let mut command = place.command(&["share", &name, words[0], words[1]]);
            let (_, nobody_reads) = std::io::pipe().unwrap();
            // Its first line there says that it holds on.
            let (said, errors) = std::io::pipe().unwrap();
            let mut child = command.stdout(nobody_reads).stderr(errors).spawn().unwrap();
            drop(command);
            let mut line = String::new();
            BufReader::new(said).read_line(&mut line).unwrap();
            drop(first);
            let code = place.run(&["info", &name]).code;
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(line.contains("holds on"), "{words:?}: {line}");
            assert_eq!(code, Some(0));
        }
    }
}

#[test]
fn a_complaint_is_one_line_whatever_the_directory_is_called() {
    let place = Place::new();
    let odd = place.path().join("a\nb\u{1b}[31m");
    let ran = Ran::of(place.command(&["list"]).env("PAGEMATE_DIR", odd), b"");
    assert!(ran.complaint(2).contains(r"a\nb\u{1b}[31m"));
}
