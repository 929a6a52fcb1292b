//! Rust, C and the command share one object at once, whoever makes it.
#![cfg(target_os = "linux")]

mod harness;

use std::process::Command;

use harness::{Language, Place, Running, build, compile};

const TEXT: &str = "This is common data!";

#[test]
fn whoever_makes_it_all_see_it() {
    let example = build(&["-p", "pagemate", "--example", "common_data"], "examples/common_data");
    let command = build(&["-p", "pagemate-cli"], "pagemate");
    let windows = compile(&["programs/common_data.c"], Language::C, &[]);
    let start = |place: &Place, who: usize| -> Running {
        place.start_command(match who {
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
        let place = Place::new();
        let maker = start(&place, first);
        assert_eq!(maker.line(), format!("Write shared memory data: {TEXT}"));
        let others = [0, 1, 2].map(|who| start(&place, who));
        for other in &others {
            assert_eq!(other.line(), format!("read shared memory data: {TEXT}"), "{first}");
        }
        // The maker goes, and the object stays with the others.
        maker.kill();
        let mut read = Command::new(&command);
        read.args(["read", "ShareMemory"]);
        assert_eq!(place.start_command(read).end(), (0, vec![TEXT.to_owned()]));
        others.into_iter().for_each(Running::kill);
        let mut read = Command::new(&command);
        read.args(["read", "ShareMemory"]);
        assert_ne!(place.start_command(read).end().0, 0, "nobody holds it");
    }
}
