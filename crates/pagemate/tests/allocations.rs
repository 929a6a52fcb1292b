//! Counts the allocations of opening, mapping and closing a section, and of messages.
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

#[test]
fn messages_of_broadcast_and_watch_channels_allocate_nothing() {
    use pagemate::channel::{Options, broadcast, watch};

    fn check<const WORDS: usize>(lossy: bool) {
        let name = format!("pagemate-allocations-{WORDS}-{lossy}-{}", std::process::id());
        let mut options = Options::new();
        options.capacity(4).lossy(lossy);
        let mut sender: broadcast::Sender<[u64; WORDS]> = options.create_new(&name).unwrap();
        let mut receiver = broadcast::Receiver::<[u64; WORDS]>::open(&name).unwrap();
        let (count, ()) = allocations(|| {
            for number in 0..100 {
                sender.send(&[number; WORDS]).unwrap();
                assert_eq!(receiver.recv(), Ok([number; WORDS]));
                sender.send(&[number; WORDS]).unwrap();
                assert_eq!(receiver.sample().unwrap().read(), [number; WORDS]);
            }
        });
        assert_eq!(count, 0, "{WORDS} words, lossy: {lossy}");
    }
    for lossy in [false, true] {
        check::<8>(lossy);
        check::<600>(lossy);
    }
    let name = format!("pagemate-allocations-watch-{}", std::process::id());
    let mut writer = watch::Writer::<[u64; 8]>::create_new(&name).unwrap();
    let mut reader = watch::Reader::<[u64; 8]>::open(&name).unwrap();
    let (count, ()) = allocations(|| {
        for number in 0..100 {
            writer.write(&[number; 8]).unwrap();
            assert_eq!(reader.changed(), Ok([number; 8]));
        }
    });
    assert_eq!(count, 0);
}
