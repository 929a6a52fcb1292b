//! Memory shared by name with a C++ program that knows only Win32.
#![cfg(windows)]

mod harness;

use std::process::Command;

use harness::{Actor, unique};
use pagemate::{ErrorKind, Section, SectionOptions, View};

const TEXT: &str = "This is common data!";

/// Starts the other program.
fn other() -> Actor {
    Actor::start(Command::new(std::env::var_os("PAGEMATE_INTEROP").unwrap()))
}

fn text(view: &View) -> String {
    let mut bytes = [0; TEXT.len()];
    view.read_at(0, &mut bytes).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn is_gone(name: &str) -> bool {
    Section::open(name).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn what_the_other_program_makes_is_ours_to_open() {
    let name = unique("ShareMemory");
    let mut other = other();
    other.expect(&format!("create {name} 5000"), "created");
    other.expect(&format!("write {TEXT}"), TEXT);

    let section = Section::open(&name).unwrap();
    assert_eq!(section.len(), 8192);
    let view = section.map().unwrap();
    assert_eq!(text(&view), TEXT);
    view.write_at(0, b"THIS").unwrap();
    other.expect("read", "THIS is common data!");

    let found = SectionOptions::new().len(1 << 20).open_or_create(&name).unwrap();
    assert!(!found.was_created());
    other.expect("close", "ok");
    drop((section, found));
    assert_eq!(Section::open(&name).unwrap().len(), 8192);
    drop(view);
    assert!(is_gone(&name));
    other.expect(&format!("open {name}"), "error 2");
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn what_we_make_is_the_other_programs_to_open() {
    let name = unique("ShareMemory");
    let mut other = other();
    let section = SectionOptions::new().len(5000).create_new(&name).unwrap();
    let view = section.map().unwrap();
    view.write_at(0, TEXT.as_bytes()).unwrap();

    other.expect(&format!(r"open Local\{name}"), "ok");
    other.expect("length", "8192");
    other.expect("read", TEXT);
    other.expect("write THIS is common data!", "THIS is common data!");
    assert_eq!(text(&view), "THIS is common data!");

    drop((section, view));
    assert_eq!(text(&Section::open(&name).unwrap().map().unwrap()), "THIS is common data!");
    other.end("kill");
    assert!(is_gone(&name));
}

#[test]
#[ignore = "needs the program that `cargo xtask windows` builds"]
fn either_program_creates_and_the_other_finds() {
    let name = unique("ShareMemory");
    let mut other = other();
    other.expect(&format!("create {name} 1"), "created");
    let error = SectionOptions::new().len(1).create_new(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    other.expect("close", "ok");
    let section = SectionOptions::new().len(1).create_new(&name).unwrap();
    other.expect(&format!("create {name} 1"), "opened");
    other.expect("close", "ok");
    drop(section);
    assert!(is_gone(&name));
}
