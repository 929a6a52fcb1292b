//! Windows' calls where Linux has what Windows has not: few descriptors, `fork` and `exec`.
#![cfg(target_os = "linux")]

mod harness;

use harness::{Language, Place, compile, unique};

/// The two streams of the program that this happens to, when it is traced.
fn traced(what: &[&str]) -> (String, String) {
    let program = compile(&["linux/host.c"], Language::C, &["-D_GNU_SOURCE"]);
    let place = Place::new();
    let mut command = program.command();
    command.args(what).env("PAGEMATE_TRACE", "1").current_dir(place.path());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[track_caller]
fn prints(program: &str, lines: &[&str]) {
    let program = compile(&[&format!("linux/{program}.c")], Language::C, &["-D_GNU_SOURCE"]);
    let (code, printed) = Place::new().run(&program);
    assert_eq!((code, printed), (0, lines.iter().map(|line| (*line).to_owned()).collect()));
}

/// What the program prints to whom this happens.
fn happens(what: &[&str]) -> Vec<String> {
    let program = compile(&["linux/host.c"], Language::C, &["-D_GNU_SOURCE"]);
    let mut command = program.command();
    command.args(what);
    Place::new().start_command(command).end().1
}

#[test]
fn a_page_that_was_written_to_is_not_lost_for_want_of_a_descriptor() {
    // ERROR_TOO_MANY_OPEN_FILES.
    prints("descriptors", &["error 4", "ours", "1 ours"]);
}

#[test]
fn a_child_can_use_what_other_threads_used_when_it_was_forked() {
    prints("forks", &["200 children"]);
}

#[test]
fn what_is_inherited_is_known_after_exec_and_nothing_else_is_taken_for_it() {
    // WAIT_FAILED; WAIT_OBJECT_0.
    prints("inherits", &["replaced: 4294967295, still open", "after exec: 0", "after exec: 0"]);
}

#[test]
fn siblings_take_the_same_handle_over_at_the_same_time() {
    prints("siblings", &["the child: 0", "the parent: 0"]);
}

#[test]
fn a_program_is_not_started_without_its_name() {
    let invalid = rustix::io::Errno::INVAL.raw_os_error();
    assert_eq!(happens(&["name"]), [format!("-1, error {invalid}")]);
}

#[test]
fn half_a_write_is_a_failure() {
    assert_eq!(happens(&["room"]), ["error 112"]);
}

#[test]
fn what_is_printed_without_streams_stands_in_no_object() {
    assert_eq!(happens(&["streams", &unique("streams")]), ["4 objects, 0 streams"]);
}

#[test]
fn a_child_gets_what_was_handed_to_it_or_nothing() {
    let told = happens(&["elsewhere", &unique("elsewhere")]);
    assert_eq!(told, ["error 6", "not to be inherited from here: error 6"]);
}

#[test]
fn arguments_may_stand_at_any_address() {
    assert_eq!(happens(&["packed", &unique("packed")]), ["made, found"]);
}

#[test]
fn a_child_that_a_thread_forked_does_not_end_the_thread() {
    assert_eq!(happens(&["forks"]), ["it runs"]);
}

#[test]
fn handles_are_not_limited_by_the_usual_number_of_descriptors() {
    assert_eq!(happens(&["few"]), ["500 handles"]);
}

#[test]
fn no_thread_has_a_stack_as_large_as_all_addresses() {
    assert_eq!(happens(&["stack"]), ["none, error 8"]);
}

#[test]
fn a_handle_with_a_high_number_costs_no_memory() {
    assert_eq!(happens(&["far"]), ["1 bytes, and the first"]);
}

#[test]
fn a_failed_call_tells_why_and_is_traced() {
    // ERROR_NOT_READY, ERROR_BAD_ENVIRONMENT.
    for (path, code) in [("/nowhere", 21), ("here", 10)] {
        let (told, traced) = traced(&["directory", path]);
        let lines: Vec<&str> = told.lines().collect();
        let [why, event, mutex, handle] = lines[..] else { panic!("{told}") };
        assert!(
            why.starts_with(&format!("error {code}: open or create section \"none\": ")),
            "{why}"
        );
        assert!(why.contains("PAGEMATE_DIR") && why.contains(path), "{why}");
        assert_eq!([event, mutex], [code.to_string(), code.to_string()]);
        assert_eq!(handle, "error 6: The handle is invalid.");
        let lines: Vec<&str> = traced.lines().collect();
        assert_eq!(lines.len(), 5, "{traced}");
        assert_eq!(lines[0], format!("pagemate: {why}"));
        assert_eq!(lines[4], "for a debugger");
    }
}
