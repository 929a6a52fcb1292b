//! How much a name's life allocates.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use pagemate::{Section, SectionOptions};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which counts the allocations of each thread.
struct Counting;

// SAFETY: the system's allocator does all of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(body: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.with(Cell::get);
    let result = body();
    (COUNT.with(Cell::get) - before, result)
}

#[test]
fn opening_allocates_once() {
    // To read the variable allocates.
    // SAFETY: no other thread of this test reads the environment.
    unsafe { std::env::remove_var("PAGEMATE_DIR") };
    for namespace in ["", r"Global\"] {
        let name = format!("{namespace}pagemate-allocations-{}", std::process::id());
        let _made = SectionOptions::new().len(4096).create_new(&name).unwrap();
        // The first use of a directory opens and keeps it, and the first view asks for the size of pages.
        drop(Section::open(&name).unwrap().map().unwrap());
        let (count, section) = allocations(|| Section::open(&name).unwrap());
        assert_eq!(count, 1, "{name}");
        let (count, ()) = allocations(|| drop(section.map().unwrap()));
        assert_eq!(count, 0, "mapping {name}");
        let (count, ()) = allocations(|| drop(section));
        assert_eq!(count, 0, "closing {name}");
    }
}
