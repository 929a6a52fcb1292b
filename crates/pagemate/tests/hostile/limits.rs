//! Calls without enough memory, files, descriptors or addresses.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use pagemate::{Access, ErrorKind, Section, SectionOptions, inventory};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::harness::fork::{
    Gate, alone, alone_as_root, fork, hold_on, make_read_only, mount_empty, mount_tmpfs, move_place,
};
use super::{changes_nothing, create, refused, share};

/// Calls `body` in a process whose objects are in a separate file system with these limits.
fn in_tmpfs(place: &Path, options: &str, body: impl FnOnce(&Path)) {
    let dir = place.join("tmpfs");
    fs::create_dir(&dir).unwrap();
    fork(|| {
        mount_tmpfs(&dir, options);
        move_place(&dir);
        body(&dir);
    })
    .join();
    fs::remove_dir(dir).unwrap();
}

#[test]
fn file_system_that_cannot_reserve_memory_is_named_with_a_remedy() {
    alone_as_root(
        "limits::file_system_that_cannot_reserve_memory_is_named_with_a_remedy",
        |place| {
            let dir = place.join("ramfs");
            fs::create_dir(&dir).unwrap();
            fork(|| {
                mount_empty(c"ramfs", &dir, "mode=1777");
                move_place(&dir);
                for len in [4096, 64 << 20] {
                    let made = sized(len).create_new("x");
                    let facts = ["fallocate", "ramfs", "PAGEMATE_DIR", dir.to_str().unwrap()];
                    refused(made, ErrorKind::Unsupported, &facts);
                }
            })
            .join();
            fs::remove_dir(dir).unwrap();
        },
    );
}

#[test]
fn mount_for_reading_only_lets_readers_in_and_names_the_remedy_to_others() {
    let test = "limits::mount_for_reading_only_lets_readers_in_and_names_the_remedy_to_others";
    alone_as_root(test, |place| {
        in_tmpfs(place, "mode=1777", |dir| {
            let ready = Gate::new();
            let holder = fork(|| {
                let held = [create("held").unwrap(), create(r"Global\held").unwrap()];
                held[0].map().unwrap().write(0, &7_u64).unwrap();
                ready.open();
                hold_on();
            });
            ready.wait();
            make_read_only(dir);
            let facts = ["mount that file system for writing", "PAGEMATE_DIR"];
            for name in ["x", r"Global\x"] {
                refused(create(name), ErrorKind::Os, &facts);
            }
            refused(Section::open("held"), ErrorKind::Os, &facts);
            let read = SectionOptions::new().access(Access::Read).open("held").unwrap();
            assert_eq!(read.map().unwrap().read::<u64>(0).unwrap(), 7);
            assert_eq!(inventory::list().unwrap().entries.len(), 2);
            holder.kill();
        });
    });
}

fn sized<'f>(len: u64) -> SectionOptions<'f> {
    SectionOptions::new().len(len).clone()
}

#[test]
fn missing_memory_is_refused_with_the_numbers() {
    alone_as_root("limits::missing_memory_is_refused_with_the_numbers", |place| {
        in_tmpfs(place, "size=128k,mode=1777", |dir| {
            // The section and its trailer take 20 of the 128 KiB.
            let held = sized(16 << 10).create_new("held").unwrap();
            held.map().unwrap().write(0, &7_u64).unwrap();
            changes_nothing(dir, || {
                let facts = ["135168 bytes are requested", "pagemate-0", "110592 bytes free"];
                for result in [
                    sized(128 << 10).create_new("x"),
                    sized(128 << 10).open_or_create("x"),
                    sized(128 << 10).create_new(r"held2"),
                ] {
                    refused(result, ErrorKind::NoSpace, &facts);
                }
                let facts = ["33558528 bytes (32 MiB) are requested", "110592 bytes free"];
                refused(sized(32 << 20).create_new("x"), ErrorKind::NoSpace, &facts);
            });
            // Use up the rest of the memory, to the byte.
            let rest = sized(104 << 10).create_new("rest").unwrap();
            rest.map().unwrap().write_at(0, &vec![1; 104 << 10]).unwrap();
            changes_nothing(dir, || {
                let facts = ["8192 bytes are requested", "only 0 bytes free"];
                refused(create("x"), ErrorKind::NoSpace, &facts);
                refused(share("x"), ErrorKind::NoSpace, &facts);
                refused(
                    sized(1 << 20).sparse(true).create_new("x"),
                    ErrorKind::NoSpace,
                    &["0 bytes"],
                );
            });
            drop(rest);
            assert_eq!(held.map().unwrap().read::<u64>(0).unwrap(), 7);
            create("x").unwrap();
        });
    });
}

#[test]
fn memory_of_dead_objects_is_freed_before_a_creation_fails_for_lack_of_it() {
    alone_as_root(
        "limits::memory_of_dead_objects_is_freed_before_a_creation_fails_for_lack_of_it",
        |place| {
            in_tmpfs(place, "size=2M,mode=1777", |_| {
                // Use up the time that this process may spend on sweeps during creation.
                let _held = create("held").unwrap();
                fork(|| {
                    for i in 0..200 {
                        std::mem::forget(create(&format!("{}dead-{i}", ["", r"Global\"][i % 2])));
                    }
                })
                .join();
                let large = sized(1 << 20).create_new("large").unwrap();
                assert_eq!(large.len(), 1 << 20);
                assert_eq!(inventory::prune().unwrap().objects, 0);
            });
        },
    );
}

#[test]
fn reserved_giant_ends_by_sigbus_where_memory_runs_out() {
    alone_as_root("limits::reserved_giant_ends_by_sigbus_where_memory_runs_out", |place| {
        in_tmpfs(place, "size=128k,mode=1777", |_| {
            let giant = sized(1 << 30).sparse(true).create_new("giant").unwrap();
            let view = giant.map().unwrap();
            view.write_at(1 << 29, &[1]).unwrap();
            let touch = fork(|| {
                for at in (0..1 << 20).step_by(4096) {
                    view.write_at(at, &[1]).unwrap();
                }
            });
            assert_eq!(touch.wait().signal(), Some(libc::SIGBUS));
            assert_eq!(view.read::<u8>(1 << 29).unwrap(), 1);
        });
    });
}

#[test]
fn files_that_cannot_be_created_are_refused_with_the_numbers() {
    alone_as_root("limits::files_that_cannot_be_created_are_refused_with_the_numbers", |place| {
        // The three inodes are those of the root, the directory of objects, and one object.
        in_tmpfs(place, "nr_inodes=3,mode=1777", |dir| {
            let held = create("held").unwrap();
            changes_nothing(dir, || {
                let facts = ["no file can be created in", "pagemate-0", "0 files free"];
                refused(create("x"), ErrorKind::NoSpace, &facts);
                refused(share("x"), ErrorKind::NoSpace, &facts);
                refused(
                    create(r"Global\x"),
                    ErrorKind::NoSpace,
                    &["no file can be created in", "0 files free"],
                );
                assert!(!share("held").unwrap().was_created());
            });
            drop(held);
            create("x").unwrap();
        });
    });
}

/// Opens files until no more than `spare` descriptors are left.
fn use_up_descriptors(spare: usize) -> Vec<File> {
    let limit = Rlimit { current: Some(128), maximum: Some(128) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    files.truncate(files.len() - spare);
    files
}

#[test]
fn no_descriptor_left_is_reported_by_every_call() {
    alone("limits::no_descriptor_left_is_reported_by_every_call", |place| {
        drop(create(r"Global\x").unwrap());
        let held = create("held").unwrap();
        let last = create("last").unwrap();
        let path = super::local(place).join("last");
        changes_nothing(place, || {
            fork(|| {
                let files = use_up_descriptors(0);
                let facts = ["Too many open files"];
                refused(create("x"), ErrorKind::Os, &facts);
                refused(share("x"), ErrorKind::Os, &facts);
                refused(create("held"), ErrorKind::Os, &facts);
                refused(share("held"), ErrorKind::Os, &facts);
                refused(Section::open("held"), ErrorKind::Os, &facts);
                refused(Section::open(r"Global\x"), ErrorKind::Os, &facts);
                refused(sized(1).create_unnamed(), ErrorKind::Os, &facts);
                refused(inventory::list(), ErrorKind::Os, &facts);
                refused(inventory::prune(), ErrorKind::Os, &facts);
                // Neither mapping nor cloning a handle needs a descriptor.
                held.try_clone().unwrap().map().unwrap().write(0, &7_u64).unwrap();
                drop(files);
                assert_eq!(
                    Section::open("held").unwrap().map().unwrap().read::<u64>(0).unwrap(),
                    7
                );
            })
            .join();
        });
        // Closing a handle needs a descriptor, and uses the one that it frees.
        let files = use_up_descriptors(0);
        drop(last);
        drop(files);
        assert!(!path.exists());
    });
}

#[test]
fn few_descriptors_are_enough_or_reported() {
    alone("limits::few_descriptors_are_enough_or_reported", |place| {
        let held = create("held").unwrap();
        changes_nothing(place, || {
            for spare in 0..5 {
                fork(|| {
                    let files = use_up_descriptors(spare);
                    let enough = |result: pagemate::Result<Section>, otherwise: &[ErrorKind]| {
                        if let Err(error) = result {
                            assert!(otherwise.contains(&error.kind()), "{spare} spare: {error}");
                        }
                    };
                    enough(create("x"), &[ErrorKind::Os]);
                    enough(share("x"), &[ErrorKind::Os]);
                    enough(share("held"), &[ErrorKind::Os]);
                    enough(create("held"), &[ErrorKind::Os, ErrorKind::AlreadyExists]);
                    enough(Section::open("held"), &[ErrorKind::Os]);
                    enough(Section::open("x"), &[ErrorKind::Os, ErrorKind::NotFound]);
                    drop(files);
                    assert!(inventory::find("x").is_err());
                    assert!(inventory::find("held").is_ok());
                })
                .join();
            }
        });
        drop(held);
    });
}

#[test]
fn no_addresses_left_is_reported_with_the_number() {
    alone("limits::no_addresses_left_is_reported_with_the_number", |place| {
        let section = sized(1 << 30).sparse(true).create_new("x").unwrap();
        changes_nothing(place, || {
            fork(|| {
                let limit = Rlimit { current: Some(1 << 29), maximum: Some(1 << 29) };
                setrlimit(Resource::As, limit).unwrap();
                let facts = ["map section", "1073741824 bytes of it", "Cannot allocate memory"];
                refused(section.map(), ErrorKind::NoSpace, &facts);
                section.view().range(5000..6000).map().unwrap().write(0, &7_u64).unwrap();
                let facts = ["1073737728 bytes of it"];
                refused(section.view().range(5000..).map(), ErrorKind::NoSpace, &facts);
            })
            .join();
        });
        assert_eq!(section.map().unwrap().read::<u64>(5000).unwrap(), 7);
    });
}

#[test]
fn limit_for_the_length_of_files_is_reported_without_a_signal() {
    alone("limits::limit_for_the_length_of_files_is_reported_without_a_signal", |place| {
        drop(create("x").unwrap());
        let file = File::create_new(place.join("file")).unwrap();
        changes_nothing(place, || {
            fork(|| {
                let limit = Rlimit { current: Some(16384), maximum: Some(16384) };
                setrlimit(Resource::Fsize, limit).unwrap();
                let facts = ["20480 bytes are requested", "ulimit -f"];
                refused(sized(16384).create_new("x"), ErrorKind::NoSpace, &facts);
                refused(sized(16384).open_or_create("x"), ErrorKind::NoSpace, &facts);
                refused(sized(16384).sparse(true).create_new("x"), ErrorKind::NoSpace, &facts);
                let facts = ["20480 bytes"];
                refused(sized(16385).create_unnamed(), ErrorKind::NoSpace, &facts);
                refused(sized(16385).sparse(true).create_unnamed(), ErrorKind::NoSpace, &facts);
                let facts = ["20000 bytes", "File too large"];
                refused(sized(20000).file(&file).create_unnamed(), ErrorKind::Os, &facts);
                sized(12288).create_new("x").unwrap();
            })
            .join();
        });
        fs::remove_file(place.join("file")).unwrap();
    });
}
