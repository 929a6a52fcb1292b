//! Kills or stops a process at every fault point of locking, waiting and signalling.
//!
//! `cargo xtask faults` builds with `--cfg pagemate_fault` and runs these tests. They read the
//! names of the points from the source, so that every new point is tested.
#![cfg(all(pagemate_fault, unix))]

mod harness;

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Actor, Place};
use rustix::process::Signal;

#[test]
fn actor() {
    harness::actor();
}

fn all_points() -> BTreeSet<String> {
    let mut found = harness::fault_points("src/sys/sync");
    // `locks_death.rs` has the points of these.
    found.retain(|point| {
        !["read-", "write-", "once-", "condvar-"].iter().any(|kind| point.starts_with(kind))
    });
    found.append(&mut harness::fault_points("src/sync"));
    let mut seats = harness::fault_points("src/sys/liveness");
    seats.retain(|point| point.starts_with("seat-"));
    found.append(&mut seats);
    assert!(found.len() > 10, "{found:?}");
    found
}

/// The processes of one test: a victim that gets a signal at a point, and a keeper that creates the
/// objects and observes them.
struct Scene {
    place: Place,
    point: String,
    keeper: Actor,
    victim: Actor,
    /// Whether the victim has reached the point.
    reached: bool,
}

impl Scene {
    fn new(point: &str, signal: &str) -> Scene {
        let place = Place::new("sync-death");
        let keeper = place.actor();
        let victim = place.actor_with(&[("PAGEMATE_FAULT", &format!("{point}:{signal}"))]);
        Scene { place, point: point.to_owned(), keeper, victim, reached: false }
    }

    /// Starts other processes, each of which executes these commands first.
    fn others<const N: usize>(&self, commands: &[&str]) -> [Actor; N] {
        [(); N].map(|()| {
            let mut other = self.place.actor();
            for command in commands {
                assert!(matches!(other.ask(command).as_str(), "ok" | "opened"), "{command}");
            }
            other
        })
    }

    /// Sends the victim a command. Returns true if the victim replies, and false if it reaches its
    /// point instead.
    fn does(&mut self, command: &str) -> bool {
        self.victim.tell(command);
        self.has_replied()
    }

    fn has_replied(&mut self) -> bool {
        while !self.is_hit() {
            if let Some(reply) = self.victim.has_replied(Duration::from_millis(1)) {
                assert!(reply != "timeout" && !reply.starts_with("two"), "{reply}");
                return true;
            }
        }
        false
    }

    /// Returns whether the victim is dead or stopped.
    fn is_hit(&mut self) -> bool {
        self.reached |= self.victim.has_ended() || self.victim.is_stopped();
        self.reached
    }

    /// Sends the victim a command, and waits until it sleeps or has reached its point.
    fn sleeps_over(&mut self, command: &str, name: &str) {
        self.victim.tell(command);
        until(|| self.is_hit() || asleep(&mut self.keeper, name) > 0);
    }

    /// Continues a stopped victim each time it stops, until it replies.
    fn resume(&mut self) -> String {
        loop {
            self.victim.signal(Signal::CONT);
            if let Some(reply) = self.victim.has_replied(Duration::from_millis(20)) {
                return reply;
            }
        }
    }
}

fn asleep(onlooker: &mut Actor, name: &str) -> usize {
    onlooker.ask(&format!("waiting {name}")).parse().unwrap()
}

#[track_caller]
fn until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < end, "timed out");
        thread::sleep(Duration::from_millis(1));
    }
}

fn tell_all(others: &mut [Actor], command: &str) {
    for other in others {
        other.tell(command);
    }
}

/// Sends each process the command, and waits until all of them sleep. The count may include killed
/// waiters.
fn all_sleep_over(onlooker: &mut Actor, others: &mut [Actor], command: &str, name: &str) {
    tell_all(others, command);
    until(|| asleep(onlooker, name) >= others.len());
}

/// Returns the reply of each process.
fn replies(others: &mut [Actor]) -> Vec<String> {
    others.iter_mut().map(|other| other.reply().unwrap()).collect()
}

/// Returns the number of processes for which the mutex was abandoned.
#[track_caller]
fn told(others: &mut [Actor]) -> usize {
    let replies = replies(others);
    assert!(replies.iter().all(|reply| reply == "ok" || reply == "abandoned"), "{replies:?}");
    replies.iter().filter(|reply| *reply == "abandoned").count()
}

const MUTEX: [&str; 2] = ["mutex x open", "open x-data"];

/// The victim acquires and releases a mutex.
fn owner(point: &str) -> bool {
    let mut scene = Scene::new(point, "kill");
    scene.keeper.expect("mutex x create", "created");
    scene.keeper.expect("create x-data 4096", "ok");
    let mut others = scene.others::<3>(&MUTEX);
    for command in MUTEX {
        scene.does(command);
    }
    if scene.does("lock x") {
        scene.does("write x-data 1");
        all_sleep_over(&mut scene.keeper, &mut others, "turn x", "x");
        scene.does("write x-data 0");
        scene.does("unlock x");
    } else {
        tell_all(&mut others, "turn x");
    }
    let had = scene.reached && matches!(point, "lock-after-take" | "unlock-before-release");
    assert_eq!(told(&mut others), usize::from(had), "{point}");
    scene.keeper.expect("turn x", "ok");
    scene.reached
}

/// The victim is the first of several waiters of a mutex.
fn waiter(point: &str) -> bool {
    let mut scene = Scene::new(point, "kill");
    scene.keeper.expect("mutex x create", "created");
    scene.keeper.expect("create x-data 4096", "ok");
    let mut others = scene.others::<2>(&MUTEX);
    for command in MUTEX {
        scene.does(command);
    }
    scene.keeper.expect("lock x", "ok");
    scene.sleeps_over("turn x", "x");
    all_sleep_over(&mut scene.keeper, &mut others, "turn x", "x");
    scene.keeper.expect("unlock x", "ok");
    scene.has_replied();
    let with = ["wait-after-take", "watch-after-leave", "unlock-before-release"];
    let had = scene.reached && with.contains(&point);
    // A waiter whose slice has ended goes to the end of the kernel's queue, so the victim may be
    // the last waiter.
    let after = scene.keeper.ask("turn x");
    let told = told(&mut others) + usize::from(after == "abandoned");
    assert_eq!(told, usize::from(had), "{point}");
    scene.keeper.expect("turn x", "ok");
    scene.reached
}

/// The victim waits for a mutex until it is a watcher. Then the owner dies.
fn watcher(point: &str) -> bool {
    if !point.starts_with("watch-") {
        return false;
    }
    let mut scene = Scene::new(point, "kill");
    scene.keeper.expect("mutex x create", "created");
    scene.keeper.expect("create x-data 4096", "ok");
    let [mut owner] = scene.others(&MUTEX);
    let mut others = scene.others::<2>(&MUTEX);
    for command in MUTEX {
        scene.does(command);
    }
    owner.expect("lock x", "ok");
    scene.sleeps_over("turn x", "x");
    let watches = Instant::now() + Duration::from_millis(150);
    until(|| scene.is_hit() || Instant::now() > watches);
    all_sleep_over(&mut scene.keeper, &mut others, "turn x", "x");
    owner.end("kill");
    let mut told = told(&mut others);
    let mut reply = None;
    until(|| {
        reply = scene.victim.has_replied(Duration::from_millis(1));
        reply.is_some() || scene.is_hit()
    });
    told += usize::from(reply.as_deref() == Some("abandoned"));
    // The victim may be the last waiter. If it died as the owner of the mutex, this process is the
    // next owner.
    told += usize::from(scene.keeper.ask("turn x") == "abandoned");
    // If the victim died as the owner, its death was reported too.
    assert!(told == 1 || scene.reached && told == 2, "{point}: {told}");
    scene.keeper.expect("turn x", "ok");
    scene.reached
}

/// The victim waits for one object, or for any of several, and may be the waiter that is woken.
fn taker(point: &str) -> bool {
    let mut reached = false;
    for (theirs, waits, signal) in [
        ("wait x 30000", "wait x 30000", "set x"),
        ("any 30000 m x s", "wait x 30000", "set x"),
        ("acquire s 30000", "acquire s 30000", "release s 1"),
        ("any 30000 m x s", "acquire s 30000", "release s 1"),
    ] {
        let mut scene = Scene::new(point, "kill");
        for command in ["mutex m create", "event x create auto", "semaphore s create 0 1"] {
            scene.keeper.expect(command, "created");
        }
        let mut others = scene.others::<2>(&["event x open", "semaphore s open"]);
        for command in ["mutex m open", "event x open", "semaphore s open"] {
            scene.does(command);
        }
        scene.keeper.expect("lock m", "ok");
        let name = signal.split(' ').nth(1).unwrap();
        scene.sleeps_over(theirs, name);
        all_sleep_over(&mut scene.keeper, &mut others, waits, name);
        let mut waiting = others.len();
        while waiting > 0 {
            scene.keeper.ask(signal);
            until(|| {
                let got =
                    others.iter_mut().filter_map(|other| has_acquired(other).then_some(())).count();
                waiting -= got;
                // A signal that the killed victim had not consumed may release the second process too.
                got > 0 || !scene.is_hit() && has_acquired(&mut scene.victim)
            });
        }
        if !scene.reached {
            scene.keeper.expect("any 0 x s", "timeout");
        }
        reached |= scene.reached;
    }
    reached
}

/// Returns whether the wait of this process has succeeded.
fn has_acquired(other: &mut Actor) -> bool {
    let reply = other.has_replied(Duration::from_millis(1));
    assert!(reply.as_deref().is_none_or(|reply| reply.starts_with("ok")), "{reply:?}");
    reply.is_some()
}

/// The victim takes all of several objects.
fn collector(point: &str) -> bool {
    let mut scene = Scene::new(point, "kill");
    for command in ["mutex x create", "event e create manual", "semaphore s create 1 1"] {
        scene.keeper.expect(command, "created");
    }
    scene.keeper.expect("set e", "ok");
    for command in ["mutex x open", "event e open", "semaphore s open"] {
        scene.does(command);
    }
    let [mut other] = scene.others(&["mutex x open"]);
    if scene.does("all 30000 x e s") {
        other.tell("lock-for x 30000");
        scene.does("unlock x");
        scene.keeper.expect("release s 1", "0");
    } else {
        other.tell("lock-for x 30000");
    }
    let had = matches!(point, "wait-after-take" | "all-after-some" | "unlock-before-release");
    let reply = if scene.reached && had { "abandoned" } else { "ok" };
    assert_eq!(other.reply().as_deref(), Some(reply), "{point}");
    // The victim takes the mutex first. If it died as the owner of the mutex, it had not taken the
    // other objects.
    scene.keeper.expect("acquire s 30000", "ok");
    scene.reached
}

/// The victim signals an event, or releases a semaphore.
fn signaller(point: &str) -> bool {
    let mut reached = false;
    for (make, open, wait, signal, released) in [
        ("event x create auto", "event x open", "wait x 30000", "set x", 1),
        ("event x create manual", "event x open", "wait x 30000", "set x", 3),
        ("event x create manual", "event x open", "wait x 30000", "pulse x", 3),
        ("semaphore x create 0 9", "semaphore x open", "acquire x 30000", "release x 2", 2),
    ] {
        let mut scene = Scene::new(point, "kill");
        scene.keeper.expect(make, "created");
        scene.does(open);
        let mut others = scene.others::<3>(&[open]);
        all_sleep_over(&mut scene.keeper, &mut others, wait, "x");
        scene.does(signal);
        let mut count = 0;
        until(|| {
            count +=
                others.iter_mut().filter_map(|other| has_acquired(other).then_some(())).count();
            count >= released
        });
        scene.keeper.expect(
            &wait.replace("30000", "0"),
            match signal {
                "set x" if released == 3 => "ok",
                _ => "timeout",
            },
        );
        reached |= scene.reached;
    }
    reached
}

/// The victim sets an event whose only waiter was killed. If the victim dies in that call, this one
/// signal may be lost, and no other one.
fn setter_for_the_dead(point: &str) -> bool {
    let mut scene = Scene::new(point, "kill");
    scene.keeper.expect("event x create auto", "created");
    let [mut dead] = scene.others(&["event x open"]);
    all_sleep_over(&mut scene.keeper, std::slice::from_mut(&mut dead), "wait x 30000", "x");
    dead.end("kill");
    scene.does("event x open");
    if scene.does("set x") {
        scene.keeper.expect("wait x 0", "ok");
    }
    let mut others = scene.others::<2>(&["event x open"]);
    for other in &mut others {
        other.tell("wait x 30000");
        let end = Instant::now() + Duration::from_secs(30);
        while !has_acquired(other) {
            assert!(Instant::now() < end, "{point}: a signal is lost");
            if asleep(&mut scene.keeper, "x") > 0 {
                scene.keeper.expect("set x", "ok");
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
    scene.reached
}

/// The victim initialises a shared mutex.
fn initialiser(point: &str) -> bool {
    let mut scene = Scene::new(point, "kill");
    scene.keeper.expect("create x 4096", "ok");
    let mut others = scene.others::<2>(&["open x"]);
    scene.does("open x");
    scene.does("shared-init x");
    tell_all(&mut others, "shared-init x");
    assert_eq!(replies(&mut others), ["ok", "ok"]);
    tell_all(&mut others, "shared-add x");
    let values: BTreeSet<String> = replies(&mut others).into_iter().collect();
    let values: Vec<_> = values.iter().map(|reply| reply.split(' ').collect::<Vec<_>>()).collect();
    let abandoned = values.iter().filter(|reply| reply[0] == "abandoned").count();
    // The death of a victim is not reported if the value was incomplete, because the next process
    // initialises it again.
    let left = scene.reached && matches!(point, "init-after-magic" | "unlock-before-release");
    assert_eq!(abandoned, usize::from(left), "{point} {values:?}");
    let mut numbers: Vec<u32> = values.iter().map(|reply| reply[1].parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [8, 9], "{point}");
    scene.reached
}

/// The victim initialises typed memory.
fn typed_initialiser(point: &str) -> bool {
    let mut scene = Scene::new(point, "kill");
    // The keeper holds the name longer than the victim.
    scene.keeper.expect("create x 4096", "ok");
    let mut others = scene.others::<2>(&[]);
    scene.does("typed-open x");
    tell_all(&mut others, "typed-open x");
    assert_eq!(replies(&mut others), ["ok", "ok"], "{point}");
    tell_all(&mut others, "typed-read x");
    assert_eq!(replies(&mut others), ["7", "7"], "{point}");
    scene.reached
}

/// The victim replaces the value of a sequence lock.
fn publisher(point: &str) -> bool {
    let mut scene = Scene::new(point, "kill");
    let mut others = scene.others::<2>(&["typed-open x"]);
    // The victim takes a seat at its first write. The value of the second write shows whether it
    // was published.
    let wrote = scene.does("typed-open x") && scene.does("typed-write x 8");
    let now = others[0].ask("typed-read x");
    let published = point == "publish-after-sequence" || point.starts_with("unlock-");
    assert_eq!(now, if wrote || published { "8" } else { "7" }, "{point}");
    others[1].expect("typed-write x 9", "ok");
    others[0].expect("typed-read x", "9");
    scene.reached
}

#[test]
fn killed_at_every_point() {
    let points = all_points();
    let mut reached = BTreeSet::new();
    for point in &points {
        for scene in [
            owner,
            waiter,
            watcher,
            taker,
            collector,
            signaller,
            setter_for_the_dead,
            initialiser,
            typed_initialiser,
            publisher,
        ] {
            if scene(point) {
                reached.insert(point.clone());
            }
        }
    }
    assert_eq!(reached, points, "points that no scene reaches");
}

#[test]
fn killed_while_it_owns_the_mutex() {
    let mut scene = Scene::new("nowhere", "kill");
    scene.keeper.expect("mutex x create", "created");
    scene.keeper.expect("create x-data 4096", "ok");
    let mut others = scene.others::<3>(&MUTEX);
    for command in MUTEX.into_iter().chain(["lock x", "write x-data 1"]) {
        scene.does(command);
    }
    all_sleep_over(&mut scene.keeper, &mut others, "turn x", "x");
    scene.victim.end("kill");
    assert_eq!(told(&mut others), 1);
    scene.keeper.expect("turn x", "ok");
}

/// A stopped owner keeps the mutex. A stopped process that does not own the mutex delays no other
/// process.
#[test]
fn stopped_at_every_point_no_process_is_taken_for_dead() {
    for point in &all_points() {
        let mut scene = Scene::new(point, "stop");
        scene.keeper.expect("mutex x create", "created");
        scene.keeper.expect("create x-data 4096", "ok");
        let mut others = scene.others::<2>(&MUTEX);
        for command in MUTEX {
            scene.does(command);
        }
        if !scene.does("lock x") {
            let had = point == "lock-after-take";
            assert_others_acquire(&mut scene, &mut others, had);
            assert_eq!(scene.resume(), "ok");
        }
        scene.reached = false;
        all_sleep_over(&mut scene.keeper, &mut others, "turn x", "x");
        if !scene.does("unlock x") {
            if point == "unlock-before-release" {
                scene.keeper.expect("lock-for x 200", "busy");
            } else {
                assert_eq!(told(&mut others), 0, "{point}");
                tell_all(&mut others, "turn x");
            }
            assert_eq!(scene.resume(), "ok");
        }
        assert_eq!(told(&mut others), 0, "{point}");
        scene.reached = false;
        scene.keeper.expect("lock x", "ok");
        scene.sleeps_over("lock x", "x");
        scene.keeper.expect("unlock x", "ok");
        if !scene.has_replied() {
            let had = matches!(&**point, "wait-after-take" | "watch-after-leave");
            assert_others_acquire(&mut scene, &mut others, had);
            assert_eq!(scene.resume(), "ok");
        }
        scene.keeper.expect("try-lock x", "busy");
        scene.victim.tell("unlock x");
        assert_eq!(scene.resume(), "ok");
    }
}

/// Asserts that others can acquire the mutex while the victim is stopped, unless the victim owns it.
fn assert_others_acquire(scene: &mut Scene, others: &mut [Actor], victim_owns_it: bool) {
    if victim_owns_it {
        scene.keeper.expect("lock-for x 200", "busy");
        others[0].expect("try-lock x", "busy");
    } else {
        tell_all(others, "turn x");
        assert_eq!(told(others), 0, "{}", scene.point);
    }
}
