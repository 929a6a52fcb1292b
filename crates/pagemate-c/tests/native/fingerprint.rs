//! Compares the fingerprints that C++ and Rust compute for types of the same layout.
#![allow(dead_code, reason = "the fields of the types are only described")]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize};

use pagemate::Shareable;
use pagemate::typed::{Racy, SeqLock};

use super::build::{Linked, compile, root, run};
use super::harness::Place;

#[derive(Shareable)]
#[repr(C)]
struct Pose {
    position: [f32; 3],
    frame: u32,
}

#[derive(Shareable)]
#[repr(C)]
struct Settings {
    gain: f64,
    mode: u32,
    sides: [i16; 2],
}

#[derive(Shareable)]
#[repr(C)]
struct Pair<A, B>(A, B);

#[derive(Shareable)]
#[repr(C)]
struct Nested {
    poses: [[Pose; 3]; 2],
    pair: Pair<Pose, [u64; 2]>,
    settings: Settings,
}

#[derive(Shareable)]
#[repr(C)]
struct Label {
    len: u8,
    text: [u8; 6],
    end: u8,
}

#[derive(Shareable)]
#[repr(C)]
struct Counters {
    steps: AtomicU64,
    errors: [AtomicI32; 2],
    flags: [AtomicU8; 4],
    words: [AtomicU16; 2],
}

#[derive(Shareable)]
#[repr(C)]
struct Sizes {
    len: usize,
    offset: isize,
    wide: i64,
    used: AtomicUsize,
}

#[derive(Shareable)]
#[repr(C, align(64))]
struct Line {
    words: [u64; 8],
}

#[derive(Shareable)]
#[repr(C)]
struct Keywords {
    class: i8,
    new: i8,
    _reserved: i16,
}

#[derive(Shareable)]
#[repr(C)]
struct Cells {
    pose: SeqLock<Pose>,
    odd: [SeqLock<[u8; 3]>; 2],
    text: Racy<[u8; 8]>,
}

#[derive(Shareable)]
#[repr(C, align(16))]
struct Wide {
    low: u64,
    high: u64,
}

#[rustfmt::skip]
#[derive(Shareable)]
#[repr(C)]
struct Many {
    a0: u8, a1: u8, a2: u8, a3: u8, a4: u8, a5: u8, a6: u8, a7: u8, a8: u8, a9: u8,
    b0: u8, b1: u8, b2: u8, b3: u8, b4: u8, b5: u8, b6: u8, b7: u8, b8: u8, b9: u8,
    c0: u8, c1: u8, c2: u8, c3: u8, c4: u8, c5: u8, c6: u8, c7: u8, c8: u8, c9: u8,
    d0: u8, d1: u8, d2: u8, d3: u8, d4: u8, d5: u8, d6: u8, d7: u8, d8: u8, d9: u8,
    e0: u8, e1: u8, e2: u8, e3: u8, e4: u8, e5: u8, e6: u8, e7: u8, e8: u8, e9: u8,
    f0: u8, f1: u8, f2: u8, f3: u8, f4: u8, f5: u8, f6: u8, f7: u8, f8: u8, f9: u8,
    g0: u8, g1: u8, g2: u8, g3: u8,
}

#[test]
fn cpp_computes_the_fingerprints_of_rust() {
    let expected = BTreeMap::from([
        ("u8", u8::FINGERPRINT),
        ("i64", i64::FINGERPRINT),
        ("f32", f32::FINGERPRINT),
        ("u128", u128::FINGERPRINT),
        ("atomic", AtomicU32::FINGERPRINT),
        ("array", <[u16; 5]>::FINGERPRINT),
        ("Pose", Pose::FINGERPRINT),
        ("Settings", Settings::FINGERPRINT),
        ("Pair", Pair::<u64, Pose>::FINGERPRINT),
        ("Nested", Nested::FINGERPRINT),
        ("Label", Label::FINGERPRINT),
        ("Counters", Counters::FINGERPRINT),
        ("Sizes", Sizes::FINGERPRINT),
        ("Line", Line::FINGERPRINT),
        ("Keywords", Keywords::FINGERPRINT),
        ("Cells", Cells::FINGERPRINT),
        ("WideCell", SeqLock::<Wide>::FINGERPRINT),
        ("Many", Many::FINGERPRINT),
    ]);
    let place = Place::new("native-fingerprint");
    let source = root().join("tests/native/fingerprint.cpp");
    for (standard, linked) in [("c++17", Linked::Static), ("c++20", Linked::Shared)] {
        let printed = run(&place, &compile(&source, standard, linked), &[]);
        let lines = printed.lines().map(|line| line.split_once(' ').unwrap());
        let found: BTreeMap<&str, u64> =
            lines.map(|(name, number)| (name, number.parse().unwrap())).collect();
        assert_eq!(found, expected, "{standard}");
    }
}

/// The error of the compiler for each case of `refused.cpp`.
const ERRORS: [&str; 15] = [
    "",
    "Pair has padding, or a field that is not listed, after the last one",
    "Pair has padding, or a field that is not listed here, before its field second",
    "Pair has padding, or a field that is not listed here, before its field second",
    "not every byte is a bool: store a std::uint8_t",
    "an address is valid in one process only: store an offset",
    "Gap has padding, or a field that is not listed here, before its field value",
    "describe the fields of the struct: PAGEMATE_SHAREABLE(Type, first, second);",
    "give the enum a type: `enum Mode : std::uint32_t`",
    "Virtual needs a standard layout: fields of one access, no virtual functions",
    "it has numbers only: atomics and cells are not copied",
    "describe the fields of the struct: PAGEMATE_SHAREABLE(Type, first, second);",
    "Rust has no such number: store a double",
    "other processes may write to it at any time: put numbers into std::atomic, SeqLock or Racy",
    "it has numbers only: atomics and cells are not copied",
];

#[test]
fn types_that_cannot_be_shared_do_not_compile_and_the_error_names_the_cause() {
    for (case, expected) in ERRORS.iter().enumerate() {
        let mut compiler = Command::new("c++");
        compiler.args(["-std=c++17", "-fsyntax-only", "-Wno-invalid-offsetof"]);
        compiler.arg(format!("-DCASE={case}")).arg("-I").arg(root().join("include"));
        let output = compiler.arg(root().join("tests/native/refused.cpp")).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), expected.is_empty(), "{case}: {errors}");
        assert!(errors.contains(expected), "{case}: {errors}");
    }
}
