//! Measures different ways to allocate all pages of a large section, and the speed of later reads.

use std::hint::black_box;

use pagemate::SectionOptions;

use super::measure::{Effort, Spread, Watch};
use super::place::Place;

/// A way to allocate all pages.
struct Way {
    name: &'static str,
    /// Whether the section is created with huge pages.
    created_huge: bool,
    /// Whether the view collapses its pages into huge pages.
    huge: bool,
    prefault: bool,
}

const WAYS: [Way; 6] = [
    Way { name: "touch page by page", created_huge: false, huge: false, prefault: false },
    Way { name: "prefault", created_huge: false, huge: false, prefault: true },
    Way { name: "view's huge_pages", created_huge: false, huge: true, prefault: false },
    Way { name: "view's huge_pages, prefault", created_huge: false, huge: true, prefault: true },
    Way { name: "section's huge_pages", created_huge: true, huge: false, prefault: false },
    Way { name: "section's huge_pages, prefault", created_huge: true, huge: false, prefault: true },
];

/// The milliseconds of each step, and the bytes per nanosecond of the last one.
#[derive(Default)]
struct Times {
    create: Vec<f64>,
    map: Vec<f64>,
    touch: Vec<f64>,
    present: Vec<f64>,
    all: Vec<f64>,
    close: Vec<f64>,
    rate: Vec<f64>,
}

/// Runs each way in turn, several times.
pub(crate) fn table(_: &Place, effort: Effort) {
    let len = effort.pick(1 << 30, 1 << 25);
    let rounds = effort.pick(5, 1);
    let mut times: [Times; WAYS.len()] = Default::default();
    for _ in 0..rounds {
        for (way, times) in WAYS.iter().zip(&mut times) {
            // Run once without measuring, so that the measured run gets memory that this program
            // has freed. Other memory may be pages that the host of a virtual machine has not
            // provided yet, and to provide them takes longer than all else.
            measure(len, way, &mut Times::default());
            measure(len, way, times);
        }
    }
    println!("  {} MiB, medians of {rounds} rounds; ms, and GB/s of reading all of it", len >> 20);
    println!(
        "  {:30} {:>8} {:>8} {:>8} {:>11} {:>11} {:>8} {:>8}",
        "", "create", "map", "touch", "map+touch", "with create", "close", "GB/s"
    );
    for (Way { name, .. }, times) in WAYS.iter().zip(times) {
        let median = |values| Spread::of(values).median;
        println!(
            "  {name:30} {:8.1} {:8.1} {:8.1} {:11.1} {:11.1} {:8.1} {:8.2}",
            median(times.create),
            median(times.map),
            median(times.touch),
            median(times.present),
            median(times.all),
            median(times.close),
            median(times.rate)
        );
    }
}

fn measure(len: usize, way: &Way, times: &mut Times) {
    let ms = |watch: Watch| watch.ns() / 1e6;
    let start = Watch::start();
    let mut options = SectionOptions::new();
    options.len(len as u64).huge_pages(way.created_huge);
    let section = options.create_new("giant").expect("memory");
    let create = ms(start);

    let start = Watch::start();
    let mut view = section.view();
    let view = view.prefault(way.prefault).huge_pages(way.huge).map().expect("a view");
    let map = ms(start);

    let start = Watch::start();
    for offset in (0..len).step_by(4096) {
        view.write(offset, &1_u8).expect("room");
    }
    let touch = ms(start);

    let mut piece = vec![0; 64 << 10];
    let start = Watch::start();
    for offset in (0..len).step_by(piece.len()) {
        view.read_at(offset, black_box(&mut piece)).expect("its bytes");
    }
    let read = ms(start);

    drop(section);
    let start = Watch::start();
    drop(view);
    times.close.push(ms(start));
    times.create.push(create);
    times.map.push(map);
    times.touch.push(touch);
    times.present.push(map + touch);
    times.all.push(create + map + touch);
    times.rate.push(len as f64 / (read * 1e6));
}
