//! A word in typed memory, for which threads wait.

use std::sync::atomic::{AtomicU32, Ordering};

use pagemate::Shared;
use pagemate::typed::{WaitWord, WakeWord};

use super::turns::Signal;

pub(crate) struct TypedWord(Shared<AtomicU32>);

impl TypedWord {
    pub(crate) fn open(name: &str) -> TypedWord {
        TypedWord(Shared::open_or_create(name).expect("a page"))
    }
}

impl Signal for TypedWord {
    fn raise(&self) {
        // Release: pairs with the Acquire in `wait`.
        self.0.store(1, Ordering::Release);
        self.0.wake_one();
    }

    fn wait(&self) {
        // Acquire: pairs with the Release in `raise`.
        let taken = || self.0.compare_exchange(1, 0, Ordering::Acquire, Ordering::Relaxed).is_ok();
        while self.0.wait_while(0) == 0 || !taken() {}
    }
}
