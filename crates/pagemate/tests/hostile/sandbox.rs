//! Processes in sandboxes and namespaces, and children of unusual calls.

use std::path::Path;
use std::thread;
use std::time::Duration;

use libc::{EACCES, EINVAL, ENOSYS, EPERM};
use pagemate::sync::{EventOptions, Mutex, MutexOptions, Reset, SharedMutex, wait_any_for};
use pagemate::{ErrorKind, Section, SectionOptions, View, inventory};

use super::harness::fork::{
    Forked, Gate, adopt, adopted, alone, alone_as_root, fork, hold_on, in_new_pid_namespace,
    mount_tmpfs, wait_in_vfork,
};
use super::harness::seccomp::{FCNTL, refuse, refuse_all};
use super::{changes_nothing, create, refused, share};

/// A timeout that is longer than any call that does not hang.
const LONG: Duration = Duration::from_secs(30);

/// Maps memory that forked children share.
fn memory() -> View {
    SectionOptions::new().len(4096).create_unnamed().unwrap().map().unwrap()
}

#[test]
fn sandbox_without_the_locks_is_named_and_endangers_no_name() {
    alone("sandbox::sandbox_without_the_locks_is_named_and_endangers_no_name", |place| {
        let held = create("held").unwrap();
        let commands = [libc::F_OFD_GETLK, libc::F_OFD_SETLK, libc::F_OFD_SETLKW];
        for (errno, remedy) in [(EPERM, "seccomp"), (EINVAL, "set PAGEMATE_DIR")] {
            fork(|| {
                refuse(FCNTL, (1, &commands), errno);
                changes_nothing(place, || {
                    for result in
                        [create("x"), share("x"), create(r"Global\x"), Section::open("held")]
                    {
                        refused(result, ErrorKind::Unsupported, &["F_OFD_SETLK", remedy]);
                    }
                    refused(inventory::find("held"), ErrorKind::Unsupported, &[remedy]);
                    assert!(inventory::list().unwrap().entries.is_empty());
                    assert_eq!(inventory::prune().unwrap().objects, 0);
                });
            })
            .join();
            assert_eq!(Section::open("held").unwrap().len(), held.len());
        }
    });
}

#[test]
fn handle_closed_in_a_sandbox_without_the_locks_releases_its_name() {
    alone("sandbox::handle_closed_in_a_sandbox_without_the_locks_releases_its_name", |_| {
        fork(|| {
            let section = create("x").unwrap();
            let mutex = MutexOptions::new().create_new("m").unwrap();
            std::mem::forget(mutex.lock().unwrap());
            let commands = [libc::F_OFD_GETLK, libc::F_OFD_SETLK, libc::F_OFD_SETLKW];
            refuse(FCNTL, (1, &commands), EPERM);
            drop((section, mutex));
            // This process cannot remove the names any more, but its end releases them.
            assert_eq!(fork(|| ()).wait().code(), Some(0));
        })
        .join();
        for name in ["x", "m"] {
            let error = Section::open(name).expect_err("no process holds it");
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
    });
}

#[test]
fn waits_for_several_objects_work_where_their_system_call_is_refused() {
    alone("sandbox::waits_for_several_objects_work_where_their_system_call_is_refused", |_| {
        let event = EventOptions::new(Reset::Auto).create_new("e").unwrap();
        let mutex = MutexOptions::new().create_new("m").unwrap();
        let guard = mutex.lock().unwrap();
        for errno in [ENOSYS, EPERM, EACCES, EINVAL] {
            let waiter = fork(|| {
                refuse_all(libc::SYS_futex_waitv, errno);
                let list = [(&mutex).into(), (&event).into()];
                assert_eq!(wait_any_for(&list, LONG).unwrap().expect("it was set").index, 1);
            });
            event.set().unwrap();
            waiter.join();
        }
        drop(guard);
    });
}

#[test]
fn fork_is_detected_where_the_kernel_zeroes_no_page() {
    alone("sandbox::fork_is_detected_where_the_kernel_zeroes_no_page", |_| {
        for errno in [EINVAL, EPERM] {
            // The first call into pagemate requests the page, so this process must not make a call
            // itself.
            fork(|| {
                refuse(libc::SYS_madvise, (2, &[libc::MADV_WIPEONFORK]), errno);
                adopt();
                let ids = memory();
                let mutex = MutexOptions::new().create_new("m").unwrap();
                let ready = Gate::new();
                let parent = fork(|| {
                    std::mem::forget(mutex.lock().unwrap());
                    let child = fork(|| {
                        assert!(!mutex.is_mine());
                        assert!(mutex.try_lock().unwrap().is_none());
                        ready.open();
                        hold_on();
                    });
                    ids.write(0, &child.id()).unwrap();
                    ready.open();
                    hold_on();
                });
                ready.wait();
                ready.wait();
                let child = adopted(ids.read(0).unwrap());
                parent.kill();
                let guard = mutex.try_lock_for(LONG).unwrap().expect("its owner is dead");
                assert!(guard.was_abandoned());
                drop(guard);
                child.kill();
            })
            .join();
        }
    });
}

/// A child that shares the memory of its parent counts as a part of the parent.
#[test]
fn child_of_vfork_holds_what_its_killed_parent_held_until_it_ends() {
    alone("sandbox::child_of_vfork_holds_what_its_killed_parent_held_until_it_ends", |_| {
        adopt();
        let ids = memory();
        let section = create("s").unwrap();
        let mutex = MutexOptions::new().create_new("m").unwrap();
        let counter = SharedMutex::open_or_init(&section, 8, || 0_u32).unwrap();
        let parent = fork(|| {
            let _own = create("own").unwrap();
            let _guards = (mutex.lock().unwrap(), counter.lock().unwrap());
            wait_in_vfork(|child| ids.write(0, &child).unwrap());
        });
        let id = until(|| Some(ids.read::<u32>(0).unwrap()).filter(|id| *id != 0));
        parent.kill();
        let child = adopted(id);
        drop(Section::open("own").unwrap());
        assert!(mutex.try_lock_for(Duration::from_millis(200)).unwrap().is_none());
        child.kill();
        assert!(mutex.try_lock_for(LONG).unwrap().expect("its owner is dead").was_abandoned());
        assert!(counter.try_lock_for(LONG).unwrap().expect("its owner is dead").was_abandoned());
        assert_eq!(Section::open("own").unwrap_err().kind(), ErrorKind::NotFound);
    });
}

/// Returns the result of `find` as soon as there is one.
fn until<T>(find: impl Fn() -> Option<T>) -> T {
    let end = std::time::Instant::now() + LONG;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(std::time::Instant::now() < end, "it does not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn processes_of_several_pid_namespaces_meet_and_detect_each_others_death() {
    alone_as_root(
        "sandbox::processes_of_several_pid_namespaces_meet_and_detect_each_others_death",
        |_| {
            let mutex = MutexOptions::new().create_new("m").unwrap();
            let ready = Gate::new();
            // The process with this role has pid 1 in its own namespace.
            let inside = |own: &'static str| -> Forked {
                let ready = &ready;
                in_new_pid_namespace(move || {
                    assert_eq!(std::process::id(), 1);
                    let mutex = Mutex::open("m").unwrap();
                    let guard = mutex.try_lock_for(LONG).unwrap().expect("the other one is killed");
                    let _own = create(own).unwrap();
                    ready.open();
                    assert_eq!(guard.was_abandoned(), own == "b");
                    hold_on();
                })
            };
            let first = inside("a");
            ready.wait();
            let second = inside("b");
            assert!(mutex.try_lock().unwrap().is_none());
            drop(Section::open("a").unwrap());
            first.kill();
            ready.wait();
            // The kernel closes the descriptors of a killed process one after the other.
            let is_gone = |name| {
                until(|| Section::open(name).err().filter(|e| e.kind() == ErrorKind::NotFound))
            };
            _ = is_gone("a");
            assert_eq!(Section::open("b").unwrap().len(), 4096);
            assert!(mutex.try_lock().unwrap().is_none());
            second.kill();
            assert!(mutex.try_lock_for(LONG).unwrap().expect("all others died").was_abandoned());
            _ = is_gone("b");
        },
    );
}

#[test]
fn private_file_systems_have_names_of_their_own() {
    alone_as_root("sandbox::private_file_systems_have_names_of_their_own", |place: &Path| {
        let _held = create("x").unwrap();
        fork(|| {
            mount_tmpfs(place, "mode=1777");
            let own = create("x").unwrap();
            own.map().unwrap().write(0, &1_u8).unwrap();
            assert_eq!(inventory::list().unwrap().entries.len(), 1);
        })
        .join();
        assert_eq!(Section::open("x").unwrap().map().unwrap().read::<u8>(0).unwrap(), 0);
    });
}
