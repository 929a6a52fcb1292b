//! Win32 calls in situations that do not exist on Windows: few descriptors, `fork` and `exec`.
#![cfg(target_os = "linux")]

mod harness;

use harness::{Language, TestDir, compile, unique};

/// Runs a scenario of the program with the trace on. Returns its standard output and standard
/// error.
fn traced(scenario: &[&str]) -> (String, String) {
    let program = compile(&["linux/host.c"], Language::C, &["-D_GNU_SOURCE"]);
    let dir = TestDir::new();
    let mut command = program.command();
    command.args(scenario).env("PAGEMATE_TRACE", "1").current_dir(dir.path());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[track_caller]
fn assert_prints(program: &str, lines: &[&str]) {
    let program = compile(&[&format!("linux/{program}.c")], Language::C, &["-D_GNU_SOURCE"]);
    let (code, printed) = TestDir::new().run(&program);
    assert_eq!((code, printed), (0, lines.iter().map(|line| (*line).to_owned()).collect()));
}

/// Runs a scenario of the program and returns the lines that it prints.
fn run_scenario(scenario: &[&str]) -> Vec<String> {
    let program = compile(&["linux/host.c"], Language::C, &["-D_GNU_SOURCE"]);
    let mut command = program.command();
    command.args(scenario);
    TestDir::new().start_command(command).end().1
}

#[test]
fn a_page_that_was_written_to_is_not_lost_for_want_of_a_descriptor() {
    // ERROR_TOO_MANY_OPEN_FILES.
    assert_prints("descriptors", &["error 4", "ours", "1 ours"]);
}

#[test]
fn a_forked_child_can_use_the_objects_that_other_threads_were_using() {
    assert_prints("forks", &["200 children"]);
}

#[test]
fn inherited_handles_survive_exec_and_other_descriptors_are_not_mistaken_for_them() {
    // WAIT_FAILED; WAIT_OBJECT_0.
    assert_prints(
        "inherits",
        &["replaced: 4294967295, still open", "after exec: 0", "after exec: 0"],
    );
}

#[test]
fn siblings_take_the_same_handle_over_at_the_same_time() {
    assert_prints("siblings", &["the child: 0", "the parent: 0"]);
}

#[test]
fn a_program_is_not_started_without_its_name() {
    let invalid = rustix::io::Errno::INVAL.raw_os_error();
    assert_eq!(run_scenario(&["name"]), [format!("-1, error {invalid}")]);
}

#[test]
fn a_partial_write_is_a_failure() {
    assert_eq!(run_scenario(&["room"]), ["error 112"]);
}

#[test]
fn output_without_standard_streams_reaches_no_object() {
    assert_eq!(run_scenario(&["streams", &unique("streams")]), ["4 objects, 0 streams"]);
}

#[test]
fn a_child_gets_the_inherited_object_or_none() {
    let printed = run_scenario(&["elsewhere", &unique("elsewhere")]);
    assert_eq!(printed, ["error 6", "not to be inherited from here: error 6"]);
}

#[test]
fn arguments_may_be_unaligned() {
    assert_eq!(run_scenario(&["packed", &unique("packed")]), ["made, found", "1, 1, 1"]);
}

#[test]
fn a_child_that_a_thread_forked_does_not_end_the_thread() {
    assert_eq!(run_scenario(&["forks"]), ["it runs"]);
}

#[test]
fn handles_are_not_limited_by_the_usual_number_of_descriptors() {
    assert_eq!(run_scenario(&["few"]), ["500 handles"]);
}

#[test]
fn no_thread_has_a_stack_as_large_as_all_addresses() {
    assert_eq!(run_scenario(&["stack"]), ["none, error 8"]);
}

#[test]
fn a_handle_with_a_high_number_costs_no_memory() {
    assert_eq!(run_scenario(&["far"]), ["1 bytes, and the first"]);
}

#[test]
fn a_failed_call_is_explained_and_traced() {
    // ERROR_NOT_READY, ERROR_BAD_ENVIRONMENT.
    for (path, code) in [("/nowhere", 21), ("here", 10)] {
        let (printed, traced) = traced(&["directory", path]);
        let lines: Vec<&str> = printed.lines().collect();
        let [why, event, mutex, handle] = lines[..] else { panic!("{printed}") };
        assert!(
            why.starts_with(&format!(
                "CreateFileMappingA: error {code}: open or create section \"none\": "
            )),
            "{why}"
        );
        assert!(why.contains("PAGEMATE_DIR") && why.contains(path), "{why}");
        assert_eq!([event, mutex], [code.to_string(), code.to_string()]);
        assert_eq!(handle, "CloseHandle: error 6: The handle is invalid.");
        let lines: Vec<&str> = traced.lines().collect();
        assert_eq!(lines.len(), 5, "{traced}");
        assert_eq!(lines[0], format!("pagemate: {why}"));
        assert!(
            lines[1].starts_with(&format!("pagemate: CreateEventA: error {code}: ")),
            "{traced}"
        );
        assert!(lines[2].starts_with(&format!("pagemate: OpenMutexA: error {code}: ")), "{traced}");
        assert_eq!(lines[4], "for a debugger");
    }
}
