//! Compiles and runs the examples in the headers and the README.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::CPP_HEADERS;
use super::build::{BUILT, Linked, compile, root, run, run_command};
use super::harness::Place;

/// Returns the code blocks of a language in a text, without comment markers.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let mut found = Vec::new();
    let mut block = None::<String>;
    for line in text.lines() {
        let line =
            line.strip_prefix(" *").map_or(line, |line| line.strip_prefix(' ').unwrap_or(line));
        match &mut block {
            None if line == fence => block = Some(String::new()),
            None => {}
            Some(_) if line == "```" => found.extend(block.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    found
}

/// Writes a source file and returns its path.
fn source(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Returns a program that runs each block as a function.
fn program(includes: &str, blocks: &[String]) -> String {
    let (mut text, mut calls) = (format!("{includes}\n"), String::new());
    for (i, block) in blocks.iter().enumerate() {
        // Includes of a block, and types up to their last description, go outside the function.
        let lines: Vec<&str> = block.lines().collect();
        let described = lines.iter().rposition(|line| line.starts_with("PAGEMATE_SHAREABLE("));
        let (types, rest) = lines.split_at(described.map_or(0, |last| last + 1));
        let (includes, inside): (Vec<&str>, Vec<&str>) =
            rest.iter().partition(|line| line.starts_with("#include"));
        let outside = [types, &includes].concat().join("\n");
        let inside = inside.join("\n");
        writeln!(text, "{outside}\nstatic void example_{i}(void) {{\n{inside}\n}}").unwrap();
        writeln!(calls, "    example_{i}();").unwrap();
    }
    text + &format!("int main(void) {{\n{calls}    return 0;\n}}\n")
}

#[test]
fn the_examples_in_the_headers_run() {
    let place = Place::new("native-examples");
    let header = fs::read_to_string(root().join("include/pagemate.h")).unwrap();
    let shown = blocks(&header, "c");
    assert_eq!(shown.len(), 11);
    let text = program("#include <stdio.h>\n#include <pagemate.h>", &shown);
    let built = compile(&source("examples.c", &text), "c11", Linked::Static);
    assert_eq!(
        run(&place, &built, &[]),
        "This is common data!\nhello\nsunny\n32 bytes\na job is ready\nframe 1\n"
    );

    let header = CPP_HEADERS
        .map(|name| fs::read_to_string(root().join("include").join(name)).unwrap())
        .concat();
    let shown = blocks(&header, "cpp");
    assert_eq!(shown.len(), 8);
    let text = program("#include <iostream>\n#include <pagemate.hpp>", &shown);
    let built = compile(&source("examples.cpp", &text), "c++17", Linked::Static);
    assert_eq!(run(&place, &built, &[]), "42\na job is ready\n42\n2\n1.5\n21.5\n");
    place.assert_empty();
}

#[test]
fn the_program_in_the_readme_runs() {
    let place = Place::new("native-readme");
    let readme = fs::read_to_string(root().join("../../README.md")).unwrap();
    let shown = blocks(&readme, "c");
    assert_eq!(shown.len(), 1);
    let built = compile(&source("readme.c", &shown[0]), "c11", Linked::Shared);
    assert_eq!(run(&place, &built, &[]), "This is common data!\n");
    place.assert_empty();
}

#[test]
fn the_structure_in_the_guide_is_one_in_c_and_cpp() {
    let place = Place::new("native-guide");
    let guide = fs::read_to_string(root().join("../../docs/c-and-cpp.md")).unwrap();
    let [cpp, c] = ["cpp", "c"].map(|language| blocks(&guide, language));
    assert_eq!((cpp.len(), c.len()), (1, 1));
    let mut cpp = program("#include <iostream>\n#include <pagemate.hpp>", &cpp);
    // The C program runs while the C++ program holds the memory.
    let call = "<< '\\n';\n";
    let (before, after) = cpp.rsplit_once(call).unwrap();
    cpp = format!(
        "#include <cstdlib>\n{before}<< std::endl;\nif (std::system(std::getenv(\"C\")) != 0) std::abort();\n{after}"
    );
    let c = program("#include <stdio.h>\n#include <pagemate.h>", &c);
    let c = compile(&source("guide.c", &c), "c11", Linked::Static);
    let cpp = compile(&source("guide.cpp", &cpp), "c++17", Linked::Shared);
    let mut command = Command::new("env");
    command.arg(format!("C={}", c.display())).arg(cpp);
    assert_eq!(run_command(&place, &command), "21.5\n21.5\n");
    place.assert_empty();
}

#[test]
fn the_sensor_example_publishes_samples_to_a_watcher() {
    let place = Place::new("native-sensor");
    let built = compile(&root().join("examples/sensor.cpp"), "c++17", Linked::Shared);
    let mut publish = Command::new(&built);
    publish.arg("publish").env("PAGEMATE_DIR", place.path());
    let mut publish = publish.spawn().unwrap();
    let seen = run(&place, &built, &["watch", "3"]);
    publish.kill().unwrap();
    publish.wait().unwrap();
    let samples = seen.lines().map(|line| line.split_once(": ").unwrap());
    let counts: Vec<u32> = samples
        .map(|(count, sample)| {
            assert!(sample.ends_with(" °C, 1013 hPa"), "{seen}");
            count.parse().unwrap()
        })
        .collect();
    assert!(counts.len() == 3 && counts.is_sorted_by(|one, next| one < next), "{seen}");
}

/// Builds an example of this package in Rust, and returns its path.
fn rust_example(name: &str) -> PathBuf {
    let directory = BUILT.shared.parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "-p", "pagemate-c", "--example", name]);
    cargo.arg("--target-dir").arg(directory.parent().unwrap()).current_dir(root());
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success());
    directory.join("examples").join(name)
}

#[test]
fn a_program_in_c_sends_to_a_program_in_rust() {
    let place = Place::new("native-thermometer");
    let sender = compile(&root().join("examples/thermometer.c"), "c11", Linked::Static);
    let mut sender = Command::new(sender);
    sender.arg("3").env("PAGEMATE_DIR", place.path()).stdout(Stdio::piped());
    let sender = sender.spawn().unwrap();
    let shown = run(&place, &rust_example("thermometer"), &[]);
    assert_eq!(shown, "1: 20.5 °C\n2: 21.0 °C\n3: 21.5 °C\n");
    let sender = sender.wait_with_output().unwrap();
    assert!(sender.status.success());
    assert_eq!(String::from_utf8(sender.stdout).unwrap(), "3 measurements were received\n");
    place.assert_empty();
}
