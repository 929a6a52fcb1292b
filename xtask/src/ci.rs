//! `cargo xtask ci`: runs every check that a change must pass.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::cross;
use crate::task::Outcome;

/// The tasks that run one after another, before all others. If one of them fails, the others do
/// not run.
const FIRST: [&str; 3] = ["format", "tests", "lints"];

/// The tasks that run afterwards, [`LANES`] at a time. Those that take longest come first, so that
/// no long task runs alone at the end.
const AFTERWARDS: &[&str] = &[
    "linux32",
    "loom",
    "windows",
    "torture",
    "differential",
    "faults",
    "fuzz",
    "hostile",
    "python",
    "bridge",
    "tempname",
    "threads",
    "packages",
    "macos",
    "storm",
    "channels",
    "futexwait",
    "miri",
    "inject",
    "tools",
    "msrv",
    "distcheck",
];

/// The tasks that run last, without another task beside them, because they measure times.
const LAST: [&str; 1] = ["benches"];

/// The number of tasks that run at the same time. Most tests wait for other processes, so that two
/// tasks do not need twice the time of one.
const LANES: usize = 2;

pub(crate) fn ci() -> Outcome {
    let start = Instant::now();
    for task in FIRST {
        report(task, stage(task, Output::Shown))?;
    }
    let mut failed = side_by_side(AFTERWARDS);
    failed
        .extend(LAST.into_iter().filter(|task| report(task, stage(task, Output::Shown)).is_err()));
    println!("==> ci: {} s", start.elapsed().as_secs());
    if failed.is_empty() { Ok(()) } else { Err(failed.join(", ")) }
}

/// Runs these tasks in lanes. Each lane takes the next task when it is free. Returns the tasks that
/// failed. A failure does not end the other tasks, so that one run reports all failures.
fn side_by_side(tasks: &'static [&'static str]) -> Vec<&'static str> {
    let waiting = Mutex::new(tasks.iter().copied().collect::<VecDeque<_>>());
    let failed = Mutex::new(Vec::new());
    let lane = || {
        loop {
            let next = waiting.lock().expect("no lane panics").pop_front();
            let Some(task) = next else { return };
            let outcome = stage(task, Output::Kept);
            // Hold this lock while the output is printed, so that no other lane prints in between.
            let mut failed = failed.lock().expect("no lane panics");
            if report(task, outcome).is_err() {
                failed.push(task);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(lane);
        }
    });
    failed.into_inner().expect("no lane panics")
}

/// Whether the output of a task is shown while the task runs, or kept until it ends.
#[derive(Clone, Copy, PartialEq)]
enum Output {
    Shown,
    Kept,
}

/// The end of a task.
struct Ended {
    /// The output, if it was kept.
    output: String,
    seconds: u64,
    outcome: Outcome,
}

/// Runs a task in a process of its own.
fn stage(task: &str, output: Output) -> Ended {
    let start = Instant::now();
    let log = cross::root().join(format!("target/ci/{task}.log"));
    let outcome = spawn(task, (output == Output::Kept).then_some(log.as_path()));
    let output =
        if output == Output::Kept { fs::read(&log).unwrap_or_default() } else { Vec::new() };
    Ended {
        output: String::from_utf8_lossy(&output).into_owned(),
        seconds: start.elapsed().as_secs(),
        outcome,
    }
}

fn spawn(task: &str, log: Option<&Path>) -> Outcome {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.arg(task).stdin(Stdio::null());
    if let Some(log) = log {
        let open = || -> std::io::Result<(File, File)> {
            fs::create_dir_all(log.parent().unwrap_or(log))?;
            let file = File::create(log)?;
            Ok((file.try_clone()?, file))
        };
        let (out, err) = open().map_err(|e| format!("{}: {e}", log.display()))?;
        command.stdout(out).stderr(err);
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{task}: {status}")),
        Err(error) => Err(format!("{task}: {error}")),
    }
}

/// Prints the output and the time of a task.
fn report(task: &str, ended: Ended) -> Outcome {
    print!("{}", ended.output);
    let result = if ended.outcome.is_ok() { "passed" } else { "FAILED" };
    println!("==> {task} {result} after {} s", ended.seconds);
    ended.outcome
}
