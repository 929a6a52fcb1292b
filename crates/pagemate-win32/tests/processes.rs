//! Child processes of a Windows program on Linux: reaping, signals and reused process numbers.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "a skipped test prints the reason")]

mod harness;

use harness::{Language, Program, TestDir, compile};

fn program() -> Program {
    compile(&["linux/processes.c"], Language::C, &["-D_GNU_SOURCE"])
}

/// Runs a scenario of the program and returns the lines that it prints.
fn run_scenario(scenario: &str) -> Vec<String> {
    let program = program();
    let mut command = program.command();
    command.arg(scenario);
    let (code, lines) = TestDir::new().start_command(command).end();
    assert_eq!(code, 0, "{lines:?}");
    lines
}

#[test]
fn children_whose_handles_are_closed_leave_no_zombies() {
    assert_eq!(run_scenario("zombies"), ["last: waited 0, code 4", "no child is left"]);
}

#[test]
fn a_handler_of_the_programs_for_sigchld_stays() {
    let lines = ["with a handler: waited 0, code 5", "own child: left to the program"];
    assert_eq!(run_scenario("handler"), lines);
}

#[test]
fn a_process_is_waited_for_also_when_the_program_reaps_it() {
    for scenario in ["reaps", "ignores"] {
        // Before Linux 6.15, only the process that reaps the child can read its exit code, and the
        // program itself may be faster than the library.
        let expected = ["waited 0, the right code", "waited 0, no code"];
        assert!(expected.contains(&run_scenario(scenario)[0].as_str()), "{scenario}");
    }
}

#[test]
fn a_death_by_a_signal_has_a_code() {
    let [abort, kill] = [libc::SIGABRT, libc::SIGKILL].map(|signal| 128 + signal);
    let lines =
        [format!("aborted: waited 0, code {abort}"), format!("killed: waited 0, code {kill}")];
    assert_eq!(run_scenario("signals"), lines);
}

#[test]
fn a_number_that_is_used_again_is_another_process() {
    let lines = run_scenario("number");
    if lines[0] == "not tried" {
        eprintln!("skipped: this user may not choose the next process number");
    } else {
        assert_eq!(lines, ["code 8, ended again: 0, error 5; the other: 1, 1, 1"]);
    }
}

#[test]
fn a_process_that_has_gone_cannot_be_opened() {
    assert_eq!(run_scenario("none"), ["0, error 87"]);
}

#[test]
fn a_forked_child_has_its_parents_handles_to_processes() {
    let lines = ["forked: waited 258, code 259, terminated 1", "parent: waited 0, code 137"];
    assert_eq!(run_scenario("fork"), lines);
}
