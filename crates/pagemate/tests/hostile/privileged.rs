//! Programs with more rights than their caller, and directories that other users change between two
//! calls.

use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use pagemate::{ErrorKind, Section, inventory};

use super::harness::fork::{
    NOBODY, act_for, alone, alone_as_root, close_all_from, fork, mount_tmpfs,
};
use super::harness::{Actor, ROLE};
use super::{changes_nothing, create, local, refused};

/// A user who may run a set-user-ID program of another user.
const CALLER: u32 = 54321;

/// Starts this program as an actor with the rights of user `NOBODY`, which the set-user-ID bit of
/// its file grants.
fn actor_of_nobody(program: &Path, place: &Path) -> Actor {
    fs::copy(std::env::current_exe().unwrap(), program).unwrap();
    chown(program, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(program, Permissions::from_mode(0o4755)).unwrap();
    let mut command = Command::new(program);
    command.args(["actor", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, "").env("PAGEMATE_DIR", place).uid(CALLER).gid(CALLER);
    Actor::start(command)
}

#[test]
fn program_with_more_rights_than_its_caller_ignores_the_variable() {
    alone_as_root(
        "privileged::program_with_more_rights_than_its_caller_ignores_the_variable",
        |place| {
            fork(|| {
                // This mount hides the machine's other objects. The file system respects file
                // modes.
                mount_tmpfs(Path::new("/dev/shm"), "mode=1777");
                let callers = Path::new("/dev/shm/callers");
                fs::create_dir(callers).unwrap();
                fs::set_permissions(callers, Permissions::from_mode(0o1777)).unwrap();
                let mut actor = actor_of_nobody(Path::new("/dev/shm/program"), callers);
                actor.expect("create x 4096", "ok");
                actor.expect(r"create Global\x 4096", "ok");
                assert_eq!(fs::read_dir(callers).unwrap().count(), 0);
                assert!(Path::new("/dev/shm/pagemate-65534/x").exists());
                assert!(Path::new("/dev/shm/pagemate:x").exists());
                // The error message says that the variable is ignored.
                fs::set_permissions("/dev/shm", Permissions::from_mode(0o777)).unwrap();
                let mut other = actor_of_nobody(Path::new("/dev/shm/other"), callers);
                let why = other.ask("why create y 4096");
                assert!(why.contains("ignores PAGEMATE_DIR"), "{why}");
            })
            .join();
            assert_eq!(fs::read_dir(place).unwrap().count(), 0);
        },
    );
}

#[test]
fn link_in_place_of_a_directory_that_was_good_leads_nowhere() {
    alone("privileged::link_in_place_of_a_directory_that_was_good_leads_nowhere", |place| {
        let (victim, aside) = (place.join("victim"), place.join("aside"));
        fs::create_dir(&victim).unwrap();
        fs::set_permissions(&victim, Permissions::from_mode(0o700)).unwrap();
        for file in ["passwd", "x"] {
            fs::write(victim.join(file), "secret").unwrap();
            fs::set_permissions(victim.join(file), Permissions::from_mode(0o600)).unwrap();
        }
        let held = create("held").unwrap();
        drop(create("x").unwrap());
        fs::rename(local(place), &aside).unwrap();
        symlink(&victim, local(place)).unwrap();
        changes_nothing(&victim, || {
            let facts = ["a link or a file"];
            refused(create("x"), ErrorKind::PermissionDenied, &facts);
            refused(Section::open("x"), ErrorKind::PermissionDenied, &facts);
            assert!(inventory::list().unwrap().entries.is_empty());
            assert_eq!(inventory::prune().unwrap().objects, 0);
            assert_eq!(inventory::list().unwrap().unreachable.len(), 1);
        });
        // The object itself has not moved.
        drop(held);
        assert_eq!(fs::read_dir(&aside).unwrap().count(), 0);
        fs::remove_file(local(place)).unwrap();
        fs::remove_dir_all(victim).unwrap();
        fs::remove_dir_all(aside).unwrap();
    });
}

#[test]
fn program_that_closes_all_descriptors_takes_no_other_directory_for_its_own() {
    alone(
        "privileged::program_that_closes_all_descriptors_takes_no_other_directory_for_its_own",
        |place| {
            let strange = place.join("strange");
            fs::create_dir(&strange).unwrap();
            for (name, taken) in [("x", 8), ("x", 0), (r"Global\x", 8), (r"Global\x", 0)] {
                drop(create(name).unwrap());
                close_all_from(3);
                // The numbers of pagemate's descriptors now belong to other directories, or to the
                // same directory that the program opened again.
                let others: Vec<_> = (0..taken).map(|_| File::open(&strange).unwrap()).collect();
                drop(create("y").unwrap());
                drop(create(r"Global\y").unwrap());
                assert!(inventory::list().unwrap().entries.is_empty());
                assert_eq!(fs::read_dir(&strange).unwrap().count(), 0);
                // pagemate has not closed the program's descriptors.
                for other in &others {
                    assert!(other.metadata().unwrap().is_dir(), "{}", other.as_raw_fd());
                }
            }
            fs::remove_dir(strange).unwrap();
        },
    );
}

#[test]
fn server_that_acts_for_its_clients_finds_each_ones_objects() {
    alone_as_root("privileged::server_that_acts_for_its_clients_finds_each_ones_objects", |_| {
        let own = create("x").unwrap();
        for user in [NOBODY, CALLER, NOBODY] {
            act_for(user);
            refused(Section::open("x"), ErrorKind::NotFound, &["no process holds it"]);
            let clients = create("x").unwrap();
            clients.map().unwrap().write(0, &u64::from(user)).unwrap();
            act_for(0);
            assert_eq!(Section::open("x").unwrap().map().unwrap().read::<u64>(0).unwrap(), 0);
            act_for(user);
            let again = Section::open("x").unwrap().map().unwrap();
            assert_eq!(again.read::<u64>(0).unwrap(), u64::from(user));
            drop((clients, again));
            act_for(0);
        }
        drop(own);
    });
}
