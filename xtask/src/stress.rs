//! Long-running tests: races of processes, and fuzzing.

use std::path::Path;
use std::process::Command;
use std::{env, fs, process};

use crate::task::{Outcome, run};

/// Runs the tests in which processes race for names and in which owners of locks are killed: for a
/// minute, with 2,000 killed owners of each kind. With the argument `long`: 400,000 rounds and 20,000
/// owners.
pub(crate) fn torture() -> Outcome {
    let long = env::args().nth(2).is_some_and(|word| word == "long");
    let mut test = Command::new("cargo");
    test.args(["test", "--release", "-p", "pagemate", "--test", "races", "--test", "sync_stress"]);
    test.args(["--test", "locks_death", "--", "--nocapture"]);
    run(test.env("PAGEMATE_TORTURE", if long { "long" } else { "minute" }))
}

/// Runs the storm for 45 seconds, or with the argument `long` for an hour.
pub(crate) fn storm() -> Outcome {
    let long = env::args().nth(2).is_some_and(|word| word == "long");
    let seconds = if long { "3600" } else { "45" };
    run(Command::new("cargo").args(["run", "--release", "-p", "storm", "--", seconds]))
}

/// Lets processes die at random and at every fault point while they use channels: 2,000 rounds of each kind of
/// channel, or with the argument `long` 50,000.
pub(crate) fn channels() -> Outcome {
    let long = env::args().nth(2).is_some_and(|word| word == "long");
    let rounds = if long { "50000" } else { "2000" };
    let mut storm = Command::new("cargo");
    storm.args(["run", "--release", "-p", "storm", "--target-dir", "target/fault"]);
    run(storm.args(["--", "channels", rounds]).env("RUSTFLAGS", "--cfg pagemate_fault"))
}

/// Runs the tests in which a hostile process overwrites channels, under `AddressSanitizer`: for ten seconds
/// each, or with the argument `long` for two minutes.
pub(crate) fn hostile() -> Outcome {
    let long = env::args().nth(2).is_some_and(|word| word == "long");
    let mut test = Command::new("cargo");
    // Name the target. Without `--target`, cargo would also instrument build scripts and macros.
    test.args(["test", "-p", "pagemate", "--test", "channel_hostile", "--target", "host-tuple"]);
    test.args(["--target-dir", "target/hostile", "--", "--nocapture", "--test-threads=1"]);
    // RUSTC_BOOTSTRAP allows -Z options. The sanitizer's runtime is part of the stable compiler.
    test.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
    if long {
        // The tests of this mode end themselves after an hour only.
        test.env("PAGEMATE_TORTURE", "long");
    }
    run(test.env("PAGEMATE_HOSTILE_SECONDS", if long { "120" } else { "10" }))
}

/// The compiler options for the coverage that libFuzzer needs. They are those of `cargo fuzz`,
/// without the sanitizers, which need a nightly compiler.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

const TARGETS: [&str; 4] = ["name", "trailer", "channel_open", "channel_recv"];

/// Fuzzes each target for ten seconds. Starts from the inputs that earlier runs found.
pub(crate) fn fuzz() -> Outcome {
    let place = format!("/dev/shm/pagemate-fuzz-{}", process::id());
    fs::create_dir(&place).map_err(|error| format!("{place}: {error}"))?;
    let result = build_targets()
        .and_then(|()| TARGETS.iter().try_for_each(|target| feed(target, Path::new(&place))));
    fs::remove_dir_all(&place).map_err(|error| format!("{place}: {error}"))?;
    result
}

/// Builds the fuzz targets.
fn build_targets() -> Outcome {
    run(Command::new("cargo").args(["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"]))?;
    let mut build = Command::new("cargo");
    // Name the target. Without `--target`, cargo would also instrument build scripts and macros.
    build.args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
    build.args(["--target", "host-tuple", "--target-dir", "target/fuzz"]);
    run(build.env("RUSTFLAGS", COVERAGE))
}

/// Runs one fuzz target.
fn feed(target: &str, place: &Path) -> Outcome {
    let corpus = format!("target/fuzz/corpus/{target}");
    fs::create_dir_all(&corpus).map_err(|error| format!("{corpus}: {error}"))?;
    let built = fs::read_dir("target/fuzz").into_iter().flatten().flatten();
    let program = built
        .map(|entry| entry.path().join("release").join(target))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{target}: cargo did not build it"))?;
    let mut feed = Command::new(program);
    feed.args(["-max_total_time=10", "-timeout=10", "-rss_limit_mb=1024", "-max_len=4096"]);
    feed.args(["-verbosity=0", "-artifact_prefix=target/fuzz/", &corpus]);
    run(feed.env("PAGEMATE_DIR", place))
}
