//! Measures how much the Win32 calls cost in addition to the Rust interface below them.
//!
//! ```sh
//! cargo bench -p pagemate-win32 --bench win32             # in half a minute
//! cargo bench -p pagemate-win32 --bench win32 -- quick    # in seconds: does it still run?
//! ```
//!
//! Both interfaces run alternately in one process, and the report states the ratio of their times.
//! The limits are the goals of this project. A ratio above its limit does not fail the benchmark.
#![allow(clippy::print_stdout, reason = "the benchmark prints a report")]
#![allow(clippy::cast_precision_loss, reason = "the report rounds the numbers")]
#![allow(unsafe_code, reason = "the interface of C")]

#[cfg(target_os = "linux")]
#[path = "../../pagemate/benches/common/measure.rs"]
#[allow(dead_code, reason = "other benchmarks use the rest")]
mod measure;

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::CString;
    use std::ptr::{null, without_provenance_mut};

    use pagemate::sync::{EventOptions, MutexOptions, Reset};
    use pagemate::{Section, SectionOptions};
    use pagemate_win32::handle::close::CloseHandle;
    use pagemate_win32::handle::number::Handle;
    use pagemate_win32::memory::create_mapping::CreateFileMappingA;
    use pagemate_win32::memory::open_mapping::OpenFileMappingA;
    use pagemate_win32::memory::view::{MapViewOfFile, UnmapViewOfFile};
    use pagemate_win32::sync::event::{CreateEventA, SetEvent};
    use pagemate_win32::sync::mutex::{CreateMutexA, ReleaseMutex};
    use pagemate_win32::sync::wait::WaitForSingleObject;

    use super::measure::{Effort, compare, titles};

    const LEN: u32 = 4096;
    const LIMIT: Option<f64> = Some(1.15);
    /// `FILE_MAP_ALL_ACCESS`, `PAGE_READWRITE`.
    const ALL_ACCESS: u32 = 0xF_001F;
    const READWRITE: u32 = 4;

    /// Opens or creates a section, as `CreateFileMapping` does.
    fn create(name: &str) -> Section {
        SectionOptions::new().len(LEN.into()).open_or_create(name).expect("a name")
    }

    fn open(name: &str) -> Section {
        Section::open(name).expect("a live object")
    }

    fn create_here(name: &CString) -> Handle {
        let memory = without_provenance_mut(usize::MAX);
        // SAFETY: the name ends in a NUL. The attributes are null.
        let made =
            unsafe { CreateFileMappingA(memory, null(), READWRITE, 0, LEN, name.as_ptr().cast()) };
        assert!(!made.is_null());
        made
    }

    fn open_here(name: &CString) -> Handle {
        // SAFETY: the name ends in a NUL.
        let opened = unsafe { OpenFileMappingA(ALL_ACCESS, 0, name.as_ptr().cast()) };
        assert!(!opened.is_null());
        opened
    }

    /// Maps a view and unmaps it.
    fn map_here(handle: Handle) {
        let view = MapViewOfFile(handle, ALL_ACCESS, 0, 0, 0);
        assert!(!view.is_null());
        assert_eq!(UnmapViewOfFile(view), 1);
    }

    fn close(handle: Handle) {
        assert_eq!(CloseHandle(handle), 1);
    }

    pub(super) fn main() {
        let words: Vec<String> = std::env::args().collect();
        let has_flag = |word: &str| words.iter().any(|given| given == word);
        // Cargo passes `--bench` for a measurement, and nothing for a test run.
        let effort =
            if has_flag("quick") || !has_flag("--bench") { Effort::Quick } else { Effort::Full };
        let name = format!("bench-win32-{}", std::process::id());
        let c_name = CString::new(name.as_str()).expect("no NUL");
        titles("Win32", "Rust");
        compare(
            effort,
            || {
                let made = create_here(&c_name);
                map_here(made);
                close(made);
            },
            || drop(create(&name).map()),
        )
        .print("create, map, unmap, close 4 KiB", LIMIT);
        compare(effort, || close(create_here(&c_name)), || drop(create(&name)))
            .print("create, close", LIMIT);
        let held = create_here(&c_name);
        compare(
            effort,
            || {
                let opened = open_here(&c_name);
                map_here(opened);
                close(opened);
            },
            || drop(open(&name).map()),
        )
        .print("open, map, unmap, close", LIMIT);
        compare(effort, || close(open_here(&c_name)), || drop(open(&name)))
            .print("open, close", LIMIT);
        let section = open(&name);
        compare(effort, || map_here(held), || drop(section.map())).print("map, unmap", LIMIT);
        close(held);
        sync_objects(effort);
    }

    /// Measures objects without contention. These calls take nanoseconds, so the lookup of a handle
    /// dominates, and there is no limit.
    fn sync_objects(effort: Effort) {
        let mutex = MutexOptions::new().create_unnamed().expect("a mutex");
        // SAFETY: the attributes and the name are null, which is permitted.
        let mutex_here = unsafe { CreateMutexA(null(), 0, null()) };
        compare(
            effort,
            || {
                assert_eq!(WaitForSingleObject(mutex_here, u32::MAX), 0);
                assert_eq!(ReleaseMutex(mutex_here), 1);
            },
            || drop(mutex.lock().expect("no other thread owns it")),
        )
        .print("acquire and release a mutex", None);
        let event = EventOptions::new(Reset::Auto).create_unnamed().expect("an event");
        // SAFETY: the attributes and the name are null, which is permitted.
        let event_here = unsafe { CreateEventA(null(), 0, 0, null()) };
        compare(
            effort,
            || {
                assert_eq!(SetEvent(event_here), 1);
                assert_eq!(WaitForSingleObject(event_here, u32::MAX), 0);
            },
            || {
                event.set().expect("an event");
                event.wait().expect("it is set");
            },
        )
        .print("set an event, wait for it", None);
        close(mutex_here);
        close(event_here);
    }
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the Win32 face is for Linux");
}
