//! The kinds of synchronization objects, and the calls that create or open them.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SyncKind {
    Mutex,
    Event,
    Semaphore,
}

impl SyncKind {
    /// Returns the kind of object that a call creates or opens, if it is such a call.
    pub(super) fn made_by(call: &str) -> Option<SyncKind> {
        match call {
            "mutex" | "mutexex" | "openmutex" => Some(SyncKind::Mutex),
            "event" | "eventex" | "openevent" => Some(SyncKind::Event),
            "semaphore" | "semaphoreex" | "opensemaphore" => Some(SyncKind::Semaphore),
            _ => None,
        }
    }
}
