//! Tests of the native C and C++ interface by C and C++ programs, alone and together with Rust and the
//! command.
#![cfg(target_os = "linux")]

mod build;
mod courier;
mod examples;
mod fingerprint;
#[path = "../../../pagemate/tests/harness/mod.rs"]
mod harness;
mod locker;
mod names;
mod robot;
mod symbols;
mod sync;
mod tools;

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::process::Command;

use build::{BUILT, Linked, compile, root, run};
use harness::fork::lock_exclusively;
use harness::{Actor, Place, unique};

const NAME: &str = "ShareMemory";

/// Runs as an actor of the harness if its role is set.
#[test]
fn actor() {
    harness::actor();
}

const C_CHECKS: [&str; 10] = [
    "checks.c",
    "system.c",
    "sync.c",
    "shared.c",
    "typed.c",
    "words.c",
    "null.c",
    "channel.c",
    "channel_misuse.c",
    "watch.c",
];

const CPP_HEADERS: [&str; 6] = [
    "pagemate.hpp",
    "pagemate_sync.hpp",
    "pagemate_fingerprint.hpp",
    "pagemate_typed.hpp",
    "pagemate_channel.hpp",
    "pagemate_watch.hpp",
];

const CPP_CHECKS: [&str; 4] = ["checks.cpp", "sync.cpp", "typed.cpp", "channel.cpp"];

#[test]
fn every_call_works_from_c() {
    let place = Place::new("native-c");
    for source in C_CHECKS {
        let source = root().join("tests/native").join(source);
        for linked in [Linked::Static, Linked::Shared] {
            assert_eq!(run(&place, &compile(&source, "c11", linked), &[]), "");
            place.assert_empty();
        }
    }
}

#[test]
fn every_call_works_from_cpp() {
    let place = Place::new("native-cpp");
    for source in CPP_CHECKS {
        let source = root().join("tests/native").join(source);
        for (standard, linked) in [("c++17", Linked::Static), ("c++20", Linked::Shared)] {
            assert_eq!(run(&place, &compile(&source, standard, linked), &[]), "");
            place.assert_empty();
        }
    }
}

/// Returns the functions that a header declares.
fn declared(header: &str) -> Vec<&str> {
    let calls = header.lines().filter(|line| line.contains('(') && !line.contains("* "));
    let code = calls.filter(|line| !line.starts_with("typedef"));
    let words = code.flat_map(|line| line.split(['(', '*', ' ']));
    let mut found: Vec<&str> = words.filter(|word| word.starts_with("pagemate_")).collect();
    found.retain(|word| header.contains(&format!("{word}(")));
    found
}

#[test]
fn no_call_is_left_out_of_the_checks_or_of_cpp() {
    let text = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let header = text("include/pagemate.h");
    let cpp = CPP_HEADERS.map(|name| text(&format!("include/{name}"))).concat();
    let checks = C_CHECKS.map(|source| text(&format!("tests/native/{source}"))).concat();
    let functions = declared(&header);
    assert!(functions.len() > 80, "{functions:?}");
    for function in functions {
        // Functions about Windows handles are declared on Windows only.
        let elsewhere = function.ends_with("_handle");
        assert!(elsewhere || checks.contains(&format!("{function}(")), "{function} is not checked");
        // C++ uses the first two without a wrapper, computes layouts itself, and has a type for memory that
        // is not writable.
        let prefixes = [
            "pagemate_status_",
            "pagemate_version",
            "pagemate_layout_",
            "pagemate_shared_is_writable",
        ];
        let plain = prefixes.iter().any(|prefix| function.starts_with(prefix));
        assert!(plain || cpp.contains(function), "{function} is not in C++");
    }
}

/// A process that holds the section.
enum Peer {
    /// A process that executes commands.
    Actor(Actor),
    /// `pagemate share`, which holds the section; other runs of the command read and write.
    Command { _holder: Actor },
}

/// Converts a text that the command printed to the number that the other programs read. The text
/// begins with `@`, as each reply does.
fn number(text: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    u64::from_ne_bytes(bytes)
}

fn program(source: &str, standard: &'static str, linked: Linked) -> Command {
    Command::new(compile(&root().join("tests/native").join(source), standard, linked))
}

fn c(place: &Place) -> Actor {
    let mut program = program("actor.c", "c11", Linked::Shared);
    program.env("PAGEMATE_DIR", place.path());
    Actor::start(program)
}

fn cpp(place: &Place) -> Actor {
    let mut program = program("actor.cpp", "c++17", Linked::Static);
    program.env("PAGEMATE_DIR", place.path());
    Actor::start(program)
}

impl Peer {
    /// Starts a holder. If it is the `first`, it creates the section with a text in it; otherwise
    /// it opens the section.
    fn new(place: &Place, language: &str, first: bool) -> Peer {
        let mut actor = match language {
            "rust" => place.actor(),
            "c" => c(place),
            "c++" => cpp(place),
            _ => {
                let mut share = Command::new(&BUILT.command);
                share.args(["share", NAME, "--text", "@first"]).env("PAGEMATE_DIR", place.path());
                let mut holder = Actor::start(share);
                assert_eq!(holder.reply().as_deref(), Some("first"));
                return Peer::Command { _holder: holder };
            }
        };
        actor.expect(&format!("share {NAME} 4096"), if first { "created" } else { "opened" });
        let mut peer = Peer::Actor(actor);
        if first {
            peer.write(place, "@first");
        }
        assert_eq!(peer.read(place), number("@first"), "{language}");
        peer
    }

    fn read(&mut self, place: &Place) -> u64 {
        match self {
            Peer::Actor(actor) => actor.ask(&format!("read {NAME}")).parse().unwrap(),
            Peer::Command { .. } => {
                let args = ["read", NAME, "--as", "u64", "--len", "8"];
                run(place, &BUILT.command, &args).trim().parse().unwrap()
            }
        }
    }

    fn write(&mut self, place: &Place, text: &str) {
        match self {
            Peer::Actor(actor) => actor.expect(&format!("write {NAME} {}", number(text)), "ok"),
            Peer::Command { .. } => {
                _ = run(place, &BUILT.command, &["write", NAME, "--text", text]);
            }
        }
    }
}

#[test]
fn all_languages_share_one_object_with_any_creator() {
    let mut languages = ["rust", "c", "c++", "command"];
    for _ in 0..languages.len() {
        let place = Place::new("native-share");
        let mut watcher = place.actor();
        let mut first = true;
        let mut peers =
            languages.map(|language| Peer::new(&place, language, std::mem::take(&mut first)));
        for writer in 0..peers.len() {
            let text = format!("@{}", languages[writer]);
            peers[writer].write(&place, &text[..text.len().min(7)]);
            for (reader, peer) in peers.iter_mut().enumerate() {
                let seen = peer.read(&place);
                assert_eq!(seen, number(&text[..text.len().min(7)]), "{reader} of {languages:?}");
            }
        }
        // The object exists after its creator has closed it.
        for peer in peers {
            watcher.expect(&format!("probe {NAME}"), "ok");
            drop(peer);
        }
        watcher.expect(&format!("probe {NAME}"), "NotFound");
        languages.rotate_left(1);
    }
}

#[test]
fn a_killed_holder_ends_the_name() {
    for start in [c, cpp] {
        let place = Place::new("native-kill");
        let mut watchers = [place.actor(), c(&place), cpp(&place)];
        let missing = ["NotFound", "PAGEMATE_NOT_FOUND", "PAGEMATE_NOT_FOUND"];
        let mut holder = start(&place);
        holder.expect(&format!("create {NAME} 4096"), "ok");
        holder.expect(&format!("write {NAME} 7"), "ok");
        for watcher in &mut watchers {
            watcher.expect(&format!("probe {NAME}"), "ok");
        }
        holder.end("kill");
        for (watcher, missing) in watchers.iter_mut().zip(missing) {
            watcher.expect(&format!("probe {NAME}"), missing);
        }
        // The next section under the name is a new one.
        watchers[0].expect(&format!("share {NAME} 4096"), "created");
        for watcher in &mut watchers[1..] {
            watcher.expect(&format!("share {NAME} 4096"), "opened");
            watcher.expect(&format!("read {NAME}"), "0");
        }
    }
}

#[test]
fn closing_a_handle_and_exiting_end_the_name() {
    let place = Place::new("native-exit");
    let mut watcher = c(&place);
    for start in [c, cpp] {
        let mut holder = start(&place);
        holder.expect(&format!("create {NAME} 4096"), "ok");
        watcher.expect(&format!("create {NAME} 4096"), "PAGEMATE_ALREADY_EXISTS");
        holder.expect(&format!("close {NAME}"), "ok");
        watcher.expect(&format!("probe {NAME}"), "PAGEMATE_NOT_FOUND");
        place.assert_empty();
        holder.expect(&format!("create {NAME} 4096"), "ok");
        holder.end("exit");
        watcher.expect(&format!("probe {NAME}"), "PAGEMATE_NOT_FOUND");
        place.assert_empty();
    }
}

#[test]
fn a_directory_that_cannot_be_used_has_a_status() {
    for start in [c, cpp] {
        let place = Place::new("native-reach");
        start(&place).expect("reach", "ok");
        fs::create_dir(place.local()).unwrap();
        fs::set_permissions(place.local(), fs::Permissions::from_mode(0o755)).unwrap();
        start(&place).expect("reach", "PAGEMATE_PERMISSION_DENIED");
        fs::remove_dir(place.local()).unwrap();
    }
}

#[test]
fn damage_by_other_programs_has_a_status_of_its_own() {
    let place = Place::new("native-broken");
    let name = unique("broken");
    let [mut holder, mut opener] = [c(&place), cpp(&place)];
    holder.expect(&format!("create {name} 4096"), "ok");
    let path = place.local().join(&name);
    let file = File::options().read(true).write(true).open(&path).unwrap();
    // docs/layout.md has the offsets of the trailer's fields.
    file.write_all_at(&[2], 4096 + 8).unwrap();
    opener.expect(&format!("probe {name}"), "PAGEMATE_WRONG_VERSION");
    file.write_all_at(&[1], 4096 + 8).unwrap();
    opener.expect(&format!("probe {name}"), "ok");
    file.write_all_at(b"pagemate", 4096).unwrap();
    opener.expect(&format!("probe {name}"), "PAGEMATE_CORRUPTED");
    holder.end("kill");
    assert!(lock_exclusively(&file));
    opener.expect(&format!("probe {name}"), "PAGEMATE_TIMED_OUT");
}
