//! Directories of objects that are missing, unsafe, or owned by another user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use pagemate::{ErrorKind, Section, Shared, inventory};
use rustix::fs::Mode;

use super::harness::fork::{
    Forked, Gate, NOBODY, alone, alone_as_root, become_user, fork, hide_users, move_place,
};
use super::{changes_nothing, create, local, refused, share};

/// Asserts that every call fails because of the directory, with these facts in the message.
#[track_caller]
fn every_verb_is_refused(name: &str, kind: ErrorKind, facts: &[&str]) {
    let told = [facts, &["PAGEMATE_DIR"]].concat();
    by_name_it_is_refused(name, kind, facts);
    refused(inventory::list(), kind, &told);
    refused(inventory::prune(), kind, &told);
}

#[track_caller]
fn by_name_it_is_refused(name: &str, kind: ErrorKind, facts: &[&str]) {
    let facts = [facts, &["PAGEMATE_DIR"]].concat();
    refused(create(name), kind, &facts);
    refused(share(name), kind, &facts);
    refused(Section::open(name), kind, &facts);
}

/// Asserts that calls for this user's objects fail, and calls for the machine's objects succeed, in
/// lists too.
#[track_caller]
fn local_verbs_are_refused(facts: &[&str]) {
    let denied = ErrorKind::PermissionDenied;
    let _global = create(r"Global\x").unwrap();
    by_name_it_is_refused("x", denied, facts);
    refused(inventory::find("x"), denied, facts);
    let [listed] = &inventory::list().unwrap().entries[..] else {
        panic!("the machine's object alone")
    };
    assert_eq!(listed.name.to_string(), r"Global\x");
    assert_eq!(inventory::prune().unwrap().objects, 0);
    let [error] = inventory::list().unwrap().unreachable.try_into().unwrap();
    refused::<()>(Err(error), denied, facts);
}

/// Calls `body` in a process whose objects are in `dir`.
fn with_place(dir: impl AsRef<Path>, body: impl FnOnce()) {
    fork(|| {
        move_place(dir.as_ref());
        body();
    })
    .join();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn place_that_is_missing_or_a_file_is_refused() {
    alone("directories::place_that_is_missing_or_a_file_is_refused", |place| {
        let missing = place.join("local/missing");
        with_place(&missing, || {
            let facts = [missing.to_str().unwrap(), "No such file or directory"];
            changes_nothing(place, || every_verb_is_refused("x", ErrorKind::Os, &facts));
        });
        let file = place.join("file");
        fs::write(&file, "mine").unwrap();
        with_place(&file, || {
            let facts = [file.to_str().unwrap(), "Not a directory"];
            changes_nothing(place, || every_verb_is_refused("x", ErrorKind::Os, &facts));
        });
        fs::remove_file(file).unwrap();
    });
}

#[test]
fn relative_place_is_refused() {
    alone("directories::relative_place_is_refused", |place| {
        std::env::set_current_dir(place).unwrap();
        with_place("here", || {
            let facts = ["here", "absolute"];
            changes_nothing(place, || every_verb_is_refused("x", ErrorKind::InvalidInput, &facts));
        });
    });
}

#[test]
fn place_that_is_read_only_is_refused() {
    alone_as_root("directories::place_that_is_read_only_is_refused", |place| {
        set_mode(place, 0o755);
        fork(|| {
            become_user(NOBODY, NOBODY);
            let directory = local(place);
            let facts = [directory.to_str().unwrap(), "cannot be created", "Permission denied"];
            changes_nothing(place, || {
                for result in [create("x"), share("x"), Section::open("x")] {
                    refused(result, ErrorKind::PermissionDenied, &facts);
                }
                // A directory without objects is no error.
                assert!(inventory::list().unwrap().entries.is_empty());
            });
        })
        .join();
    });
}

#[test]
fn entry_of_another_user_in_place_of_the_directory_is_passed_over() {
    alone_as_root(
        "directories::entry_of_another_user_in_place_of_the_directory_is_passed_over",
        |place| {
            let squat = place.join("pagemate-54321");
            let squatters: [&dyn Fn(); 4] = [
                &|| fs::create_dir(&squat).unwrap(),
                &|| fs::write(&squat, "").unwrap(),
                &|| symlink("/", &squat).unwrap(),
                &|| symlink("nowhere", &squat).unwrap(),
            ];
            for squat_there in squatters {
                fork(|| {
                    become_user(NOBODY, NOBODY);
                    squat_there();
                })
                .join();
                let as_user = |body: &dyn Fn()| {
                    fork(|| {
                        become_user(54321, 54321);
                        body();
                    })
                };
                let (made, go) = (Gate::new(), Gate::new());
                let holder = as_user(&|| {
                    // Listing objects creates no directory.
                    assert!(inventory::list().unwrap().entries.is_empty());
                    let section = create("x").unwrap();
                    section.map().unwrap().write(0, &7_u64).unwrap();
                    assert_eq!(inventory::list().unwrap().entries.len(), 1);
                    made.open();
                    go.wait();
                    drop(section);
                });
                made.wait();
                as_user(&|| {
                    assert_eq!(
                        Section::open("x").unwrap().map().unwrap().read::<u64>(0).unwrap(),
                        7
                    );
                    refused(create("x"), ErrorKind::AlreadyExists, &[]);
                    assert_eq!(inventory::find("x").unwrap().owner, Some(54321));
                })
                .join();
                // The other user's entry is removed, so the first name is free. All processes still
                // use the directory that contains the object.
                if squat.is_dir() && !squat.is_symlink() {
                    fs::remove_dir(&squat).unwrap();
                } else {
                    fs::remove_file(&squat).unwrap();
                }
                as_user(&|| assert!(!share("x").unwrap().was_created())).join();
                assert!(!squat.exists());
                go.open();
                holder.join();
            }
            let mut left: Vec<_> =
                fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert_eq!(left.len(), 1, "{left:?}");
            let only = left.pop().unwrap();
            assert_eq!(fs::metadata(&only).unwrap().mode() & 0o7777, 0o700);
            assert!(only.to_str().unwrap().contains("pagemate-54321."), "{only:?}");
        },
    );
}

/// Another user's directory is created and removed under the first name again and again. All
/// processes of a user that start in that time use one common directory.
#[test]
fn entry_of_a_user_that_a_namespace_hides_is_passed_over() {
    let test = "directories::entry_of_a_user_that_a_namespace_hides_is_passed_over";
    alone_as_root(test, |place| {
        let squatted = place.join(format!("pagemate-{NOBODY}"));
        let as_user = |user, body: &dyn Fn()| {
            fork(|| {
                become_user(user, user);
                body();
            })
            .join();
        };
        for mode in [Some(0o700), Some(0o777), None] {
            as_user(12345, &|| match mode {
                Some(mode) => {
                    fs::create_dir(&squatted).unwrap();
                    set_mode(&squatted, mode);
                }
                None => fs::write(&squatted, b"").unwrap(),
            });
            as_user(54321, &|| {
                if !hide_users(test) {
                    return;
                }
                let made = create("x").unwrap();
                let opened = Section::open("x").unwrap();
                drop((made, opened));
            });
            let own = fs::read_dir(place).unwrap().map(|entry| entry.unwrap());
            let own = own.filter(|entry| entry.path() != squatted);
            for entry in own {
                assert_eq!(entry.metadata().unwrap().uid(), 54321, "{:?}", entry.path());
                fs::remove_dir(entry.path()).unwrap();
            }
            match mode {
                Some(_) => fs::remove_dir(&squatted).unwrap(),
                None => fs::remove_file(&squatted).unwrap(),
            }
        }
    });
}

#[test]
fn processes_that_start_while_a_squatter_comes_and_goes_meet() {
    const PROCESSES: usize = 6;
    alone_as_root(
        "directories::processes_that_start_while_a_squatter_comes_and_goes_meet",
        |place| {
            for round in 0..150 {
                let dir = place.join(format!("round-{round}"));
                fs::create_dir(&dir).unwrap();
                set_mode(&dir, 0o1777);
                move_place(&dir);
                let squatter = fork(|| {
                    become_user(NOBODY, NOBODY);
                    let squat = dir.join("pagemate-54321");
                    loop {
                        _ = fs::create_dir(&squat);
                        _ = fs::remove_dir(&squat);
                    }
                });
                let (go, counted, end) = (Gate::new(), Gate::new(), Gate::new());
                let start = || {
                    fork(|| {
                        become_user(54321, 54321);
                        go.wait();
                        let section = share("x").unwrap();
                        let count = Shared::<AtomicU64>::map(&section, 0).unwrap();
                        count.fetch_add(1, Ordering::Relaxed);
                        counted.open();
                        end.wait();
                    })
                };
                let processes: Vec<_> = (0..PROCESSES).map(|_| start()).collect();
                (0..PROCESSES).for_each(|_| go.open());
                (0..PROCESSES).for_each(|_| counted.wait());
                // A further process, which starts later, uses the same directory.
                fork(|| {
                    become_user(54321, 54321);
                    let view = Section::open("x").unwrap().map().unwrap();
                    assert_eq!(view.read::<u64>(0).unwrap(), PROCESSES as u64, "round {round}");
                })
                .join();
                (0..PROCESSES).for_each(|_| end.open());
                processes.into_iter().for_each(Forked::join);
                squatter.kill();
                fs::remove_dir_all(&dir).unwrap();
            }
            move_place(place);
        },
    );
}

#[test]
fn pending_directories_that_the_killed_left_become_one() {
    alone("directories::pending_directories_that_the_killed_left_become_one", |place| {
        let pending = ["", ".0123", ".4567"].map(|end| {
            let path = local(place).into_os_string().into_string().unwrap() + end;
            fs::create_dir(&path).unwrap();
            // The umask of the creator may have cleared the mode bits that are needed to open the
            // directory.
            set_mode(Path::new(&path), if end.is_empty() { 0o1000 } else { 0o1700 });
            path
        });
        assert!(inventory::list().unwrap().entries.is_empty());
        let _held = create("x").unwrap();
        fork(|| assert!(Section::open("x").is_ok())).join();
        assert_eq!(fs::metadata(local(place)).unwrap().mode() & 0o7777, 0o700);
        assert!(!Path::new(&pending[1]).exists() && !Path::new(&pending[2]).exists());
        // This is the state after a process was killed before it removed the other directories.
        fs::create_dir(&pending[1]).unwrap();
        set_mode(Path::new(&pending[1]), 0o1700);
        inventory::prune().unwrap();
        assert!(!Path::new(&pending[1]).exists() && local(place).exists());
    });
}

#[test]
fn place_where_others_can_remove_anything_is_refused() {
    alone("directories::place_where_others_can_remove_anything_is_refused", |place| {
        for mode in [0o777, 0o770, 0o702] {
            set_mode(place, mode);
            let found = format!("has mode {mode:04o}");
            let facts = [place.to_str().unwrap(), &found, "chmod +t"];
            changes_nothing(place, || {
                for name in ["x", r"Global\x"] {
                    every_verb_is_refused(name, ErrorKind::PermissionDenied, &facts);
                }
            });
        }
        for mode in [0o1777, 0o755, 0o700] {
            set_mode(place, mode);
            fork(|| {
                drop(create("x").unwrap());
                drop(create(r"Global\x").unwrap());
            })
            .join();
        }
    });
}

#[test]
fn other_files_beside_the_machines_objects_are_left_alone() {
    alone("directories::other_files_beside_the_machines_objects_are_left_alone", |place| {
        let files = ["letter", "pagemate", "pagemate:letter", ".pagemate:letter"];
        for file in files {
            fs::write(place.join(file), "dear").unwrap();
        }
        changes_nothing(place, || {
            drop(create(r"Global\x").unwrap());
            assert!(inventory::list().unwrap().entries.is_empty());
            assert_eq!(inventory::prune().unwrap().objects, 0);
            refused(Section::open(r"Global\letter"), ErrorKind::NotFound, &[]);
            let facts = ["remove", place.to_str().unwrap(), "pagemate:letter"];
            refused(create(r"Global\letter"), ErrorKind::Corrupted, &facts);
        });
        for file in files {
            fs::remove_file(place.join(file)).unwrap();
        }
    });
}

#[test]
fn directory_with_an_unsafe_mode_is_refused() {
    alone("directories::directory_with_an_unsafe_mode_is_refused", |place| {
        for mode in [0o777, 0o755, 0o710, 0o1770] {
            let directory = local(place);
            fs::create_dir(&directory).unwrap();
            set_mode(&directory, mode);
            let found = format!("has mode {mode:04o} where 0700 is safe");
            let facts = [directory.to_str().unwrap(), &found];
            changes_nothing(place, || local_verbs_are_refused(&facts));
            fs::remove_dir(directory).unwrap();
        }
    });
}

#[test]
fn own_directory_with_too_narrow_a_mode_is_mended() {
    alone("directories::own_directory_with_too_narrow_a_mode_is_mended", |place| {
        let directory = local(place);
        fs::create_dir(&directory).unwrap();
        set_mode(&directory, 0o2500);
        drop(create("x").unwrap());
        let mode = fs::metadata(&directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o5777, 0o700);
    });
}

#[test]
fn directory_that_is_a_link_is_refused_and_nothing_behind_it_touched() {
    alone(
        "directories::directory_that_is_a_link_is_refused_and_nothing_behind_it_touched",
        |place| {
            let precious = place.join("precious");
            fs::create_dir(&precious).unwrap();
            set_mode(&precious, 0o700);
            fs::write(precious.join("letter"), "dear").unwrap();
            let directory = local(place);
            let facts = [directory.to_str().unwrap(), "a link or a file"];
            symlink(&precious, &directory).unwrap();
            changes_nothing(place, || local_verbs_are_refused(&facts));
            fs::remove_file(&directory).unwrap();
            fs::write(&directory, "").unwrap();
            changes_nothing(place, || local_verbs_are_refused(&facts));
            fs::remove_file(&directory).unwrap();
            fs::remove_dir_all(precious).unwrap();
        },
    );
}

#[test]
fn umask_that_takes_everything_away_takes_nothing_of_ours() {
    alone_as_root("directories::umask_that_takes_everything_away_takes_nothing_of_ours", |_| {
        fork(|| {
            become_user(NOBODY, NOBODY);
            rustix::process::umask(Mode::RWXU | Mode::RWXG | Mode::RWXO);
            for name in ["x", r"Global\x"] {
                let section = create(name).unwrap();
                assert_eq!(Section::open(name).unwrap().len(), section.len());
            }
        })
        .join();
    });
}

#[test]
fn object_moved_aside_does_not_take_its_successors_name_along() {
    alone("directories::object_moved_aside_does_not_take_its_successors_name_along", |place| {
        let aside = place.join("aside");
        let moved = create("x").unwrap();
        fs::rename(local(place), &aside).unwrap();
        let next = create("x").unwrap();
        drop(moved);
        assert_eq!(Section::open("x").unwrap().len(), next.len());
        drop(next);
        fs::remove_dir_all(aside).unwrap();
    });
}

#[test]
fn object_linked_elsewhere_does_not_take_its_successors_name_along() {
    alone(
        "directories::object_linked_elsewhere_does_not_take_its_successors_name_along",
        |place| {
            let (file, link) = (local(place).join("x"), place.join("link"));
            let linked = create("x").unwrap();
            fs::hard_link(&file, &link).unwrap();
            fs::remove_file(&file).unwrap();
            let next = create("x").unwrap();
            drop(linked);
            assert_eq!(Section::open("x").unwrap().len(), next.len());
            drop(next);
            fs::remove_file(link).unwrap();
        },
    );
}
