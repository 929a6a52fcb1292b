//! Locks beside their values: other users, and bytes that another program overwrote.

use std::time::Duration;

use pagemate::sync::{SharedCondvar, SharedMutex, SharedOnceCell, SharedRwLock};
use pagemate::{Access, Section, SectionOptions, Sharing};

use super::harness::fork::{Gate, NOBODY, alone, alone_as_root, become_user, fork, hold_on};

const NAME: &str = r"Global\x";

/// Longer than any wait that ends well.
const LONG: Duration = Duration::from_mins(1);

fn shared() -> Section {
    let sharing = Sharing::Everyone(Access::ReadWrite);
    SectionOptions::new().len(4096).sharing(sharing).open_or_create(NAME).unwrap()
}

#[test]
fn deaths_of_holders_are_found_across_users() {
    alone_as_root("locks::deaths_of_holders_are_found_across_users", |_| {
        let section = shared();
        let lock = SharedRwLock::open_or_init(&section, 0, || 7_u64).unwrap();
        for writes in [false, true] {
            let held = Gate::new();
            let holder = fork(|| {
                become_user(NOBODY, NOBODY);
                let lock = SharedRwLock::<u64>::open(&shared(), 0).unwrap();
                if writes {
                    std::mem::forget(lock.write().unwrap());
                } else {
                    std::mem::forget(lock.read().unwrap());
                }
                held.open();
                hold_on();
            });
            held.wait();
            assert!(lock.try_write().unwrap().is_none());
            holder.kill();
            let writer = lock.try_write_for(LONG).unwrap().unwrap();
            assert_eq!(writer.was_abandoned(), writes);
        }
        // The other user finds the death of a holder of this user.
        let held = Gate::new();
        let holder = fork(|| {
            let lock = SharedRwLock::<u64>::open(&shared(), 0).unwrap();
            std::mem::forget(lock.read().unwrap());
            held.open();
            hold_on();
        });
        held.wait();
        holder.kill();
        fork(|| {
            become_user(NOBODY, NOBODY);
            let lock = SharedRwLock::<u64>::open(&shared(), 0).unwrap();
            assert!(lock.try_write_for(LONG).unwrap().is_some());
        })
        .join();
    });
}

#[test]
fn a_value_is_initialised_and_awaited_across_users() {
    alone_as_root("locks::a_value_is_initialised_and_awaited_across_users", |_| {
        let section = shared();
        let cell = SharedOnceCell::<u64>::open_or_create(&section, 0).unwrap();
        let mutex = SharedMutex::open_or_init(&section, 128, || 0_u64).unwrap();
        let changed = SharedCondvar::open_or_create(&section, 256).unwrap();
        let other = fork(|| {
            become_user(NOBODY, NOBODY);
            let section = shared();
            let cell = SharedOnceCell::<u64>::open(&section, 0).unwrap();
            assert_eq!(cell.wait_for(LONG).unwrap().unwrap().get(), 7);
            SharedMutex::<u64>::open(&section, 128).unwrap().lock().unwrap().set(&1);
            SharedCondvar::open(&section, 256).unwrap().notify_one();
        });
        assert!(cell.set(&7).unwrap());
        let guard = mutex.lock().unwrap();
        let (_, ended) = changed.wait_while_for(guard, LONG, |value| value.get() == 0).unwrap();
        assert!(ended);
        other.join();
    });
}

/// No byte in the words blocks a process for ever, or leads outside of the memory.
#[test]
fn any_bytes_in_the_words_of_a_read_write_lock_are_survived() {
    alone("locks::any_bytes_in_the_words_of_a_read_write_lock_are_survived", |_| {
        let section = SectionOptions::new().len(4096).create_new("x").unwrap();
        let lock = SharedRwLock::open_or_init(&section, 0, || 7_u64).unwrap();
        let view = section.map().unwrap();
        for byte in [0xFF, 0x7F, 0x3F, 0x1F, 1, 2, 3, 4] {
            view.write_at(64, &[byte; 384 - 64]).unwrap();
            let opened = SharedRwLock::<u64>::open(&section, 0).unwrap();
            drop(opened.try_read_for(LONG).unwrap().expect("no live process has it"));
            drop(lock.try_write_for(LONG).unwrap().expect("no live process has it"));
            assert!(!opened.read().unwrap().was_abandoned());
            // A guard whose place was overwritten releases nothing of others.
            let reader = opened.read().unwrap();
            view.write_at(128, &[0; 256]).unwrap();
            let other = lock.read().unwrap();
            drop(reader);
            assert_eq!(other.get(), 7);
        }
    });
}
