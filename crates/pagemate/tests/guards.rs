//! Guards: a panic abandons a mutex, a permit is released by its guard, and names keep their namespace.

mod harness;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use harness::unique;
use pagemate::sync::{
    MutexOptions, Permit, Semaphore, SemaphoreOptions, SharedGuard, SharedMutex, wait_all, wait_any,
};
use pagemate::{Name, Namespace, Section, SectionOptions};

/// Calls `body` and panics afterwards, as a faulty program does.
fn panic_after<T>(body: impl FnOnce() -> T) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _guard = body();
        panic!("a test wants this panic");
    }));
    assert!(result.is_err());
}

#[test]
fn a_panic_of_a_thread_that_ends_abandons_its_mutex() {
    let mutex = MutexOptions::new().create_unnamed().unwrap();
    let died = thread::scope(|scope| {
        let panics = || {
            let _guard = mutex.lock().unwrap();
            panic!("a test wants this panic");
        };
        scope.spawn(panics).join()
    });
    assert!(died.is_err());
    assert!(mutex.lock().unwrap().was_abandoned());
    assert!(!mutex.lock().unwrap().was_abandoned());
}

#[test]
fn a_panic_that_is_caught_abandons_the_mutex() {
    let mutex = MutexOptions::new().create_unnamed().unwrap();
    let list = [(&mutex).into()];
    for way in 0..3 {
        panic_after(|| match way {
            0 => mutex.lock().unwrap(),
            1 => wait_any(&list).unwrap().guard.unwrap(),
            _ => wait_all(&list).unwrap().pop().unwrap().guard.unwrap(),
        });
        if cfg!(windows) {
            // The kernel abandons the mutex when the thread ends.
            assert!(mutex.is_mine());
            mutex.unlock_forgotten().unwrap();
        } else {
            assert!(!mutex.is_mine());
            assert!(mutex.lock().unwrap().was_abandoned());
        }
        assert!(!mutex.lock().unwrap().was_abandoned());
    }
}

#[test]
fn a_panic_abandons_a_mutex_in_a_section_for_every_process() {
    let name = unique("guards");
    let section = SectionOptions::new().len(4096).create_new(&name).unwrap();
    let mine = SharedMutex::open_or_init(&section, 0, || 7_u64).unwrap();
    let opened = Section::open(&name).unwrap();
    let others = SharedMutex::<u64>::open(&opened, 0).unwrap();
    panic_after(|| mine.lock().unwrap());
    let guard = others.lock().unwrap();
    assert!(SharedGuard::was_abandoned(&guard));
    drop(guard);
    assert!(!mine.lock().unwrap().was_abandoned());
}

#[test]
fn a_guard_of_a_destructor_that_runs_during_a_panic_unlocks() {
    struct LocksWhenDropped<'a>(&'a pagemate::sync::Mutex);

    impl Drop for LocksWhenDropped<'_> {
        fn drop(&mut self) {
            assert!(!self.0.lock().unwrap().was_abandoned());
        }
    }

    let mutex = MutexOptions::new().create_unnamed().unwrap();
    panic_after(|| LocksWhenDropped(&mutex));
    assert!(!mutex.lock().unwrap().was_abandoned());
}

/// Returns the count of a semaphore whose maximum is 3.
fn count(semaphore: &Semaphore) -> u32 {
    let permits: Vec<_> = std::iter::from_fn(|| semaphore.try_acquire().unwrap()).collect();
    u32::try_from(permits.len()).unwrap()
}

#[test]
fn a_permit_is_released_once_by_its_guard_also_in_a_panic() {
    let semaphore = SemaphoreOptions::new(3, 3).create_unnamed().unwrap();
    let permit = semaphore.acquire().unwrap();
    assert_eq!(count(&semaphore), 2);
    thread::scope(|scope| scope.spawn(move || drop(permit)).join()).unwrap();
    assert_eq!(count(&semaphore), 3);
    panic_after(|| semaphore.acquire().unwrap());
    assert_eq!(count(&semaphore), 3);
    drop(wait_any(&[(&semaphore).into()]).unwrap());
    drop(wait_all(&[(&semaphore).into()]).unwrap());
    assert_eq!(count(&semaphore), 3);
    Permit::forget(semaphore.acquire().unwrap());
    assert_eq!(count(&semaphore), 2);
}

#[cfg(unix)]
#[test]
fn a_forked_child_releases_no_permit_of_its_parent() {
    #![allow(unsafe_code, reason = "fork(2)")]
    let semaphore = SemaphoreOptions::new(3, 3).create_unnamed().unwrap();
    let permit = semaphore.acquire().unwrap();
    // SAFETY: the child drops a permit, which takes no lock and allocates nothing, and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(permit);
        // SAFETY: the call ends the process and does not return.
        unsafe { libc::_exit(0) };
    }
    let mut status = -1;
    // SAFETY: `child` is a child of this process, and `status` is a local variable.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!((status, count(&semaphore)), (0, 2));
    drop(permit);
    assert_eq!(count(&semaphore), 3);
}

#[test]
fn every_form_of_a_name_opens_its_object_and_a_name_keeps_its_namespace() {
    let text = format!(r"Global\{}", unique("guards"));
    let name = Name::new(&text).unwrap();
    let semaphore = SemaphoreOptions::new(0, 1).create_new(&name).unwrap();
    assert_eq!(semaphore.name().unwrap().namespace(), Namespace::Global);
    assert_eq!(semaphore.name(), Some(&name));
    for opened in [
        Semaphore::open(text.as_str()),
        Semaphore::open(&text),
        Semaphore::open(text.clone()),
        Semaphore::open(text.clone().into_boxed_str()),
        Semaphore::open(std::borrow::Cow::from(&text)),
        Semaphore::open(&name),
        Semaphore::open(name.clone()),
    ] {
        assert_eq!(opened.unwrap().name(), Some(&name));
    }
    assert!(Semaphore::open(name.bare()).is_err());
    assert!(pagemate::inventory::find(&name).is_ok() || cfg!(windows));
}
