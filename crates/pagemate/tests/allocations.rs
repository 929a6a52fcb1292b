//! Counts the allocations of opening, mapping and closing a section.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use pagemate::{Section, SectionOptions};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator with a count of the allocations of each thread.
struct Counting;

// SAFETY: every call is passed to `System` unchanged, and `System` implements the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: by the contract of `alloc`, the caller passes a layout of non-zero size, as
        // `System.alloc` requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: by the contract of `dealloc`, `at` was allocated by this allocator, so by `System`,
        // with this layout.
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
    // Remove the variable, because reading its value allocates memory. SAFETY: no other thread of
    // this test reads the environment.
    unsafe { std::env::remove_var("PAGEMATE_DIR") };
    for namespace in ["", r"Global\"] {
        let name = format!("{namespace}pagemate-allocations-{}", std::process::id());
        let _made = SectionOptions::new().len(4096).create_new(&name).unwrap();
        // The first use of a directory caches its descriptor, and the first view reads the page size.
        drop(Section::open(&name).unwrap().map().unwrap());
        let (count, section) = allocations(|| Section::open(&name).unwrap());
        assert_eq!(count, 1, "{name}");
        let (count, ()) = allocations(|| drop(section.map().unwrap()));
        assert_eq!(count, 0, "mapping {name}");
        let (count, ()) = allocations(|| drop(section));
        assert_eq!(count, 0, "closing {name}");
    }
}
