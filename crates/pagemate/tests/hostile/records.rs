//! Sections over files with invalid or forged records.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use pagemate::{Access, ErrorKind, Section, SectionOptions, Sharing, inventory};
use proptest::prelude::*;

use super::harness::fork::{
    Forked, Gate, NOBODY, alone, alone_as_root, become_user, fork, hide_users, hold_on,
    map_to_itself,
};
use super::{changes_nothing, create, local, refused, share};

const NAME: &str = r"Global\x";

/// The offset of the trailer of an object over a file.
const TRAILER: u64 = 4096;

fn data(place: &Path, name: &str, content: &[u8]) -> (PathBuf, File) {
    let path = place.join(name);
    fs::write(&path, content).unwrap();
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    (path, file)
}

fn open_read(name: &str) -> pagemate::Result<Section> {
    SectionOptions::new().access(Access::Read).open(name)
}

fn object(place: &Path) -> File {
    OpenOptions::new().read(true).write(true).open(local(place).join("x")).unwrap()
}

/// Asserts that every attempt to open the object fails, and that the attempts change nothing.
#[track_caller]
fn assert_every_open_fails(place: &Path, kind: ErrorKind, facts: &[&str]) {
    changes_nothing(place, || {
        refused(Section::open("x"), kind, facts);
        refused(open_read("x"), kind, facts);
        refused(share("x"), kind, facts);
        refused(create("x"), ErrorKind::AlreadyExists, &[]);
        assert_eq!(inventory::prune().unwrap().objects, 0);
    });
}

#[test]
fn invalid_record_is_reported_and_its_holder_undisturbed() {
    alone("records::invalid_record_is_reported_and_its_holder_undisturbed", |place| {
        let (path, file) = data(place, "data", &[7; 5000]);
        let len = u32::try_from(path.as_os_str().len()).unwrap();
        let (lost, no_sense) =
            ("was moved, replaced or removed", "its record of that file is invalid");
        let table: [(u64, &[u8], &str); 19] = [
            (0, &[0xff; 8], lost),
            (8, &[0xff; 8], lost),
            (16, &[0; 8], no_sense),
            (16, &[0xff; 8], no_sense),
            (16, &5001_u64.to_ne_bytes(), "it has 5000 of 5001 bytes"),
            (16, &(1_u64 << 60).to_ne_bytes(), "it has 5000 of"),
            (24, &[0; 4], no_sense),
            (24, &[0xff; 4], no_sense),
            (24, &4065_u32.to_ne_bytes(), no_sense),
            (24, &(len - 1).to_ne_bytes(), lost),
            (24, &(len + 1).to_ne_bytes(), no_sense),
            (32, b"x", no_sense),
            (33, &[0], no_sense),
            (33, &[0xff; 4], lost),
            // The record of a file is no record of a mirror.
            (TRAILER + 14, &[2], no_sense),
            (TRAILER + 14, &[3], "unknown kind of memory"),
            (TRAILER + 15, &[2], "unknown kind of memory"),
            (TRAILER + 14, &[0, 1], "unknown kind of memory"),
            (TRAILER + 16, &8192_u64.to_ne_bytes(), "no space for the record"),
        ];
        for (at, bytes, fact) in table {
            let held = SectionOptions::new().file(&file).create_new("x").unwrap();
            object(place).write_all_at(bytes, at).unwrap();
            assert_every_open_fails(place, ErrorKind::Corrupted, &[fact, "\"x\""]);
            assert_eq!(held.map().unwrap().read::<u8>(4999).unwrap(), 7);
            drop(held);
            assert_eq!(fs::read_dir(local(place)).unwrap().count(), 0);
        }
        assert_eq!(fs::read(&path).unwrap(), [7; 5000]);
        fs::remove_file(path).unwrap();
    });
}

#[test]
fn record_that_leads_to_no_plain_file_opens_nothing() {
    alone("records::record_that_leads_to_no_plain_file_opens_nothing", |place| {
        let (path, file) = data(place, "data", &[7; 5000]);
        let _held = SectionOptions::new().file(&file).create_new("x").unwrap();
        let deep = format!("/{}", "d/".repeat(2000));
        let long = format!("/{}", "n".repeat(300));
        for to in ["/", "/dev/null", "/dev/full", "/nowhere", &deep, &long] {
            let object = object(place);
            let len = u32::try_from(to.len()).unwrap();
            object.write_all_at(&len.to_ne_bytes(), 24).unwrap();
            object.write_all_at(to.as_bytes(), 32).unwrap();
            if let Ok(stat) = fs::metadata(to) {
                object.write_all_at(&stat.dev().to_ne_bytes(), 0).unwrap();
                object.write_all_at(&stat.ino().to_ne_bytes(), 8).unwrap();
            }
            assert_every_open_fails(
                place,
                ErrorKind::Corrupted,
                &["was moved, replaced or removed"],
            );
        }
        fs::remove_file(path).unwrap();
    });
}

#[test]
fn any_bytes_in_a_record_are_refused_or_lead_to_its_file() {
    alone("records::any_bytes_in_a_record_are_refused_or_lead_to_its_file", |place| {
        let (path, file) = data(place, "data", &[7; 5000]);
        let _held = SectionOptions::new().file(&file).create_new("x").unwrap();
        let object = object(place);
        let mut whole = vec![0; 8192];
        object.read_exact_at(&mut whole, 0).unwrap();
        let change = (0..64_u64, any::<u8>());
        let config =
            ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(changes in prop::collection::vec(change, 0..4))| {
            for (at, byte) in &changes {
                object.write_all_at(&[*byte], *at).unwrap();
            }
            match Section::open("x") {
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupted, "{}", error),
                Ok(section) => {
                    let view = section.map().unwrap();
                    prop_assert!(view.len() <= 5000);
                    prop_assert_eq!(view.read::<u8>(view.len() - 1).unwrap(), 7);
                }
            }
            object.write_all_at(&whole, 0).unwrap();
        });
        fs::remove_file(path).unwrap();
    });
}

/// Starts a process that creates a section over `file` as an unprivileged user, and holds the
/// section until it is killed.
fn nobodys<'a>(file: &'a File, sharing: Sharing, made: &'a Gate) -> Forked {
    users(NOBODY, file, sharing, made)
}

/// Like [`nobodys`], for any user.
fn users<'a>(user: u32, file: &'a File, sharing: Sharing, made: &'a Gate) -> Forked {
    fork(move || {
        become_user(user, user);
        let mut options = SectionOptions::new();
        let _held = options.file(file).sharing(sharing).create_new(NAME).unwrap();
        made.open();
        hold_on();
    })
}

fn end(maker: Forked) {
    maker.kill();
    inventory::prune().unwrap();
}

fn give(path: &Path, mode: u32) {
    std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn record_of_another_user_is_followed_to_that_users_files_alone() {
    alone_as_root(
        "records::record_of_another_user_is_followed_to_that_users_files_alone",
        |place| {
            let everyone = Sharing::Everyone(Access::ReadWrite);
            let (secret, roots) = data(place, "roots", b"what root alone may write");
            let (path, own) = data(place, "nobodys", b"nobody's");
            give(&path, 0o644);
            let made = Gate::new();

            // The file belongs to the user, who may write to it anyway.
            let maker = nobodys(&own, everyone, &made);
            made.wait();
            let opened = Section::open(NAME).unwrap();
            opened.map().unwrap().write_at(0, b"N").unwrap();
            drop(opened);
            assert_eq!(fs::read(&path).unwrap(), b"Nobody's");

            // The user forges its own record, so that root would write to a file to which the user
            // may not write.
            let object = OpenOptions::new().write(true).open(place.join("pagemate:x")).unwrap();
            let stat = roots.metadata().unwrap();
            object.write_all_at(&stat.dev().to_ne_bytes(), 0).unwrap();
            object.write_all_at(&stat.ino().to_ne_bytes(), 8).unwrap();
            object.write_all_at(&8_u64.to_ne_bytes(), 16).unwrap();
            let to = secret.as_os_str().as_bytes();
            object.write_all_at(&u32::try_from(to.len()).unwrap().to_ne_bytes(), 24).unwrap();
            object.write_all_at(to, 32).unwrap();
            let facts = [
                secret.to_str().unwrap(),
                "user 65534 created the section and the file is user 0's",
                "not safe",
            ];
            changes_nothing(place, || {
                refused(Section::open(NAME), ErrorKind::PermissionDenied, &facts);
                refused(open_read(NAME), ErrorKind::PermissionDenied, &facts);
                refused(share(NAME), ErrorKind::PermissionDenied, &facts);
            });
            end(maker);

            // The same attack without a forged record: the user may read the file, and can create a
            // read-only section over it.
            let reading = File::open(&secret).unwrap();
            let reader = fork(|| {
                become_user(NOBODY, NOBODY);
                let mut options = SectionOptions::new();
                options.file(&reading).access(Access::Read).sharing(everyone);
                let _held = options.create_new(NAME).unwrap();
                open_read(NAME).unwrap();
                made.open();
                hold_on();
            });
            made.wait();
            refused(open_read(NAME), ErrorKind::PermissionDenied, &facts);
            end(reader);

            // pagemate does not trust a record to which other users could have written.
            let maker = nobodys(&own, everyone, &made);
            made.wait();
            fs::set_permissions(place.join("pagemate:x"), Permissions::from_mode(0o666)).unwrap();
            let facts = ["other users than 65534 could have written its record"];
            refused(Section::open(NAME), ErrorKind::PermissionDenied, &facts);
            fs::set_permissions(place.join("pagemate:x"), Permissions::from_mode(0o644)).unwrap();
            drop(Section::open(NAME).unwrap());
            fs::hard_link(place.join("pagemate:x"), place.join("second")).unwrap();
            refused(Section::open(NAME), ErrorKind::PermissionDenied, &facts);
            fs::remove_file(place.join("second")).unwrap();
            end(maker);
            assert_eq!(fs::read(&secret).unwrap(), b"what root alone may write");
            fs::remove_file(secret).unwrap();
            fs::remove_file(path).unwrap();
        },
    );
}

#[test]
fn record_of_a_user_that_a_namespace_hides_is_not_followed() {
    let test = "records::record_of_a_user_that_a_namespace_hides_is_not_followed";
    alone_as_root(test, |place| {
        let (path, file) = data(place, "data", b"data");
        give(&path, 0o666);
        let made = Gate::new();
        let maker = nobodys(&file, Sharing::Everyone(Access::ReadWrite), &made);
        made.wait();
        fork(|| {
            become_user(54321, 54321);
            drop(Section::open(NAME).unwrap());
            if !hide_users(test) {
                return;
            }
            let facts = ["user 65534 created the section", "user namespace"];
            refused(Section::open(NAME), ErrorKind::PermissionDenied, &facts);
            refused(open_read(NAME), ErrorKind::PermissionDenied, &facts);
        })
        .join();
        end(maker);
        fs::remove_file(path).unwrap();
    });
}

#[test]
fn record_of_nobody_is_followed_by_nobody_alone_in_a_namespace_that_maps_it() {
    let test = "records::record_of_nobody_is_followed_by_nobody_alone_in_a_namespace_that_maps_it";
    alone_as_root(test, |place| {
        let (path, file) = data(place, "data", b"data");
        give(&path, 0o666);
        for (creator, is_own) in [(NOBODY, true), (54321, false)] {
            let made = Gate::new();
            let maker = users(creator, &file, Sharing::Everyone(Access::ReadWrite), &made);
            made.wait();
            fork(|| {
                become_user(NOBODY, NOBODY);
                if !hide_users(test) {
                    return;
                }
                map_to_itself(NOBODY);
                if is_own {
                    assert_eq!(Section::open(NAME).unwrap().len(), 4);
                    assert_eq!(open_read(NAME).unwrap().len(), 4);
                } else {
                    let facts = ["user 65534 created the section", "user namespace"];
                    refused(Section::open(NAME), ErrorKind::PermissionDenied, &facts);
                    refused(open_read(NAME), ErrorKind::PermissionDenied, &facts);
                }
            })
            .join();
            end(maker);
        }
        fs::remove_file(path).unwrap();
    });
}

#[test]
fn others_need_the_right_to_the_name_and_to_the_file() {
    alone_as_root("records::others_need_the_right_to_the_name_and_to_the_file", |place| {
        let (path, file) = data(place, "data", b"data");
        let denied = ErrorKind::PermissionDenied;
        let nobody = |body: &dyn Fn()| {
            fork(|| {
                become_user(NOBODY, NOBODY);
                body();
            })
            .join();
        };
        for (sharing, mode, reads, writes) in [
            (Sharing::Owner, 0o666, false, false),
            (Sharing::Group(Access::ReadWrite), 0o666, false, false),
            (Sharing::Everyone(Access::Read), 0o666, true, false),
            (Sharing::Everyone(Access::ReadWrite), 0o600, false, false),
            (Sharing::Everyone(Access::ReadWrite), 0o644, true, false),
            (Sharing::Everyone(Access::ReadWrite), 0o666, true, true),
        ] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let mut options = SectionOptions::new();
            let made = options.file(&file).sharing(sharing).create_new(NAME).unwrap();
            assert_eq!(inventory::find(NAME).unwrap().sharing, sharing);
            // No other user can change the path in the record.
            let object = place.join("pagemate:x");
            assert_eq!(fs::metadata(&object).unwrap().mode() & 0o022, 0);
            let to_write =
                [Sharing::Group(Access::ReadWrite), Sharing::Everyone(Access::ReadWrite)];
            let others_write = u8::from(to_write.contains(&sharing));
            assert_eq!(fs::read(object).unwrap()[4096 + 15], others_write);
            nobody(&|| {
                match open_read(NAME) {
                    Ok(reader) => assert!(reads && reader.map().unwrap().len() == 4),
                    Err(error) => assert!(!reads && error.kind() == denied, "{error}"),
                }
                match Section::open(NAME) {
                    Ok(writer) => {
                        assert!(writes);
                        writer.map().unwrap().write_at(0, b"D").unwrap();
                        drop(writer);
                        drop(share(NAME).unwrap());
                    }
                    Err(error) => {
                        assert!(!writes && error.kind() == denied, "{error}");
                        let named = matches!(sharing, Sharing::Everyone(Access::ReadWrite));
                        let said = error.to_string();
                        assert_eq!(said.contains(path.to_str().unwrap()), named, "{said}");
                        refused(create(NAME), ErrorKind::AlreadyExists, &[]);
                    }
                }
            });
            Section::open(NAME).unwrap();
            drop(made);
            refused(Section::open(NAME), ErrorKind::NotFound, &[]);
        }
        assert_eq!(fs::read(&path).unwrap(), b"Data");
        fs::remove_file(path).unwrap();
    });
}

#[test]
fn no_step_of_it_leaks_a_descriptor() {
    alone("records::no_step_of_it_leaks_a_descriptor", |place| {
        let (path, file) = data(place, "data", &[7; 5000]);
        drop(create("x").unwrap());
        changes_nothing(place, || {
            let made = SectionOptions::new().file(&file).create_new("x").unwrap();
            let opened = [Section::open("x").unwrap(), open_read("x").unwrap()];
            refused(create("x"), ErrorKind::AlreadyExists, &[]);
            refused(
                SectionOptions::new().file(&file).len(1 << 62).create_new("y"),
                ErrorKind::NoSpace,
                &["4611686018427382904 more bytes", "free"],
            );
            drop((made, opened));
        });
        fs::remove_file(path).unwrap();
    });
}
