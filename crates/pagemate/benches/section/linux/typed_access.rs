//! Measures accesses through typed memory against accesses through a raw pointer.
#![allow(unsafe_code, reason = "accesses memory directly for comparison")]

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pagemate::typed::Racy;
use pagemate::{Shareable, Shared};

use super::measure::{Effort, compare, titles};
use super::place::Place;

type Pixel = [u64; 4];

/// The content of the typed memory.
#[derive(Shareable)]
#[repr(C)]
struct Content {
    count: AtomicU64,
    counts: [AtomicU64; 16],
    pixel: Racy<Pixel>,
}

/// A raw pointer to the same memory. Each access loads the pointer, as it does through `Shared`.
struct Raw(*const Content);

/// The limit of each row: the same time, with the spread of two equal measurements.
const LIMIT: Option<f64> = Some(1.03);

pub(crate) fn table(place: &Place, effort: Effort) {
    let shared = Shared::<Content>::open_or_create(place.name("Local", "typed")).expect("memory");
    let raw = Raw(&raw const *shared);
    // SAFETY: `shared` keeps the memory mapped, and it consists of atomics and cells.
    let content = || unsafe { &*black_box(&raw).0 };
    titles("Shared", "raw pointer");

    let ours = || _ = black_box(black_box(&shared).count.load(Relaxed));
    let theirs = || _ = black_box(content().count.load(Relaxed));
    compare(effort, ours, theirs).print("load of an atomic", LIMIT);

    let ours = || black_box(&shared).count.store(black_box(7), Relaxed);
    let theirs = || content().count.store(black_box(7), Relaxed);
    compare(effort, ours, theirs).print("store of an atomic", LIMIT);

    let ours = || _ = black_box(black_box(&shared).counts[black_box(5)].fetch_add(1, Relaxed));
    let theirs = || _ = black_box(content().counts[black_box(5)].fetch_add(1, Relaxed));
    compare(effort, ours, theirs).print("addition to an array's element", LIMIT);

    let sum = |counts: &[AtomicU64; 16]| {
        let values = counts.iter().map(|count| count.load(Relaxed));
        black_box(values.fold(0, u64::wrapping_add));
    };
    let ours = || sum(&black_box(&shared).counts);
    let theirs = || sum(&content().counts);
    compare(effort, ours, theirs).print("sum of 16 atomics", LIMIT);

    let pixel = |content: &Content| (&raw const content.pixel).cast::<Pixel>().cast_mut();
    let ours = || _ = black_box(black_box(&shared).pixel.get());
    // SAFETY: the pointer refers to the cell, and no other thread accesses it.
    let theirs = || _ = black_box(unsafe { pixel(content()).read_volatile() });
    compare(effort, ours, theirs).print("copy of 32 bytes out of a cell", LIMIT);

    let new = [7_u64; 4];
    let ours = || black_box(&shared).pixel.set(black_box(&new));
    // SAFETY: the pointer refers to the cell, and no other thread accesses it.
    let theirs = || unsafe { pixel(content()).write_volatile(*black_box(&new)) };
    compare(effort, ours, theirs).print("copy of 32 bytes into a cell", LIMIT);
}
