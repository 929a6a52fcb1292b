//! `cargo xtask differential`: runs random Win32 calls with our library and with Wine's, and
//! compares the answers.
//!
//! Each side has several processes. The runner sends each line of a script to one process of each
//! side, and compares both answers before it sends the next line. All scripts run in the same
//! processes, and each script uses names of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use crate::cross;
use crate::task::Outcome;
use crate::wine::PACKAGES;

mod answer;
mod compare;
mod edges;
mod files;
mod object_kind;
mod program;
mod rng;
mod rules;
mod scene;
mod script;
mod shrink;
mod step;
mod sync;

use program::{PROCESSES, Pair, Processes, Programs};
use rules::{Next, RULES};
use script::{Line, ScriptGenerator};
use step::Step;

/// The number of scripts in a short and in a long run, and the number of calls in each script.
const SCRIPTS: u64 = 2_000;
const LONG_SCRIPTS: u64 = 8_000;
const CALLS: usize = 200;

/// The run stops after it has found this many different differences.
const MAX_DIFFERENCES: usize = 10;

/// Compares the answers to random scripts. With a number as argument, it runs only the script of
/// that seed. With `long`, it runs four times as many scripts.
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
    let mut runner = Runner::new(&programs)?;
    let mut differences = BTreeMap::new();
    for seed in seeds.clone() {
        let (lines, difference) = runner.run_random(seed)?;
        let Some(difference) = difference else { continue };
        if differences.contains_key(&difference.kind) {
            continue;
        }
        let lines = shrink::shrink(&mut runner, lines, &difference.kind)?;
        let transcript = runner.transcript(&lines)?;
        println!("seed {seed}: {}\n{transcript}", difference.kind);
        differences.insert(difference.kind, format!("seed {seed}\n{transcript}"));
        if differences.len() == MAX_DIFFERENCES {
            break;
        }
    }
    println!("{} calls in {:.0?}", runner.calls, started.elapsed());
    println!("Known differences between Wine and Windows, or between us and Windows:");
    for (rule, fired) in RULES.iter().zip(&runner.fired) {
        let missed = *fired == 0 && seeds.end - seeds.start > 1;
        let remark = if missed { "; not seen in this run: is the rule still needed?" } else { "" };
        println!("{fired:8} times: {}{remark}", rule.name);
    }
    if differences.is_empty() {
        return Ok(());
    }
    let report = dir.join("differences.txt");
    let text = differences.values().cloned().collect::<Vec<_>>().join("\n");
    fs::write(&report, text).map_err(|e| format!("{}: {e}", report.display()))?;
    Err(format!(
        "{} unexplained differences; the scripts that show them are in {}",
        differences.len(),
        report.display()
    ))
}

/// Runs scripts on both sides and compares the answers.
struct Runner<'a> {
    programs: &'a Programs,
    processes: Processes,
    /// The number of scripts so far, from which each script's names are made.
    scripts: u64,
    calls: u64,
    /// For each rule, the number of differences that it explained.
    fired: Vec<u64>,
}

/// A difference between the answers that no rule explains.
struct Difference {
    /// A description of the call and the difference. Differences with the same description probably
    /// have the same cause, and only the first is reported.
    kind: String,
}

/// The result of one line.
enum StepOutcome {
    /// The answers agree, or a rule explains the difference and the sides are still in the same
    /// state.
    Alike(Pair),
    /// A rule explains the difference, but the sides are in different states now.
    Diverged,
    Different(Difference),
}

impl<'a> Runner<'a> {
    fn new(programs: &'a Programs) -> Result<Runner<'a>, String> {
        let processes = Processes::start(programs)?;
        Ok(Runner { programs, processes, scripts: 0, calls: 0, fired: vec![0; RULES.len()] })
    }

    /// Closes all handles and views on both sides, before the next script.
    fn reset(&mut self) -> Outcome {
        self.scripts += 1;
        if self.processes.reset().is_err() {
            self.processes = Processes::start(self.programs)?;
        }
        Ok(())
    }

    /// Generates a script while it runs, up to the first difference that no rule explains.
    fn run_random(&mut self, seed: u64) -> Result<(Vec<Line>, Option<Difference>), String> {
        self.reset()?;
        let mut generator = ScriptGenerator::new(seed);
        let mut lines = Vec::new();
        while lines.len() < CALLS {
            let line = generator.next();
            lines.push(line.clone());
            let pair = match self.step(&line)? {
                StepOutcome::Alike(pair) => pair,
                StepOutcome::Diverged => break,
                StepOutcome::Different(difference) => return Ok((lines, Some(difference))),
            };
            generator.record_answer(&line, &pair.0);
            let changed = line.text.starts_with("write") || line.text.starts_with("alloc");
            if !(changed && pair.0.succeeded()) {
                continue;
            }
            for process in (0..PROCESSES).filter(|process| *process != line.process) {
                let query = Line { process, text: "views".to_owned() };
                lines.push(query.clone());
                match self.step(&query)? {
                    StepOutcome::Alike(_) => {}
                    StepOutcome::Diverged => return Ok((lines, None)),
                    StepOutcome::Different(difference) => return Ok((lines, Some(difference))),
                }
            }
        }
        Ok((lines, None))
    }

    /// Runs a given script, up to the first difference that no rule explains.
    fn replay(&mut self, lines: &[Line]) -> Result<Option<Difference>, String> {
        self.reset()?;
        for line in lines {
            match self.step(line)? {
                StepOutcome::Alike(_) => {}
                StepOutcome::Diverged => break,
                StepOutcome::Different(difference) => return Ok(Some(difference)),
            }
        }
        Ok(None)
    }

    fn named(&self, text: &str) -> String {
        text.replace('$', &format!("{:08x}", self.scripts))
    }

    fn step(&mut self, line: &Line) -> Result<StepOutcome, String> {
        self.calls += 1;
        let text = self.named(&line.text);
        let call: Vec<&str> = line.text.split(' ').collect();
        let (ours, wine) = match self.processes.step(line.process, &text) {
            Ok(pair) => pair,
            Err(death) => {
                self.processes = Processes::start(self.programs)?;
                let kind = format!("{}: {death}", call[0]);
                return Ok(StepOutcome::Different(Difference { kind }));
            }
        };
        if ours == wine {
            return Ok(StepOutcome::Alike((ours, wine)));
        }
        let step = Step { call: &call, ours: &ours, wine: &wine };
        let Some((rule, next)) = rules::explain(&step) else {
            return Ok(StepOutcome::Different(Difference { kind: kind(&step) }));
        };
        self.fired[rule] += 1;
        match next {
            Next::Continue => Ok(StepOutcome::Alike((ours, wine))),
            Next::EndScript => Ok(StepOutcome::Diverged),
            Next::ResetSlot => {
                let empty = Line { process: line.process, text: format!("reset {}", call[1]) };
                match self.step(&empty)? {
                    StepOutcome::Alike((mut ours, wine)) => {
                        "no".clone_into(&mut ours.head);
                        Ok(StepOutcome::Alike((ours, wine)))
                    }
                    other => Ok(other),
                }
            }
        }
    }

    /// Runs a script and returns it with the answers of both sides.
    fn transcript(&mut self, lines: &[Line]) -> Result<String, String> {
        self.reset()?;
        let mut transcript = String::new();
        for line in lines {
            let text = self.named(&line.text);
            _ = writeln!(transcript, "{} {text}", line.process);
            let Ok((ours, wine)) = self.processes.step(line.process, &text) else {
                self.processes = Processes::start(self.programs)?;
                break;
            };
            if ours == wine {
                _ = writeln!(transcript, "    both {}", ours.head);
            } else {
                _ = writeln!(transcript, "    ours {ours}\n    Wine {wine}");
            }
        }
        Ok(transcript)
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
        format!("{call}: the returned values differ")
    } else {
        format!("{call}: the memory differs")
    }
}
