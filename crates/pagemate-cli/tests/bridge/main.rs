//! `pagemate bridge` between this test and Windows programs under Wine. `cargo xtask bridge` runs it.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "skipped tests and measurements are printed")]

mod harness;
mod measure;

use std::env;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Actor, Bridge, end_prefix, helpers_of, is_prepared, pagemate, unique, wait_until};
use pagemate::sync::Event;
use pagemate::{ErrorKind, Section, SectionOptions, inventory};
use rustix::process::Signal;
use std::time::Duration;

/// The error code of Windows for a name that does not exist.
const FILE_NOT_FOUND: i32 = 2;

fn is_gone(name: &str) -> bool {
    Section::open(name).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

#[test]
fn sections_with_any_name_and_length_are_shared_in_both_directions() {
    if !is_prepared() {
        return;
    }
    let mut actor = Actor::start();
    // Windows' spelling, the native spelling, and the length.
    let names = [
        ("plain", "plain", "5460"),
        (r"Local\local", "local", "1"),
        (r"Global\global", r"Global\global", "324820"),
        ("Täst $x$ – 名前 😀", "Täst $x$ – 名前 😀", "4097"),
        ("/slash/and:colon", "/slash/and:colon", "100000"),
    ]
    .map(|(windows, native, len)| (unique(windows), unique(native), len));
    let (before, after) = names.split_at(2);
    for (windows, _, len) in before {
        actor.expect(&["create", windows, len], 0);
    }
    let bridge = Bridge::start(&[]);
    bridge.expect("connected", "");
    for (index, (windows, native, len)) in before.iter().chain(after).enumerate() {
        if index >= before.len() {
            actor.expect(&["create", windows, len], 0);
        }
        // Two names that exist already appear in either order.
        wait_until("the name appears", || Section::open(native).is_ok());
        let section = Section::open(native).unwrap();
        let len: u64 = len.parse().unwrap();
        assert_eq!(section.len(), len.next_multiple_of(4096));
        let view = section.map().unwrap();
        let last = usize::try_from(len - 1).unwrap();
        actor.expect(&["write", windows, &last.to_string(), "77"], 0);
        assert_eq!(view.read::<u8>(last).unwrap(), 77);
        view.write(last, &78_u8).unwrap();
        actor.expect(&["read", windows, &last.to_string()], 78);
        let entry = inventory::find(native).unwrap();
        assert!(entry.origin.unwrap().starts_with("Wine ("));
    }
    let listed = pagemate(&["bridge", "--list", "--json"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for (windows, native, _) in &names {
        let shown = serde_json::to_string(native).unwrap();
        assert!(listed.contains(&shown), "{shown} is not in {listed}");
        actor.expect(&["close", windows], 0);
        wait_until("the name ends", || is_gone(native));
    }
}

#[test]
fn name_leads_to_a_new_section_and_readers_of_the_old_one_notice() {
    if !is_prepared() {
        return;
    }
    let name = &unique("again");
    let mut actor = Actor::start();
    let bridge = Bridge::start(&[name]);
    actor.expect(&["create", name, "100"], 0);
    bridge.expect("appeared", name);
    let old = Section::open(name).unwrap();
    actor.expect(&["write", name, "0", "1"], 0);
    actor.expect(&["close", name], 0);
    bridge.expect("ended", name);
    assert_eq!(old.check_name().unwrap_err().kind(), ErrorKind::Orphaned);

    // A view keeps the memory, and not the name.
    actor.expect(&["create", name, "100"], 0);
    bridge.expect("appeared", name);
    assert_eq!(Section::open(name).unwrap().map().unwrap().read::<u8>(0).unwrap(), 0);
    actor.expect(&["write", name, "0", "2"], 0);
    actor.expect(&["close-handle", name], 0);
    bridge.expect("ended", name);
    actor.expect(&["create", name, "100"], 0);
    bridge.expect("appeared", name);
    assert_eq!(Section::open(name).unwrap().map().unwrap().read::<u8>(0).unwrap(), 0);

    // The same without a pause.
    actor.tell(&["close-handle", name]);
    actor.tell(&["create", name, "100"]);
    actor.tell(&["write", name, "0", "3"]);
    assert_eq!([actor.answer(), actor.answer(), actor.answer()], [0; 3]);
    wait_until("the name leads to the new section", || {
        let read = |section: Section| section.map()?.read::<u8>(0);
        Section::open(name).and_then(read).is_ok_and(|value| value == 3)
    });
}

#[test]
fn thousand_sections_that_come_and_go_leave_only_the_last_one() {
    if !is_prepared() {
        return;
    }
    let name = &unique("churn");
    let mut actor = Actor::start();
    let bridge = Bridge::start(&[name]);
    bridge.expect("connected", "");
    actor.tell(&["churn", name, "1000"]);
    assert_eq!(actor.answer(), 0);
    wait_until("the name leads to the last section", || {
        let read = |section: Section| section.map()?.read::<u32>(0);
        Section::open(name).and_then(read).is_ok_and(|value| value == 1000)
    });
    actor.expect(&["close", name], 0);
    wait_until("the name ends", || is_gone(name));
    actor.expect(&["probe", name], FILE_NOT_FOUND);
}

#[test]
fn killed_processes_leave_no_name_and_keep_no_section_alive() {
    if !is_prepared() {
        return;
    }
    let name = &unique("killed");
    let mut other = Actor::start();
    // The Windows program.
    let mut actor = Actor::start();
    actor.expect(&["create", name, "100"], 0);
    let mut bridge = Bridge::start(&[name]);
    bridge.expect("appeared", name);
    let _reader = Section::open(name).unwrap();
    drop(actor);
    bridge.expect("ended", name);
    assert!(is_gone(name));
    other.expect(&["probe", name], FILE_NOT_FOUND);

    // The bridge.
    other.expect(&["create", name, "100"], 0);
    bridge.expect("appeared", name);
    let pid = bridge.pid();
    bridge.end_by(Signal::KILL);
    assert!(is_gone(name));
    wait_until("the helper ends", || helpers_of(pid).is_empty());
    let bridge = Bridge::start(&[name]);
    bridge.expect("appeared", name);
    assert!(Section::open(name).is_ok());

    // The helper.
    let pid = bridge.helpers().pop().unwrap();
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    assert!(bridge.ended().success());
    assert!(is_gone(name));

    // The wineserver.
    let bridge = Bridge::start(&[name]);
    bridge.expect("appeared", name);
    end_prefix(Path::new(&env::var_os("WINEPREFIX").unwrap()));
    bridge.wait_for("disconnected");
    assert!(bridge.ended().success());
    assert!(is_gone(name));
    drop(other);
}

#[test]
fn bridge_and_reader_may_start_before_the_prefix() {
    if !is_prepared() {
        return;
    }
    let name = &unique("early");
    end_prefix(Path::new(&env::var_os("WINEPREFIX").unwrap()));
    let reader = pagemate(&["read", name, "--wait", "--timeout", "90s"]).spawn();
    let bridge = Bridge::start(&[name]);
    let mut actor = Actor::start();
    bridge.expect("connected", "");
    actor.expect(&["create", name, "100"], 0);
    bridge.expect("appeared", name);
    let read = reader.unwrap().wait_with_output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
}

/// A copy of the Wine prefix, removed when dropped.
struct Copied(PathBuf);
impl Drop for Copied {
    fn drop(&mut self) {
        end_prefix(&self.0);
        _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn second_prefix_has_names_of_its_own() {
    if !is_prepared() {
        return;
    }
    let (same, own) = (&unique("both"), &unique("second"));
    let first = PathBuf::from(env::var_os("WINEPREFIX").unwrap());
    let second = Copied(first.with_file_name(unique("bridge-second")));
    // Wine replaces the files of its registry and does not write to them, so hard links suffice.
    let copied = Command::new("cp").arg("-al").arg(&first).arg(&second.0).status().unwrap();
    assert!(copied.success());
    let mut actor = Actor::start();
    let mut beside = Actor::start_in(&second.0);
    actor.expect(&["create", same, "100"], 0);
    beside.expect(&["create", same, "100"], 0);
    beside.expect(&["create", own, "100"], 0);
    let pattern = format!("*-{}", std::process::id());
    let bridge = Bridge::start(&[&pattern]);
    bridge.expect("appeared", same);
    let of_second = Bridge::start(&[own, same, "--prefix", second.0.to_str().unwrap()]);
    let (_, line) = of_second.expect("refused", same);
    assert!(line["cause"].as_str().unwrap().contains("a native object has this name"));
    wait_until("the name of the second prefix appears", || Section::open(own).is_ok());
    let origin = inventory::find(own).unwrap().origin.unwrap();
    assert!(origin.contains("bridge-second"), "{origin}");
    // When the first one ends, the second one gets the name.
    actor.expect(&["close", same], 0);
    of_second.expect("appeared", same);
}

#[test]
fn native_sections_are_there_for_windows_programs() {
    if !is_prepared() {
        return;
    }
    let name = &unique("native");
    let mut actor = Actor::start();
    let early = SectionOptions::new().len(5000).create_new(name).unwrap();
    let bridge = Bridge::start(&["no-section", "--to-wine", name]);
    bridge.expect("offered", name);
    actor.expect(&["open", name], 0);
    let view = early.map().unwrap();
    view.write(8191, &9_u8).unwrap();
    actor.expect(&["read", name, "8191"], 9);
    actor.expect(&["write", name, "4999", "8"], 0);
    assert_eq!(view.read::<u8>(4999).unwrap(), 8);

    // A Windows program that holds the section keeps its native name.
    std::thread::sleep(Duration::from_millis(200));
    drop(view);
    drop(early);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(Section::open(name).unwrap().map().unwrap().read::<u8>(4999).unwrap(), 8);
    actor.expect(&["close", name], 0);
    bridge.expect("withdrawn", name);
    assert!(is_gone(name));
    actor.expect(&["probe", name], FILE_NOT_FOUND);

    // Another one with this name, and a bridge that ends.
    let _late = SectionOptions::new().len(100).create_new(name).unwrap();
    bridge.expect("offered", name);
    actor.expect(&["probe", name], 0);
    drop(bridge);
    wait_until("the name ends in Windows", || actor.ask(&["probe", name]) == FILE_NOT_FOUND);
}

#[test]
fn events_of_windows_programs_set_native_ones() {
    if !is_prepared() {
        return;
    }
    let (manual, auto, mutex) = (&unique("manual"), &unique("auto"), &unique("mutex"));
    let mut actor = Actor::start();
    let bridge =
        Bridge::start(&["no-section", "--event", manual, "--event", auto, "--event", mutex]);
    bridge.expect("connected", "");
    actor.expect(&["event", manual, "1"], 0);
    bridge.expect("event", manual);
    let event = Event::open(manual).unwrap();
    assert!(!event.wait_for(Duration::ZERO).unwrap());
    actor.expect(&["set", manual], 0);
    assert!(event.wait_for(harness::PATIENCE).unwrap());
    actor.expect(&["reset", manual], 0);
    wait_until("the native event is reset", || !event.wait_for(Duration::ZERO).unwrap());
    let waiter = {
        let event = Event::open(manual).unwrap();
        std::thread::spawn(move || event.wait_for(harness::PATIENCE).unwrap())
    };
    wait_until("a thread waits", || inventory::find(manual).unwrap().waiting.unwrap_or(0) > 0);
    // Windows does not promise that a pulse reaches a waiter, so repeat it.
    wait_until("a pulse wakes the native waiter", || {
        actor.expect(&["pulse", manual], 0);
        std::thread::sleep(Duration::from_millis(20));
        waiter.is_finished()
    });
    assert!(waiter.join().unwrap());
    drop(event);

    actor.expect(&["event", auto, "0"], 0);
    bridge.expect("event", auto);
    let event = Event::open(auto).unwrap();
    for _ in 0..3 {
        actor.expect(&["set", auto], 0);
        assert!(event.wait_for(harness::PATIENCE).unwrap());
        assert!(!event.wait_for(Duration::ZERO).unwrap());
    }
    drop(event);
    actor.expect(&["mutex", mutex], 0);
    let (_, line) = bridge.expect("refused", mutex);
    assert!(line["cause"].as_str().unwrap().contains("only events"), "{line}");
    actor.expect(&["close", manual], 0);
    bridge.expect("ended", manual);
    assert!(Event::open(manual).is_err());
}

#[test]
fn prefix_of_another_user_is_refused() {
    if !is_prepared() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let _actor = Actor::start();
    let prefix = env::var("WINEPREFIX").unwrap();
    // A prefix in a directory that the other user may not enter is refused, too.
    let mut command = pagemate(&["bridge", "--prefix", &prefix]);
    let ran = command.uid(65534).gid(65534).output().unwrap();
    let error = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{error}");
    assert!(error.contains("bridge the Wine prefix"), "{error}");
}
