//! Tests of typed memory whose type is known at run time only.

mod harness;

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use harness::unique;
use pagemate::typed::{SeqLock, SharedBytes, TypeLayout};
use pagemate::{Access, Error, ErrorKind, SectionOptions, Shareable, Shared};

#[derive(Shareable)]
#[repr(C)]
struct Robot {
    pose: SeqLock<[u64; 3]>,
    errors: AtomicU32,
    spare: AtomicU32,
}

const LAYOUT: TypeLayout = TypeLayout::of::<Robot>();

/// The error of an initialiser, or of pagemate.
#[derive(Debug, PartialEq)]
enum Failure {
    Own(u32),
    Pagemate(ErrorKind),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Pagemate(error.kind())
    }
}

#[allow(clippy::unnecessary_wraps, reason = "an initialiser returns a result")]
fn nothing(_: &SharedBytes) -> Result<(), Error> {
    Ok(())
}

#[test]
fn bytes_and_the_type_are_one_value() {
    let name = unique("bytes");
    let init = |bytes: &SharedBytes| -> Result<(), Error> {
        bytes.seq_writer(0, 24)?.write([5_u64; 3].map(u64::to_ne_bytes).as_flattened())
    };
    let bytes = SharedBytes::open_or_create(&name, &LAYOUT, init).unwrap();
    assert!(bytes.was_initialised() && bytes.is_writable());
    assert!(!SharedBytes::open_or_create(&name, &LAYOUT, nothing).unwrap().was_initialised());
    let robot = Shared::<Robot>::open(&name).unwrap();
    assert_eq!(robot.pose.read(), [5; 3]);
    let writer = bytes.seq_writer(0, 24).unwrap();
    let change = |value: &mut [u8]| -> Result<(), Failure> {
        assert_eq!(value[..8], 5_u64.to_ne_bytes());
        value[16..].copy_from_slice(&20_u64.to_ne_bytes());
        Ok(())
    };
    writer.update(change).unwrap();
    assert_eq!(robot.pose.read(), [5, 5, 20]);
    let fails = writer.update(|value| {
        value.fill(1);
        Err(Failure::Own(5))
    });
    assert_eq!(fails, Err(Failure::Own(5)));
    assert_eq!(robot.pose.read(), [5, 5, 20]);
    assert_eq!(writer.write(&[0; 23]).unwrap_err().kind(), ErrorKind::InvalidInput);
    let reader = SharedBytes::open(&name, &LAYOUT, Access::Read).unwrap();
    assert!(!reader.is_writable());
    assert_eq!(reader.seq_writer(0, 24).unwrap_err().kind(), ErrorKind::PermissionDenied);
    let long = Duration::from_secs(30);
    let same = SharedBytes::open_within(&name, &LAYOUT, Access::Read, long).unwrap();
    assert!(!same.was_initialised());
}

#[test]
fn a_writer_of_a_place_without_a_cell_is_refused() {
    let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
    let bytes = SharedBytes::open_or_init(&section, 0, &LAYOUT, nothing).unwrap();
    for (offset, len, kind) in [
        (4, 8, ErrorKind::InvalidInput),
        (8, LAYOUT.len(), ErrorKind::OutOfRange),
        (0, usize::MAX, ErrorKind::OutOfRange),
        (usize::MAX - 7, 8, ErrorKind::OutOfRange),
    ] {
        let error = bytes.seq_writer(offset, len).unwrap_err();
        assert_eq!(error.kind(), kind, "{offset} {len}: {error}");
    }
}

#[test]
fn an_initialiser_that_fails_leaves_zeros_to_the_next_one_and_its_error_is_returned() {
    let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
    let fails = SharedBytes::open_or_init(&section, 0, &LAYOUT, |bytes| {
        bytes.seq_writer(0, 24)?.write(&[1; 24])?;
        Err(Failure::Own(3))
    });
    assert_eq!(fails.unwrap_err(), Failure::Own(3));
    let missing = SharedBytes::open_in(&section, 0, &LAYOUT, Access::ReadWrite).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let bytes = SharedBytes::open_or_init(&section, 0, &LAYOUT, nothing).unwrap();
    assert!(bytes.was_initialised());
    let robot = Shared::<Robot>::open_in(&section, 0).unwrap();
    assert_eq!((robot.pose.read(), robot.errors.load(Relaxed)), ([0; 3], 0));
}

#[test]
fn another_layout_is_refused() {
    let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
    let _robot = Shared::<Robot>::open_or_init(&section, 0, |_| Ok(())).unwrap();
    for (fingerprint, len) in
        [(LAYOUT.fingerprint(), LAYOUT.len() - 8), (LAYOUT.fingerprint() + 1, LAYOUT.len())]
    {
        let other = TypeLayout::new(fingerprint, len, LAYOUT.align()).unwrap();
        let error = SharedBytes::open_in(&section, 0, &other, Access::ReadWrite).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKind);
    }
    let long = TypeLayout::new(1, usize::MAX, 1).unwrap();
    let error = SharedBytes::open_in(&section, 0, &long, Access::Read).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
    for align in [0, 3, 128] {
        assert_eq!(TypeLayout::new(1, 8, align).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let wide = TypeLayout::new(1, 64, 64).unwrap();
    let error = SharedBytes::open_or_init(&section, 8, &wide, nothing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
