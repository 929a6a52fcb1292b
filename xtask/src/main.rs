//! `cargo xtask ci`: every check that decides whether a change is good.
#![allow(clippy::print_stdout, reason = "it tells what it runs")]

use std::process::{Command, ExitCode};

#[cfg(test)]
mod tidy;

/// What CI runs, one step a line: the environment it adds, and the call.
const CI: [(&str, &str, &str); 5] = [
    ("", "", "cargo fmt --all --check"),
    ("", "", "cargo test --workspace"),
    ("", "", "cargo clippy --workspace --all-targets -- -D warnings"),
    ("RUSTDOCFLAGS", "-D warnings", "cargo doc --workspace --no-deps"),
    ("", "", "cargo run --release -- demo"),
];

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    if task != "ci" {
        println!("usage: cargo xtask ci");
        return ExitCode::from(2);
    }
    for (variable, value, call) in CI {
        println!("==> {call}");
        let mut words = call.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        if !variable.is_empty() {
            command.env(variable, value);
        }
        if !command.status().is_ok_and(|status| status.success()) {
            println!("failed: {call}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
