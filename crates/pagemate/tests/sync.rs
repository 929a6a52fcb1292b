//! Mutexes, events and semaphores, in one process and between several.

mod harness;

#[test]
fn actor() {
    harness::actor();
}
