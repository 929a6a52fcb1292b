//! Typed memory: layouts, initialisation, sequence locks, read-only handles.

mod harness;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::thread;
use std::time::{Duration, Instant};

use harness::unique;
use pagemate::sync::SharedMutex;
use pagemate::typed::{Plain, Racy, SeqLock, WaitWord, WakeWord};
use pagemate::{ErrorKind, Section, SectionOptions, Shareable, Shared};

#[derive(Clone, Copy, Debug, PartialEq, Shareable)]
#[repr(C)]
struct Pose {
    position: [f32; 3],
    frame: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Shareable)]
#[repr(C)]
struct Pair<A, B>(A, B);

#[derive(Shareable)]
#[repr(transparent)]
struct Meters(f64);

#[derive(Debug, Shareable)]
#[repr(C, align(32))]
struct Robot<T: Plain, const ARMS: usize>
where
    T: Clone,
{
    pose: SeqLock<T>,
    arms: [SeqLock<T>; ARMS],
    text: Racy<[u8; 48]>,
    errors: Pair<AtomicU32, AtomicU32>,
    steps: AtomicU64,
}

type Small = Robot<Pose, 2>;

fn is_plain<T: Plain>() {}

#[test]
fn structures_of_values_are_plain() {
    is_plain::<Pose>();
    is_plain::<[Pair<Pose, [u64; 2]>; 3]>();
    is_plain::<Meters>();
}

macro_rules! layout {
    ($name:ident { $($field:ident: $type:ty),* }) => {{
        #[derive(Shareable)]
        #[repr(C)]
        struct $name {
            $($field: $type),*
        }
        $name::FINGERPRINT
    }};
}

#[test]
fn every_difference_in_layout_shows_and_the_name_of_the_type_does_not() {
    assert_eq!(Pose::FINGERPRINT, layout!(Gesture { position: [f32; 3], frame: u32 }));
    assert_eq!(Pose::FINGERPRINT, layout!(Pose { _position: [f32; 3], frame_: u32 }));
    assert_eq!(Pair::<u8, u8>::FINGERPRINT, layout!(Named { _0: u8, _1: u8 }));
    #[cfg(target_pointer_width = "64")]
    assert_eq!([usize::FINGERPRINT, isize::FINGERPRINT], [u64::FINGERPRINT, i64::FINGERPRINT]);
    for other in [
        layout!(Pose { frame: u32, position: [f32; 3] }),
        layout!(Pose { position: [f32; 3], frame: i32 }),
        layout!(Pose { position: [u32; 3], frame: u32 }),
        layout!(Pose { position: [f32; 4], frame: u32 }),
        layout!(Pose { location: [f32; 3], frame: u32 }),
        layout!(Pose { position: [f32; 3], frame: AtomicU32 }),
        layout!(Pose { position: [f32; 3], frame: Racy<u32> }),
        <[u8; 16]>::FINGERPRINT,
        SeqLock::<Pose>::FINGERPRINT,
    ] {
        assert_ne!(Pose::FINGERPRINT, other);
    }
    assert_ne!(u64::FINGERPRINT, i64::FINGERPRINT);
    assert_ne!(<[u8; 4]>::FINGERPRINT, <[[u8; 2]; 2]>::FINGERPRINT);
    assert_ne!(Robot::<Pose, 1>::FINGERPRINT, Robot::<Pose, 2>::FINGERPRINT);
    assert_ne!(Robot::<Pose, 1>::FINGERPRINT, Robot::<[u32; 4], 1>::FINGERPRINT);
}

#[test]
fn two_handles_share_the_fields_and_a_reader_reads_them() {
    let name = unique("typed");
    let robot = Shared::<Small>::open_or_create(&name).unwrap();
    assert!(Shared::was_initialised(&robot));
    let other = Shared::<Small>::open(&name).unwrap();
    assert!(!Shared::was_initialised(&other));
    let reader = Shared::<Small>::open_read_only(&name).unwrap();
    let pose = Pose { position: [1.0, 2.0, 3.0], frame: 4 };
    other.arms[1].writer(&other).unwrap().write(&pose).unwrap();
    other.text.as_array()[47].set(&b'!');
    other.errors.1.fetch_add(5, Relaxed);
    robot.steps.store(u64::MAX, Relaxed);
    assert_eq!((robot.arms[1].read(), robot.pose.read().frame), (pose, 0));
    assert_eq!((robot.text.get()[47], robot.errors.1.load(Relaxed)), (b'!', 5));
    assert_eq!((reader.arms[1].read(), reader.pose.read().frame), (pose, 0));
    assert_eq!((reader.text.as_array()[47].get(), reader.errors.1.load(Relaxed)), (b'!', 5));
    assert_eq!((reader.steps.load(Relaxed), other.steps.load(Relaxed)), (u64::MAX, u64::MAX));
    // The name ends with its last handle, also if that is a reader.
    drop((robot, other));
    assert_eq!(Shared::<Small>::open(&name).unwrap().steps.load(Relaxed), u64::MAX);
    drop(reader);
    assert_eq!(Section::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn one_of_many_threads_initialises() {
    let name = unique("typed");
    let inits = AtomicU32::new(0);
    let init = |robot: &Shared<Small>| {
        inits.fetch_add(1, Relaxed);
        robot.steps.store(7, Relaxed);
        Ok(())
    };
    thread::scope(|scope| {
        let open = || Shared::open_or_create_with(&name, init).unwrap();
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        let robots: Vec<_> = opened.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(robots.iter().all(|robot| robot.steps.load(Relaxed) == 7));
        let first = robots.iter().filter(|robot| Shared::was_initialised(robot));
        assert_eq!((first.count(), inits.load(Relaxed)), (1, 1));
    });
}

#[test]
fn an_initialiser_that_fails_or_panics_leaves_zeros_to_the_next_one() {
    let section = SectionOptions::new().len(8192).create_unnamed().unwrap();
    let half = |robot: &Shared<Small>| {
        assert_eq!(robot.steps.load(Relaxed), 0, "it begins with zeros");
        robot.steps.store(1, Relaxed);
        robot.pose.writer(robot)?.write(&Pose { position: [0.0; 3], frame: 1 })
    };
    let fails = Shared::<Small>::open_or_init(&section, 64, |robot| {
        half(robot)?;
        Section::open("").map(drop)
    });
    assert_eq!(fails.unwrap_err().kind(), ErrorKind::InvalidName);
    let panics = || {
        Shared::<Small>::open_or_init(&section, 64, |robot| {
            half(robot)?;
            resume_unwind(Box::new(()))
        })
    };
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    let missing = Shared::<Small>::open_in(&section, 64).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let robot = Shared::<Small>::open_or_init(&section, 64, |_| Ok(())).unwrap();
    assert_eq!((robot.steps.load(Relaxed), robot.pose.read().frame), (0, 0));
}

#[test]
fn another_type_is_refused_with_both_layouts() {
    let name = unique("typed");
    let _robot = Shared::<Small>::open_or_create(&name).unwrap();
    let error = Shared::<Robot<[u32; 4], 2>>::open_or_create(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKind);
    let text = error.to_string();
    for fact in [
        format!("{name}\""),
        format!("{} bytes with layout {:016x}", size_of::<Small>(), Small::FINGERPRINT),
        format!("Robot<[u32; 4], 2> ({} bytes", size_of::<Robot<[u32; 4], 2>>()),
        format!("{:016x}) was expected", Robot::<[u32; 4], 2>::FINGERPRINT),
    ] {
        assert!(text.contains(&fact), "{text}: {fact}");
    }
    let section = Section::open(&name).unwrap();
    let mutex = SharedMutex::<u64>::open(&section, 0).unwrap_err();
    assert_eq!(mutex.kind(), ErrorKind::WrongKind);
    assert!(mutex.to_string().contains("it is typed memory"), "{mutex}");
}

#[test]
fn memory_that_cannot_be_typed_is_refused() {
    let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
    let refused = |offset, kind| {
        let error = Shared::<AtomicU32>::open_or_init(&section, offset, |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    };
    refused(4, ErrorKind::InvalidInput);
    refused(4096 - 64, ErrorKind::OutOfRange);
    refused(u64::MAX - 7, ErrorKind::OutOfRange);
    let odd = Shared::<AtomicU32>::map(&section, 2).unwrap_err();
    assert_eq!(odd.kind(), ErrorKind::InvalidInput);
    section.map().unwrap().write_at(32, b"text").unwrap();
    refused(0, ErrorKind::Corrupted);
    let short = unique("short");
    let _short = SectionOptions::new().len(1).create_new(&short).unwrap();
    let error = Shared::<Racy<[u8; 5000]>>::open_or_create(&short).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
}

#[test]
fn a_cell_of_other_memory_has_no_writer_there() {
    let [one, other] = [(); 2].map(|()| {
        let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
        Shared::<SeqLock<u64>>::map(&section, 0).unwrap()
    });
    assert_eq!(one.writer(&other).unwrap_err().kind(), ErrorKind::InvalidInput);
    let writer = one.writer(&one.clone()).unwrap();
    writer.write(&3).unwrap();
    // The writer keeps the memory mapped.
    drop(one);
    writer.update(|value| *value += 1).unwrap();
}

#[test]
fn a_value_is_never_read_half_written_while_two_writers_replace_it() {
    const ROUNDS: u64 = 20_000;
    type Large = [u64; 100];
    let name = unique("typed");
    let value = Shared::<SeqLock<Large>>::open_or_create(&name).unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let value = Shared::<SeqLock<Large>>::open(&name).unwrap();
                let writer = value.writer(&value).unwrap();
                for _ in 0..ROUNDS {
                    writer
                        .update(|value| value.iter_mut().for_each(|number| *number += 1))
                        .unwrap();
                }
            });
        }
        let reader = Shared::<SeqLock<Large>>::open_read_only(&name).unwrap();
        let (mut last, mut copy) = (0, [0; 100]);
        while last < 2 * ROUNDS {
            reader.read_into(&mut copy);
            assert!(copy.iter().all(|number| *number == copy[0]), "{copy:?}");
            assert!(copy[0] >= last, "the value went back");
            last = copy[0];
        }
    });
    assert_eq!(value.read(), [2 * ROUNDS; 100]);
}

#[test]
fn a_wait_for_a_word_ends_with_its_change_or_with_its_time() {
    const LONG: Duration = Duration::from_secs(30);
    let name = unique("typed");
    let word = Shared::<AtomicU32>::open_or_create(&name).unwrap();
    let other = Shared::<AtomicU32>::open(&name).unwrap();
    let reader = Shared::<AtomicU32>::open_read_only(&name).unwrap();
    for time in [Duration::ZERO, Duration::from_millis(20)] {
        let start = Instant::now();
        assert_eq!(word.wait_while_for(0, time), None);
        assert_eq!(reader.wait_while_until(0, start + time), None);
        assert!(start.elapsed() >= time);
    }
    assert_eq!(reader.wait_while(1), 0);
    thread::scope(|scope| {
        let waiters = [
            scope.spawn(|| other.wait_while(0)),
            scope.spawn(|| reader.wait_while_for(0, LONG).unwrap()),
            scope.spawn(|| reader.wait_while_until(0, Instant::now() + LONG).unwrap()),
        ];
        word.store(7, Relaxed);
        word.wake_all();
        assert_eq!(waiters.map(|waiter| waiter.join().unwrap()), [7; 3]);
    });
    // Waiters also notice a change without a wake-up. A process makes such a change if it is killed
    // before the wake-up.
    thread::scope(|scope| {
        let waiter = scope.spawn(|| reader.wait_while_for(7, LONG));
        thread::sleep(Duration::from_millis(20));
        word.store(8, Relaxed);
        assert_eq!(waiter.join().unwrap(), Some(8));
    });
    let (first, second) = (&word, &other);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in (8..1000).step_by(2) {
                assert_eq!(first.wait_while(number), number + 1);
                first.store(number + 2, Relaxed);
                first.wake_one();
            }
        });
        for number in (9..1000).step_by(2) {
            second.store(number, Relaxed);
            second.wake_one();
            assert_eq!(second.wait_while(number), number + 1);
        }
    });
}

#[test]
fn a_value_that_is_larger_than_the_stack_is_copied_by_way_of_the_heap() {
    type Large = [u64; 2 << 20];
    let test = || {
        let len = SharedMutex::<Large>::LEN;
        let section = SectionOptions::new().len(len).create_unnamed().unwrap();
        let mutex = SharedMutex::<Large>::open_or_zeroed(&section, 0).unwrap();
        let mut guard = mutex.lock().unwrap();
        let mut value = guard.get_boxed();
        value.fill(7);
        guard.set(&value);
        value.fill(0);
        guard.read_into(&mut value);
        assert!(value.iter().all(|number| *number == 7));
        // Single elements are changed in place.
        guard.as_cell_mut().as_array()[9].set(&8);
        assert_eq!((guard.as_cell().as_array()[9].get(), guard.get_boxed()[9]), (8, 8));
        drop(guard);
        let section = SectionOptions::new().len(len).create_unnamed().unwrap();
        let mutex = SharedMutex::<Large>::open_or_init_with(&section, 0, |value| {
            value.as_array()[3].set(&5);
            Ok(())
        });
        assert_eq!(mutex.unwrap().lock().unwrap().get_boxed()[2..4], [0, 5]);
    };
    thread::Builder::new().stack_size(1 << 20).spawn(test).unwrap().join().unwrap();
}
