//! Objects of other users: their visibility, their rights and their safety.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;

use pagemate::os::unix::SectionExt as _;
use pagemate::{Access, ErrorKind, Section, SectionOptions, Sharing, inventory};

use super::harness::fork::{
    Forked, Gate, NOBODY, alone_as_root, become_user, fork, hold_on, lock_exclusively, mapped,
};
use super::{changes_nothing, create, local, refused, share};

const NAME: &str = r"Global\x";

fn create_for(sharing: Sharing) -> Section {
    SectionOptions::new().len(4096).sharing(sharing).create_new(NAME).unwrap()
}

fn open_read() -> pagemate::Result<Section> {
    SectionOptions::new().access(Access::Read).open(NAME)
}

/// Calls `body` in a process of an unprivileged user.
fn nobody(body: impl FnOnce()) -> Forked {
    fork(|| {
        become_user(NOBODY, NOBODY);
        body();
    })
}

/// Creates an object and leaves it dead.
fn leave_dead(sharing: Sharing) {
    fork(|| std::mem::forget(create_for(sharing))).join();
}

fn path(place: &Path) -> std::path::PathBuf {
    place.join("pagemate:x")
}

#[test]
fn local_objects_of_two_users_never_meet() {
    alone_as_root("users::local_objects_of_two_users_never_meet", |place| {
        let made = SectionOptions::new()
            .len(4096)
            .sharing(Sharing::Everyone(Access::ReadWrite))
            .create_new("x")
            .unwrap();
        made.map().unwrap().write(0, &7_u64).unwrap();
        let roots = local(place).join("x");
        nobody(|| {
            refused(Section::open("x"), ErrorKind::NotFound, &["no process holds it"]);
            assert!(inventory::list().unwrap().entries.is_empty());
            let own = create("x").unwrap();
            assert_eq!(own.map().unwrap().read::<u64>(0).unwrap(), 0);
            assert!(fs::File::open(&roots).is_err());
        })
        .join();
        assert_eq!(inventory::list().unwrap().entries.len(), 1);
    });
}

#[test]
fn other_users_can_do_what_is_shared() {
    alone_as_root("users::other_users_can_do_what_is_shared", |place| {
        let denied = ErrorKind::PermissionDenied;
        let facts = [r#""Global\x""#, "user 0 does not share it", "Permission denied"];

        let made = create_for(Sharing::Owner);
        nobody(|| {
            changes_nothing(place, || {
                refused(Section::open(NAME), denied, &facts);
                refused(open_read(), denied, &facts);
                refused(share(NAME), denied, &facts);
                refused(create(NAME), ErrorKind::AlreadyExists, &["some process already holds"]);
                assert!(inventory::list().unwrap().entries.is_empty());
                refused(inventory::find(NAME), denied, &["user 0 does not share"]);
            });
        })
        .join();
        drop(made);

        let made = create_for(Sharing::Everyone(Access::Read));
        made.map().unwrap().write(0, &7_u64).unwrap();
        let only_reading = [r#""Global\x""#, "user 0 shares it for reading only"];
        nobody(|| {
            refused(Section::open(NAME), denied, &only_reading);
            refused(share(NAME), denied, &only_reading);
            let reader = open_read().unwrap();
            assert_eq!(reader.map().unwrap().read::<u64>(0).unwrap(), 7);
            refused(reader.view().access(Access::ReadWrite).map(), denied, &["read-only"]);
            assert_eq!(inventory::find(NAME).unwrap().owner, Some(0));
        })
        .join();
        drop(made);

        let made = create_for(Sharing::Group(Access::Read));
        nobody(|| refused(open_read(), denied, &facts)).join();
        fork(|| {
            become_user(NOBODY, 0);
            refused(Section::open(NAME), denied, &only_reading);
            open_read().unwrap();
        })
        .join();
        drop(made);

        let made = create_for(Sharing::Group(Access::ReadWrite));
        fork(|| {
            become_user(NOBODY, 0);
            Section::open(NAME).unwrap().map().unwrap().write(0, &9_u64).unwrap();
        })
        .join();
        assert_eq!(made.map().unwrap().read::<u64>(0).unwrap(), 9);
        drop(made);

        let made = create_for(Sharing::Everyone(Access::ReadWrite));
        nobody(|| Section::open(NAME).unwrap().map().unwrap().write(0, &8_u64).unwrap()).join();
        assert_eq!(made.map().unwrap().read::<u64>(0).unwrap(), 8);
    });
}

#[test]
fn no_user_removes_an_object_of_another_user() {
    alone_as_root("users::no_user_removes_an_object_of_another_user", |place| {
        let everyone = Sharing::Everyone(Access::ReadWrite);
        let made = create_for(everyone);
        nobody(|| {
            assert!(fs::remove_file(path(place)).is_err());
            assert!(fs::rename(path(place), place.join("pagemate:y")).is_err());
            assert_eq!(inventory::prune().unwrap().objects, 0);
        })
        .join();
        Section::open(NAME).unwrap();
        drop(made);

        leave_dead(everyone);
        nobody(|| {
            assert!(fs::remove_file(path(place)).is_err());
            assert_eq!(inventory::prune().unwrap().objects, 0);
            assert!(inventory::list().unwrap().entries.is_empty());
        })
        .join();
        assert_eq!(inventory::prune().unwrap().objects, 1);
    });
}

/// Returns the number of bytes that are allocated for the file.
fn allocated(path: &Path) -> u64 {
    fs::metadata(path).unwrap().blocks() * 512
}

#[test]
fn memory_of_a_dead_object_is_freed_by_a_user_who_may_write_to_it() {
    alone_as_root(
        "users::memory_of_a_dead_object_is_freed_by_a_user_who_may_write_to_it",
        |place| {
            let path = path(place);
            for (access, left) in [(Access::ReadWrite, 4096), (Access::Read, (1 << 20) + 4096)] {
                fork(|| {
                    let mut options = SectionOptions::new();
                    options.len(1 << 20).sharing(Sharing::Everyone(access));
                    std::mem::forget(options.create_new(NAME).unwrap());
                })
                .join();
                assert_eq!(allocated(&path), (1 << 20) + 4096);
                nobody(|| assert_eq!(inventory::prune().unwrap().objects, 0)).join();
                assert_eq!(allocated(&path), left);
                // The object is dead, and only its owner can remove it.
                assert_eq!(inventory::prune().unwrap().objects, 1);
                assert!(!path.exists());
            }
        },
    );
}

#[test]
fn memory_of_a_dead_object_stays_while_a_view_shows_it() {
    alone_as_root("users::memory_of_a_dead_object_stays_while_a_view_shows_it", |place| {
        let (created, opened, closed, end_view, done) =
            (Gate::new(), Gate::new(), Gate::new(), Gate::new(), Gate::new());
        let viewer = nobody(|| {
            created.wait();
            let section = Section::open(NAME).unwrap();
            // As in a program that uses the Win32 API, the name ends with the handle while a view
            // remains.
            let word = mapped(section.memory());
            opened.open();
            closed.wait();
            drop(section);
            done.open();
            end_view.wait();
            assert_eq!(word.load(Ordering::Relaxed), 7);
        });
        let made = create_for(Sharing::Everyone(Access::ReadWrite));
        made.map().unwrap().write(0, &7_u64).unwrap();
        created.open();
        opened.wait();
        drop(made);
        closed.open();
        done.wait();
        assert_eq!(allocated(&path(place)), 8192);
        let stranger = || {
            fork(|| {
                become_user(54321, 54321);
                refused(open_read(), ErrorKind::NotFound, &["no process holds it"]);
                assert_eq!(inventory::prune().unwrap().objects, 0);
            })
            .join();
        };
        stranger();
        assert_eq!(allocated(&path(place)), 8192);
        end_view.open();
        viewer.join();
        stranger();
        assert_eq!(allocated(&path(place)), 4096);
        assert_eq!(inventory::prune().unwrap().objects, 1);
    });
}

#[test]
fn name_of_a_dead_object_is_its_owners_to_free() {
    alone_as_root("users::name_of_a_dead_object_is_its_owners_to_free", |place| {
        for sharing in [Sharing::Everyone(Access::Read), Sharing::Everyone(Access::ReadWrite)] {
            leave_dead(sharing);
            nobody(|| {
                refused(open_read(), ErrorKind::NotFound, &["no process holds it"]);
                refused(Section::open(NAME), ErrorKind::NotFound, &["no process holds it"]);
                let left = path(place);
                let facts = ["is left", left.to_str().unwrap(), "user 0", "pruning"];
                refused(create(NAME), ErrorKind::PermissionDenied, &facts);
                refused(share(NAME), ErrorKind::PermissionDenied, &facts);
            })
            .join();
            assert!(share(NAME).unwrap().was_created());
        }
        // A process that may not open an object cannot find out whether it is dead.
        leave_dead(Sharing::Owner);
        nobody(|| {
            refused(Section::open(NAME), ErrorKind::PermissionDenied, &["user 0 does not share"]);
            refused(create(NAME), ErrorKind::AlreadyExists, &[]);
        })
        .join();
        drop(create_for(Sharing::Owner));
    });
}

#[test]
fn name_dies_with_its_last_holder_of_any_user() {
    alone_as_root("users::name_dies_with_its_last_holder_of_any_user", |place| {
        for access in [Access::Read, Access::ReadWrite] {
            let (made_it, ready, go) = (Gate::new(), Gate::new(), Gate::new());
            // The child is forked before the object is created, so it holds the object only through
            // its own handle.
            let last = nobody(|| {
                made_it.wait();
                let section = SectionOptions::new().access(access).open(NAME).unwrap();
                ready.open();
                go.wait();
                assert_eq!(section.map().unwrap().read::<u64>(0).unwrap(), 7);
                drop(section);
                refused(open_read(), ErrorKind::NotFound, &["no process holds it"]);
            });
            let made = create_for(Sharing::Everyone(access));
            made.map().unwrap().write(0, &7_u64).unwrap();
            made_it.open();
            ready.wait();
            drop(made);
            drop(Section::open(NAME).unwrap());
            go.open();
            last.join();
            // The last holder was not allowed to remove the file, so the file remains without a
            // holder.
            assert!(path(place).exists());
            refused(Section::open(NAME), ErrorKind::NotFound, &["no process holds it"]);
            assert!(!path(place).exists());
        }
        // Root may remove the object of any user.
        nobody(|| std::mem::forget(create_for(Sharing::Owner))).join();
        assert!(share(NAME).unwrap().was_created());
    });
}

#[test]
fn lock_of_another_user_ends_no_live_name_and_times_out() {
    alone_as_root("users::lock_of_another_user_ends_no_live_name_and_times_out", |place| {
        let (alive, tried, dead, taken) = (Gate::new(), Gate::new(), Gate::new(), Gate::new());
        let stranger = nobody(|| {
            alive.wait();
            let reader = fs::File::open(path(place)).unwrap();
            let writer = fs::OpenOptions::new().write(true).open(path(place)).unwrap();
            assert!(!lock_exclusively(&reader) && !lock_exclusively(&writer));
            tried.open();
            dead.wait();
            // The object is dead now. A user who may only read it still cannot take the exclusive
            // lock.
            assert!(!lock_exclusively(&reader) && lock_exclusively(&writer));
            taken.open();
            hold_on();
        });
        let holder = fork(|| {
            let _made = create_for(Sharing::Everyone(Access::ReadWrite));
            alive.open();
            hold_on();
        });
        tried.wait();
        drop(Section::open(NAME).unwrap());
        holder.kill();
        dead.open();
        taken.wait();
        let verbs: [fn() -> pagemate::Result<Section>; 4] =
            [|| Section::open(NAME), open_read, || create(NAME), || share(NAME)];
        let waiting = verbs.map(|verb| {
            fork(move || refused(verb(), ErrorKind::TimedOut, &["another process is busy"]))
        });
        assert!(inventory::list().unwrap().entries.is_empty());
        waiting.into_iter().for_each(Forked::join);
        stranger.kill();
        assert!(share(NAME).unwrap().was_created());
    });
}
