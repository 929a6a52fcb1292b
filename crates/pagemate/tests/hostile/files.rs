//! Files of objects that another program replaced, truncated, overwrote or locked.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use pagemate::{Access, ErrorKind, Section, SectionOptions, inventory};

use super::harness::fork::{Forked, Gate, alone, fork, hold_on, lock_exclusively};
use super::{changes_nothing, create, local, refused, share};

/// The offset of the trailer of a one-page object.
const TRAILER: u64 = 4096;

fn open_read(name: &str) -> pagemate::Result<Section> {
    SectionOptions::new().access(Access::Read).open(name)
}

/// A function that creates an entry at a path.
type Make<'a> = &'a dyn Fn(&Path);

#[test]
fn other_kinds_of_entries_are_reported_and_left_alone() {
    alone("files::other_kinds_of_entries_are_reported_and_left_alone", |place| {
        drop(create("x").unwrap());
        let path = local(place).join("x");
        let target = place.join("target");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("letter"), "dear").unwrap();
        let table: [(&str, Make<'_>); 6] = [
            ("a symbolic link", &|path| symlink("nowhere", path).unwrap()),
            ("a symbolic link", &|path| symlink(target.join("letter"), path).unwrap()),
            ("a symbolic link", &|path| symlink(&target, path).unwrap()),
            ("a directory", &|path| fs::create_dir(path).unwrap()),
            ("a socket", &|path| drop(UnixListener::bind(path).unwrap())),
            ("a pipe", &|path| {
                assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
            }),
        ];
        for (what, make) in table {
            make(&path);
            changes_nothing(place, || {
                let facts = [what, "remove", path.to_str().unwrap(), "\"x\""];
                for result in [Section::open("x"), open_read("x"), create("x"), share("x")] {
                    refused(result, ErrorKind::Corrupted, &facts);
                }
                assert!(inventory::list().unwrap().entries.is_empty());
                assert_eq!(inventory::prune().unwrap().objects, 0);
                drop(create("another").unwrap());
            });
            if path.is_dir() && !path.is_symlink() {
                fs::remove_dir(&path).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
        }
        fs::remove_dir_all(target).unwrap();
    });
}

/// A change of an object's file: the offset, the bytes, the kind of the resulting error, and a fact
/// in its message.
type Damage = (u64, &'static [u8], ErrorKind, &'static str);

// The offsets are those of docs/layout.md.
const DAMAGE: [Damage; 15] = [
    (TRAILER, b"PAGEMATF", ErrorKind::Corrupted, "does not end in a trailer"),
    (TRAILER, &[0xFF; 4096], ErrorKind::Corrupted, "does not end in a trailer"),
    (TRAILER, &[0; 4096], ErrorKind::Corrupted, "does not end in a trailer"),
    (TRAILER + 8, &[0; 4], ErrorKind::WrongVersion, "layout 0, and this release reads 1"),
    (TRAILER + 8, &[77, 0, 0, 0], ErrorKind::WrongVersion, "layout 77, and this release reads 1"),
    (TRAILER + 12, &[200], ErrorKind::WrongKind, "of kind 200, which only a newer release knows"),
    (TRAILER + 44, &[4], ErrorKind::WrongVersion, "features 0x4"),
    (TRAILER + 13, &[3], ErrorKind::Corrupted, "protection"),
    (TRAILER + 16, &[0; 8], ErrorKind::Corrupted, "disagree about the length"),
    (TRAILER + 16, &[0, 32], ErrorKind::Corrupted, "disagree about the length"),
    (TRAILER + 16, &[0xFF; 8], ErrorKind::Corrupted, "disagree about the length"),
    (TRAILER + 36, &[0xFF; 4], ErrorKind::Corrupted, "no legal name"),
    (TRAILER + 36, &[0; 4], ErrorKind::Corrupted, "no legal name"),
    (TRAILER + 1024, &[0xFF], ErrorKind::Corrupted, "no legal name"),
    (TRAILER + 1024, b"y", ErrorKind::Corrupted, "belongs to another name, \"y\""),
];

fn file(place: &Path) -> File {
    OpenOptions::new().write(true).open(local(place).join("x")).unwrap()
}

/// Asserts that every other process gets this error for a live object whose file is damaged.
#[track_caller]
fn refused_while_held(place: &Path, kind: ErrorKind, fact: &str) {
    changes_nothing(place, || {
        for result in [Section::open("x"), open_read("x"), share("x")] {
            refused(result, kind, &[fact, "\"x\""]);
        }
        refused(create("x"), ErrorKind::AlreadyExists, &["some process already holds"]);
        assert!(inventory::list().unwrap().entries.is_empty());
        assert_eq!(inventory::prune().unwrap().objects, 0);
    });
}

#[test]
fn damaged_trailer_of_a_live_object_is_reported_and_its_holder_undisturbed() {
    alone(
        "files::damaged_trailer_of_a_live_object_is_reported_and_its_holder_undisturbed",
        |place| {
            for (at, bytes, kind, fact) in DAMAGE {
                let held = create("x").unwrap();
                let view = held.map().unwrap();
                view.write(0, &7_u64).unwrap();
                file(place).write_all_at(bytes, at).unwrap();
                refused_while_held(place, kind, fact);
                let damaged = inventory::list().unwrap().damaged;
                assert_eq!(damaged.len(), 1);
                assert_eq!(damaged[0].kind(), kind);
                let path = local(place).join("x");
                for fact in [fact, path.to_str().unwrap()] {
                    assert!(damaged[0].to_string().contains(fact), "{}", damaged[0]);
                }
                assert_eq!(held.map().unwrap().read::<u64>(0).unwrap(), 7);
                drop((held, view));
                assert!(inventory::list().unwrap().damaged.is_empty());
                refused(Section::open("x"), ErrorKind::NotFound, &["no process holds it"]);
                assert_eq!(fs::read_dir(local(place)).unwrap().count(), 0);
            }
        },
    );
}

#[test]
fn prefix_in_the_trailers_name_is_no_name() {
    alone("files::prefix_in_the_trailers_name_is_no_name", |place| {
        let _held = create("x").unwrap();
        // This would be the object's name if the stored name were parsed like the input of a user.
        file(place).write_all_at(br"Local\x", TRAILER + 1024).unwrap();
        file(place).write_all_at(&[7], TRAILER + 36).unwrap();
        refused_while_held(place, ErrorKind::Corrupted, "no legal name");
    });
}

/// Leaves the file of a dead object after changing it.
fn leave_dead(place: &Path, change: impl FnOnce(File)) {
    fork(|| std::mem::forget(create("x").unwrap())).join();
    change(file(place));
}

#[test]
fn damaged_object_without_holder_is_dead_and_swept() {
    alone("files::damaged_object_without_holder_is_dead_and_swept", |place| {
        let damage = DAMAGE.iter().filter(|(.., fact)| !fact.contains("does not end"));
        for verb in 0..5 {
            for (at, bytes, ..) in damage.clone() {
                leave_dead(place, |file| file.write_all_at(bytes, *at).unwrap());
                match verb {
                    0 => refused(Section::open("x"), ErrorKind::NotFound, &["no process holds it"]),
                    1 => refused(open_read("x"), ErrorKind::NotFound, &["no process holds it"]),
                    2 => assert!(inventory::list().unwrap().entries.is_empty()),
                    3 => assert_eq!(inventory::prune().unwrap().objects, 1),
                    _ => assert!(share("x").unwrap().was_created()),
                }
                assert_eq!(fs::read_dir(local(place)).unwrap().count(), 0);
            }
        }
    });
}

#[test]
fn file_that_is_no_object_is_left_alone_and_reported() {
    alone("files::file_that_is_no_object_is_left_alone_and_reported", |place| {
        let path = local(place).join("x");
        let changes: [&dyn Fn(File); 6] = [
            &|file| file.write_all_at(b"PAGEMATF", TRAILER).unwrap(),
            &|file| file.set_len(100).unwrap(),
            &|file| file.set_len(0).unwrap(),
            // Objects never have these modes.
            &|file| file.set_permissions(Permissions::from_mode(0o700)).unwrap(),
            &|file| file.set_permissions(Permissions::from_mode(0o4600)).unwrap(),
            &|file| file.set_permissions(Permissions::from_mode(0o2666)).unwrap(),
        ];
        for change in changes {
            leave_dead(place, change);
            changes_nothing(place, || {
                refused(Section::open("x"), ErrorKind::NotFound, &["no process holds it"]);
                refused(open_read("x"), ErrorKind::NotFound, &["no process holds it"]);
                assert!(inventory::list().unwrap().entries.is_empty());
                assert_eq!(inventory::prune().unwrap().objects, 0);
                drop(create("another").unwrap());
                let facts = ["that pagemate did not create", "remove", path.to_str().unwrap()];
                refused(create("x"), ErrorKind::Corrupted, &facts);
                refused(share("x"), ErrorKind::Corrupted, &facts);
            });
            fs::remove_file(&path).unwrap();
        }
    });
}

#[test]
fn file_that_is_truncated_or_grown_while_held_is_reported() {
    alone("files::file_that_is_truncated_or_grown_while_held_is_reported", |place| {
        for (len, fact) in [
            (0, "cut short"),
            (39, "cut short"),
            (100, "does not end in a trailer"),
            (4095, "does not end in a trailer"),
            (4096, "does not end in a trailer"),
            (4196, "does not end in a trailer"),
            (8191, "does not end in a trailer"),
            (8193, "does not end in a trailer"),
            (1 << 40, "does not end in a trailer"),
        ] {
            let held = create("x").unwrap();
            file(place).set_len(len).unwrap();
            refused_while_held(place, ErrorKind::Corrupted, fact);
            drop(held);
            assert_eq!(fs::read_dir(local(place)).unwrap().count(), 0);
        }
    });
}

#[test]
fn moved_trailer_is_reported() {
    alone("files::moved_trailer_is_reported", |place| {
        // The file is shortened by a page and still ends in a valid trailer. Only the length in the
        // trailer is wrong.
        let _held = SectionOptions::new().len(8192).create_new("x").unwrap();
        let mut trailer = vec![0; 4096];
        let read = File::open(local(place).join("x")).unwrap();
        read.read_exact_at(&mut trailer, 8192).unwrap();
        file(place).write_all_at(&trailer, 4096).unwrap();
        file(place).set_len(8192).unwrap();
        refused_while_held(place, ErrorKind::Corrupted, "disagree about the length");
    });
}

#[test]
fn reading_memory_that_was_cut_short_ends_by_sigbus_alone() {
    alone("files::reading_memory_that_was_cut_short_ends_by_sigbus_alone", |place| {
        let held = SectionOptions::new().len(8192).create_new("x").unwrap();
        let view = held.map().unwrap();
        file(place).set_len(4096).unwrap();
        // The page that remains can be read. Reading the page that was cut off ends the process.
        fork(|| assert_eq!(view.read::<u8>(4095).unwrap(), 0)).join();
        let status = fork(|| assert_eq!(view.read::<u8>(4096).unwrap(), 0)).wait();
        assert_eq!(status.signal(), Some(libc::SIGBUS));
    });
}

#[test]
fn lock_that_is_never_released_times_out() {
    alone("files::lock_that_is_never_released_times_out", |place| {
        drop(create("x").unwrap());
        let ready = Gate::new();
        let stranger = fork(|| {
            let file = File::create_new(local(place).join("x")).unwrap();
            assert!(lock_exclusively(&file));
            ready.open();
            hold_on();
        });
        ready.wait();
        let verbs: [fn() -> pagemate::Result<Section>; 4] =
            [|| Section::open("x"), || open_read("x"), || create("x"), || share("x")];
        let waiting = verbs.map(|verb| {
            fork(move || refused(verb(), ErrorKind::TimedOut, &["another process is busy"]))
        });
        // Calls that do not use the name are not delayed.
        assert!(inventory::list().unwrap().entries.is_empty());
        assert_eq!(inventory::prune().unwrap().objects, 0);
        drop(create("another").unwrap());
        waiting.into_iter().for_each(Forked::join);
        stranger.kill();
        refused(Section::open("x"), ErrorKind::NotFound, &["no process holds it"]);
        fs::remove_file(local(place).join("x")).unwrap();
    });
}
