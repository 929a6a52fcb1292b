//! Measurements of `pagemate bridge`, which are printed, and the consistency of the data in them.

use std::thread;
use std::time::{Duration, Instant};

use pagemate::Section;

use crate::harness::{Actor, Bridge, is_prepared, processor_time, unique, wineserver};

/// Returns the median of some times.
fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn names_follow_within_moments_and_an_idle_bridge_costs_little() {
    if !is_prepared() {
        return;
    }
    let mut actor = Actor::start();
    let bridge = Bridge::start(&[]);
    bridge.expect("connected", "");
    let names: Vec<String> = (0..50).map(|number| unique(&format!("idle-{number}"))).collect();
    let (mut appeared, mut ended) = (Vec::new(), Vec::new());
    for name in &names {
        actor.expect(&["create", name, "4096"], 0);
        let created = Instant::now();
        appeared.push(bridge.expect("appeared", name).0.saturating_duration_since(created));
    }
    let pids = [bridge.pid(), bridge.helpers()[0], wineserver()];
    // The number of the wineserver's descriptors has changed, so that one more scan follows.
    thread::sleep(Duration::from_millis(1500));
    let before = pids.map(processor_time);
    let time = Duration::from_secs(4);
    thread::sleep(time);
    let used: Vec<f64> = pids
        .iter()
        .zip(before)
        .map(|(pid, before)| processor_time(*pid).saturating_sub(before).as_secs_f64())
        .collect();
    let share: Vec<String> =
        used.iter().map(|used| format!("{:.2} %", used / time.as_secs_f64() * 100.0)).collect();
    eprintln!("50 idle names: bridge {}, helper {}, wineserver {}", share[0], share[1], share[2]);
    for name in &names {
        actor.expect(&["close", name], 0);
        let closed = Instant::now();
        ended.push(bridge.expect("ended", name).0.saturating_duration_since(closed));
    }
    eprintln!(
        "appears after {:?}, ends after {:?} (medians)",
        median(&mut appeared),
        median(&mut ended)
    );
    // A busy machine makes it slower, and a loop that never sleeps would use whole processors.
    assert!(used.iter().sum::<f64>() / time.as_secs_f64() < 0.25);
}

#[test]
fn numbers_cross_without_a_copy() {
    if !is_prepared() {
        return;
    }
    let name = &unique("latency");
    let mut actor = Actor::start();
    let bridge = Bridge::start(&[name]);
    actor.expect(&["create", name, "4096"], 0);
    bridge.expect("appeared", name);
    let view = Section::open(name).unwrap().map().unwrap();
    actor.tell(&["echo", name]);
    let mut times = Vec::new();
    for number in 1..=2000_u32 {
        let start = Instant::now();
        view.write(0, &number).unwrap();
        while view.read::<u32>(4).unwrap() != number {
            assert!(start.elapsed() < crate::harness::PATIENCE, "no answer to {number}");
            thread::yield_now();
        }
        times.push(start.elapsed());
    }
    view.write(0, &u32::MAX).unwrap();
    assert_eq!(actor.answer(), 0);
    eprintln!("round trip: {:?} (median)", median(&mut times));
}

#[test]
fn telemetry_at_333_hz_has_no_torn_frame() {
    const FRAMES: u32 = 1000;
    if !is_prepared() {
        return;
    }
    let name = &unique("telemetry");
    let mut actor = Actor::start();
    let bridge = Bridge::start(&[name]);
    actor.expect(&["create", name, "2020"], 0);
    bridge.expect("appeared", name);
    let view = Section::open(name).unwrap().map().unwrap();
    actor.tell(&["publish", name, "333", &FRAMES.to_string()]);
    let (mut last, mut seen, mut torn, mut widest) = (0, 0, 0, 0);
    let end = Instant::now() + crate::harness::PATIENCE;
    while last < FRAMES {
        assert!(Instant::now() < end, "frame {last} of {FRAMES}");
        thread::sleep(Duration::from_micros(200));
        // The number before the frame is written first, and the one after it last. So read them in the
        // other order.
        let after = view.read::<u32>(2008).unwrap();
        let mut values = [0_u8; 1996];
        view.read_at(4, &mut values).unwrap();
        let before = view.read::<u32>(0).unwrap();
        if before != after {
            torn += 1;
            continue;
        }
        if before == last {
            continue;
        }
        for (index, value) in (0_u32..).zip(values.chunks_exact(4)) {
            let value = u32::from_ne_bytes(value.try_into().unwrap());
            assert_eq!(value, before * 1000 + index, "frame {before}");
        }
        widest = widest.max(before - last);
        (last, seen) = (before, seen + 1);
    }
    assert_eq!(actor.answer(), 0);
    eprintln!("telemetry: {seen} of {FRAMES} frames, {torn} read again, at most {widest} apart");
    assert!(seen > FRAMES / 10);
}
