//! Kills or stops a process at every fault point of creating, opening and closing.
//!
//! `cargo xtask faults` builds with `--cfg pagemate_fault` and runs these tests. They read the
//! names of the points from the source, so that every new point is tested.
#![cfg(all(pagemate_fault, unix))]

mod harness;

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use harness::{Actor, Place, Scratch};
use rustix::process::Signal;

#[test]
fn actor() {
    harness::actor();
}

/// Returns all fault points in the code of objects. `sync_death.rs` tests those of seats, in
/// `sys/liveness`.
fn all_points() -> BTreeSet<String> {
    let found = harness::fault_points("src/sys/object/unix");
    assert!(found.len() > 10, "{found:?}");
    found
}

/// The commands of the victim, and the state before them.
struct Scene {
    /// Whether another process holds `x` during the whole scene.
    held: bool,
    /// Whether a holder of `x` was killed before.
    dead: bool,
    /// The commands of the victim. `FILE` is replaced by the path of an empty file.
    commands: &'static [&'static str],
}

const SCENES: [Scene; 10] = [
    Scene { held: false, dead: false, commands: &["create x 4096", "close x"] },
    Scene { held: false, dead: false, commands: &["share x 4096", "close x"] },
    Scene { held: true, dead: false, commands: &["share x 4096", "close x"] },
    Scene { held: true, dead: false, commands: &["open-read x", "close x"] },
    Scene { held: true, dead: false, commands: &["create x 4096"] },
    Scene { held: false, dead: true, commands: &["open x"] },
    Scene { held: false, dead: true, commands: &["share x 4096", "close x"] },
    Scene { held: false, dead: true, commands: &["list"] },
    Scene { held: false, dead: false, commands: &["create-over x FILE 4096", "close x"] },
    Scene { held: false, dead: true, commands: &["share-over x FILE 4096", "close x"] },
];

/// Prepares the scene: starts the holder, if the scene has one, and a victim that gets `signal` at
/// `point`.
fn start(place: &Place, scene: &Scene, point: &str, signal: &str) -> (Option<Actor>, Actor) {
    if scene.dead {
        let mut dead = place.actor();
        dead.expect("create x 4096", "ok");
        dead.end("kill");
    }
    let holder = scene.held.then(|| {
        let mut holder = place.actor();
        holder.expect("create x 4096", "ok");
        holder.expect("write x 42", "ok");
        holder
    });
    (holder, place.actor_with(&[("PAGEMATE_FAULT", &format!("{point}:{signal}"))]))
}

/// Asserts the invariants that hold after the victim has ended at any point.
fn assert_invariants(place: &Place, holder: Option<Actor>) {
    let mut other = place.actor();
    if let Some(mut holder) = holder {
        other.expect("open x", "ok");
        other.expect("read x", "42");
        other.expect("create x 4096", "AlreadyExists");
        holder.expect("close x", "ok");
        other.expect("probe x", "ok");
        other.expect("close x", "ok");
    }
    other.expect("probe x", "NotFound");
    other.expect("create x 4096", "ok");
    other.expect("zero x", "true");
    other.expect("close x", "ok");
    other.expect("list", "");
    place.assert_empty();
}

#[test]
fn killed_at_every_point() {
    let points = all_points();
    let mut reached = BTreeSet::new();
    for point in &points {
        for scene in &SCENES {
            let place = Place::new("killed");
            let (holder, mut victim) = start(&place, scene, point, "kill");
            let file = Scratch::new(b"");
            for command in scene.commands {
                victim.tell(&command.replace("FILE", file.path().to_str().unwrap()));
                if victim.reply().is_none() {
                    reached.insert(point.clone());
                    break;
                }
            }
            drop(victim);
            assert_invariants(&place, holder);
            match point.as_str() {
                "grow-before" => assert_eq!(file.len(), 0),
                "grow-after" if file_grows(scene) => assert_eq!(file.len(), 4096),
                _ => {}
            }
        }
    }
    assert_eq!(reached, points, "points that no scene reaches");
}

fn file_grows(scene: &Scene) -> bool {
    scene.commands.iter().any(|command| command.contains("FILE"))
}

#[test]
fn stopped_at_every_point_while_others_race_through() {
    let points = all_points();
    let mut reached = BTreeSet::new();
    for point in &points {
        for scene in &SCENES {
            let place = Place::new("stopped");
            let (holder, mut victim) = start(&place, scene, point, "stop");
            let file = Scratch::new(b"");
            let mut racer = place.actor();
            let mut holds = false;
            for command in scene.commands {
                victim.tell(&command.replace("FILE", file.path().to_str().unwrap()));
                let mut reply = None;
                while reply.is_none() && !victim.is_stopped() {
                    reply = victim.has_replied(Duration::from_millis(1));
                }
                let reply = reply.unwrap_or_else(|| {
                    reached.insert(point.clone());
                    race(&mut racer, point, holder.is_some());
                    resume(&mut victim)
                });
                holds = match (*command, reply.as_str()) {
                    ("close x" | "list", _) => false,
                    (_, "ok" | "created" | "opened") => true,
                    _ => holds,
                };
            }
            if holds && racer.ask("open x") == "ok" {
                racer.expect("write x 42", "ok");
                victim.expect("read x", "42");
                racer.expect("close x", "ok");
            }
            victim.tell("close x");
            resume(&mut victim);
            drop(victim);
            assert_invariants(&place, holder);
        }
    }
    assert_eq!(reached, points, "points that no scene reaches");
}

/// The last holder ends while an opener is stopped, and the name may then refer to another object.
/// The opener then opens the new object.
#[test]
fn stopped_opener_while_the_last_holder_ends() {
    let mut reached = BTreeSet::new();
    let points: BTreeSet<_> =
        all_points().into_iter().filter(|point| point.starts_with("open-")).collect();
    for point in &points {
        for opens in ["open x", "open-read x", "share x 4096"] {
            for kill in [false, true] {
                let place = Place::new("left");
                let scene = Scene { held: true, dead: false, commands: &[] };
                let (holder, mut victim) = start(&place, &scene, point, "stop");
                let mut holder = holder.unwrap();
                victim.tell(opens);
                victim.wait_stopped();
                reached.insert(point.clone());
                if kill {
                    holder.end("kill");
                } else {
                    holder.expect("close x", "ok");
                }
                let mut next = place.actor();
                let kept = next.ask("share x 4096") == "opened";
                assert_eq!(kept, point == "open-after-share", "{point}: {opens}");
                next.expect("write x 43", "ok");
                let reply = resume(&mut victim);
                assert!(matches!(reply.as_str(), "ok" | "opened"), "{reply} at {point}: {opens}");
                next.expect("write x 44", "ok");
                victim.expect("read x", "44");
                victim.tell("close x");
                resume(&mut victim);
                next.expect("close x", "ok");
                drop(victim);
                assert_invariants(&place, None);
            }
        }
    }
    assert_eq!(reached, points, "points that no opener reaches");
}

/// Two processes that found different sets of pending directories choose the same directory.
#[test]
fn stopped_while_another_process_sees_more_directories() {
    let place = Place::new("two-choose");
    let first = place.local();
    let create_pending = |dir: &Path| {
        fs::create_dir(dir).unwrap();
        fs::set_permissions(dir, Permissions::from_mode(0o1700)).unwrap();
    };
    let start_chooser = || {
        let mut actor = place.actor_with(&[("PAGEMATE_FAULT", "user-dir-before-lock:stop")]);
        actor.tell("share x 4096");
        actor.wait_stopped();
        actor
    };
    create_pending(&first.with_extension("0123"));
    let mut saw_one = start_chooser();
    create_pending(&first);
    let mut saw_two = start_chooser();
    assert_eq!(resume(&mut saw_one), "created");
    assert_eq!(resume(&mut saw_two), "opened");
    saw_one.expect("write x 42", "ok");
    saw_two.expect("read x", "42");
    drop((saw_one, saw_two));
    assert_invariants(&place, None);
}

/// If the process that chooses one of several pending directories is killed, at any point, exactly
/// one directory remains in the end.
#[test]
fn killed_while_it_chooses_one_of_several_directories() {
    for point in all_points().into_iter().filter(|point| point.starts_with("user-dir-after-")) {
        let place = Place::new("several");
        let first = place.local();
        let pending = [first.clone(), first.with_extension("0123"), first.with_extension("4567")];
        if point != "user-dir-after-create" {
            for dir in &pending {
                fs::create_dir(dir).unwrap();
                fs::set_permissions(dir, Permissions::from_mode(0o1700)).unwrap();
            }
        }
        let mut victim = place.actor_with(&[("PAGEMATE_FAULT", &format!("{point}:kill"))]);
        victim.tell("share x 4096");
        assert_eq!(victim.reply(), None, "{point}");
        assert_invariants(&place, None);
        place.actor().expect("prune", "0");
        assert!(first.exists() && !pending[1].exists() && !pending[2].exists(), "{point}");
    }
}

/// An opener that tested the lock just before a removal detects the removal even if the file has a
/// second link. Any user who may write to the file can create a link, even if `protected_hardlinks`
/// is set.
#[test]
fn stopped_opener_is_not_deceived_by_a_second_name_of_the_file() {
    for point in ["open-before-ask", "open-before-share", "open-after-share"] {
        for opens in ["open x", "open-read x", "share x 4096"] {
            let place = Place::new("second-name");
            let scene = Scene { held: true, dead: false, commands: &[] };
            let (holder, mut victim) = start(&place, &scene, point, "stop");
            let mut holder = holder.unwrap();
            victim.tell(opens);
            victim.wait_stopped();
            let second = place.path().join("second");
            fs::hard_link(place.local().join("x"), &second).unwrap();
            holder.expect("close x", "ok");
            let mut next = place.actor();
            let kept = next.ask("share x 4096") == "opened";
            assert_eq!(kept, point == "open-after-share", "{point}: {opens}");
            let reply = resume(&mut victim);
            assert!(matches!(reply.as_str(), "ok" | "opened"), "{reply} at {point}: {opens}");
            next.expect("write x 44", "ok");
            victim.expect("read x", "44");
            victim.tell("close x");
            resume(&mut victim);
            next.expect("close x", "ok");
            drop(victim);
            fs::remove_file(second).unwrap();
            assert_invariants(&place, None);
        }
    }
}

/// An opener whose call fails was a holder for a moment, and may be the last one.
#[test]
fn refused_opener_that_is_the_last_removes_the_name() {
    let place = Place::new("refused");
    let scene = Scene { held: true, dead: false, commands: &[] };
    let (holder, mut victim) = start(&place, &scene, "open-after-share", "stop");
    let file = File::options().write(true).open(place.local().join("x")).unwrap();
    file.write_all_at(&[77], 4096 + 8).unwrap();
    victim.tell("open x");
    victim.wait_stopped();
    holder.unwrap().expect("close x", "ok");
    assert_eq!(place.files().len(), 1);
    assert_eq!(resume(&mut victim), "WrongVersion");
    place.assert_empty();
}

/// Creates, opens and closes the object while the victim is stopped.
fn race(racer: &mut Actor, point: &str, held: bool) {
    for _ in 0..3 {
        let reply = racer.ask("share x 4096");
        match reply.as_str() {
            "opened" => {}
            "created" => assert!(!held, "a live name was lost at {point}"),
            // The victim is stopped while it removes the name or extends a file, and has the name
            // locked exclusively.
            "TimedOut" if point.starts_with("sweep-after-") || point.starts_with("grow-") => return,
            // The victim has the pending directories locked.
            "TimedOut" if point == "user-dir-after-lock" => return,
            _ => panic!("{reply} at {point}"),
        }
        racer.expect("write x 42", "ok");
        racer.expect("probe x", "ok");
        racer.expect("close x", "ok");
    }
}

/// Continues the victim each time it stops, until it replies.
fn resume(victim: &mut Actor) -> String {
    loop {
        victim.signal(Signal::CONT);
        if let Some(reply) = victim.has_replied(Duration::from_millis(20)) {
            return reply;
        }
    }
}
