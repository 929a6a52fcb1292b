//! What Windows programs take from Microsoft's C library.
#![cfg(target_os = "linux")]

mod harness;

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use harness::{Language, PATIENCE, Place, compile, under_wine};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

#[test]
fn texts_are_handled_as_there() {
    let ways: &[&[&str]] = if under_wine() {
        &[&["-municode", "-D_UNICODE"]]
    } else {
        // Some systems' compilers fortify by default.
        &[
            &["-DUNICODE", "-D_UNICODE", "-fshort-wchar"],
            &["-DUNICODE", "-fshort-wchar", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"],
            &["-fshort-wchar", "-O0"],
        ]
    };
    // What does not fit is not meant to.
    let quiet = ["-Wno-format", "-Wno-format-truncation", "-Wno-stringop-truncation"];
    for language in [Language::C, Language::Cpp] {
        for flags in ways {
            let flags = [&quiet[..], flags].concat();
            let program = compile(&["crt/texts.c"], language, &flags);
            let mut command = program.command();
            command.arg("argument");
            let (status, lines) = Place::new().start_command(command).end();
            assert_eq!(lines.len(), 2, "{language:?} {flags:?}\n{}", lines.join("\n"));
            assert!(lines[0].ends_with(" checks"), "{}", lines[0]);
            assert_eq!((status, &*lines[1]), (0, "done"));
        }
    }
}

#[test]
fn formats_are_windows_whatever_else_is_included() {
    if under_wine() {
        return;
    }
    let line = "-3 4294967295 5000000000";
    for order in [&[][..], &["-DHEADERS_FIRST"]] {
        for way in [&["-Wextra", "-std=c++17"][..], &["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]] {
            let program = compile(&["crt/standard.cpp"], Language::Cpp, &[order, way].concat());
            let (status, lines) = Place::new().start(&program).end();
            assert_eq!(
                lines,
                [line, line, "5000000000 -3", "1", "1.500000", "435ab"],
                "{order:?} {way:?}"
            );
            assert_eq!(status, 0);
        }
    }
}

#[test]
fn without_a_terminal_keys_are_bytes() {
    if under_wine() {
        return;
    }
    let program = compile(&["crt/keys.c"], Language::C, &[]);
    let place = Place::new();
    let input = place.path().join("input");
    for (bytes, told) in
        [("a\nqz", "which key? 97 10 113 and more"), ("a", "which key? 97 -1 and more")]
    {
        std::fs::write(&input, bytes).unwrap();
        let output = program.command().stdin(File::open(&input).unwrap()).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), told);
    }
}

/// The side of a terminal that a person sits at.
struct Person {
    keys: File,
    shown: Receiver<u8>,
}

impl Person {
    /// A person, and the terminal.
    fn new() -> (Person, OwnedFd) {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        let keys = File::from(keys);
        let mut screen = BufReader::new(keys.try_clone().unwrap()).bytes().map_while(Result::ok);
        let (sender, shown) = channel();
        thread::spawn(move || screen.try_for_each(|byte| sender.send(byte)));
        (Person { keys, shown }, terminal.into())
    }

    fn press(&mut self, key: &str) {
        self.keys.write_all(key.as_bytes()).unwrap();
    }

    /// Waits until this is shown, and nothing before it.
    #[track_caller]
    fn sees(&self, what: &str) {
        let next = || self.shown.recv_timeout(PATIENCE).expect("nothing is shown");
        let seen: Vec<u8> = what.bytes().map(|_| next()).collect();
        assert_eq!(String::from_utf8_lossy(&seen), what);
    }
}

#[test]
fn a_terminal_gives_every_key_and_is_left_as_it_was() {
    if under_wine() {
        return;
    }
    let program = compile(&["crt/keys.c"], Language::C, &[]);
    for (last, signal) in [("q", None), ("\x03", Some(2))] {
        let (mut person, terminal) = Person::new();
        let before = tcgetattr(&terminal).unwrap();
        let running = Place::new().start_at(&program, &terminal);
        // The prompt is there though no line has ended, keys are not shown, and Enter is one of them.
        person.sees("which key?");
        person.press("a");
        person.sees(" 97");
        person.press("\r");
        person.sees(" 13");
        person.press(last);
        let status = running.wait();
        assert_eq!(status.signal(), signal);
        let after = tcgetattr(&terminal).unwrap();
        assert_eq!(
            (after.local_modes, after.input_modes),
            (before.local_modes, before.input_modes)
        );
        assert!(after.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO));
        if signal.is_none() {
            person.sees(" 113 and no more\r\n");
        }
    }
}

#[test]
fn small_things_are_there() {
    let ways: &[&[&str]] = if under_wine() {
        &[&[], &["-DUNICODE", "-D_UNICODE"]]
    } else {
        &[&[], &["-DUNICODE", "-D_UNICODE"], &["-DUNICODE", "-fshort-wchar"]]
    };
    for language in [Language::C, Language::Cpp] {
        for flags in ways {
            let flags = [*flags, &["-Wno-nonnull"]].concat();
            let program = compile(&["crt/around.c"], language, &flags);
            assert_eq!(Place::new().run(&program), (0, vec!["done".to_owned()]), "{flags:?}");
        }
    }
}

#[test]
fn a_message_box_is_shown_on_standard_error() {
    if under_wine() {
        return;
    }
    let program = compile(&["crt/around.c"], Language::C, &["-Wno-nonnull"]);
    let place = Place::new();
    let output = program.command().current_dir(place.path()).output().unwrap();
    let shown = String::from_utf8(output.stderr).unwrap();
    assert_eq!(shown, "a caption: a text\nError: no caption\n");
}

#[test]
fn pause_waits_for_a_key_without_a_shell() {
    if under_wine() {
        return;
    }
    let program = compile(&["crt/pause.cpp"], Language::Cpp, &[]);
    let (mut person, terminal) = Person::new();
    let running = Place::new().start_at(&program, &terminal);
    person.sees("3Press any key to continue . . . ");
    person.press("x");
    person.sees("\r\nonce more");
    person.press("y");
    assert_eq!(running.wait().code(), Some(0));
}
