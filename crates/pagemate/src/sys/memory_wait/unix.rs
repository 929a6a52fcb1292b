//! The system's wait on an address, which reaches other processes and works with memory that is mapped
//! for reading.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

cfg_select! {
    // Loom has atomics of its own, and its models do not call this.
    loom => {
        pub(super) fn sleep(_: &AtomicU32, _: u32, _: Duration, _: u32) {}

        pub(super) fn wake(_: &AtomicU32, _: bool) {}
    }
    _ => {
        use crate::sys::wait;

        /// Sleeps while the word has this value, for at most `time`.
        pub(super) fn sleep(word: &AtomicU32, value: u32, time: Duration, _: u32) {
            if wait::wait(word.into(), value, time).is_err() {
                // A sandbox refuses the system call, so poll the word instead.
                std::thread::sleep(time.min(Duration::from_millis(1)));
            }
        }

        pub(super) fn wake(word: &AtomicU32, all: bool) {
            wait::wake(word.into(), if all { wait::ALL } else { 1 });
        }
    }
}
