//! A process dies, or stands still, at every named point of creating, opening and closing.
//!
//! `cargo xtask faults` builds with `--cfg pagemate_fault` and runs this; the points are read from
//! the source, so that a new one is tested by being there.
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

/// Those of seats, in `sys/liveness`, are `sync_death.rs`'.
fn all_points() -> BTreeSet<String> {
    let found = harness::fault_points("src/sys/object/unix");
    assert!(found.len() > 10, "{found:?}");
    found
}

/// What the victim does, and what stands there before.
struct Scene {
    /// Whether another process holds `x` all the time.
    held: bool,
    /// Whether a process that had `x` was killed before.
    dead: bool,
    /// `FILE` stands for the path of an empty file.
    does: &'static [&'static str],
}

const SCENES: [Scene; 10] = [
    Scene { held: false, dead: false, does: &["create x 4096", "close x"] },
    Scene { held: false, dead: false, does: &["share x 4096", "close x"] },
    Scene { held: true, dead: false, does: &["share x 4096", "close x"] },
    Scene { held: true, dead: false, does: &["open-read x", "close x"] },
    Scene { held: true, dead: false, does: &["create x 4096"] },
    Scene { held: false, dead: true, does: &["open x"] },
    Scene { held: false, dead: true, does: &["share x 4096", "close x"] },
    Scene { held: false, dead: true, does: &["list"] },
    Scene { held: false, dead: false, does: &["create-over x FILE 4096", "close x"] },
    Scene { held: false, dead: true, does: &["share-over x FILE 4096", "close x"] },
];

/// Sets the scene: the holder, if there is one, and a victim that will get `signal` at `point`.
fn set(place: &Place, scene: &Scene, point: &str, signal: &str) -> (Option<Actor>, Actor) {
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

/// What must hold whatever happened to the victim, once it is gone.
fn all_is_well(place: &Place, holder: Option<Actor>) {
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
    let mut met = BTreeSet::new();
    for point in &points {
        for scene in &SCENES {
            let place = Place::new("killed");
            let (holder, mut victim) = set(&place, scene, point, "kill");
            let file = Scratch::new(b"");
            for command in scene.does {
                victim.tell(&command.replace("FILE", file.path().to_str().unwrap()));
                if victim.reply().is_none() {
                    met.insert(point.clone());
                    break;
                }
            }
            drop(victim);
            all_is_well(&place, holder);
            match point.as_str() {
                "grow-before" => assert_eq!(file.len(), 0),
                "grow-after" if file_grows(scene) => assert_eq!(file.len(), 4096),
                _ => {}
            }
        }
    }
    assert_eq!(met, points, "points that no scene meets");
}

fn file_grows(scene: &Scene) -> bool {
    scene.does.iter().any(|command| command.contains("FILE"))
}

#[test]
fn stopped_at_every_point_while_others_race_through() {
    let points = all_points();
    let mut met = BTreeSet::new();
    for point in &points {
        for scene in &SCENES {
            let place = Place::new("stopped");
            let (holder, mut victim) = set(&place, scene, point, "stop");
            let file = Scratch::new(b"");
            let mut racer = place.actor();
            let mut holds = false;
            for command in scene.does {
                victim.tell(&command.replace("FILE", file.path().to_str().unwrap()));
                let mut reply = None;
                while reply.is_none() && !victim.is_stopped() {
                    reply = victim.has_replied(Duration::from_millis(1));
                }
                let reply = reply.unwrap_or_else(|| {
                    met.insert(point.clone());
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
            all_is_well(&place, holder);
        }
    }
    assert_eq!(met, points, "points that no scene meets");
}

/// The last holder goes while the opener stands still, and the name may go to another object: then
/// that is the one to be opened.
#[test]
fn stopped_opener_while_the_last_holder_goes() {
    let mut met = BTreeSet::new();
    let points: BTreeSet<_> =
        all_points().into_iter().filter(|point| point.starts_with("open-")).collect();
    for point in &points {
        for opens in ["open x", "open-read x", "share x 4096"] {
            for kill in [false, true] {
                let place = Place::new("left");
                let scene = Scene { held: true, dead: false, does: &[] };
                let (holder, mut victim) = set(&place, &scene, point, "stop");
                let mut holder = holder.unwrap();
                victim.tell(opens);
                victim.wait_stopped();
                met.insert(point.clone());
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
                all_is_well(&place, None);
            }
        }
    }
    assert_eq!(met, points, "points that no opener meets");
}

/// Two processes that saw different pending directories choose the same one.
#[test]
fn stopped_while_another_process_sees_more_directories() {
    let place = Place::new("two-choose");
    let first = place.local();
    let make = |dir: &Path| {
        fs::create_dir(dir).unwrap();
        fs::set_permissions(dir, Permissions::from_mode(0o1700)).unwrap();
    };
    let start = || {
        let mut actor = place.actor_with(&[("PAGEMATE_FAULT", "home-before-lock:stop")]);
        actor.tell("share x 4096");
        actor.wait_stopped();
        actor
    };
    make(&first.with_extension("0123"));
    let mut saw_one = start();
    make(&first);
    let mut saw_two = start();
    assert_eq!(resume(&mut saw_one), "created");
    assert_eq!(resume(&mut saw_two), "opened");
    saw_one.expect("write x 42", "ok");
    saw_two.expect("read x", "42");
    drop((saw_one, saw_two));
    all_is_well(&place, None);
}

/// Of several pending directories one is left, wherever a process dies that chooses it.
#[test]
fn killed_while_it_chooses_one_of_several_directories() {
    for point in all_points().into_iter().filter(|point| point.starts_with("home-after-")) {
        let place = Place::new("several");
        let first = place.local();
        let pending = [first.clone(), first.with_extension("0123"), first.with_extension("4567")];
        if point != "home-after-make" {
            for dir in &pending {
                fs::create_dir(dir).unwrap();
                fs::set_permissions(dir, Permissions::from_mode(0o1700)).unwrap();
            }
        }
        let mut victim = place.actor_with(&[("PAGEMATE_FAULT", &format!("{point}:kill"))]);
        victim.tell("share x 4096");
        assert_eq!(victim.reply(), None, "{point}");
        all_is_well(&place, None);
        place.actor().expect("prune", "0");
        assert!(first.exists() && !pending[1].exists() && !pending[2].exists(), "{point}");
    }
}

/// Another name of the file hides no removal from an opener that asked just before it. Any user who
/// may write to the file can make one, also where `protected_hardlinks` is set.
#[test]
fn stopped_opener_is_not_deceived_by_a_second_name_of_the_file() {
    for point in ["open-before-ask", "open-before-share", "open-after-share"] {
        for opens in ["open x", "open-read x", "share x 4096"] {
            let place = Place::new("second-name");
            let scene = Scene { held: true, dead: false, does: &[] };
            let (holder, mut victim) = set(&place, &scene, point, "stop");
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
            all_is_well(&place, None);
        }
    }
}

/// An opener that is refused was a holder for a moment, and may be the last.
#[test]
fn refused_opener_that_is_the_last_removes_the_name() {
    let place = Place::new("refused");
    let scene = Scene { held: true, dead: false, does: &[] };
    let (holder, mut victim) = set(&place, &scene, "open-after-share", "stop");
    let file = File::options().write(true).open(place.local().join("x")).unwrap();
    file.write_all_at(&[77], 4096 + 8).unwrap();
    victim.tell("open x");
    victim.wait_stopped();
    holder.unwrap().expect("close x", "ok");
    assert_eq!(place.files().len(), 1);
    assert_eq!(resume(&mut victim), "WrongVersion");
    place.assert_empty();
}

/// Creates, opens and closes while the victim stands still.
fn race(racer: &mut Actor, point: &str, held: bool) {
    for _ in 0..3 {
        let reply = racer.ask("share x 4096");
        match reply.as_str() {
            "opened" => {}
            "created" => assert!(!held, "a live name was lost at {point}"),
            // Who stands still in the middle of removing the name, or of making a file grow for it,
            // keeps the name, not the process.
            "TimedOut" if point.starts_with("sweep-after-") || point.starts_with("grow-") => return,
            // Neither can another process choose the user's directory meanwhile.
            "TimedOut" if point == "home-after-lock" => return,
            _ => panic!("{reply} at {point}"),
        }
        racer.expect("write x 42", "ok");
        racer.expect("probe x", "ok");
        racer.expect("close x", "ok");
    }
}

/// Lets the victim go on to its reply, however often it stops.
fn resume(victim: &mut Actor) -> String {
    loop {
        victim.signal(Signal::CONT);
        if let Some(reply) = victim.has_replied(Duration::from_millis(20)) {
            return reply;
        }
    }
}
