//! Tests of `pagemate bench`. They check that it measures every row, and not the numbers.
#![cfg(target_os = "linux")]

mod harness;

use harness::Place;
use serde_json::Value;

#[test]
fn every_kind_is_measured_in_every_way_of_waiting() {
    let place = Place::new();
    let args = [
        "bench",
        "--seconds",
        "0.5",
        "--json",
        "--waiting",
        "spin-then-sleep",
        "--waiting",
        "sleep",
    ];
    let json: Value = serde_json::from_str(&place.run(&args).text()).unwrap();
    let rows = json["rows"].as_array().unwrap();
    let of = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
    let counts = ["cache-line", "spsc", "mpmc", "broadcast", "watch", "pipe"].map(of);
    assert_eq!(counts, [1, 2, 2, 2, 2, 1]);
    for row in rows {
        let trip = &row["round_trip"];
        let times =
            ["p50", "p90", "p99", "p99_9", "p99_99", "max"].map(|p| trip[p].as_u64().unwrap());
        assert!(times[0] > 0 && times.is_sorted(), "{row}");
        assert!(row["round_trips"].as_u64().unwrap() > 0, "{row}");
        let is_queue = !matches!(row["kind"].as_str(), Some("cache-line" | "watch"));
        assert_eq!(row["one_way"].is_number(), is_queue, "{row}");
    }
    assert_eq!(json["message_bytes"], 64);
    assert!(place.objects().is_empty());
}

#[test]
fn one_kind_is_measured_beside_the_cache_line_and_the_pipe() {
    let place = Place::new();
    let args = [
        "bench",
        "--seconds",
        "0.3",
        "--kind",
        "mpmc",
        "--waiting",
        "spin-then-sleep",
        "--size",
        "4K",
    ];
    let text = place.run(&args).text();
    for part in ["cache line", "mpmc", "pipe", "messages of 4 KiB", "Round trips of mpmc", "99.9 %"]
    {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.contains("spsc"), "{text}");
    assert!(!text.contains('\x1b'), "no colours in a pipe: {text}");
}

#[test]
fn wrong_arguments_are_refused_with_a_reason() {
    let place = Place::new();
    let error = |args: &[&str]| place.run(args).error_line(2);
    assert!(error(&["bench", "--size", "0"]).contains("--size is from 1 byte"));
    assert!(error(&["bench", "--size", "1G"]).contains("--size is from 1 byte"));
    assert!(place.run(&["bench", "--seconds", "0"]).usage_error().contains("from 0.1 to 3600"));
    assert!(place.run(&["bench", "--kind", "tcp"]).usage_error().contains("tcp"));
}
