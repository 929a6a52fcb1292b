//! The behaviour of Win32's sync objects on every platform, as numbered statements (*rows*).
//!
//! `win32_rows.rs` explains the rows, and both files share one numbering. Several tests may belong
//! to one row.
#![allow(clippy::print_stdout, reason = "a failing row prints its name")]

mod harness;

use std::mem::forget;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use std::{any, thread};

use harness::{Actor, Place, unique};
use pagemate::sync::{
    Event, EventOptions, Mutex, MutexOptions, Permit, Reset, Semaphore, SemaphoreOptions,
    SharedMutex, Waitable, try_wait_any, wait_all, wait_all_for, wait_any, wait_any_for,
};
use pagemate::{Access, ErrorKind, Result, Section, SectionOptions, Sharing};

/// The row's number, its statement in terms of pagemate, and its test.
type Row = (u32, &'static str, fn());

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (20, "a name belongs to one object of one kind", one_space_of_names),
    (89, "a name ends with its last handle, and the next object of that name is new", name_dies),
    (89, "the end of a process, of any kind, releases its names", ends_let_go),
    (90, "one thread at a time owns a mutex, and only the owner can unlock it", one_thread_at_a_time),
    (90, "of many concurrent threads one owns the mutex at a time", one_of_many),
    (90, "opening an existing mutex does not lock it, even with `locked`", found_is_not_had),
    (90, "a thread that ends as the owner abandons the mutex, and the next owner is told", thread_ends),
    (90, "so does a process, at any kind of end", process_ends),
    (90, "a waiter is told even if it is the only holder left", only_the_waiter_is_left),
    (90, "a mutex beside its value is abandoned too, even if its owner was the only holder", beside_its_value),
    (91, "using an object changes it, so that sharing for reading is refused", shared_for_use),
    (92, "a manual-reset event stays set for all waiters until it is reset", manual_stays_set),
    (92, "an auto-reset event releases one waiter, and setting it twice equals setting it once", automatic_lets_one_go),
    (92, "an opened event keeps its reset mode and its state", found_as_it_is),
    (93, "a pulse releases the present waiters, and leaves the event not set", pulse_lets_go),
    (94, "a count stays between zero and the maximum, and a release past it changes nothing", counts),
    (94, "a release admits as many waiters as it adds permits", lets_in_as_many),
    (95, "one to 64 different objects can be waited for", one_to_sixty_four),
    (95, "waiting for any acquires only the first available object of the list", any_is_the_first),
    (95, "waiting for all acquires all together, and none before", all_or_none),
    (95, "an abandoned mutex among several is reported", abandoned_among_several),
    (95, "a wait ends at its timeout, and not before", time_is_up),
    (95, "a timeout may be longer than the kernel can count", waits_for_ages),
];

#[test]
fn actor() {
    harness::actor();
}

#[test]
fn every_row_holds() {
    let mut broken = Vec::new();
    for (row, sentence, test) in ROWS {
        if thread::spawn(test).join().is_err() {
            println!("row {row} is broken: {sentence}");
            broken.push((*row, *sentence));
        }
    }
    assert!(broken.is_empty(), "broken rows: {broken:?}");
}

#[test]
fn rows_are_in_order() {
    assert!(ROWS.is_sorted_by(|(a, ..), (b, ..)| a <= b));
}

/// A timeout that is longer than any operation that does not hang.
const LONG: Duration = Duration::from_secs(30);
/// A time after which a thread that can continue has continued, with high probability.
const SHORT: Duration = Duration::from_millis(20);

#[track_caller]
fn refused<T>(result: Result<T>, kind: ErrorKind) {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(error) => assert_eq!(error.kind(), kind, "{error}"),
    }
}

fn mutex() -> Mutex {
    MutexOptions::new().create_unnamed().unwrap()
}

fn event(reset: Reset, signaled: bool) -> Event {
    EventOptions::new(reset).signaled(signaled).create_unnamed().unwrap()
}

fn semaphore(count: u32, max: u32) -> Semaphore {
    SemaphoreOptions::new(count, max).create_unnamed().unwrap()
}

/// Returns whether the event is signaled. This resets an auto-reset event.
#[track_caller]
fn is_set(event: &Event) -> bool {
    event.try_wait().unwrap()
}

/// A kind of object: its name, and functions that create, open-or-create and open one.
type Kind = (&'static str, Make, Make, Make);
type Make = fn(&str) -> Result<Box<dyn any::Any>>;

const KINDS: [Kind; 4] = [
    (
        "mutex",
        |name| Ok(Box::new(MutexOptions::new().create_new(name)?)),
        |name| Ok(Box::new(MutexOptions::new().open_or_create(name)?)),
        |name| Ok(Box::new(Mutex::open(name)?)),
    ),
    (
        "event",
        |name| Ok(Box::new(EventOptions::new(Reset::Auto).create_new(name)?)),
        |name| Ok(Box::new(EventOptions::new(Reset::Auto).open_or_create(name)?)),
        |name| Ok(Box::new(Event::open(name)?)),
    ),
    (
        "semaphore",
        |name| Ok(Box::new(SemaphoreOptions::new(1, 1).create_new(name)?)),
        |name| Ok(Box::new(SemaphoreOptions::new(1, 1).open_or_create(name)?)),
        |name| Ok(Box::new(Semaphore::open(name)?)),
    ),
    (
        "section",
        |name| Ok(Box::new(SectionOptions::new().len(1).create_new(name)?)),
        |name| Ok(Box::new(SectionOptions::new().len(1).open_or_create(name)?)),
        |name| Ok(Box::new(Section::open(name)?)),
    ),
];

fn one_space_of_names() {
    for (kind, make, ..) in KINDS {
        let name = unique("rows");
        let object = make(&name).unwrap();
        for (other, make, find, open) in KINDS {
            refused(make(&name), ErrorKind::AlreadyExists);
            for result in [find(&name), open(&name), open(&format!(r"Local\{name}"))] {
                if other == kind {
                    drop(result.unwrap());
                } else {
                    refused(result, ErrorKind::WrongKind);
                }
            }
        }
        drop(object);
        for (_, _, _, open) in KINDS {
            refused(open(&name), ErrorKind::NotFound);
        }
    }
    for (_, make, find, open) in KINDS {
        for make in [make, find, open] {
            refused(make("Local"), ErrorKind::WrongKind);
            refused(make(r"a\b"), ErrorKind::InvalidName);
            refused(make(""), ErrorKind::InvalidName);
        }
    }
}

fn name_dies() {
    for (_, make, find, open) in KINDS {
        let name = unique("rows");
        refused(open(&name), ErrorKind::NotFound);
        let (made, found, opened) = (make(&name).unwrap(), find(&name).unwrap(), open(&name));
        drop(made);
        drop(open(&name).unwrap());
        drop(found);
        refused(make(&name), ErrorKind::AlreadyExists);
        drop(opened);
        refused(open(&name), ErrorKind::NotFound);
        make(&name).unwrap();
    }
    let name = unique("rows");
    let made = EventOptions::new(Reset::Manual).signaled(true).open_or_create(&name).unwrap();
    assert!(made.was_created() && is_set(&made) && is_set(&made));
    drop(made);
    let made = EventOptions::new(Reset::Auto).open_or_create(&name).unwrap();
    assert!(made.was_created() && !is_set(&made));
}

fn ends_let_go() {
    let place = Place::new("rows");
    let mut onlooker = place.actor();
    for way in ["exit", "panic", "kill"] {
        let mut holder = place.actor();
        for command in ["mutex m create", "event e create auto", "semaphore s create 1 1"] {
            holder.expect(command, "created");
            onlooker.expect(command, "AlreadyExists");
        }
        holder.end(way);
        for command in ["mutex m open", "event e open", "semaphore s open"] {
            onlooker.expect(command, "NotFound");
        }
    }
    onlooker.end("exit");
    place.assert_empty();
}

fn one_thread_at_a_time() {
    let name = unique("rows");
    let mutex = MutexOptions::new().create_new(&name).unwrap();
    let guard = mutex.lock().unwrap();
    assert!(mutex.is_mine() && !guard.was_abandoned());
    // Windows would grant a recursive lock. pagemate returns an error to the owner.
    refused(mutex.lock(), ErrorKind::InvalidInput);
    refused(mutex.try_lock(), ErrorKind::InvalidInput);
    refused(mutex.try_lock_for(LONG), ErrorKind::InvalidInput);
    refused(wait_any(&[(&mutex).into()]), ErrorKind::InvalidInput);
    refused(wait_all(&[(&mutex).into()]), ErrorKind::InvalidInput);
    let other = Mutex::open(&name).unwrap();
    // Another handle of the owner finds the mutex locked, as another thread does.
    assert!(other.try_lock().unwrap().is_none() && !other.is_mine());
    refused(other.unlock_forgotten(), ErrorKind::NotOwner);
    thread::scope(|scope| {
        for handle in [&mutex, &other] {
            let theirs = scope.spawn(move || {
                assert!(handle.try_lock().unwrap().is_none() && !handle.is_mine());
                refused(handle.unlock_forgotten(), ErrorKind::NotOwner);
            });
            theirs.join().unwrap();
        }
        let (mutex, other) = (&mutex, &other);
        let waits = [mutex, other].map(|handle| {
            scope.spawn(|| handle.try_lock_for(LONG).unwrap().unwrap().was_abandoned())
        });
        drop(guard);
        assert_eq!(waits.map(|waits| waits.join().unwrap()), [false; 2]);
    });
    forget(other.lock().unwrap());
    refused(mutex.unlock_forgotten(), ErrorKind::NotOwner);
    other.unlock_forgotten().unwrap();
    refused(other.unlock_forgotten(), ErrorKind::NotOwner);
    drop(mutex.try_lock().unwrap().unwrap());
}

fn one_of_many() {
    const TURNS: u64 = 50;
    let place = Place::new("rows");
    let mut actors = [(); 4].map(|()| place.actor());
    for actor in &mut actors {
        actor.ask("mutex x share");
        actor.ask("share x-data 4096");
        actor.ask("share y 4096");
        // All actors initialise the mutex at the same time.
        actor.tell("shared-init y");
    }
    for actor in &mut actors {
        for _ in 0..TURNS {
            actor.tell("turn x");
            actor.tell("shared-add y");
        }
    }
    let mut values = Vec::new();
    for actor in &mut actors {
        assert_eq!(actor.reply().as_deref(), Some("ok"));
        for _ in 0..TURNS {
            assert_eq!(actor.reply().as_deref(), Some("ok"));
            let value: u64 = actor.reply().unwrap().strip_prefix("ok ").unwrap().parse().unwrap();
            values.push(value);
        }
    }
    values.sort_unstable();
    assert!(values.into_iter().eq(8..8 + 4 * TURNS));
}

fn found_is_not_had() {
    let place = Place::new("rows");
    let (mut first, mut second) = (place.actor(), place.actor());
    first.expect("mutex x create", "created");
    second.expect("mutex x locked", "opened");
    second.expect("unlock x", "NotOwner");
    first.expect("try-lock x", "ok");
    second.expect("try-lock x", "busy");
    first.expect("unlock x", "ok");
    second.expect("mutex y locked", "created");
    first.expect("mutex y locked", "opened");
    first.expect("try-lock y", "busy");
    second.expect("unlock y", "ok");
    first.expect("try-lock y", "ok");
}

fn thread_ends() {
    let (mutex, other) = (mutex(), mutex());
    let take = || forget((mutex.lock().unwrap(), other.lock().unwrap()));
    thread::scope(|scope| scope.spawn(take).join()).unwrap();
    assert!(!mutex.is_mine());
    let guard = mutex.try_lock_for(LONG).unwrap().unwrap();
    assert!(guard.was_abandoned() && mutex.is_mine());
    drop(guard);
    assert!(!mutex.lock().unwrap().was_abandoned());

    let place = Place::new("rows");
    let (mut holder, mut waiter) = (place.actor(), place.actor());
    holder.expect("mutex x create", "created");
    waiter.expect("mutex x open", "opened");
    holder.expect("thread lock x", "ok");
    waiter.expect("lock-for x 30000", "abandoned");
    waiter.expect("unlock x", "ok");
    holder.expect("try-lock x", "ok");
}

fn process_ends() {
    let place = Place::new("rows");
    for way in ["exit", "panic", "kill"] {
        let (mut holder, mut waiter) = (place.actor(), place.actor());
        holder.expect("mutex x locked", "created");
        waiter.expect("mutex x open", "opened");
        waiter.expect("try-lock x", "busy");
        holder.end(way);
        waiter.expect("lock-for x 30000", "abandoned");
        waiter.expect("unlock x", "ok");
        waiter.expect("try-lock x", "ok");
    }
}

fn only_the_waiter_is_left() {
    let place = Place::new("rows");
    let (mut holder, mut waiter) = (place.actor(), place.actor());
    holder.expect("mutex x locked", "created");
    waiter.expect("mutex x open", "opened");
    waiter.tell("lock x");
    assert_eq!(waiter.has_replied(SHORT), None);
    holder.end("kill");
    assert_eq!(waiter.reply().as_deref(), Some("abandoned"));
    place.actor().expect("mutex x create", "AlreadyExists");
    waiter.expect("unlock x", "ok");
    waiter.end("kill");
    place.actor().expect("mutex x open", "NotFound");
}

fn beside_its_value() {
    let place = Place::new("rows");
    let (mut first, mut second) = (place.actor(), place.actor());
    first.expect("create x 4096", "ok");
    first.expect("shared-init x", "ok");
    second.expect("open x", "ok");
    second.expect("shared-open x", "ok");
    first.expect("shared-add x", "ok 8");
    second.expect("shared-add x", "ok 9");
    first.expect("shared-lock x", "ok 9");
    second.tell("shared-add x");
    assert_eq!(second.has_replied(SHORT), None);
    first.end("kill");
    assert_eq!(second.reply().as_deref(), Some("abandoned 10"));
    second.expect("shared-add x", "ok 11");

    // The first process holds the section, but only the dying process has the lock open.
    second.expect("drop x", "ok");
    for way in ["kill", "exit"] {
        let mut third = place.actor();
        third.expect("open x", "ok");
        third.expect("shared-init x", "ok");
        third.expect("shared-lock x", "ok 11");
        third.end(way);
        second.expect("shared-open x", "ok");
        second.expect("shared-lock x", "abandoned 11");
        second.end("kill");
        second = place.actor();
        second.expect("create x 4096", "ok");
        second.expect("shared-init x", "ok");
        for value in 8..12 {
            second.expect("shared-add x", &format!("ok {value}"));
        }
        second.expect("drop x", "ok");
    }

    let section = SectionOptions::new().len(4096).create_new(unique("rows")).unwrap();
    let shared = [64, 192, 64].map(|at| SharedMutex::open_or_init(&section, at, || 1_u64).unwrap());
    let mut guard = shared[0].lock().unwrap();
    shared[1].lock().unwrap().set(&2);
    assert!(shared[2].try_lock().unwrap().is_none());
    refused(shared[0].try_lock(), ErrorKind::InvalidInput);
    guard.set(&3);
    drop(guard);
    assert_eq!(shared.map(|shared| shared.lock().unwrap().get()), [3, 2, 3]);
}

fn shared_for_use() {
    for sharing in [Sharing::Group(Access::ReadWrite), Sharing::Everyone(Access::ReadWrite)] {
        let names = [unique("rows"), unique("rows"), unique("rows")];
        let mutex = MutexOptions::new().sharing(sharing).create_new(&names[0]).unwrap();
        let event = EventOptions::new(Reset::Auto).sharing(sharing).create_new(&names[1]).unwrap();
        let semaphore = SemaphoreOptions::new(0, 1).sharing(sharing).create_new(&names[2]).unwrap();
        drop(Mutex::open(&names[0]).unwrap().lock().unwrap());
        Event::open(&names[1]).unwrap().set().unwrap();
        assert_eq!(Semaphore::open(&names[2]).unwrap().release(1).unwrap(), 0);
        assert!(mutex.try_lock().unwrap().is_some() && is_set(&event));
        assert!(semaphore.try_acquire().unwrap().is_some());
    }
    for sharing in [Sharing::Group(Access::Read), Sharing::Everyone(Access::Read)] {
        let (mut mutex, mut event) = (MutexOptions::new(), EventOptions::new(Reset::Auto));
        let mut semaphore = SemaphoreOptions::new(0, 1);
        mutex.sharing(sharing);
        event.sharing(sharing);
        semaphore.sharing(sharing);
        let name = unique("rows");
        let all_refused = || {
            refused(mutex.create_new(&name), ErrorKind::InvalidInput);
            refused(mutex.open_or_create(&name), ErrorKind::InvalidInput);
            refused(mutex.create_unnamed(), ErrorKind::InvalidInput);
            refused(event.create_new(&name), ErrorKind::InvalidInput);
            refused(event.create_unnamed(), ErrorKind::InvalidInput);
            refused(semaphore.create_new(&name), ErrorKind::InvalidInput);
            refused(semaphore.create_unnamed(), ErrorKind::InvalidInput);
        };
        all_refused();
        let _held = MutexOptions::new().create_new(&name).unwrap();
        all_refused();
    }
}

/// Starts several actors that each wait for the event `x`.
fn watchers(place: &Place) -> [Actor; 3] {
    [(); 3].map(|()| {
        let mut actor = place.actor();
        actor.expect("event x open", "opened");
        actor.tell("wait x 30000");
        actor
    })
}

fn manual_stays_set() {
    let event = event(Reset::Manual, false);
    assert!(!is_set(&event));
    event.set().unwrap();
    for _ in 0..3 {
        assert!(is_set(&event));
        event.wait().unwrap();
    }
    event.reset().unwrap();
    event.reset().unwrap();
    assert!(!is_set(&event));

    let place = Place::new("rows");
    let mut setter = place.actor();
    setter.expect("event x create manual", "created");
    let waiters = watchers(&place);
    setter.expect("set x", "ok");
    let mut late = place.actor();
    late.expect("event x open", "opened");
    for mut waiter in waiters {
        assert_eq!(waiter.reply().as_deref(), Some("ok"));
    }
    late.expect("wait x 30000", "ok");
    setter.expect("reset x", "ok");
    late.expect("wait x 1", "timeout");
}

fn automatic_lets_one_go() {
    let event = event(Reset::Auto, true);
    assert!(is_set(&event) && !is_set(&event));
    event.set().unwrap();
    event.set().unwrap();
    assert!(is_set(&event) && !is_set(&event));
    event.set().unwrap();
    event.reset().unwrap();
    assert!(!is_set(&event));

    let place = Place::new("rows");
    let mut setter = place.actor();
    setter.expect("event x create auto", "created");
    let mut waiters: Vec<_> = watchers(&place).into();
    while !waiters.is_empty() {
        setter.expect("set x", "ok");
        // Exactly one of them is released eventually.
        let end = Instant::now() + LONG;
        let gone = loop {
            let replied =
                |waiter: &mut Actor| waiter.has_replied(Duration::from_millis(1)).is_some();
            if let Some(index) = waiters.iter_mut().position(replied) {
                break index;
            }
            assert!(Instant::now() < end, "nobody was let go");
        };
        drop(waiters.swap_remove(gone));
        for waiter in &mut waiters {
            assert_eq!(waiter.has_replied(SHORT), None);
        }
    }
    setter.expect("wait x 0", "timeout");
}

fn found_as_it_is() {
    let name = unique("rows");
    let made = EventOptions::new(Reset::Manual).signaled(true).create_new(&name).unwrap();
    let found = EventOptions::new(Reset::Auto).open_or_create(&name).unwrap();
    assert!(!found.was_created() && is_set(&found) && is_set(&found) && is_set(&made));
    found.reset().unwrap();
    let found = EventOptions::new(Reset::Auto).signaled(true).open_or_create(&name).unwrap();
    assert!(!is_set(&found) && !is_set(&made));
}

fn pulse_lets_go() {
    for (reset, word) in [(Reset::Manual, "manual"), (Reset::Auto, "auto")] {
        let event = event(reset, false);
        // Without waiters a pulse has no effect.
        event.pulse().unwrap();
        assert!(!is_set(&event), "{word}");
        event.set().unwrap();
        event.pulse().unwrap();
        assert!(!is_set(&event), "{word}");

        let place = Place::new("rows");
        let mut setter = place.actor();
        setter.expect(&format!("event x create {word}"), "created");
        for mut waiter in watchers(&place) {
            // A thread that has not begun to wait misses the pulse, so repeat the pulse.
            let end = Instant::now() + LONG;
            let reply = loop {
                setter.expect("pulse x", "ok");
                if let Some(reply) = waiter.has_replied(Duration::from_millis(1)) {
                    break reply;
                }
                assert!(Instant::now() < end, "{word}: nobody was let go");
            };
            assert_eq!(reply, "ok", "{word}");
        }
        setter.expect("wait x 0", "timeout");
    }
}

fn counts() {
    let name = unique("rows");
    let made = SemaphoreOptions::new(1, 3).create_new(&name).unwrap();
    let found = SemaphoreOptions::new(0, 9).open_or_create(&name).unwrap();
    assert!(made.was_created() && !found.was_created());
    assert_eq!(found.release(2).unwrap(), 1);
    refused(found.release(1), ErrorKind::OutOfRange);
    refused(found.release(i32::MAX.cast_unsigned()), ErrorKind::OutOfRange);
    refused(found.release(u32::MAX), ErrorKind::OutOfRange);
    refused(found.release(0), ErrorKind::InvalidInput);
    for _ in 0..3 {
        made.acquire().unwrap().forget();
    }
    assert!(made.try_acquire().unwrap().is_none());
    assert!(found.try_acquire_for(SHORT).unwrap().is_none());
    refused(made.release(4), ErrorKind::OutOfRange);
    assert!(made.try_acquire().unwrap().is_none());

    let most = i32::MAX.cast_unsigned();
    let full = semaphore(most, most);
    refused(full.release(1), ErrorKind::OutOfRange);
    full.acquire().unwrap().forget();
    assert_eq!(full.release(1).unwrap(), most - 1);
    for (count, max) in [(0, 0), (2, 1), (0, most + 1), (u32::MAX, u32::MAX)] {
        let options = SemaphoreOptions::new(count, max);
        refused(options.create_unnamed(), ErrorKind::InvalidInput);
        refused(options.create_new(unique("rows")), ErrorKind::InvalidInput);
        refused(options.open_or_create(&name), ErrorKind::InvalidInput);
    }
}

fn lets_in_as_many() {
    let place = Place::new("rows");
    let mut maker = place.actor();
    maker.expect("semaphore x create 0 2", "created");
    let mut waiters = [(); 3].map(|()| {
        let mut actor = place.actor();
        actor.expect("semaphore x open", "opened");
        actor.tell("acquire x 30000");
        actor
    });
    maker.expect("release x 2", "0");
    let end = Instant::now() + LONG;
    let mut let_in = 0;
    while let_in < 2 {
        let replied = |waiter: &mut Actor| {
            waiter.has_replied(Duration::from_millis(1)).as_deref() == Some("ok")
        };
        let_in += waiters.iter_mut().map(replied).filter(|replied| *replied).count();
        assert!(Instant::now() < end, "{let_in} of two were let in");
    }
    assert!(waiters.iter_mut().all(|waiter| waiter.has_replied(SHORT).is_none()));
    maker.expect("release x 1", "0");
    let reply = loop {
        let replied = |waiter: &mut Actor| waiter.has_replied(Duration::from_millis(1));
        if let Some(reply) = waiters.iter_mut().find_map(replied) {
            break reply;
        }
        assert!(Instant::now() < end, "the last was not let in");
    };
    assert_eq!(reply, "ok");
    // Permits of killed processes are lost.
    drop(waiters);
    maker.expect("acquire x 0", "timeout");
}

fn one_to_sixty_four() {
    let events: Vec<Event> = (0..65).map(|_| event(Reset::Auto, false)).collect();
    let list: Vec<Waitable<'_>> = events.iter().map(Waitable::from).collect();
    for wrong in [&list[..0], &list, &[list[0], list[1], list[0]]] {
        refused(wait_any(wrong), ErrorKind::InvalidInput);
        refused(wait_all(wrong), ErrorKind::InvalidInput);
    }
    let list = &list[..64];
    assert!(wait_any_for(list, SHORT).unwrap().is_none());
    events[63].set().unwrap();
    assert_eq!(wait_any(list).unwrap().index, 63);
    thread::scope(|scope| {
        let waits = scope.spawn(|| wait_all_for(list, LONG).unwrap().unwrap().len());
        events.iter().rev().for_each(|event| event.set().unwrap());
        assert_eq!(waits.join().unwrap(), 64);
    });
}

fn any_is_the_first() {
    let (mutex, auto, semaphore) = (mutex(), event(Reset::Auto, true), semaphore(1, 1));
    let list: [Waitable<'_>; 3] = [(&semaphore).into(), (&auto).into(), (&mutex).into()];
    let first = wait_any(&list).unwrap();
    assert_eq!(first.index, 0);
    assert_eq!(wait_any(&list).unwrap().index, 1);
    let had = wait_any(&list).unwrap();
    assert!(had.index == 2 && mutex.is_mine());
    assert!(!had.guard.as_ref().unwrap().was_abandoned());
    drop(had);
    assert!(!mutex.is_mine());
    let rest = &list[..2];
    assert!(wait_any_for(rest, SHORT).unwrap().is_none());
    auto.set().unwrap();
    drop(first);
    let first = wait_any_for(rest, SHORT).unwrap().unwrap();
    assert_eq!(first.index, 0);
    assert_eq!(try_wait_any(rest).unwrap().unwrap().index, 1);
}

fn all_or_none() {
    let (mutex, semaphore) = (mutex(), semaphore(1, 2));
    let (auto, missing) = (event(Reset::Auto, true), event(Reset::Auto, false));
    let manual = event(Reset::Manual, true);
    let list: [Waitable<'_>; 5] =
        [(&auto).into(), (&mutex).into(), (&semaphore).into(), (&manual).into(), (&missing).into()];
    for time in [Duration::ZERO, SHORT] {
        assert!(wait_all_for(&list, time).unwrap().is_none());
        assert!(!mutex.is_mine());
    }
    thread::scope(|scope| {
        let (say, said) = channel();
        let (list, mine) = (&list, &mutex);
        let waits = scope.spawn(move || {
            say.send(()).unwrap();
            let had = wait_all_for(list, LONG).unwrap().unwrap();
            let guards = had.iter().filter(|had| had.guard.is_some()).count();
            assert_eq!((had.len(), guards, mine.is_mine()), (5, 1, true));
            assert!(had.iter().enumerate().all(|(index, had)| had.index == index));
            assert!(had.into_iter().filter_map(|had| had.permit).map(Permit::forget).count() == 1);
        });
        said.recv().unwrap();
        // Other threads can acquire them meanwhile.
        drop(mutex.try_lock_for(LONG).unwrap().unwrap());
        assert!(auto.wait_for(LONG).unwrap());
        semaphore.try_acquire_for(LONG).unwrap().unwrap().forget();
        missing.set().unwrap();
        semaphore.release(1).unwrap();
        assert!(!waits.is_finished());
        auto.set().unwrap();
        waits.join().unwrap();
    });
    assert!(
        !is_set(&auto)
            && !is_set(&missing)
            && is_set(&manual)
            && semaphore.try_acquire().unwrap().is_none()
    );
    assert!(!mutex.is_mine());
}

fn abandoned_among_several() {
    let (first, second, quiet) = (mutex(), mutex(), event(Reset::Auto, false));
    let abandon = |mutex: &Mutex| {
        thread::scope(|scope| scope.spawn(|| forget(mutex.lock().unwrap())).join()).unwrap();
    };
    abandon(&second);
    for (list, index, abandoned) in [
        ([(&quiet).into(), (&first).into(), (&second).into()], 1, false),
        ([(&quiet).into(), (&second).into(), (&first).into()], 1, true),
        ([(&second).into(), (&quiet).into(), (&first).into()], 0, false),
    ] {
        let had = wait_any(&list).unwrap();
        let told = had.guard.as_ref().unwrap().was_abandoned();
        assert_eq!((had.index, told), (index, abandoned));
    }
    abandon(&second);
    quiet.set().unwrap();
    let had = wait_all(&[(&quiet).into(), (&second).into()]).unwrap();
    assert_eq!(had.len(), 2);
    assert!(had[1].guard.as_ref().unwrap().was_abandoned());
    drop(had);
    quiet.set().unwrap();
    let had = wait_all(&[(&quiet).into(), (&second).into(), (&first).into()]).unwrap();
    assert!(had.iter().filter_map(|had| had.guard.as_ref()).all(|guard| !guard.was_abandoned()));

    let place = Place::new("rows");
    let (mut holder, mut waiter) = (place.actor(), place.actor());
    for actor in [&mut holder, &mut waiter] {
        actor.ask("mutex m share");
        actor.ask("event e share auto");
    }
    holder.expect("lock m", "ok");
    waiter.tell("any 30000 e m");
    assert_eq!(waiter.has_replied(SHORT), None);
    holder.end("kill");
    assert_eq!(waiter.reply().as_deref(), Some("abandoned 1"));
    waiter.expect("unlock m", "ok");
}

fn time_is_up() {
    let (mutex, event, semaphore) = (mutex(), event(Reset::Auto, false), semaphore(0, 1));
    let _guard = mutex.lock().unwrap();
    let waits = || {
        let list = [(&mutex).into(), (&event).into(), (&semaphore).into()];
        for time in [Duration::from_micros(1_500), SHORT] {
            let waits: [&dyn Fn() -> bool; 5] = [
                &|| mutex.try_lock_for(time).unwrap().is_none(),
                &|| !event.wait_for(time).unwrap(),
                &|| semaphore.try_acquire_for(time).unwrap().is_none(),
                &|| wait_any_for(&list, time).unwrap().is_none(),
                &|| wait_all_for(&list, time).unwrap().is_none(),
            ];
            for wait in waits {
                let start = Instant::now();
                assert!(wait());
                assert!(start.elapsed() >= time, "{:?} of {time:?}", start.elapsed());
            }
        }
    };
    thread::scope(|scope| scope.spawn(waits).join()).unwrap();
}

fn waits_for_ages() {
    // Timeouts around the largest number of milliseconds in 32 bits, and beyond the range of the
    // clock.
    let millis = [u64::from(u32::MAX), 1 << 32, 1 << 33, 9_999 << 32];
    for time in millis.map(Duration::from_millis).into_iter().chain([Duration::MAX]) {
        let (mutex, event, semaphore) = (mutex(), event(Reset::Auto, false), semaphore(0, 1));
        let guard = mutex.lock().unwrap();
        thread::scope(|scope| {
            let waits = [
                scope.spawn(|| mutex.try_lock_for(time).unwrap().is_some()),
                scope.spawn(|| event.wait_for(time).unwrap()),
                scope.spawn(|| semaphore.try_acquire_for(time).unwrap().is_some()),
                scope.spawn(|| wait_any_for(&[(&mutex).into()], time).unwrap().is_some()),
                scope.spawn(|| wait_all_for(&[(&event).into()], time).unwrap().is_some()),
            ];
            thread::sleep(SHORT);
            assert!(waits.iter().all(|waits| !waits.is_finished()));
            drop(guard);
            semaphore.release(1).unwrap();
            let end = Instant::now() + LONG;
            while !waits.iter().all(thread::ScopedJoinHandle::is_finished) {
                // Release two waiters, each of which resets the event.
                event.set().unwrap();
                assert!(Instant::now() < end, "a wait does not end");
                thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(waits.map(|waits| waits.join().unwrap()), [true; 5]);
        });
    }
}
