//! A place for objects that is missing, not ours, or not safe.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use pagemate::{ErrorKind, Section, inventory};
use rustix::fs::Mode;

use super::harness::fork::{NOBODY, alone, alone_as_root, become_user, fork, move_place};
use super::{changes_nothing, create, local, refused, share};

/// Demands that every verb refuses the place, and says all of this.
#[track_caller]
fn every_verb_is_refused(name: &str, kind: ErrorKind, facts: &[&str]) {
    let facts = [facts, &["PAGEMATE_DIR"]].concat();
    refused(create(name), kind, &facts);
    refused(share(name), kind, &facts);
    refused(Section::open(name), kind, &facts);
    refused(inventory::list(), kind, &facts);
    refused(inventory::prune(), kind, &facts);
}

/// Does it in a process whose objects stand in `dir`.
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
            let facts = [directory.to_str().unwrap(), "cannot be made", "Permission denied"];
            changes_nothing(place, || {
                for result in [create("x"), share("x"), Section::open("x")] {
                    refused(result, ErrorKind::PermissionDenied, &facts);
                }
                // There is nothing, which is no error.
                assert!(inventory::list().unwrap().is_empty());
            });
        })
        .join();
    });
}

#[test]
fn directory_of_another_user_is_refused() {
    alone_as_root("directories::directory_of_another_user_is_refused", |place| {
        fs::create_dir(local(place)).unwrap();
        set_mode(&local(place), 0o700);
        chown(local(place), Some(NOBODY), Some(NOBODY)).unwrap();
        let directory = local(place);
        fs::write(directory.join("rubbish"), "").unwrap();
        let facts = [directory.to_str().unwrap(), "belongs to user 65534"];
        changes_nothing(place, || {
            every_verb_is_refused("x", ErrorKind::PermissionDenied, &facts);
        });
        fs::remove_file(directory.join("rubbish")).unwrap();
        fs::remove_dir(directory).unwrap();
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
fn what_others_put_beside_the_machines_objects_is_left_alone() {
    alone("directories::what_others_put_beside_the_machines_objects_is_left_alone", |place| {
        let files = ["letter", "pagemate", "pagemate:letter", ".pagemate:letter"];
        for file in files {
            fs::write(place.join(file), "dear").unwrap();
        }
        changes_nothing(place, || {
            drop(create(r"Global\x").unwrap());
            assert!(inventory::list().unwrap().is_empty());
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
        for mode in [0o777, 0o755, 0o710, 0o1700] {
            let directory = local(place);
            fs::create_dir(&directory).unwrap();
            set_mode(&directory, mode);
            let found = format!("has mode {mode:04o} where 0700 is safe");
            let facts = [directory.to_str().unwrap(), &found];
            changes_nothing(place, || {
                every_verb_is_refused("x", ErrorKind::PermissionDenied, &facts);
            });
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
            changes_nothing(place, || {
                every_verb_is_refused("x", ErrorKind::PermissionDenied, &facts);
            });
            fs::remove_file(&directory).unwrap();
            fs::write(&directory, "").unwrap();
            changes_nothing(place, || {
                every_verb_is_refused("x", ErrorKind::PermissionDenied, &facts);
            });
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
