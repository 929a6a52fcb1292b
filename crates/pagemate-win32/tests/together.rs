//! A Rust program, a C program and the command `pagemate` share one object. Each of them may be the
//! one that creates it.
#![cfg(target_os = "linux")]

mod harness;

use std::process::Command;

use harness::{Language, Running, TestDir, build, compile};

const TEXT: &str = "This is common data!";

#[test]
fn every_process_sees_the_object_of_each_creator() {
    let example = build(&["-p", "pagemate", "--example", "common_data"], "examples/common_data");
    let command = build(&["-p", "pagemate-cli"], "pagemate");
    let windows = compile(&["programs/common_data.c"], Language::C, &[]);
    let start = |dir: &TestDir, which: usize| -> Running {
        dir.start_command(match which {
            0 => windows.command(),
            1 => Command::new(&example),
            _ => {
                let mut share = Command::new(&command);
                share.args(["share", "ShareMemory", "--text", TEXT]);
                share
            }
        })
    };
    for first in 0..3 {
        let dir = TestDir::new();
        let creator = start(&dir, first);
        assert_eq!(creator.line(), format!("Write shared memory data: {TEXT}"));
        let others = [0, 1, 2].map(|which| start(&dir, which));
        for other in &others {
            assert_eq!(other.line(), format!("read shared memory data: {TEXT}"), "{first}");
        }
        // The object outlives its creator as long as another process holds it.
        creator.kill();
        let mut read = Command::new(&command);
        read.args(["read", "ShareMemory"]);
        assert_eq!(dir.start_command(read).end(), (0, vec![TEXT.to_owned()]));
        others.into_iter().for_each(Running::kill);
        let mut read = Command::new(&command);
        read.args(["read", "ShareMemory"]);
        assert_ne!(dir.start_command(read).end().0, 0, "no process holds the object");
    }
}
