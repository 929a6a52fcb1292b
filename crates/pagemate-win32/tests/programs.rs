//! Unchanged Windows programs, run between real processes.
#![cfg(target_os = "linux")]

mod harness;

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{Language, Program, TestDir, compile, library, under_wine};

const LANGUAGES: [Language; 2] = [Language::C, Language::Cpp];

fn program(name: &str, language: Language) -> Program {
    compile(&[&format!("programs/{name}.c")], language, &[])
}

/// Returns the flags that make `wmain` the entry point and `L""` a string of 16-bit characters.
fn wide() -> &'static [&'static str] {
    if under_wine() { &["-municode"] } else { &["-fshort-wchar"] }
}

#[test]
fn the_first_process_writes_and_the_others_read() {
    let programs = LANGUAGES.map(|language| program("common_data", language));
    // Run the programs in both orders, because either one may create the object.
    for (first, second) in [(0, 1), (1, 0), (0, 0)] {
        let dir = TestDir::new();
        let writer = dir.start(&programs[first]);
        assert_eq!(writer.line(), "Write shared memory data: This is common data!");
        let reader = dir.start(&programs[second]);
        assert_eq!(reader.line(), "read shared memory data: This is common data!");
        // The reader still holds the object.
        assert_eq!(writer.end(), (0, vec![]));
        let third = dir.start(&programs[first]);
        assert_eq!(third.line(), "read shared memory data: This is common data!");
        reader.kill();
        assert_eq!(third.end(), (0, vec![]));
        // No process holds the object any more, so the next process creates a new one.
        let next = dir.start(&programs[second]);
        assert_eq!(next.line(), "Write shared memory data: This is common data!");
        assert_eq!(next.end().0, 0);
    }
}

#[test]
fn a_reader_takes_no_torn_frame() {
    for language in LANGUAGES {
        let dir = TestDir::new();
        let writer = program("telemetry_writer", language);
        let reader = program("telemetry_reader", language);
        let too_early = dir.run(&reader);
        assert_eq!(too_early, (2, vec!["no game runs (error 2)".to_owned()]));
        let game = dir.start(&writer);
        assert_eq!(game.line(), "the game runs");
        let seen = dir.run(&reader);
        let lines = ["4096 bytes, protection 2", "the last frame is 2000000"];
        assert_eq!(seen, (0, lines.map(str::to_owned).to_vec()));
        let second = dir.run(&writer);
        assert_eq!(
            second,
            (1, vec!["another game runs, or the memory cannot be created".to_owned()])
        );
        assert_eq!(game.end(), (0, vec!["the last frame is written".to_owned()]));
    }
}

#[test]
fn a_queue_is_guarded_by_a_mutex_and_events() {
    let programs = LANGUAGES.map(|language| program("queue", language));
    let command = |language: usize, word| {
        let mut command = programs[language].command();
        command.arg(word);
        command
    };
    let (put, took) = ("put 1000 numbers", "took 1000 numbers, sum 500500");
    // Run the programs in both orders, because either one may create the objects.
    for (first, second) in [(0, 1), (1, 0)] {
        for words in [[("put", put), ("take", took)], [("take", took), ("put", put)]] {
            let dir = TestDir::new();
            let one = dir.start_command(command(first, words[0].0));
            assert_eq!(one.line(), "made the queue");
            let other = dir.start_command(command(second, words[1].0));
            assert_eq!(other.line(), "found the queue");
            assert_eq!(one.end(), (0, vec![words[0].1.to_owned()]));
            assert_eq!(other.end(), (0, vec![words[1].1.to_owned()]));
        }
        // A process dies while it owns the mutex. No other process blocks for ever, and the wait of
        // the next owner returns `WAIT_ABANDONED`.
        let dir = TestDir::new();
        let taker = dir.start_command(command(first, "take"));
        assert_eq!(taker.line(), "made the queue");
        let (status, lines) = dir.start_command(command(second, "crash")).end();
        assert_ne!(status, 0);
        assert_eq!(lines, ["found the queue"]);
        let putter = dir.start_command(command(first, "put")).end();
        let lines = ["found the queue", "another process died with the mutex during a change", put];
        assert_eq!(putter, (0, lines.map(str::to_owned).to_vec()));
        assert_eq!(taker.end(), (0, vec![took.to_owned()]));
    }
}

#[test]
fn a_child_inherits_a_handle() {
    for language in LANGUAGES {
        let ran = TestDir::new().run(&program("handed_down", language));
        let lines = [
            r#"child: reads "Hello, child!""#,
            r#"parent: the child ended with 7 and wrote "Hello, parent!""#,
            "child: error 6",
            "parent: the second child ended with 1",
        ];
        assert_eq!(ran, (0, lines.map(str::to_owned).to_vec()));
    }
}

#[test]
fn a_parent_waits_for_the_exit_code_of_a_child() {
    for language in LANGUAGES {
        let ran = TestDir::new().run(&program("parent_child", language));
        let lines = ["child: 1000 numbers", "parent: exit code 77, sum 500500"];
        assert_eq!(ran, (0, lines.map(str::to_owned).to_vec()));
    }
}

#[test]
fn producers_and_consumers_share_a_buffer() {
    for language in LANGUAGES {
        let ran = TestDir::new().run(&program("bounded_buffer", language));
        assert_eq!(ran, (0, vec!["consumed 12000 of 12000, sum 72006000".to_owned()]));
    }
}

#[test]
fn names_are_built_as_wide_strings() {
    let standards: &[&str] =
        if under_wine() { &["-std=c++17"] } else { &["-std=c++11", "-std=c++17", "-std=c++20"] };
    for standard in standards {
        // The compiler for Wine has 16-bit wide strings by default.
        let width: &[&str] = if under_wine() { &[] } else { &["-fshort-wchar"] };
        for optimized in ["-O0", "-O2"] {
            let flags = [&[*standard, optimized], width].concat();
            let program = compile(&["programs/wide_string.cpp"], Language::Cpp, &flags);
            let ran = TestDir::new().run(&program);
            let lines = [
                "worker 1:   1001",
                "worker 2:   1002",
                "worker 3:   1003",
                "in order, 32, error 2",
            ];
            assert_eq!(ran, (0, lines.map(str::to_owned).to_vec()), "{flags:?}");
        }
    }
}

#[test]
fn wide_streams_and_conversions_of_the_c_library_do_not_compile() {
    if under_wine() {
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = TestDir::new();
    let compiles = |header: &str, use_it: &str| {
        let source = dir.path().join("program.cpp");
        let text = format!(
            "#include {header}\n#include <locale>\n#include <windows.h>\nint main() {{ {use_it}; }}\n"
        );
        fs::write(&source, text).unwrap();
        let mut compiler = Command::new("g++");
        compiler
            .args(["-std=c++17", "-fshort-wchar", "-fsyntax-only", "-I"])
            .arg(here.join("include"));
        compiler.arg(source).output().unwrap().status.success()
    };
    assert!(compiles("<sstream>", "std::ostringstream narrow; std::wstring wide"));
    for (header, use_it) in [
        ("<sstream>", "std::wostringstream stream"),
        ("<sstream>", "std::basic_stringstream<TCHAR> narrow; std::basic_stringstream<WCHAR> wide"),
        ("<fstream>", "std::wofstream stream(\"file\")"),
        ("<regex>", "std::wregex expression(L\"x\")"),
        ("<codecvt>", "std::wstring_convert<std::codecvt_utf8_utf16<wchar_t>> conversion"),
    ] {
        assert!(!compiles(header, use_it), "{use_it}");
    }
}

#[test]
fn a_file_is_processed_in_windows() {
    const LEN: u32 = 1024 * 1024 + 12345;
    let sum: u32 = (0..LEN).map(|at| at % 251).sum();
    let last = (LEN - 4..LEN).map(|at| (255 - at % 251).to_string()).collect::<Vec<_>>();
    for language in LANGUAGES {
        let ran = TestDir::new().run(&program("file_windows", language));
        let lines =
            [format!("17 windows, sum {sum}"), format!("the last bytes: {}", last.join(" "))];
        assert_eq!(ran, (0, lines.to_vec()));
    }
}

#[test]
fn wide_characters_are_shared() {
    for language in LANGUAGES {
        let program = compile(&["programs/wide.c"], language, wide());
        let dir = TestDir::new();
        let first = dir.start(&program);
        assert_eq!(first.line(), "wrote: This is common data! (20 characters)");
        let mut second = program.command();
        second.arg("it is not written again");
        let second = dir.start_command(second);
        assert_eq!(second.line(), "read: This is common data! (20 characters)");
        assert_eq!((first.end().0, second.end().0), (0, 0));
    }
}

#[test]
fn a_program_builds_for_either_width() {
    let unicode = ["-DUNICODE", "-D_UNICODE"];
    let wide = [&unicode[..], wide()].concat();
    let mut variants: Vec<&[&str]> = vec![&[], &wide];
    if !under_wine() {
        variants.push(&unicode);
    }
    for language in LANGUAGES {
        for flags in &variants {
            let program = compile(&["programs/generic_text.c"], language, flags);
            let dir = TestDir::new();
            let first = dir.start(&program);
            assert_eq!(first.line(), "27 characters are there", "{flags:?}");
            assert_eq!(dir.run(&program), (0, vec!["Message from first process.".to_owned()]));
            assert_eq!(first.end(), (0, vec![]));
        }
    }
}

#[test]
fn a_program_builds_by_the_commands_of_the_page() {
    if under_wine() {
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(here.join("../../docs/porting.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let script = blocks.into_iter().find(|block| block.contains("libpagemate_win32.a")).unwrap();
    let script = script
        .replace("crates/pagemate-win32/include", here.join("include").to_str().unwrap())
        .replace("target/release/libpagemate_win32.a", library().to_str().unwrap());
    let dir = TestDir::new();
    fs::copy(here.join("tests/programs/common_data.c"), dir.path().join("program.c")).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-ec", &script]).current_dir(dir.path());
    assert!(shell.status().unwrap().success());
    let program = dir.start_command(Command::new(dir.path().join("program")));
    assert_eq!(program.line(), "Write shared memory data: This is common data!");
}
