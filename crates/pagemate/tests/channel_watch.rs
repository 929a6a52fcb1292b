//! Channels that have the latest value, in one process.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pagemate::channel::watch::{Reader, Writer};
use pagemate::channel::{Options, RecvError, SendError, Waiting, spsc};
use pagemate::{ErrorKind, SectionOptions};

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(20);

fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("watch-{what}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn readers_get_the_latest_value_and_its_version() {
    let name = unique("latest");
    let mut writer = Writer::<u64>::create_new(&name).unwrap();
    let mut early = Reader::<u64>::open(&name).unwrap();
    assert!(writer.was_created() && !early.was_created());
    assert_eq!(early.read(), Err(RecvError::Empty));
    assert_eq!((early.version(), early.latest_version(), early.has_changed()), (0, 0, false));
    for version in 1..=10 {
        writer.write(&(version * 7)).unwrap();
        assert_eq!(writer.version(), version);
        assert!(early.has_changed());
        assert_eq!(early.read(), Ok(version * 7));
        assert_eq!(early.read(), Ok(version * 7), "a value is not consumed");
        assert_eq!((early.version(), early.has_changed()), (version, false));
    }
    let mut late = Reader::<u64>::open(&name).unwrap();
    assert!(late.has_changed());
    assert_eq!(late.changed(), Ok(70));
    assert_eq!(late.wait_for_change_timeout(SHORT), Err(RecvError::TimedOut));
    assert_eq!(late.version(), 10);
}

#[test]
fn either_side_may_come_first_and_the_value_stays_without_the_writer() {
    let name = unique("first");
    let mut reader = Reader::<u32>::open_or_create(&name).unwrap();
    assert!(reader.was_created());
    assert!(!reader.has_writer().unwrap());
    assert!(!reader.wait_for_writer(Duration::ZERO).unwrap());
    assert_eq!(reader.wait_for_change_timeout(SHORT), Err(RecvError::TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = Writer::<u32>::open_or_create(&name).unwrap();
            assert!(!writer.was_created());
            writer.write(&7).unwrap();
        });
        assert_eq!(reader.changed(), Ok(7));
    });
    assert!(!reader.has_writer().unwrap());
    assert_eq!(reader.read(), Ok(7));
    assert_eq!(reader.wait_for_change(), Err(RecvError::Disconnected));
    let mut writer = Writer::<u32>::open(&name).unwrap();
    assert_eq!(writer.version(), 1, "the next writer continues the count");
    writer.write(&8).unwrap();
    assert_eq!((reader.changed(), reader.version()), (Ok(8), 2));
    assert!(reader.has_writer().unwrap());
}

#[test]
fn a_second_live_writer_is_refused_and_readers_are_not() {
    let name = unique("second");
    let writer = Writer::<u32>::create_new(&name).unwrap();
    let second = Writer::<u32>::open(&name).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::AlreadyExists);
    assert!(second.to_string().contains("writer"), "{second}");
    let readers: Vec<_> = (0..100).map(|_| Reader::<u32>::open(&name).unwrap()).collect();
    drop(writer);
    drop(Writer::<u32>::open(&name).unwrap());
    drop(readers);
    assert_eq!(Reader::<u32>::open(&name).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn an_endpoint_that_awaits_a_successor_times_out_instead() {
    let name = unique("await");
    let mut reader: Reader<u64> = Options::new().await_successor(true).create_new(&name).unwrap();
    drop(Writer::<u64>::open(&name).unwrap());
    assert_eq!(reader.wait_for_change_timeout(SHORT), Err(RecvError::TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| Writer::<u64>::open(&name).unwrap().write(&1).unwrap());
        assert_eq!(reader.changed(), Ok(1));
    });
}

#[test]
fn values_are_written_in_place_and_a_dropped_loan_changes_nothing() {
    let name = unique("place");
    let mut writer = Writer::<[u64; 100]>::create_new(&name).unwrap();
    let mut reader = Reader::<[u64; 100]>::open(&name).unwrap();
    for i in 1..20 {
        let mut loan = writer.loan().unwrap();
        loan.write(&[i + 1000; 100]);
        assert!(loan.as_mut_ptr().is_aligned());
        if i % 3 == 0 {
            drop(loan);
            assert_eq!(reader.read(), Ok([i - 1; 100]));
            loan = writer.loan().unwrap();
        }
        loan.write(&[i; 100]);
        loan.write_at(792, &i.to_ne_bytes());
        loan.publish().unwrap();
        assert_eq!((reader.read(), reader.version()), (Ok([i; 100]), i));
    }
}

#[test]
fn bytes_of_different_lengths_are_values_too() {
    let name = unique("bytes");
    let mut writer: Writer<[u8]> = Options::new().max_len(10).create_new(&name).unwrap();
    let mut reader = Reader::<[u8]>::open(&name).unwrap();
    assert_eq!((writer.max_len(), reader.max_len()), (10, 10));
    for value in [&b"one"[..], b"", b"0123456789"] {
        writer.write(value).unwrap();
        assert_eq!(reader.read().unwrap(), value);
    }
    assert_eq!(writer.write(&[0; 11]), Err(SendError::WrongLength));
    let mut loan = writer.loan().unwrap();
    loan.write_at(0, b"abcdef");
    assert_eq!(loan.publish(11), Err(SendError::WrongLength));
    let mut loan = writer.loan().unwrap();
    loan.write_at(0, b"abcdef");
    loan.publish(4).unwrap();
    let mut into = Vec::new();
    reader.read_into(&mut into).unwrap();
    assert_eq!((&into[..], reader.version()), (&b"abcd"[..], 4));
}

#[test]
fn values_larger_than_the_stack_are_read_and_written() {
    const LEN: usize = 8 << 20;
    let name = unique("large");
    let thread = thread::Builder::new().stack_size(256 << 10).spawn(move || {
        let mut writer = Writer::<[u8; LEN]>::create_new(&name).unwrap();
        let mut reader = Reader::<[u8; LEN]>::open(&name).unwrap();
        let boxed = |byte| -> Box<[u8; LEN]> { vec![byte; LEN].try_into().unwrap() };
        let mut into = boxed(0);
        for byte in 1..6 {
            writer.write(&boxed(byte)).unwrap();
            reader.read_into(&mut into).unwrap();
            assert!(into.iter().all(|found| *found == byte));
        }
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn readers_never_see_a_mixture_and_get_through_while_the_writer_writes_all_the_time() {
    fn check<const WORDS: usize>(count: u64) {
        let name = unique("mixture");
        let mut writer = Writer::<[u64; WORDS]>::create_new(&name).unwrap();
        writer.write(&[0; WORDS]).unwrap();
        let (done, name) = (AtomicBool::new(false), &name);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut reader = Reader::<[u64; WORDS]>::open(name).unwrap();
                    let mut last = 0;
                    while !done.load(Ordering::Relaxed) {
                        let value = reader.read().unwrap();
                        assert!(value.iter().all(|word| *word == value[0]), "{value:?}");
                        assert_eq!(value[0] + 1, reader.version());
                        assert!(value[0] >= last, "the value went back");
                        last = value[0];
                    }
                });
            }
            for i in 1..=count {
                writer.write(&[i; WORDS]).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
    }
    check::<1>(100_000);
    check::<8>(100_000);
    check::<1000>(2_000);
}

#[test]
fn all_sleeping_readers_are_woken() {
    for waiting in [Waiting::SpinThenSleep, Waiting::Spin, Waiting::Sleep] {
        let name = unique("wake");
        let mut writer = Writer::<u64>::create_new(&name).unwrap();
        // Spinning threads keep the writer from running where there are few processors.
        let readers = if waiting == Waiting::Spin { 1 } else { 5 };
        let seen = &[const { AtomicU32::new(0) }; 5];
        thread::scope(|scope| {
            for seen in &seen[..readers] {
                let name = &name;
                scope.spawn(move || {
                    let mut reader: Reader<u64> =
                        Options::new().waiting(waiting).open(name).unwrap();
                    while reader.changed().unwrap() < 50 {
                        seen.store(reader.version().try_into().unwrap(), Ordering::Release);
                    }
                });
            }
            let start = Instant::now();
            for i in 1..=50 {
                writer.write(&i).unwrap();
                while i < 50
                    && seen[..readers]
                        .iter()
                        .any(|seen| u64::from(seen.load(Ordering::Acquire)) < i)
                {
                    assert!(start.elapsed() < LONG);
                    thread::yield_now();
                }
            }
        });
    }
}

#[test]
fn a_waiting_reader_notices_soon_that_the_writer_is_dropped() {
    let name = unique("dropped");
    let writer = Writer::<u64>::create_new(&name).unwrap();
    let mut reader = Reader::<u64>::open(&name).unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        let blocked = scope.spawn(move || reader.changed());
        thread::sleep(SHORT);
        drop(writer);
        assert_eq!(blocked.join().unwrap(), Err(RecvError::Disconnected));
    });
    assert!(start.elapsed() < LONG);
}

#[test]
fn other_types_kinds_and_objects_are_refused() {
    let name = unique("types");
    let _writer = Writer::<u64>::create_new(&name).unwrap();
    for error in [
        Reader::<u32>::open(&name).unwrap_err(),
        Reader::<[u8; 8]>::open_or_create(&name).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::WrongKind, "{error}");
    }
    let error = spsc::Receiver::<u64>::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKind);
    assert!(error.to_string().contains("watch"), "{error}");
    let name = unique("spsc");
    let _sender = spsc::Sender::<u64>::create_new(&name).unwrap();
    let error = Reader::<u64>::open(&name).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKind);
    assert!(error.to_string().contains("spsc"), "{error}");
    let name = unique("section");
    let section = SectionOptions::new().len(4096).create_new(&name).unwrap();
    section.map().unwrap().write_at(0, &[1; 100]).unwrap();
    assert_eq!(Reader::<u64>::open(&name).unwrap_err().kind(), ErrorKind::WrongKind);
}

#[cfg(unix)]
#[test]
fn the_inventory_lists_the_writer_and_counts_the_values() {
    use pagemate::inventory::{State, find};

    let name = unique("listed");
    let mut writer = Writer::<u64>::create_new(&name).unwrap();
    let _reader = Reader::<u64>::open(&name).unwrap();
    (0..3).for_each(|i| writer.write(&i).unwrap());
    let state = |name: &str| match find(name).unwrap().state.unwrap() {
        State::Channel { senders, sent, pending, .. } => (senders, sent, pending),
        state => panic!("{state:?}"),
    };
    assert_eq!(state(&name), (1, 3, 0));
    drop(writer);
    assert_eq!(state(&name), (0, 3, 0));
}
