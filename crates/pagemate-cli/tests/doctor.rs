//! `pagemate doctor` on machines with harmless and with harmful settings.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a skipped test prints the reason")]

mod harness;

use std::process::{Command, Stdio};

use harness::{Place, Ran};

#[test]
fn a_working_machine_passes() {
    let place = Place::new();
    // The directory is not in /dev/shm, because logind may remove files there.
    let dir = std::env::temp_dir().join(place.name("doctor"));
    std::fs::create_dir(&dir).unwrap();
    let run = |args: &[&str]| Ran::of(place.command(args).env("PAGEMATE_DIR", &dir), b"").text();
    let text = run(&["doctor"]);
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
    let json = run(&["doctor", "--json"]);
    std::fs::remove_dir_all(dir).unwrap();
    let findings: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert!(findings.iter().all(|finding| finding["result"] == "ok"), "{json}");
}

#[test]
fn a_directory_that_cannot_be_used_fails() {
    let place = Place::new();
    let mut command = place.command(&["doctor"]);
    command.env("PAGEMATE_DIR", place.path().join("missing"));
    let Ran { code, bytes, errors } = Ran::of(&mut command, b"");
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("failed   local names: create section"), "{text}");
    assert_eq!((code, &*errors), (Some(2), "pagemate: named memory does not work here\n"));
}

/// With the default settings of systemd, logind removes the objects of a user when the user's last
/// session ends.
#[test]
fn a_logind_that_removes_objects_is_a_warning() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can mount a /run of its own");
        return;
    }
    let doctor = env!("CARGO_BIN_EXE_pagemate");
    // Copy the command, because the folder in which it was built may not be accessible to other
    // users.
    let run_in = |dir: &str, setting: &str, uid: &str| {
        let script = format!(
            "mount -t tmpfs none /run && mount -t tmpfs none /dev/shm && chmod 1777 /dev/shm &&
             mkdir -p /dev/shm/mine /run/mine && chmod 1777 /dev/shm/mine /run/mine &&
             mkdir -p /run/systemd/system /run/systemd/logind.conf.d &&
             printf '[Login]\\nRemoveIPC={setting}\\n' > /run/systemd/logind.conf.d/99-test.conf &&
             cp \"$0\" /run/pagemate &&
             export PAGEMATE_DIR={dir} &&
             exec setpriv --reuid={uid} --regid={uid} --clear-groups /run/pagemate doctor"
        );
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script, doctor]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ran::of(&mut command, b"")
    };
    let run = |setting: &str, uid: &str| run_in("", setting, uid);
    let Ran { code, bytes, errors } = run("yes", "54321");
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("warning  RemoveIPC: logind removes"), "{text}");
    assert_eq!((code, &*errors), (Some(1), "pagemate: see the warnings above\n"));
    assert!(run("no", "54321").text().contains("ok       RemoveIPC"));
    assert!(run("yes", "998").text().contains("ok       RemoveIPC"));
    // logind also removes files in directories below /dev/shm.
    let inside = run_in("/dev/shm/mine", "yes", "54321");
    assert!(String::from_utf8_lossy(&inside.bytes).contains("warning  RemoveIPC"), "{inside:?}");
    let outside = run_in("/run/mine", "yes", "54321").text();
    assert!(outside.contains("ok       RemoveIPC: PAGEMATE_DIR keeps the objects outside"));
}
