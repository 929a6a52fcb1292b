//! The functions of Microsoft's C library that Windows programs use.
#![cfg(target_os = "linux")]

mod harness;

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use harness::{Language, TIMEOUT, TestDir, compile, under_wine};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

#[test]
fn strings_are_handled_as_by_the_microsoft_library() {
    let variants: &[&[&str]] = if under_wine() {
        &[&["-municode", "-D_UNICODE"]]
    } else {
        // Disable _FORTIFY_SOURCE, which the compilers of some distributions define: it replaces
        // functions that are tested here.
        &[
            &["-DUNICODE", "-D_UNICODE", "-fshort-wchar"],
            &["-DUNICODE", "-fshort-wchar", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"],
            &["-fshort-wchar", "-O0"],
        ]
    };
    // The program tests truncation, so silence the compiler's warnings about it.
    let quiet = ["-Wno-format", "-Wno-format-truncation", "-Wno-stringop-truncation"];
    for language in [Language::C, Language::Cpp] {
        for flags in variants {
            let flags = [&quiet[..], flags].concat();
            let program = compile(&["crt/texts.c"], language, &flags);
            let mut command = program.command();
            command.arg("argument");
            let (status, lines) = TestDir::new().start_command(command).end();
            assert_eq!(lines.len(), 2, "{language:?} {flags:?}\n{}", lines.join("\n"));
            assert!(lines[0].ends_with(" checks"), "{}", lines[0]);
            assert_eq!((status, &*lines[1]), (0, "done"));
        }
    }
}

#[test]
fn formats_follow_microsofts_rules_in_any_order_of_headers() {
    if under_wine() {
        return;
    }
    let line = "-3 4294967295 5000000000";
    for order in [&[][..], &["-DHEADERS_FIRST"]] {
        for variant in
            [&["-Wextra", "-std=c++17"][..], &["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]]
        {
            let program = compile(&["crt/standard.cpp"], Language::Cpp, &[order, variant].concat());
            let (status, lines) = TestDir::new().start(&program).end();
            assert_eq!(
                lines,
                [line, line, "5000000000 -3", "1", "1.500000", "435ab"],
                "{order:?} {variant:?}"
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
    let dir = TestDir::new();
    let input = dir.path().join("input");
    for (bytes, printed) in
        [("a\nqz", "which key? 97 10 113 and more"), ("a", "which key? 97 -1 and more")]
    {
        std::fs::write(&input, bytes).unwrap();
        let output = program.command().stdin(File::open(&input).unwrap()).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), printed);
    }
}

/// The end of a pseudo-terminal at which a user sits: a keyboard and a screen.
struct TerminalUser {
    keys: File,
    shown: Receiver<u8>,
}

impl TerminalUser {
    /// Opens a pseudo-terminal. Returns the user's end, and the end for the program.
    fn new() -> (TerminalUser, OwnedFd) {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        let keys = File::from(keys);
        let mut screen = BufReader::new(keys.try_clone().unwrap()).bytes().map_while(Result::ok);
        let (sender, shown) = channel();
        thread::spawn(move || screen.try_for_each(|byte| sender.send(byte)));
        (TerminalUser { keys, shown }, terminal.into())
    }

    fn press(&mut self, key: &str) {
        self.keys.write_all(key.as_bytes()).unwrap();
    }

    /// Waits for the next output of the terminal, and checks that it is exactly this text.
    #[track_caller]
    fn expect_shown(&self, what: &str) {
        let next = || self.shown.recv_timeout(TIMEOUT).expect("the terminal shows nothing");
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
        let (mut user, terminal) = TerminalUser::new();
        let before = tcgetattr(&terminal).unwrap();
        let running = TestDir::new().start_on_terminal(&program, &terminal);
        // A prompt appears without a newline, keys are not echoed, and Enter is returned as a key.
        user.expect_shown("which key?");
        user.press("a");
        user.expect_shown(" 97");
        user.press("\r");
        user.expect_shown(" 13");
        user.press(last);
        let status = running.wait();
        assert_eq!(status.signal(), signal);
        let after = tcgetattr(&terminal).unwrap();
        assert_eq!(
            (after.local_modes, after.input_modes),
            (before.local_modes, before.input_modes)
        );
        assert!(after.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO));
        if signal.is_none() {
            user.expect_shown(" 113 and no more\r\n");
        }
    }
}

#[test]
fn small_functions_behave_as_on_windows() {
    let variants: &[&[&str]] = if under_wine() {
        &[&[], &["-DUNICODE", "-D_UNICODE"]]
    } else {
        &[&[], &["-DUNICODE", "-D_UNICODE"], &["-DUNICODE", "-fshort-wchar"]]
    };
    for language in [Language::C, Language::Cpp] {
        for flags in variants {
            let flags = [*flags, &["-Wno-nonnull"]].concat();
            let program = compile(&["crt/around.c"], language, &flags);
            assert_eq!(TestDir::new().run(&program), (0, vec!["done".to_owned()]), "{flags:?}");
        }
    }
}

#[test]
fn a_message_box_is_shown_on_standard_error() {
    if under_wine() {
        return;
    }
    let program = compile(&["crt/around.c"], Language::C, &["-Wno-nonnull"]);
    let dir = TestDir::new();
    let output = program.command().current_dir(dir.path()).output().unwrap();
    let shown = String::from_utf8(output.stderr).unwrap();
    assert_eq!(shown, "a caption: a text\nError: no caption\n");
}

#[test]
fn pause_waits_for_a_key_without_a_shell() {
    if under_wine() {
        return;
    }
    let program = compile(&["crt/pause.cpp"], Language::Cpp, &[]);
    let (mut user, terminal) = TerminalUser::new();
    let running = TestDir::new().start_on_terminal(&program, &terminal);
    user.expect_shown("3Press any key to continue . . . ");
    user.press("x");
    user.expect_shown("\r\nonce more");
    user.press("y");
    assert_eq!(running.wait().code(), Some(0));
}
