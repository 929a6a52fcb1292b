//! Measures copies of bytes and values between shared and private memory.
#![allow(unsafe_code, reason = "accesses memory directly for comparison")]

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use pagemate::typed::Plain;
use pagemate::{SectionOptions, View};

use super::measure::{Comparison, Effort, compare, titles};
use super::place::Place;
use super::private_memory::{Pages, Private};

/// Returns a view of new memory, with all its pages present and mapped.
fn view(len: usize, pages: Pages) -> View {
    let mut options = SectionOptions::new();
    options.len(len as u64).huge_pages(pages == Pages::Huge);
    let section = options.create_new("copied").expect("memory");
    let view = section.view().prefault(true).map().expect("a view");
    view.write_at(0, &vec![1; len]).expect("room");
    view
}

/// Copies as `memcpy` does in private memory.
fn copy(from: &[u8], to: &mut [u8]) {
    assert_eq!(from.len(), to.len());
    // SAFETY: both slices have the same length, and one is borrowed mutably, so that they do not
    // overlap.
    unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr(), from.len()) };
}

/// Measures ranges of many pages.
pub(crate) fn large(_: &Place, effort: Effort) {
    for pages in [Pages::Small, Pages::Huge] {
        println!("  both in {pages:?} pages, where there is room for one");
        titles("pagemate", "memcpy");
        for kib in [4, 64, 1 << 10, 16 << 10, 64 << 10] {
            if effort == Effort::Quick && kib > 1 << 10 {
                continue;
            }
            throughput(effort, pages, kib);
        }
    }
}

fn throughput(effort: Effort, pages: Pages, kib: usize) {
    let len = kib << 10;
    let shown = if kib < 1 << 10 { format!("{kib} KiB") } else { format!("{} MiB", kib >> 10) };
    let (mut reads, mut writes) = (Comparison::default(), Comparison::default());
    // The physical pages that the kernel chooses determine how the two ranges share a cache, and
    // this favours one side at random. New memory in each round averages the effect.
    for _ in 0..effort.pick(5, 1) {
        let time = effort.pick(Duration::from_secs(1), Duration::from_millis(200));
        let view = view(len, pages);
        let from = Private::new(len, pages);
        let to = RefCell::new(Private::new(len, pages));
        let between =
            || copy(black_box(from.bytes(len)), black_box(to.borrow_mut().bytes_mut(len)));
        let read = || view.read_at(0, black_box(to.borrow_mut().bytes_mut(len)));
        reads.add_rounds(time, || read().expect("its bytes"), between);
        let write = || view.write_at(0, black_box(from.bytes(len)));
        writes.add_rounds(time, || write().expect("room"), between);
    }
    reads.print_rate(&format!("read_at {shown}"), len, 0.9);
    writes.print_rate(&format!("write_at {shown}"), len, 0.9);
}

/// Measures a value of several words, whose size is known at compile time.
fn value<T: Plain + Copy + Default>(view: &View, effort: Effort) {
    let at: *mut T = view.as_ptr().wrapping_add(128).cast();
    let read = compare(
        effort,
        || _ = black_box(view.read::<T>(black_box(128)).expect("its bytes")),
        // SAFETY: the view has these bytes as long as it lives, and no other code accesses them.
        || _ = black_box(unsafe { black_box(at).read_volatile() }),
    );
    read.print(&format!("read of {} bytes", size_of::<T>()), None);
    let zeros = T::default();
    let write = compare(
        effort,
        || view.write(black_box(128), black_box(&zeros)).expect("room"),
        // SAFETY: the view has these bytes as long as it lives, and no other code accesses them.
        || unsafe { black_box(at).write_volatile(*black_box(&zeros)) },
    );
    write.print(&format!("write of {} bytes", size_of::<T>()), None);
}

/// Measures values and a few bytes: the cost of a call, compared with one plain access.
pub(crate) fn small(_: &Place, effort: Effort) {
    let view = view(4096, Pages::Small);
    let at: *mut u64 = view.as_ptr().wrapping_add(64).cast();
    titles("pagemate", "plain");
    let read = compare(
        effort,
        || _ = black_box(view.read::<u64>(black_box(64)).expect("its bytes")),
        // SAFETY: the view has these bytes as long as it lives, and no other code accesses them.
        || _ = black_box(unsafe { black_box(at).read_volatile() }),
    );
    read.print("read::<u64>", None);
    let write = compare(
        effort,
        || view.write(black_box(64), &black_box(7_u64)).expect("room"),
        // SAFETY: the view has these bytes as long as it lives, and no other code accesses them.
        || unsafe { black_box(at).write_volatile(black_box(7)) },
    );
    write.print("write::<u64>", None);
    value::<[u64; 2]>(&view, effort);
    value::<[u64; 4]>(&view, effort);
    value::<[u64; 8]>(&view, effort);
    for (len, shift) in
        [(8, 0), (16, 0), (32, 0), (64, 0), (256, 0), (4096, 0), (4096, 1), (4096, 16)]
    {
        // Both sides copy from the beginning of a page to the same offset in a page: the distance in
        // the low bits of the addresses decides the speed of a copy.
        let from = Private::new(len, Pages::Small);
        let mut to = Private::new(len + shift, Pages::Small);
        let mut other = Private::new(len + shift, Pages::Small);
        let read = compare(
            effort,
            || {
                let to = &mut to.bytes_mut(len + shift)[shift..];
                view.read_at(0, black_box(to)).expect("its bytes");
            },
            || {
                let other = &mut other.bytes_mut(len + shift)[shift..];
                copy(black_box(from.bytes(len)), black_box(other));
            },
        );
        read.print(&format!("read_at {len} bytes, {shift} past a page"), None);
    }
}
