//! Generates scenes: sequences of lines in which a thread of one process sleeps until another
//! process wakes it.
//!
//! Each scene uses objects of its own. The order in which the processes run does not change the
//! results.

use super::program::PROCESSES;
use super::script::{Line, SLOTS, ScriptGenerator};

/// A timeout in milliseconds that is longer than each wait that is woken, and one that always
/// expires.
const LONG: &str = "2710";
const SHORT: &str = "a";
/// The time in milliseconds in which a thread should fall asleep.
const SETTLE: &str = "c8";

/// A process that takes part in a scene, and two of its free handle slots.
struct Actor {
    process: usize,
    slots: [usize; 2],
}

/// A scene, and its lines so far.
struct Scene {
    number: u64,
    lines: Vec<Line>,
}

impl Scene {
    fn line(&mut self, actor: &Actor, text: &str) {
        self.lines.push(Line { process: actor.process, text: text.to_owned() });
    }

    /// Adds a line with a call on the handle in one of an actor's slots. In `text`, `@` stands for
    /// the handle.
    fn call_on(&mut self, actor: &Actor, slot: usize, text: &str) {
        self.line(actor, &text.replace('@', &format!("h{}", actor.slots[slot])));
    }

    /// Returns the name of the object that all actors open in this slot.
    fn name(&self, slot: usize) -> String {
        format!("$s{}.{slot}", self.number)
    }

    fn event(&mut self, actor: &Actor, slot: usize, manual: &str) {
        self.call_on(actor, slot, &format!("event @ A - {manual} 0 {}", self.name(slot)));
    }

    fn semaphore(&mut self, actor: &Actor, slot: usize) {
        self.call_on(actor, slot, &format!("semaphore @ A - 0 5 {}", self.name(slot)));
    }

    fn mutex(&mut self, actor: &Actor, slot: usize, owned: &str) {
        self.call_on(actor, slot, &format!("mutex @ A - {owned} {}", self.name(slot)));
    }

    fn open(&mut self, actor: &Actor, slot: usize, kind: &str) {
        let rights = if kind == "mutex" { "1f0001" } else { "1f0003" };
        self.call_on(actor, slot, &format!("open{kind} @ A {rights} 0 {}", self.name(slot)));
    }

    fn sleep(&mut self, actor: &Actor) {
        self.call_on(actor, 0, &format!("sleep one {LONG} @"));
    }

    /// Adds a line that makes an actor wait for the objects in both of its slots, in reverse order
    /// if `swapped`.
    fn sleep_for_both(&mut self, actor: &Actor, how: &str, time: &str, swapped: bool) {
        let [mut first, mut second] = actor.slots;
        if swapped {
            std::mem::swap(&mut first, &mut second);
        }
        self.line(actor, &format!("sleep {how} {time} h{first} h{second}"));
    }

    /// Adds lines that print the final state of an actor's objects and close them.
    fn close(&mut self, actor: &Actor) {
        for slot in 0..actor.slots.len() {
            let handle = format!("h{}", actor.slots[slot]);
            let uses = |line: &Line| line.text.split(' ').nth(1) == Some(&handle);
            if self.lines.iter().any(|line| line.process == actor.process && uses(line)) {
                self.call_on(actor, slot, "wait @ 0");
                self.call_on(actor, slot, "close @ 1");
            }
        }
    }
}

impl ScriptGenerator {
    /// Returns a scene, or no lines if too few slots are free.
    pub(super) fn sleep_scene(&mut self) -> Vec<Line> {
        let first = self.rng.below(PROCESSES);
        let actor = |process: usize| {
            let handles = &self.known[process].handles;
            let mut free = (0..SLOTS).filter(|slot| handles[*slot].is_none());
            Some(Actor { process, slots: [free.next()?, free.next()?] })
        };
        let actors = (0..PROCESSES).map(|next| actor((first + next) % PROCESSES));
        let actors = actors.collect::<Option<Vec<_>>>();
        let Some([a, b, c]) = actors.and_then(|actors| <[Actor; 3]>::try_from(actors).ok()) else {
            return Vec::new();
        };
        self.scenes += 1;
        let mut scene = Scene { number: self.scenes, lines: Vec::new() };
        match self.rng.below(10) {
            0..4 => self.sleep_for_one(&mut scene, &a, &b),
            4..7 => self.sleep_for_several(&mut scene, &a, &b),
            7 => {
                scene.event(&a, 0, "1");
                scene.open(&b, 0, "event");
                scene.open(&c, 0, "event");
                scene.sleep(&a);
                scene.sleep(&b);
                scene.call_on(&c, 0, "set @");
                scene.line(&a, "awake");
                scene.line(&b, "awake");
            }
            8 => self.two_sleep_for_one(&mut scene, [&a, &b, &c]),
            _ => self.sleep_until_timeout(&mut scene, &a),
        }
        for actor in [&a, &b, &c] {
            scene.close(actor);
        }
        scene.lines
    }

    fn sleep_for_one(&mut self, scene: &mut Scene, a: &Actor, b: &Actor) {
        match self.rng.below(4) {
            0 => {
                scene.event(a, 0, self.pick(&["0", "1"]));
                scene.open(b, 0, "event");
                scene.sleep(a);
                scene.call_on(b, 0, "set @");
            }
            1 => {
                scene.semaphore(a, 0);
                scene.open(b, 0, "semaphore");
                scene.sleep(a);
                scene.call_on(b, 0, &format!("post @ {}", self.pick(&["1", "2", "5"])));
            }
            // The owner releases the mutex.
            2 => {
                scene.mutex(b, 0, "1");
                scene.open(a, 0, "mutex");
                scene.sleep(a);
                scene.call_on(b, 0, "release @");
            }
            // The thread that owns the mutex ends without releasing it.
            _ => {
                scene.mutex(b, 0, "0");
                scene.open(a, 0, "mutex");
                scene.call_on(b, 0, "own @");
                scene.sleep(a);
                scene.line(b, "endowner");
            }
        }
        scene.line(a, "awake");
    }

    /// Two threads wait for one event. Each `SetEvent` wakes one of them. If no thread waits, the
    /// event stays set.
    fn two_sleep_for_one(&mut self, scene: &mut Scene, [a, b, c]: [&Actor; 3]) {
        let alone = self.rng.one_in(2);
        scene.event(a, 0, "0");
        scene.event(a, 1, "0");
        scene.open(b, 0, "event");
        scene.open(c, 0, "event");
        if alone {
            scene.sleep(a);
        } else {
            scene.sleep_for_both(a, "any", LONG, self.rng.one_in(2));
        }
        scene.sleep(b);
        scene.line(c, &format!("settle {SETTLE}"));
        scene.call_on(c, 0, &format!("setmany @ {}", self.pick(&["2", "3"])));
        scene.line(a, "awake");
        scene.line(b, "awake");
    }

    fn sleep_for_several(&mut self, scene: &mut Scene, a: &Actor, b: &Actor) {
        let (manual, swapped) = (self.pick(&["0", "1"]), self.rng.one_in(2));
        let post = format!("post @ {}", self.pick(&["1", "2", "5"]));
        let which = self.rng.below(3);
        if which == 2 {
            // `SignalObjectAndWait` signals the first event and sleeps for the second.
            scene.event(a, 0, "0");
            scene.event(a, 1, manual);
            scene.open(b, 0, "event");
            scene.open(b, 1, "event");
            scene.sleep(b);
            scene.sleep_for_both(a, "pass", LONG, false);
            scene.line(b, "awake");
            scene.call_on(b, 1, "set @");
            return scene.line(a, "awake");
        }
        scene.event(a, 0, manual);
        scene.semaphore(a, 1);
        scene.open(b, 0, "event");
        scene.open(b, 1, "semaphore");
        if which == 0 {
            scene.sleep_for_both(a, "any", LONG, swapped);
            let (slot, call) = if self.rng.one_in(2) { (0, "set @") } else { (1, &*post) };
            scene.call_on(b, slot, call);
        } else {
            scene.sleep_for_both(a, "l", LONG, swapped);
            scene.call_on(b, 0, "set @");
            scene.call_on(b, 1, &post);
        }
        scene.line(a, "awake");
    }

    /// A thread waits until its timeout: no object is signalled, or only one of two.
    fn sleep_until_timeout(&mut self, scene: &mut Scene, a: &Actor) {
        let swapped = self.rng.one_in(2);
        scene.event(a, 0, self.pick(&["0", "1"]));
        scene.semaphore(a, 1);
        if self.rng.one_in(2) {
            scene.call_on(a, 0, "set @");
            scene.sleep_for_both(a, "l", SHORT, swapped);
        } else {
            scene.sleep_for_both(a, "any", SHORT, swapped);
        }
        scene.line(a, "awake");
    }
}
