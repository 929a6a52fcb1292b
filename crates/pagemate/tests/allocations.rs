//! Counts the allocations of opening, mapping and closing a section, and of messages.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::request::{Client, Server};
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{Kind, Options, Receiver, RecvError, SendError, Sender, watch};
use pagemate::{Section, SectionOptions};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator with a count of the allocations of each thread.
struct Counting;

// SAFETY: every call is passed to `System` unchanged, and `System` implements the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: by the contract of `alloc`, the caller passes a layout of non-zero size, as
        // `System.alloc` requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: by the contract of `dealloc`, `at` was allocated by this allocator, so by `System`,
        // with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(body: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.with(Cell::get);
    let result = body();
    (COUNT.with(Cell::get) - before, result)
}

#[test]
fn opening_allocates_once() {
    // Remove the variable, because reading its value allocates memory. SAFETY: no other thread of
    // this test reads the environment.
    unsafe { std::env::remove_var("PAGEMATE_DIR") };
    for namespace in ["", r"Global\"] {
        let name = format!("{namespace}pagemate-allocations-{}", std::process::id());
        let _made = SectionOptions::new().len(4096).create_new(&name).unwrap();
        // The first use of a directory caches its descriptor, and the first view reads the page size.
        drop(Section::open(&name).unwrap().map().unwrap());
        let (count, section) = allocations(|| Section::open(&name).unwrap());
        assert_eq!(count, 1, "{name}");
        let (count, ()) = allocations(|| drop(section.map().unwrap()));
        assert_eq!(count, 0, "mapping {name}");
        let (count, ()) = allocations(|| drop(section));
        assert_eq!(count, 0, "closing {name}");
    }
}

/// Returns a name that no other channel of this test has.
fn name(what: &str) -> String {
    format!("pagemate-allocations-{what}-{}", std::process::id())
}

/// Passes messages in every way but in batches of received ones, which fill a vector of the caller.
fn pass_messages<K: Kind, const WORDS: usize>(what: &str, options: &mut Options) {
    let name = name(what);
    let mut sender: Sender<K, [u64; WORDS]> = options.capacity(4).create_new(&name).unwrap();
    let mut receiver: Receiver<K, [u64; WORDS]> = options.open(&name).unwrap();
    let (count, ()) = allocations(|| {
        for number in 0..100 {
            let message = [number; WORDS];
            sender.send(&message).unwrap();
            assert_eq!(receiver.recv(), Ok(message));
            let mut loan = sender.loan().unwrap();
            loan.write(&message);
            loan.send().unwrap();
            assert_eq!(receiver.sample().unwrap().read(), message);
            sender.send_all(&[message; 2]).unwrap();
            assert_eq!(receiver.try_recv(), Ok(message));
            assert_eq!(receiver.recv(), Ok(message));
            // These waits sleep.
            let time = Duration::from_micros(10);
            assert_eq!(receiver.recv_timeout(time), Err(RecvError::TimedOut));
        }
    });
    assert_eq!(count, 0, "{what}, {WORDS} words");
}

#[test]
fn messages_allocate_nothing() {
    pass_messages::<Spsc, 8>("spsc", &mut Options::new());
    pass_messages::<Spsc, 600>("spsc", &mut Options::new());
    pass_messages::<Mpmc, 8>("mpmc", &mut Options::new());
    pass_messages::<Mpmc, 600>("mpmc", &mut Options::new());
    for lossy in [false, true] {
        pass_messages::<Broadcast, 8>("broadcast", Options::new().lossy(lossy));
        pass_messages::<Broadcast, 600>("broadcast", Options::new().lossy(lossy));
    }
    let name = name("watch");
    let mut writer = watch::Writer::<[u64; 8]>::create_new(&name).unwrap();
    let mut reader = watch::Reader::<[u64; 8]>::open(&name).unwrap();
    let (count, ()) = allocations(|| {
        for number in 0..100 {
            writer.write(&[number; 8]).unwrap();
            assert_eq!(reader.changed(), Ok([number; 8]));
        }
    });
    assert_eq!(count, 0);
}

/// The table of requests under way has room for a few of them from the first one on.
#[test]
fn requests_allocate_nothing() {
    let name = name("request");
    let mut client = Client::<u64, u64>::open_or_create(&name).unwrap();
    let mut server = Server::<u64, u64>::open(&name).unwrap();
    let mut pass = || {
        client.send(&1).unwrap();
        server.recv().unwrap().respond(&2).unwrap();
        assert_eq!(client.recv().unwrap().response, Ok(2));
    };
    pass();
    let (count, ()) = allocations(|| (0..100).for_each(|_| pass()));
    assert_eq!(count, 0);
}

#[test]
fn calls_that_fail_at_once_allocate_nothing() {
    fn check<K: Kind>(kind: &str) {
        let name = name(&format!("failing-{kind}"));
        let mut options = Options::new();
        let mut sender: Sender<K, u64> = options.capacity(4).create_new(&name).unwrap();
        let mut receiver: Receiver<K, u64> = options.open(&name).unwrap();
        let mut room = Vec::new();
        let (count, ()) = allocations(|| {
            // Some of the calls test whether the peers are alive.
            for _ in 0..100 {
                assert_eq!(receiver.try_recv(), Err(RecvError::Empty));
                assert_eq!(receiver.try_recv_many(&mut room, 4), Err(RecvError::Empty));
                assert!(receiver.try_sample().is_err());
            }
            while sender.try_send(&1).is_ok() {}
            for _ in 0..100 {
                assert_eq!(sender.try_send(&1), Err(SendError::Full));
                assert_eq!(sender.try_send_many(&[1]), Err(SendError::Full));
                assert!(sender.try_loan().is_err());
            }
        });
        assert_eq!(count, 0, "{kind}");
        let (count, ()) = allocations(|| {
            std::thread::sleep(Duration::from_millis(150));
            assert_eq!(sender.try_send(&1), Err(SendError::Full));
            assert_eq!(sender.try_send(&1), Err(SendError::Full));
        });
        assert_eq!(count, 0, "{kind}, with a test of the liveness of peers");
        drop(receiver);
        let (count, _) = allocations(|| (0..100).map(|_| sender.try_send(&1)).last());
        assert_eq!(count, 0, "{kind}, disconnected");
    }
    check::<Spsc>("spsc");
    check::<Mpmc>("mpmc");
    check::<Broadcast>("broadcast");
    let name = name("no-value");
    let mut reader = watch::Reader::<u64>::create_new(&name).unwrap();
    let mut bytes = watch::Writer::<[u8]>::create_new(format!("{name}-bytes")).unwrap();
    let long = vec![0; bytes.max_len() + 1];
    let (count, ()) = allocations(|| {
        assert_eq!(reader.read(), Err(RecvError::Empty));
        assert_eq!(bytes.write(&long), Err(SendError::WrongLength));
    });
    assert_eq!(count, 0, "watch");
}
