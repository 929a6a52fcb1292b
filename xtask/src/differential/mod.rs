//! `cargo xtask differential`: random calls to our Win32 face and to Wine's, which must say the same.
//!
//! Some processes run on each side, in lockstep: a line to one process of both, their answers, the
//! next line. All scripts run in the same processes, each with names of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use crate::cross;
use crate::task::Outcome;
use crate::wine::PACKAGES;

mod answer;
mod compare;
mod dice;
mod edges;
mod files;
mod program;
mod rules;
mod scene;
mod script;
mod shrink;
mod sync;

use program::{Fleet, PROCESSES, Pair, Programs};
use rules::{RULES, Step, Then};
use script::{Author, Line};

/// How many scripts there are, and calls in each.
const SCRIPTS: u64 = 2_000;
const LONG_SCRIPTS: u64 = 8_000;
const CALLS: usize = 200;

/// After so many differences of different kinds it is enough.
const ENOUGH: usize = 10;

/// Compares what both answer to random scripts: with a number after it, to the one of this seed; with
/// `long`, to a million calls.
pub(crate) fn differential() -> Outcome {
    cross::install(&PACKAGES)?;
    let dir = cross::root().join("target/differential");
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let programs = Programs::build(&dir)?;
    let seeds = match std::env::args().nth(2).as_deref() {
        None => 0..SCRIPTS,
        Some("long") => 0..LONG_SCRIPTS,
        Some(seed) => {
            let seed = seed.parse().map_err(|e| format!("{seed}: {e}"))?;
            seed..seed + 1
        }
    };
    let started = Instant::now();
    let mut stage = Stage::new(&programs)?;
    let mut found = BTreeMap::new();
    for seed in seeds.clone() {
        let (lines, difference) = stage.improvise(seed)?;
        let Some(difference) = difference else { continue };
        if found.contains_key(&difference.kind) {
            continue;
        }
        let lines = shrink::shrink(&mut stage, lines, &difference.kind)?;
        let told = stage.tell(&lines)?;
        println!("seed {seed}: {}\n{told}", difference.kind);
        found.insert(difference.kind, format!("seed {seed}\n{told}"));
        if found.len() == ENOUGH {
            break;
        }
    }
    println!("{} calls in {:.0?}", stage.calls, started.elapsed());
    println!("where Wine is not Windows, or we are not:");
    for (rule, fired) in RULES.iter().zip(&stage.fired) {
        let missed = *fired == 0 && seeds.end - seeds.start > 1;
        let remark = if missed { "; seen no more, can it go?" } else { "" };
        println!("{fired:8} times: {}{remark}", rule.name);
    }
    if found.is_empty() {
        return Ok(());
    }
    let report = dir.join("differences.txt");
    let text = found.values().cloned().collect::<Vec<_>>().join("\n");
    fs::write(&report, text).map_err(|e| format!("{}: {e}", report.display()))?;
    Err(format!("{} differences, told in {}", found.len(), report.display()))
}

/// Where both sides say what they make of a script.
struct Stage<'a> {
    programs: &'a Programs,
    fleet: Fleet,
    /// Makes names that no earlier script had.
    scripts: u64,
    calls: u64,
    /// How often each rule explained a difference.
    fired: Vec<u64>,
}

/// A difference that no rule explains.
struct Difference {
    /// The same for differences that likely have the same cause.
    kind: String,
}

/// What a step came to.
enum Outcomes {
    /// Both agree, or a rule explains it and they still stand alike.
    Alike(Pair),
    /// A rule explains it, and they stand alike no more.
    Parted,
    Different(Difference),
}

impl<'a> Stage<'a> {
    fn new(programs: &'a Programs) -> Result<Stage<'a>, String> {
        let fleet = Fleet::start(programs)?;
        Ok(Stage { programs, fleet, scripts: 0, calls: 0, fired: vec![0; RULES.len()] })
    }

    /// Starts a script.
    fn reset(&mut self) -> Outcome {
        self.scripts += 1;
        if self.fleet.reset().is_err() {
            self.fleet = Fleet::start(self.programs)?;
        }
        Ok(())
    }

    /// Makes up a script and plays it, up to the first difference.
    fn improvise(&mut self, seed: u64) -> Result<(Vec<Line>, Option<Difference>), String> {
        self.reset()?;
        let mut author = Author::new(seed);
        let mut lines = Vec::new();
        while lines.len() < CALLS {
            let line = author.next();
            lines.push(line.clone());
            let pair = match self.step(&line)? {
                Outcomes::Alike(pair) => pair,
                Outcomes::Parted => break,
                Outcomes::Different(difference) => return Ok((lines, Some(difference))),
            };
            author.learn(&line, &pair.0);
            let changed = line.text.starts_with("write") || line.text.starts_with("alloc");
            if !(changed && pair.0.done()) {
                continue;
            }
            for process in (0..PROCESSES).filter(|process| *process != line.process) {
                let look = Line { process, text: "look".to_owned() };
                lines.push(look.clone());
                match self.step(&look)? {
                    Outcomes::Alike(_) => {}
                    Outcomes::Parted => return Ok((lines, None)),
                    Outcomes::Different(difference) => return Ok((lines, Some(difference))),
                }
            }
        }
        Ok((lines, None))
    }

    /// Plays a script that is there, up to the first difference.
    fn replay(&mut self, lines: &[Line]) -> Result<Option<Difference>, String> {
        self.reset()?;
        for line in lines {
            match self.step(line)? {
                Outcomes::Alike(_) => {}
                Outcomes::Parted => break,
                Outcomes::Different(difference) => return Ok(Some(difference)),
            }
        }
        Ok(None)
    }

    fn named(&self, text: &str) -> String {
        text.replace('$', &format!("{:08x}", self.scripts))
    }

    fn step(&mut self, line: &Line) -> Result<Outcomes, String> {
        self.calls += 1;
        let text = self.named(&line.text);
        let call: Vec<&str> = line.text.split(' ').collect();
        let (ours, wine) = match self.fleet.step(line.process, &text) {
            Ok(pair) => pair,
            Err(death) => {
                self.fleet = Fleet::start(self.programs)?;
                let kind = format!("{}: {death}", call[0]);
                return Ok(Outcomes::Different(Difference { kind }));
            }
        };
        if ours == wine {
            return Ok(Outcomes::Alike((ours, wine)));
        }
        let step = Step { call: &call, ours: &ours, wine: &wine };
        let Some((rule, then)) = rules::explain(&step) else {
            return Ok(Outcomes::Different(Difference { kind: kind(&step) }));
        };
        self.fired[rule] += 1;
        match then {
            Then::GoOn => Ok(Outcomes::Alike((ours, wine))),
            Then::End => Ok(Outcomes::Parted),
            Then::Empty => {
                let empty = Line { process: line.process, text: format!("reset {}", call[1]) };
                match self.step(&empty)? {
                    Outcomes::Alike((mut ours, wine)) => {
                        "no".clone_into(&mut ours.head);
                        Ok(Outcomes::Alike((ours, wine)))
                    }
                    other => Ok(other),
                }
            }
        }
    }

    /// A script with what both answer.
    fn tell(&mut self, lines: &[Line]) -> Result<String, String> {
        self.reset()?;
        let mut told = String::new();
        for line in lines {
            let text = self.named(&line.text);
            _ = writeln!(told, "{} {text}", line.process);
            let Ok((ours, wine)) = self.fleet.step(line.process, &text) else {
                self.fleet = Fleet::start(self.programs)?;
                break;
            };
            if ours == wine {
                _ = writeln!(told, "    both {}", ours.head);
            } else {
                _ = writeln!(told, "    ours {ours}\n    Wine {wine}");
            }
        }
        Ok(told)
    }
}

fn kind(step: &Step<'_>) -> String {
    let result =
        |answer: &answer::Answer| answer.head.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let (ours, wine) = (result(step.ours), result(step.wine));
    let call = step.call[0];
    if ours != wine {
        format!("{call}: ours {ours}, Wine {wine}")
    } else if step.ours.head != step.wine.head {
        format!("{call}: it gives something else")
    } else {
        format!("{call}: the memory differs")
    }
}
