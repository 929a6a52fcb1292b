//! How a large section gets all its pages, and how fast it is then.

use std::hint::black_box;
use std::time::Instant;

use pagemate::SectionOptions;

use crate::measure::{Effort, Spread};
use crate::place::Place;

/// Ways to map: their names, whether to prefault, whether to gather huge pages.
const WAYS: [(&str, bool, bool); 4] = [
    ("touch page by page", false, false),
    ("prefault", true, false),
    ("huge_pages", false, true),
    ("huge_pages and prefault", true, true),
];

/// Milliseconds of each step, and bytes a nanosecond at the end.
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

/// Each way in turn, several times over.
pub(crate) fn table(_: &Place, effort: Effort) {
    let len = effort.pick(1 << 30, 1 << 25);
    let rounds = effort.pick(5, 1);
    let mut times: [Times; WAYS.len()] = Default::default();
    for _ in 0..rounds {
        for ((_, prefault, huge), times) in WAYS.into_iter().zip(&mut times) {
            measure(len, prefault, huge, times);
        }
    }
    println!("  {} MiB, medians of {rounds} rounds; ms, and GB/s of reading all of it", len >> 20);
    println!(
        "  {:26} {:>8} {:>8} {:>8} {:>11} {:>11} {:>8} {:>8}",
        "", "create", "map", "touch", "map+touch", "with create", "close", "GB/s"
    );
    for ((name, ..), times) in WAYS.into_iter().zip(times) {
        let median = |values| Spread::of(values).median;
        println!(
            "  {name:26} {:8.1} {:8.1} {:8.1} {:11.1} {:11.1} {:8.1} {:8.2}",
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

fn measure(len: usize, prefault: bool, huge: bool, times: &mut Times) {
    let ms = |start: Instant| start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    let section = SectionOptions::new().len(len as u64).create_new("giant").expect("memory");
    let create = ms(start);

    let start = Instant::now();
    let mut view = section.view();
    if prefault {
        view = view.prefault();
    }
    if huge {
        view = view.huge_pages();
    }
    let view = view.map().expect("a view");
    let map = ms(start);

    let start = Instant::now();
    for offset in (0..len).step_by(4096) {
        view.write(offset, &1_u8).expect("room");
    }
    let touch = ms(start);

    let mut piece = vec![0; 64 << 10];
    let start = Instant::now();
    for offset in (0..len).step_by(piece.len()) {
        view.read_at(offset, black_box(&mut piece)).expect("its bytes");
    }
    let read = ms(start);

    drop(section);
    let start = Instant::now();
    drop(view);
    times.close.push(ms(start));
    times.create.push(create);
    times.map.push(map);
    times.touch.push(touch);
    times.present.push(map + touch);
    times.all.push(create + map + touch);
    times.rate.push(len as f64 / (read * 1e6));
}
