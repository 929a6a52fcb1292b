//! A forked child holds the objects of its parent, until it exits or calls `exec`.
#![cfg(target_os = "linux")]

mod harness;

use std::io::{BufRead as _, BufReader, Read as _, Write as _, pipe};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use harness::fork::{
    Forked, Gate, about_to_exec, adopt, adopted, alone, end_thread, fork, hold_on,
};
use pagemate::{Access, ErrorKind, Section, SectionOptions, View, inventory};

fn create(name: &str) -> (Section, View) {
    let section = SectionOptions::new().len(4096).create_new(name).unwrap();
    let view = section.map().unwrap();
    (section, view)
}

fn value(section: &Section) -> u64 {
    section.map().unwrap().read(0).unwrap()
}

#[track_caller]
fn assert_lives(name: &str, expected: u64) {
    assert_eq!(value(&Section::open(name).unwrap()), expected);
    let again = SectionOptions::new().len(1).create_new(name);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[track_caller]
fn assert_gone(name: &str) {
    assert_eq!(Section::open(name).unwrap_err().kind(), ErrorKind::NotFound);
    let (section, _) = create(name);
    assert_eq!(value(&section), 0);
}

#[test]
fn child_keeps_what_its_parent_closes() {
    alone("child_keeps_what_its_parent_closes", |_| {
        let go = Gate::new();
        let (section, view) = create("x");
        view.write(0, &7_u64).unwrap();
        let child = fork(|| {
            go.wait();
            assert_eq!(view.read::<u64>(0).unwrap(), 7);
            assert_eq!(value(&section), 7);
        });
        drop((section, view));
        assert_lives("x", 7);
        assert_eq!(inventory::find("x").unwrap().holders, [child.id()]);
        go.open();
        child.join();
        assert_gone("x");
    });
}

#[test]
fn process_whose_first_thread_has_ended_is_listed_as_holder() {
    alone("process_whose_first_thread_has_ended_is_listed_as_holder", |_| {
        let ready = Gate::new();
        let child = fork(|| {
            let held = create("x");
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let _held = &held;
                    let task = format!("/proc/self/task/{}/stat", std::process::id());
                    while !std::fs::read_to_string(&task).unwrap().contains(") Z ") {
                        std::thread::yield_now();
                    }
                    ready.open();
                    hold_on();
                });
                end_thread();
            });
        });
        ready.wait();
        assert_eq!(inventory::find("x").unwrap().holders, [child.id()]);
        child.kill();
        assert_eq!(inventory::prune().unwrap().objects, 1);
    });
}

#[test]
fn child_keeps_what_its_killed_parent_held() {
    alone("child_keeps_what_its_killed_parent_held", |_| {
        adopt();
        let (ready, go) = (Gate::new(), Gate::new());
        let ids = SectionOptions::new().len(8).create_unnamed().unwrap().map().unwrap();
        let parent = fork(|| {
            let (section, view) = create("x");
            view.write(0, &7_u64).unwrap();
            let mut held = Some((section, view));
            let child = fork(|| {
                ready.open();
                go.wait();
                // Drop the handle, as the end of `main` does; later this process does the same as
                // the last holder.
                drop(held.take());
            });
            ids.write(0, &child.id()).unwrap();
            ready.open();
            hold_on();
        });
        ready.wait();
        ready.wait();
        parent.kill();
        assert_lives("x", 7);
        let child = adopted(ids.read::<u32>(0).unwrap());
        go.open();
        child.join();
        assert_gone("x");
    });
}

#[test]
fn child_takes_nothing_with_it() {
    alone("child_takes_nothing_with_it", |place| {
        let mut held = Some(create("x"));
        held.as_ref().unwrap().1.write(0, &7_u64).unwrap();
        // Four children: one exits at once, one drops its handles, one drops them and then opens
        // the name, and one is killed.
        fork(|| {}).join();
        assert_lives("x", 7);
        fork(|| drop(held.take())).join();
        assert_lives("x", 7);
        fork(|| {
            drop(held.take());
            assert_lives("x", 7);
        })
        .join();
        assert_lives("x", 7);
        fork(|| hold_on()).kill();
        assert_lives("x", 7);
        drop(held);
        assert_gone("x");
        let local = place.join(format!("pagemate-{}", rustix::process::geteuid().as_raw()));
        assert_eq!(std::fs::read_dir(local).unwrap().count(), 0);
    });
}

#[test]
fn grandchild_is_the_last_holder() {
    alone("grandchild_is_the_last_holder", |_| {
        adopt();
        let (ready, go) = (Gate::new(), Gate::new());
        let ids = SectionOptions::new().len(8).create_unnamed().unwrap().map().unwrap();
        let mut held = Some(create("x"));
        held.as_ref().unwrap().1.write(0, &7_u64).unwrap();
        let child = fork(|| {
            let grandchild = fork(|| {
                ready.open();
                go.wait();
                assert_eq!(value(&held.as_ref().unwrap().0), 7);
                drop(held.take());
            });
            ids.write(0, &grandchild.id()).unwrap();
            std::mem::forget(grandchild);
            drop(held.take());
        });
        ready.wait();
        child.join();
        drop(held);
        assert_lives("x", 7);
        go.open();
        adopted(ids.read::<u32>(0).unwrap()).join();
        assert_gone("x");
    });
}

#[test]
fn child_opens_and_creates_anew() {
    alone("child_opens_and_creates_anew", |_| {
        let (ready, go) = (Gate::new(), Gate::new());
        let mut held = Some(create("x"));
        held.as_ref().unwrap().1.write(0, &7_u64).unwrap();
        let child = fork(|| {
            // This handle is the child's own, and independent of the inherited one.
            let own = Section::open("x").unwrap();
            drop(held.take());
            let (_made, view) = create("y");
            view.write(0, &8_u64).unwrap();
            ready.open();
            go.wait();
            assert_eq!(value(&own), 9);
        });
        ready.wait();
        held.as_ref().unwrap().1.write(0, &9_u64).unwrap();
        drop(held);
        assert_lives("x", 9);
        assert_lives("y", 8);
        go.open();
        child.join();
        assert_gone("x");
        assert_gone("y");
    });
}

#[test]
fn children_that_all_let_go_at_once_leave_nothing() {
    alone("children_that_all_let_go_at_once_leave_nothing", |_| {
        for _ in 0..30 {
            let go = Gate::new();
            let mut held = Some(create("x"));
            let children: Vec<Forked> = (0..6)
                .map(|_| {
                    fork(|| {
                        go.wait();
                        drop(held.take());
                    })
                })
                .collect();
            (0..6).for_each(|_| go.open());
            drop(held);
            children.into_iter().for_each(Forked::join);
            assert_gone("x");
        }
    });
}

#[test]
fn unnamed_memory_is_shared_with_the_child() {
    alone("unnamed_memory_is_shared_with_the_child", |_| {
        let (ready, go) = (Gate::new(), Gate::new());
        let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
        let view = section.map().unwrap();
        let child = fork(|| {
            view.write(0, &7_u64).unwrap();
            ready.open();
            go.wait();
            // The child uses the inherited view and handle after the parent has dropped its own.
            assert_eq!(view.read::<u64>(0).unwrap(), 8);
            assert_eq!(value(&section), 8);
        });
        ready.wait();
        assert_eq!(value(&section), 7);
        view.write(0, &8_u64).unwrap();
        drop((section, view));
        go.open();
        child.join();
    });
}

#[test]
fn another_program_holds_nothing() {
    alone("another_program_holds_nothing", |_| {
        let (section, view) = create("x");
        view.write(0, &7_u64).unwrap();
        let unnamed = SectionOptions::new().len(1).create_unnamed().unwrap();
        let mut program = Command::new("sh")
            .args(["-c", "ls -l /proc/$$/fd; echo end; read line || true"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(program.stdout.take().unwrap());
        let said: Vec<String> =
            output.lines().map(Result::unwrap).take_while(|l| l != "end").collect();
        assert!(!said.is_empty() && !said.join("\n").contains("pagemate"), "{said:?}");
        assert_lives("x", 7);
        assert_eq!(value(&section), 7);
        drop((section, view, unnamed));
        assert_gone("x");
        drop(program.stdin.take());
        assert!(program.wait().unwrap().success());
    });
}

#[test]
fn child_that_becomes_another_program_lets_go() {
    use std::os::unix::process::CommandExt as _;

    alone("child_that_becomes_another_program_lets_go", |_| {
        let ready = Gate::new();
        let ((to_cat, mut to), (mut from, from_cat)) = (pipe().unwrap(), pipe().unwrap());
        let (section, view) = create("x");
        view.write(0, &7_u64).unwrap();
        let child = fork(|| {
            ready.wait();
            assert_eq!(view.read::<u64>(0).unwrap(), 7);
            let (input, output) = (to_cat.try_clone().unwrap(), from_cat.try_clone().unwrap());
            panic!("{}", Command::new("cat").stdin(input).stdout(output).exec());
        });
        drop((section, view));
        assert_lives("x", 7);
        ready.open();
        // The child is another program, which sends the bytes back.
        to.write_all(b"a").unwrap();
        from.read_exact(&mut [0]).unwrap();
        assert_gone("x");
        drop((to, to_cat));
        child.join();
    });
}

#[test]
fn read_only_handles_are_held_and_let_go_alike() {
    alone("read_only_handles_are_held_and_let_go_alike", |_| {
        let go = Gate::new();
        let (made, view) = create("x");
        view.write(0, &7_u64).unwrap();
        let mut reader = Some(SectionOptions::new().access(Access::Read).open("x").unwrap());
        drop((made, view));
        fork(|| drop(reader.take())).join();
        assert_lives("x", 7);
        let child = fork(|| go.wait());
        drop(reader);
        assert_lives("x", 7);
        go.open();
        child.join();
        assert_gone("x");
    });
}

#[test]
fn descriptor_that_was_handed_on_holds_the_name() {
    alone("descriptor_that_was_handed_on_holds_the_name", |_| {
        let (section, view) = create("x");
        view.write(0, &7_u64).unwrap();
        let copy = section.as_fd().try_clone_to_owned().unwrap();
        drop((section, view));
        assert_lives("x", 7);
        drop(copy);
        assert_gone("x");
    });
}

#[test]
fn handle_closed_while_a_program_is_being_started_is_gone_at_once() {
    alone("handle_closed_while_a_program_is_being_started_is_gone_at_once", |_| {
        for access in [Access::ReadWrite, Access::Read] {
            let (section, view) = create("x");
            let last = SectionOptions::new().access(access).open("x").unwrap();
            drop((section, view));
            let child = about_to_exec();
            drop(last);
            assert_gone("x");
            child.kill();
        }
    });
}

#[test]
fn creators_that_only_look_let_go_at_once_while_programs_are_started() {
    alone("creators_that_only_look_let_go_at_once_while_programs_are_started", |_| {
        std::thread::scope(|scope| {
            let starter = scope.spawn(|| {
                for _ in 0..500 {
                    Command::new("true").status().unwrap();
                }
            });
            // A program start rarely coincides with a creation. If it does, it must not keep the
            // name alive.
            while !starter.is_finished() {
                drop(SectionOptions::new().len(1).access(Access::Read).create_new("x").unwrap());
                assert_eq!(Section::open("x").unwrap_err().kind(), ErrorKind::NotFound);
            }
        });
    });
}
