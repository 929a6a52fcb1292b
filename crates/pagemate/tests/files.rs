//! Named sections over files: sharing among processes, growth of the file, and records that no
//! longer match the file.
//!
//! The Windows behaviour of these sections is in `win32_rows.rs`: rows 7, 9 to 15, 18, 19, 71 and
//! 72.

mod harness;

use std::fs::{self, File};
use std::sync::Barrier;
use std::thread;

use harness::{Place, Scratch, unique};
use pagemate::{Access, ErrorKind, Section, SectionOptions, inventory};

#[test]
fn actor() {
    harness::actor();
}

#[test]
fn processes_share_the_file_by_its_name_and_what_they_write_stays() {
    let place = Place::new("files");
    let file = Scratch::new(&[0; 5000]);
    let path = file.path().to_str().unwrap();
    let (mut one, mut other) = (place.actor(), place.actor());
    one.expect(&format!("share-over x {path} 0"), "created");
    other.expect(&format!("share-over x {path} 0"), "opened");
    one.expect("write x 7", "ok");
    other.expect("read x", "7");
    other.expect("write x 8", "ok");
    one.expect("read x", "8");
    one.expect("list", "x");
    one.expect("close x", "ok");
    // Two names over one file share its memory, because the file is the memory.
    one.expect(&format!("create-over y {path} 0"), "ok");
    one.expect("write y 9", "ok");
    other.expect("read x", "9");
    other.expect("close x", "ok");
    one.expect("probe x", "NotFound");
    one.expect("close y", "ok");
    place.assert_empty();
    assert_eq!(file.content()[..8], 9_u64.to_ne_bytes());
    assert_eq!(file.len(), 5000);
}

#[test]
fn killed_holder_leaves_the_file_and_frees_the_name() {
    let place = Place::new("files-killed");
    let file = Scratch::new(b"");
    let path = file.path().to_str().unwrap();
    let (mut one, mut other) = (place.actor(), place.actor());
    one.expect(&format!("create-over x {path} 5000"), "ok");
    one.expect("write x 7", "ok");
    other.expect("open-read x", "ok");
    one.end("kill");
    other.expect("read x", "7");
    other.expect("probe x", "ok");
    other.end("kill");
    let mut next = place.actor();
    next.expect("probe x", "NotFound");
    next.expect("create x 4096", "ok");
    next.expect("zero x", "true");
    next.expect("close x", "ok");
    next.expect(&format!("create-over x {path} 0"), "ok");
    next.expect("read x", "7");
    next.expect("close x", "ok");
    place.assert_empty();
    assert_eq!(file.len(), 5000);
}

#[test]
fn of_many_that_create_at_once_one_makes_its_file_grow() {
    const MANY: usize = 8;
    for _ in 0..20 {
        let name = unique("files-race");
        let files: Vec<Scratch> = (0..MANY).map(|_| Scratch::new(b"short")).collect();
        let start = Barrier::new(MANY);
        // All threads keep their sections until all threads have created theirs. Otherwise a thread
        // could close its section, and another one would create the name again.
        let sections: Vec<Section> = thread::scope(|scope| {
            let create = |file: &File| {
                start.wait();
                SectionOptions::new().file(file).len(100_000).open_or_create(&name).unwrap()
            };
            let threads: Vec<_> =
                files.iter().map(|file| scope.spawn(move || create(&file.open(true)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let made = sections.iter().position(Section::was_created).unwrap();
        assert_eq!(sections.iter().filter(|section| section.was_created()).count(), 1);
        sections[made].map().unwrap().write_at(99_999, b"x").unwrap();
        for section in &sections {
            assert_eq!(section.map().unwrap().read::<u8>(99_999).unwrap(), b'x');
        }
        assert_eq!(files[made].len(), 100_000);
        if cfg!(unix) {
            // The Windows kernel makes a file grow before it looks up the name.
            assert_eq!(files.iter().filter(|file| file.len() != 5).count(), 1);
        }
    }
}

#[test]
fn what_is_over_a_file_is_listed_with_its_length() {
    let name = unique("files-listed");
    let file = Scratch::new(b"five!");
    let options = |access| {
        let mut options = SectionOptions::new();
        options.access(access);
        options
    };
    let made = options(Access::ReadWrite).file(&file.open(true)).create_new(&name).unwrap();
    let entry = inventory::find(&name).unwrap();
    assert_eq!((entry.len, entry.protection), (5, made.protection()));
    if cfg!(unix) {
        let path = fs::canonicalize(file.path()).unwrap();
        assert_eq!(entry.file.as_deref(), Some(&*path));
        // A holder of the name is a process with a handle, and not a process that has the file
        // open.
        if cfg!(target_os = "linux") {
            let _same = file.open(true);
            assert_eq!(entry.holders, [std::process::id()]);
        }
    }
    drop(made);
    let memory = options(Access::ReadWrite).len(1).create_new(&name).unwrap();
    assert_eq!(inventory::find(&name).unwrap().file, None);
    drop(memory);
    let _made = options(Access::Read).file(&file.open(true)).create_new(&name).unwrap();
    if cfg!(unix) {
        // An opener may request more access than the sharing grants. It gets a handle, but no
        // writable view.
        let opened = Section::open(&name).unwrap();
        assert_eq!(opened.protection(), pagemate::Protection::ReadOnly);
        assert!(!opened.map().unwrap().is_writable());
        let error = opened.view().access(Access::ReadWrite).map().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }
}

#[cfg(unix)]
mod unix {
    use std::os::fd::AsFd;
    use std::os::unix::fs::{FileExt, symlink};
    use std::path::{Path, PathBuf};

    use super::*;

    /// Asserts that opening, finding and creating report `fact` about the file.
    #[track_caller]
    fn told(name: &str, path: &Path, fact: &str) {
        let reader = SectionOptions::new().access(Access::Read).open(name);
        let shared = SectionOptions::new().len(1).open_or_create(name);
        for result in [Section::open(name), reader, shared] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupted, "{error}");
            let said = error.to_string();
            assert!(said.contains(fact) && said.contains(path.to_str().unwrap()), "{said}");
        }
        let error = SectionOptions::new().len(1).create_new(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        // The section is alive, and its entry names the file.
        assert_eq!(inventory::find(name).unwrap().file.as_deref(), Some(path));
    }

    fn renamed(path: &Path) -> PathBuf {
        path.with_extension("renamed")
    }

    #[test]
    fn file_that_is_not_what_it_was_is_told_and_its_holders_go_on() {
        let scratch = Scratch::new(&[0; 5000]);
        let path = fs::canonicalize(scratch.path()).unwrap();
        let away = renamed(&path);
        let name = unique("files-moved");
        let made = SectionOptions::new().file(&scratch.open(true)).create_new(&name).unwrap();
        let view = made.map().unwrap();
        view.write_at(0, b"still").unwrap();
        let lost = "was moved, replaced or removed; put it back";

        fs::rename(&path, &away).unwrap();
        told(&name, &path, lost);
        symlink(&away, &path).unwrap();
        told(&name, &path, lost);
        fs::remove_file(&path).unwrap();
        fs::write(&path, [1; 5000]).unwrap();
        told(&name, &path, lost);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        told(&name, &path, lost);
        fs::remove_dir(&path).unwrap();
        fs::rename(&away, &path).unwrap();
        assert_eq!(
            Section::open(&name).unwrap().map().unwrap().read::<[u8; 5]>(0).unwrap(),
            *b"still"
        );

        scratch.open(true).set_len(4999).unwrap();
        told(&name, &path, "was cut short: it has 4999 of 5000 bytes");
        scratch.open(true).set_len(6000).unwrap();
        assert_eq!(Section::open(&name).unwrap().len(), 5000);

        assert_eq!(view.read::<[u8; 5]>(0).unwrap(), *b"still");
        fs::remove_file(&path).unwrap();
        told(&name, &path, lost);
        assert_eq!(made.map().unwrap().read::<[u8; 5]>(0).unwrap(), *b"still");
        drop((made, view));
        assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
        // Create the file if it does not exist, so that it can be removed.
        fs::write(&path, "").unwrap();
    }

    #[test]
    fn file_that_no_path_leads_to_gets_no_name() {
        let scratch = Scratch::new(b"five!");
        let file = scratch.open(true);
        fs::remove_file(scratch.path()).unwrap();
        let name = unique("files-removed");
        let error = SectionOptions::new().file(&file).len(6).create_new(&name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("no path leads to the file"), "{error}");
        assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(file.metadata().unwrap().len(), 5);
        let unnamed = SectionOptions::new().file(&file).len(6).create_unnamed().unwrap();
        assert_eq!(unnamed.len(), 6);
        fs::write(scratch.path(), "").unwrap();
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let name = unique("files-none");
        for path in ["/dev/null", "/dev", "/dev/zero"] {
            let file = File::open(path).unwrap();
            let mut options = SectionOptions::new();
            let options = options.access(Access::Read).file(&file).len(1);
            for result in [options.create_new(&name), options.create_unnamed()] {
                assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput, "{path}");
            }
        }
    }

    #[test]
    fn any_path_will_do() {
        let scratch = Scratch::new(b"");
        fs::remove_file(scratch.path()).unwrap();
        fs::create_dir(scratch.path()).unwrap();
        let name = unique("files-path");
        for file in ["ü ö", "new\nline", "(deleted)", "x (deleted)", "%41", &"long".repeat(60)] {
            let path = scratch.path().join(file);
            fs::write(&path, "five!").unwrap();
            let file = File::options().read(true).write(true).open(&path).unwrap();
            let _made = SectionOptions::new().file(&file).create_new(&name).unwrap();
            let opened = Section::open(&name).unwrap();
            assert_eq!(opened.map().unwrap().read::<[u8; 5]>(0).unwrap(), *b"five!");
            let link = scratch.path().join("link");
            symlink(&path, &link).unwrap();
            let file = File::options().read(true).write(true).open(&link).unwrap();
            fs::remove_file(link).unwrap();
            let second = SectionOptions::new().file(&file).create_new(format!("{name}2"));
            assert_eq!(second.unwrap().len(), 5);
        }
        fs::remove_dir_all(scratch.path()).unwrap();
        fs::write(scratch.path(), "").unwrap();
    }

    #[test]
    fn descriptor_is_the_files_and_holds_no_name() {
        let name = unique("files-descriptor");
        let scratch = Scratch::new(b"five!");
        let made = SectionOptions::new().file(&scratch.open(true)).create_new(&name).unwrap();
        let lent = made.as_fd().try_clone_to_owned().unwrap();
        let taken = Section::try_from(lent).unwrap();
        assert_eq!((taken.len(), taken.access()), (5, Access::ReadWrite));
        taken.map().unwrap().write_at(0, b"F").unwrap();
        drop(made);
        assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
        let mut bytes = [0; 5];
        scratch.open(false).read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"Five!");
    }

    #[test]
    fn reader_holds_a_descriptor_that_only_reads() {
        let name = unique("files-reader");
        let scratch = Scratch::new(b"five!");
        let _made = SectionOptions::new().file(&scratch.open(true)).create_new(&name).unwrap();
        let reader = SectionOptions::new().access(Access::Read).open(&name).unwrap();
        let taken = reader.as_fd().try_clone_to_owned().unwrap();
        assert_eq!(Section::try_from(taken).unwrap().access(), Access::Read);
    }
}
