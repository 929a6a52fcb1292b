//! Scenes in which some process sleeps until another does something, each with objects of its own, so
//! that it is decided what becomes of the sleepers, whoever is faster.

use super::program::PROCESSES;
use super::script::{Author, Line, SLOTS};

/// A time that does not run out, and one that does, in milliseconds.
const LONG: &str = "2710";
const SHORT: &str = "a";
/// A time in which a thread that is about to sleep does so, in milliseconds.
const SETTLE: &str = "c8";

/// One who plays: a process, and two slots for handles that it has free.
struct Player {
    process: usize,
    slots: [usize; 2],
}

/// What was written of a scene.
struct Scene {
    number: u64,
    lines: Vec<Line>,
}

impl Scene {
    fn line(&mut self, player: &Player, text: &str) {
        self.lines.push(Line { process: player.process, text: text.to_owned() });
    }

    /// Has a player do something with its handle in a slot; `@` stands for that.
    fn act(&mut self, player: &Player, slot: usize, text: &str) {
        self.line(player, &text.replace('@', &format!("h{}", player.slots[slot])));
    }

    /// The name of what everybody has in this slot.
    fn name(&self, slot: usize) -> String {
        format!("$s{}.{slot}", self.number)
    }

    fn event(&mut self, player: &Player, slot: usize, manual: &str) {
        self.act(player, slot, &format!("event @ A - {manual} 0 {}", self.name(slot)));
    }

    fn semaphore(&mut self, player: &Player, slot: usize) {
        self.act(player, slot, &format!("semaphore @ A - 0 5 {}", self.name(slot)));
    }

    fn mutex(&mut self, player: &Player, slot: usize, owned: &str) {
        self.act(player, slot, &format!("mutex @ A - {owned} {}", self.name(slot)));
    }

    fn open(&mut self, player: &Player, slot: usize, kind: &str) {
        let rights = if kind == "mutex" { "1f0001" } else { "1f0003" };
        self.act(player, slot, &format!("open{kind} @ A {rights} 0 {}", self.name(slot)));
    }

    fn sleep(&mut self, player: &Player) {
        self.act(player, 0, &format!("sleep one {LONG} @"));
    }

    /// Has a player sleep for what is in both of its slots, the second first if it is `turned`.
    fn sleep_for_both(&mut self, player: &Player, how: &str, time: &str, turned: bool) {
        let [mut first, mut second] = player.slots;
        if turned {
            std::mem::swap(&mut first, &mut second);
        }
        self.line(player, &format!("sleep {how} {time} h{first} h{second}"));
    }

    /// Looks at what is left of what a player has, and ends it.
    fn close(&mut self, player: &Player) {
        for slot in 0..player.slots.len() {
            let handle = format!("h{}", player.slots[slot]);
            let uses = |line: &Line| line.text.split(' ').nth(1) == Some(&handle);
            if self.lines.iter().any(|line| line.process == player.process && uses(line)) {
                self.act(player, slot, "wait @ 0");
                self.act(player, slot, "close @ 1");
            }
        }
    }
}

impl Author {
    /// A scene; nothing, if too few slots are free.
    pub(super) fn sleepers(&mut self) -> Vec<Line> {
        let first = self.dice.roll(PROCESSES);
        let player = |process: usize| {
            let handles = &self.known[process].handles;
            let mut free = (0..SLOTS).filter(|slot| handles[*slot].is_none());
            Some(Player { process, slots: [free.next()?, free.next()?] })
        };
        let players = (0..PROCESSES).map(|next| player((first + next) % PROCESSES));
        let players = players.collect::<Option<Vec<_>>>();
        let Some([a, b, c]) = players.and_then(|players| <[Player; 3]>::try_from(players).ok())
        else {
            return Vec::new();
        };
        self.scenes += 1;
        let mut scene = Scene { number: self.scenes, lines: Vec::new() };
        match self.dice.roll(10) {
            0..4 => self.sleep_for_one(&mut scene, &a, &b),
            4..7 => self.sleep_for_several(&mut scene, &a, &b),
            7 => {
                scene.event(&a, 0, "1");
                scene.open(&b, 0, "event");
                scene.open(&c, 0, "event");
                scene.sleep(&a);
                scene.sleep(&b);
                scene.act(&c, 0, "set @");
                scene.line(&a, "awake");
                scene.line(&b, "awake");
            }
            8 => self.two_sleep_for_one(&mut scene, [&a, &b, &c]),
            _ => self.sleep_in_vain(&mut scene, &a),
        }
        for player in [&a, &b, &c] {
            scene.close(player);
        }
        scene.lines
    }

    fn sleep_for_one(&mut self, scene: &mut Scene, a: &Player, b: &Player) {
        match self.dice.roll(4) {
            0 => {
                scene.event(a, 0, self.one(&["0", "1"]));
                scene.open(b, 0, "event");
                scene.sleep(a);
                scene.act(b, 0, "set @");
            }
            1 => {
                scene.semaphore(a, 0);
                scene.open(b, 0, "semaphore");
                scene.sleep(a);
                scene.act(b, 0, &format!("post @ {}", self.one(&["1", "2", "5"])));
            }
            // Its owner gives it back.
            2 => {
                scene.mutex(b, 0, "1");
                scene.open(a, 0, "mutex");
                scene.sleep(a);
                scene.act(b, 0, "release @");
            }
            // Its owner ends with it.
            _ => {
                scene.mutex(b, 0, "0");
                scene.open(a, 0, "mutex");
                scene.act(b, 0, "keep @");
                scene.sleep(a);
                scene.line(b, "let");
            }
        }
        scene.line(a, "awake");
    }

    /// Each set lets one of them go, and one that is left over stays.
    fn two_sleep_for_one(&mut self, scene: &mut Scene, [a, b, c]: [&Player; 3]) {
        let alone = self.dice.one_in(2);
        scene.event(a, 0, "0");
        scene.event(a, 1, "0");
        scene.open(b, 0, "event");
        scene.open(c, 0, "event");
        if alone {
            scene.sleep(a);
        } else {
            scene.sleep_for_both(a, "any", LONG, self.dice.one_in(2));
        }
        scene.sleep(b);
        scene.line(c, &format!("settle {SETTLE}"));
        scene.act(c, 0, &format!("sets @ {}", self.one(&["2", "3"])));
        scene.line(a, "awake");
        scene.line(b, "awake");
    }

    fn sleep_for_several(&mut self, scene: &mut Scene, a: &Player, b: &Player) {
        let (manual, turned) = (self.one(&["0", "1"]), self.dice.one_in(2));
        let post = format!("post @ {}", self.one(&["1", "2", "5"]));
        let which = self.dice.roll(3);
        if which == 2 {
            // One tells another that it sleeps from now on.
            scene.event(a, 0, "0");
            scene.event(a, 1, manual);
            scene.open(b, 0, "event");
            scene.open(b, 1, "event");
            scene.sleep(b);
            scene.sleep_for_both(a, "pass", LONG, false);
            scene.line(b, "awake");
            scene.act(b, 1, "set @");
            return scene.line(a, "awake");
        }
        scene.event(a, 0, manual);
        scene.semaphore(a, 1);
        scene.open(b, 0, "event");
        scene.open(b, 1, "semaphore");
        if which == 0 {
            scene.sleep_for_both(a, "any", LONG, turned);
            let (slot, act) = if self.dice.one_in(2) { (0, "set @") } else { (1, &*post) };
            scene.act(b, slot, act);
        } else {
            scene.sleep_for_both(a, "l", LONG, turned);
            scene.act(b, 0, "set @");
            scene.act(b, 1, &post);
        }
        scene.line(a, "awake");
    }

    /// Nothing happens, or not enough.
    fn sleep_in_vain(&mut self, scene: &mut Scene, a: &Player) {
        let turned = self.dice.one_in(2);
        scene.event(a, 0, self.one(&["0", "1"]));
        scene.semaphore(a, 1);
        if self.dice.one_in(2) {
            scene.act(a, 0, "set @");
            scene.sleep_for_both(a, "l", SHORT, turned);
        } else {
            scene.sleep_for_both(a, "any", SHORT, turned);
        }
        scene.line(a, "awake");
    }
}
