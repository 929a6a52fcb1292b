//! Mutexes, events and semaphores, in one process and between several.
//!
//! `sync_rows.rs` tests the behaviour that Windows has too. The tests here need the number of
//! waiters, which Windows does not report.
#![cfg(unix)]

mod harness;

use std::mem::forget;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Actor, Place, unique};
use pagemate::sync::{
    Acquired, Event, EventOptions, Mutex, MutexGuard, MutexOptions, Permit, Reset, Semaphore,
    SemaphoreOptions, SharedGuard, SharedMutex, Waitable, try_wait_any, wait_all, wait_all_for,
    wait_any, wait_any_for,
};
use pagemate::{ErrorKind, Result, Section, SectionOptions, Sharing};

/// A timeout that is longer than any operation that does not hang.
const LONG: Duration = Duration::from_secs(30);
/// A time after which a thread that can continue has continued, with high probability.
const SHORT: Duration = Duration::from_millis(20);

#[test]
fn actor() {
    harness::actor();
}

#[track_caller]
fn assert_kind<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind) {
    assert_eq!(result.unwrap_err().kind(), kind);
}

/// Returns the number of threads that sleep on the object or are about to.
fn asleep(onlooker: &mut Actor, name: &str) -> u32 {
    onlooker.ask(&format!("waiting {name}")).parse().unwrap()
}

/// Waits until this many threads sleep on the object.
#[track_caller]
fn until_asleep(onlooker: &mut Actor, name: &str, count: u32) {
    let end = Instant::now() + LONG;
    while asleep(onlooker, name) != count {
        assert!(Instant::now() < end, "{count} do not come to wait for {name}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_mutex_is_locked_once_and_freed_by_its_guard() {
    let mutex = MutexOptions::new().create_unnamed().unwrap();
    for _ in 0..3 {
        let guard = mutex.lock().unwrap();
        assert!(!guard.was_abandoned());
        assert!(mutex.is_mine());
        for again in [mutex.lock().map(drop), mutex.try_lock().map(drop)] {
            assert_kind(again, ErrorKind::InvalidInput);
        }
        assert_kind(mutex.try_lock_for(LONG), ErrorKind::InvalidInput);
        assert_kind(wait_any(&[(&mutex).into()]), ErrorKind::InvalidInput);
        drop(guard);
        assert!(!mutex.is_mine());
    }
    forget(mutex.try_lock().unwrap().unwrap());
    mutex.unlock_forgotten().unwrap();
    assert_kind(mutex.unlock_forgotten(), ErrorKind::NotOwner);
}

#[test]
fn threads_share_a_mutex_by_one_handle_or_by_several() {
    let name = unique("mutex-threads");
    let mutex = MutexOptions::new().create_new(&name).unwrap();
    let other = Mutex::open(&name).unwrap();
    for handle in [&mutex, &other] {
        let guard = mutex.lock().unwrap();
        thread::scope(|scope| {
            let theirs = scope.spawn(|| {
                assert!(!handle.is_mine());
                assert!(handle.try_lock().unwrap().is_none());
                let start = Instant::now();
                assert!(handle.try_lock_for(SHORT).unwrap().is_none());
                assert!(start.elapsed() >= SHORT);
                assert_kind(handle.unlock_forgotten(), ErrorKind::NotOwner);
            });
            theirs.join().unwrap();
            let waits = scope.spawn(|| handle.try_lock_for(LONG).unwrap().unwrap().was_abandoned());
            thread::yield_now();
            drop(guard);
            assert!(!waits.join().unwrap());
        });
    }
}

#[test]
fn a_thread_that_ends_with_a_mutex_abandons_it() {
    let mutex = MutexOptions::new().create_unnamed().unwrap();
    let (other, third) = (MutexOptions::new().create_unnamed().unwrap(), &mutex);
    thread::scope(|scope| {
        scope.spawn(|| forget((mutex.lock().unwrap(), other.lock().unwrap())));
    });
    assert!(third.try_lock_for(LONG).unwrap().unwrap().was_abandoned());
    assert!(!third.lock().unwrap().was_abandoned());
    let Some(had) = wait_any_for(&[(&other).into()], LONG).unwrap() else { panic!("it is had") };
    assert!(had.guard.unwrap().was_abandoned());
}

#[test]
fn a_handle_that_is_dropped_with_its_mutex_abandons_it() {
    let name = unique("mutex-dropped");
    let mutex = MutexOptions::new().locked(true).create_new(&name).unwrap();
    let other = Mutex::open(&name).unwrap();
    assert!(other.try_lock().unwrap().is_none());
    drop(mutex);
    assert!(other.try_lock().unwrap().unwrap().was_abandoned());
    assert!(!other.try_lock().unwrap().unwrap().was_abandoned());
}

#[test]
fn an_automatic_event_lets_one_go_and_a_manual_one_all() {
    let auto = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
    assert!(!auto.try_wait().unwrap());
    auto.set().unwrap();
    auto.set().unwrap();
    auto.wait().unwrap();
    assert!(!auto.wait_for(SHORT).unwrap());
    auto.set().unwrap();
    auto.reset().unwrap();
    assert!(!auto.try_wait().unwrap());

    let manual = EventOptions::new(Reset::Manual).signaled(true).create_unnamed().unwrap();
    for _ in 0..3 {
        manual.wait().unwrap();
    }
    manual.reset().unwrap();
    assert!(!manual.wait_for(SHORT).unwrap());
    for event in [&auto, &manual] {
        event.pulse().unwrap();
        assert!(!event.try_wait().unwrap());
        event.set().unwrap();
        event.pulse().unwrap();
        assert!(!event.try_wait().unwrap());
    }
}

#[test]
fn an_event_that_exists_resets_as_its_maker_said() {
    let name = unique("event-exists");
    let made = EventOptions::new(Reset::Manual).signaled(true).create_new(&name).unwrap();
    let found = EventOptions::new(Reset::Auto).open_or_create(&name).unwrap();
    assert!(made.was_created() && !found.was_created());
    found.wait().unwrap();
    found.wait().unwrap();
    found.reset().unwrap();
    assert!(!made.try_wait().unwrap());
}

#[test]
fn a_semaphore_counts_up_to_its_highest() {
    let name = unique("semaphore");
    let semaphore = SemaphoreOptions::new(1, 3).create_new(&name).unwrap();
    let other = SemaphoreOptions::new(0, 1).open_or_create(&name).unwrap();
    assert_eq!(other.release(2).unwrap(), 1);
    assert_kind(other.release(1), ErrorKind::OutOfRange);
    assert_kind(other.release(u32::MAX), ErrorKind::OutOfRange);
    assert_kind(other.release(0), ErrorKind::InvalidInput);
    for _ in 0..3 {
        semaphore.acquire().unwrap().forget();
    }
    assert!(semaphore.try_acquire().unwrap().is_none());
    assert!(semaphore.try_acquire_for(SHORT).unwrap().is_none());
    assert_eq!(semaphore.release(1).unwrap(), 0);
    other.try_acquire().unwrap().unwrap().forget();
    assert_eq!(other.release(1).unwrap(), 0);

    let most = i32::MAX.cast_unsigned();
    let full = SemaphoreOptions::new(most, most).create_unnamed().unwrap();
    assert_kind(full.release(1), ErrorKind::OutOfRange);
    full.acquire().unwrap().forget();
    assert_eq!(full.release(1).unwrap(), most - 1);
    for (count, max) in [(0, 0), (2, 1), (0, most + 1), (u32::MAX, u32::MAX)] {
        let options = SemaphoreOptions::new(count, max);
        assert_kind(options.create_unnamed(), ErrorKind::InvalidInput);
        assert_kind(options.create_new(unique("semaphore")), ErrorKind::InvalidInput);
    }
}

#[test]
fn any_is_the_first_in_the_list_and_only_that_one_is_taken() {
    let mutex = MutexOptions::new().create_unnamed().unwrap();
    let auto = EventOptions::new(Reset::Auto).signaled(true).create_unnamed().unwrap();
    let semaphore = SemaphoreOptions::new(1, 1).create_unnamed().unwrap();
    let list: [Waitable<'_>; 3] = [(&semaphore).into(), (&auto).into(), (&mutex).into()];
    let first = wait_any(&list).unwrap();
    assert_eq!(first.index, 0);
    assert_eq!(wait_any(&list).unwrap().index, 1);
    let had = wait_any(&list).unwrap();
    assert_eq!(had.index, 2);
    assert!(!had.guard.as_ref().unwrap().was_abandoned());
    assert!(mutex.is_mine());
    drop(had);
    assert!(!mutex.is_mine());
    let rest = &list[..2];
    assert!(wait_any_for(rest, SHORT).unwrap().is_none());
    drop(first);
    auto.set().unwrap();
    let first = wait_any_for(rest, SHORT).unwrap().unwrap();
    assert_eq!(first.index, 0);
    assert_eq!(try_wait_any(rest).unwrap().unwrap().index, 1);
}

#[test]
fn all_takes_nothing_before_all_are_there() {
    let mutex = MutexOptions::new().create_unnamed().unwrap();
    let auto = EventOptions::new(Reset::Auto).signaled(true).create_unnamed().unwrap();
    let manual = EventOptions::new(Reset::Manual).signaled(true).create_unnamed().unwrap();
    let semaphore = SemaphoreOptions::new(1, 2).create_unnamed().unwrap();
    let missing = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
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
            let had = wait_all(list).unwrap();
            let guards = had.iter().filter(|had| had.guard.is_some()).count();
            assert_eq!((had.len(), guards, mine.is_mine()), (5, 1, true));
            assert!(had.iter().enumerate().all(|(index, had)| had.index == index));
            assert!(had.into_iter().filter_map(|had| had.permit).map(Permit::forget).count() == 1);
        });
        said.recv().unwrap();
        thread::sleep(SHORT);
        // Other threads can acquire them meanwhile.
        drop(mutex.try_lock_for(LONG).unwrap().unwrap());
        assert!(auto.wait_for(LONG).unwrap());
        semaphore.try_acquire_for(LONG).unwrap().unwrap().forget();
        missing.set().unwrap();
        thread::sleep(SHORT);
        semaphore.release(1).unwrap();
        assert!(!waits.is_finished());
        auto.set().unwrap();
        waits.join().unwrap();
    });
    for taken in [&auto, &missing] {
        assert!(!taken.try_wait().unwrap());
    }
    assert!(manual.try_wait().unwrap());
    assert!(semaphore.try_acquire().unwrap().is_none());
}

#[test]
fn one_to_sixty_four_are_waited_for_each_once() {
    let make = || EventOptions::new(Reset::Auto).create_unnamed().unwrap();
    let events: Vec<Event> = (0..65).map(|_| make()).collect();
    let list: Vec<Waitable<'_>> = events.iter().map(Waitable::from).collect();
    for wrong in [&list[..0], &list, &[list[0], list[1], list[0]]] {
        assert_kind(wait_any(wrong), ErrorKind::InvalidInput);
        assert_kind(wait_all(wrong), ErrorKind::InvalidInput);
    }
    let list = &list[..64];
    assert!(wait_any_for(list, SHORT).unwrap().is_none());
    events[63].set().unwrap();
    assert_eq!(wait_any(list).unwrap().index, 63);
    thread::scope(|scope| {
        let waits = scope.spawn(|| wait_all_for(list, LONG).unwrap().unwrap().len());
        for event in events.iter().rev() {
            event.set().unwrap();
        }
        assert_eq!(waits.join().unwrap(), 64);
    });
}

#[test]
fn all_kinds_stand_in_one_space_of_names() {
    type Make = fn(&str) -> Result<Box<dyn std::any::Any>>;
    let make: [(&str, Make); 4] = [
        ("mutex", |name| Ok(Box::new(MutexOptions::new().create_new(name)?))),
        ("event", |name| Ok(Box::new(EventOptions::new(Reset::Auto).create_new(name)?))),
        ("semaphore", |name| Ok(Box::new(SemaphoreOptions::new(0, 1).create_new(name)?))),
        ("section", |name| Ok(Box::new(SectionOptions::new().len(1).create_new(name)?))),
    ];
    for (kind, make_it) in make {
        let name = &unique("sync-kinds");
        let object = make_it(name).unwrap();
        for (_, make_other) in make {
            assert_kind(make_other(name).map(drop), ErrorKind::AlreadyExists);
        }
        let opened = [
            ("mutex", Mutex::open(name).map(drop)),
            ("mutex", MutexOptions::new().open_or_create(name).map(drop)),
            ("event", Event::open(name).map(drop)),
            ("event", EventOptions::new(Reset::Auto).open_or_create(name).map(drop)),
            ("semaphore", Semaphore::open(name).map(drop)),
            ("semaphore", SemaphoreOptions::new(1, 1).open_or_create(name).map(drop)),
            ("section", Section::open(name).map(drop)),
            ("section", SectionOptions::new().len(1).open_or_create(name).map(drop)),
        ];
        for (other, result) in opened {
            if other == kind { result.unwrap() } else { assert_kind(result, ErrorKind::WrongKind) }
        }
        drop(object);
        assert_kind(Mutex::open(name), ErrorKind::NotFound);
        assert_kind(Event::open(name), ErrorKind::NotFound);
        assert_kind(Semaphore::open(name), ErrorKind::NotFound);
    }
}

#[test]
fn what_cannot_be_made_is_refused_in_words_that_say_why() {
    let name = unique("sync-refused");
    for wrong in ["", r"a\b", r"Global\"] {
        assert_kind(MutexOptions::new().create_new(wrong), ErrorKind::InvalidName);
        assert_kind(Event::open(wrong), ErrorKind::InvalidName);
    }
    let sharing = Sharing::Everyone(pagemate::Access::Read);
    assert_kind(MutexOptions::new().sharing(sharing).create_new(&name), ErrorKind::InvalidInput);
    let error = Mutex::open(&name).unwrap_err().to_string();
    assert_eq!(error, format!("open mutex \"{name}\": no process holds it"));
    let error = SemaphoreOptions::new(2, 1).create_new(&name).unwrap_err().to_string();
    assert!(error.starts_with(&format!("create semaphore \"{name}\": the count is 2")), "{error}");
    let mutex = MutexOptions::new().create_unnamed().unwrap();
    let error = mutex.unlock_forgotten().unwrap_err().to_string();
    assert_eq!(error, "unlock unnamed mutex: this thread does not hold it through this handle");
    let error = wait_any(&[]).map(drop).unwrap_err().to_string();
    assert_eq!(error, "wait for any of several: the list has 0 objects; it must have 1 to 64");
}

#[test]
fn handles_may_go_to_any_thread_and_say_what_they_are() {
    fn shared<T: Send + Sync + std::fmt::Debug>(value: &T) -> String {
        format!("{value:?}")
    }
    let name = unique("sync-debug");
    let mutex = MutexOptions::new().create_new(&name).unwrap();
    let event = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
    let semaphore = SemaphoreOptions::new(0, 1).create_unnamed().unwrap();
    assert!(shared(&mutex).contains(&name));
    let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
    let value = SharedMutex::open_or_init(&section, 0, || 7_u64).unwrap();
    assert!(shared(&value).starts_with("SharedMutex"));
    assert!(format!("{:?}", value.lock().unwrap()).contains("abandoned: false"));
    assert!(shared(&event).contains("Auto"));
    assert!(shared(&semaphore).starts_with("Semaphore"));
    assert!(shared(&Waitable::from(&mutex)).starts_with("Mutex"));
    assert!(format!("{:?}", mutex.lock().unwrap()).contains("abandoned: false"));
}

/// A guard must not move to another thread, because the thread that locked the mutex has to unlock
/// it. This fails to compile if a guard is `Send`.
const _: () = {
    trait Stays<A> {
        const YES: () = ();
    }
    impl<T: ?Sized> Stays<()> for T {}
    impl<T: ?Sized + Send> Stays<u8> for T {}
    impl<T: ?Sized + Sync> Stays<u16> for T {}
    let () = <MutexGuard<'_> as Stays<_>>::YES;
    let () = <SharedGuard<'_, u64> as Stays<_>>::YES;
    let () = <Acquired<'_> as Stays<_>>::YES;
};

#[test]
fn the_name_lives_as_long_as_somebody_waits() {
    let place = Place::new("sync-name");
    let (mut owner, mut waiter, mut onlooker) = (place.actor(), place.actor(), place.actor());
    owner.expect("mutex x create", "created");
    owner.expect("lock x", "ok");
    waiter.expect("mutex x open", "opened");
    waiter.tell("lock x");
    until_asleep(&mut onlooker, "x", 1);
    owner.end("kill");
    assert_eq!(waiter.reply().unwrap(), "abandoned");
    onlooker.expect("mutex x create", "AlreadyExists");
    waiter.expect("unlock x", "ok");
    waiter.expect("drop x", "ok");
    onlooker.expect("mutex x open", "NotFound");
    place.assert_empty();
}

#[test]
fn processes_lock_one_after_another() {
    let place = Place::new("sync-mutex");
    let mut actors = [place.actor(), place.actor(), place.actor()];
    for actor in &mut actors {
        actor.ask("mutex x share");
    }
    let [first, second, third] = &mut actors;
    first.expect("lock x", "ok");
    second.expect("try-lock x", "busy");
    second.expect("lock-for x 10", "busy");
    second.expect("unlock x", "NotOwner");
    second.tell("lock x");
    third.tell("lock x");
    first.expect("unlock x", "ok");
    for _ in 0..2 {
        let mut freed = 0;
        for actor in [&mut *second, &mut *third] {
            if let Some(reply) = actor.has_replied(LONG / 100) {
                assert_eq!(reply, "ok");
                actor.expect("unlock x", "ok");
                freed += 1;
            }
        }
        if freed == 2 {
            break;
        }
    }
    first.expect("lock-for x 30000", "ok");
}

#[test]
fn a_mutex_can_be_had_from_the_start_by_its_maker_alone() {
    let place = Place::new("sync-locked");
    let (mut maker, mut other) = (place.actor(), place.actor());
    maker.expect("mutex x locked", "created");
    other.expect("mutex x locked", "opened");
    other.expect("try-lock x", "busy");
    other.expect("unlock x", "NotOwner");
    maker.expect("unlock x", "ok");
    other.expect("try-lock x", "ok");
    other.end("exit");
    maker.expect("lock-for x 30000", "abandoned");
    maker.end("kill");
    place.actor().expect("mutex x open", "NotFound");
    // If a thread owns the mutex since its creation, its death is detected like that of any other
    // owner.
    let (mut maker, mut other) = (place.actor(), place.actor());
    maker.expect("mutex y locked", "created");
    other.expect("mutex y open", "opened");
    maker.end("kill");
    other.expect("lock-for y 30000", "abandoned");
}

#[test]
fn events_reach_all_or_one_of_those_who_wait() {
    let place = Place::new("sync-events");
    let mut onlooker = place.actor();
    for mode in ["manual", "auto"] {
        for act in [&["pulse"][..], &["set", "reset"], &["set"]] {
            let alone = mode == "auto";
            if alone && act.len() == 2 {
                // Whether a waiter or the reset is faster depends on chance.
                continue;
            }
            onlooker.expect(&format!("event x create {mode}"), "created");
            let mut waiters = [place.actor(), place.actor(), place.actor()];
            for waiter in &mut waiters {
                waiter.expect("event x open", "opened");
                waiter.tell("wait x 30000");
            }
            until_asleep(&mut onlooker, "x", 3);
            for left in (0..if alone { 3 } else { 1 }).rev() {
                for act in act {
                    onlooker.expect(&format!("{act} x"), "ok");
                }
                while alone && asleep(&mut onlooker, "x") > left {
                    if act == ["pulse"] {
                        // The thread may not have been asleep yet, and may have missed the signal.
                        thread::sleep(SHORT);
                        onlooker.expect("pulse x", "ok");
                    }
                }
            }
            for mut waiter in waiters {
                assert_eq!(waiter.reply().as_deref(), Some("ok"), "{mode} {act:?}");
            }
            let stays = !alone && act == ["set"];
            onlooker.expect("wait x 0", if stays { "ok" } else { "timeout" });
            onlooker.expect("drop x", "ok");
        }
    }
}

#[test]
fn a_semaphore_lets_in_as_many_as_were_released() {
    let place = Place::new("sync-semaphore");
    let mut onlooker = place.actor();
    onlooker.expect("semaphore x create 0 5", "created");
    let mut waiters = [place.actor(), place.actor(), place.actor()];
    for waiter in &mut waiters {
        waiter.expect("semaphore x open", "opened");
        waiter.tell("acquire x 30000");
    }
    until_asleep(&mut onlooker, "x", 3);
    onlooker.expect("release x 2", "0");
    until_asleep(&mut onlooker, "x", 1);
    onlooker.expect("release x 6", "OutOfRange");
    onlooker.expect("release x 1", "0");
    for mut waiter in waiters {
        assert_eq!(waiter.reply().as_deref(), Some("ok"));
    }
    onlooker.expect("acquire x 0", "timeout");
}

#[test]
fn processes_wait_for_any_and_for_all() {
    let place = Place::new("sync-many");
    let (mut maker, mut waiter) = (place.actor(), place.actor());
    for actor in [&mut maker, &mut waiter] {
        actor.ask("mutex m share");
        actor.ask("event e share auto");
        actor.ask("semaphore s share 0 9");
    }
    maker.expect("lock m", "ok");
    for (act, index) in [("set e", 1), ("release s 1", 2), ("unlock m", 0)] {
        waiter.tell("any 30000 m e s");
        assert!(waiter.has_replied(SHORT).is_none());
        maker.ask(act);
        assert_eq!(waiter.reply().unwrap(), format!("ok {index}"));
    }
    waiter.expect("any 1000 m e s", "InvalidInput");
    waiter.expect("unlock m", "ok");
    maker.expect("lock m", "ok");
    waiter.tell("all 30000 m e s");
    for act in ["release s 1", "unlock m", "set e"] {
        assert!(waiter.has_replied(SHORT).is_none(), "before {act}");
        maker.ask(act);
    }
    assert_eq!(waiter.reply().unwrap(), "ok");
    maker.expect("any 0 m e s", "timeout");
    waiter.end("kill");
    maker.expect("any 30000 e m", "abandoned 1");
}
