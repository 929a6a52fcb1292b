//! Traits of the public types that programs rely on. A type without one does not compile here.

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::sync::atomic::AtomicU32;

use pagemate::channel::{self, RecvError, SendError, spsc};
use pagemate::sync::{
    Event, EventOptions, Mutex, MutexOptions, Reset, Semaphore, SemaphoreOptions, SharedMutex,
    SharedRwLock,
};
use pagemate::typed::{Racy, ReadOnly, SeqLock, SeqWriter, SharedReader};
use pagemate::{
    Access, Error, ErrorKind, Kind, Name, Namespace, Protection, Section, SectionOptions, Shared,
    Sharing, View, ViewOptions, inventory,
};

/// A handle, or memory, that any thread may use.
const fn shared<T: Debug + Send + Sync + ?Sized>() {}

/// An endpoint, which one thread at a time uses.
const fn moved<T: Debug + Send>() {}

/// A value that is copied, compared and used as a key.
const fn value<T: Copy + Debug + Eq + Hash + Send + Sync + 'static>() {}

/// An error that a program boxes or wraps.
const fn error<T: StdError + Display + Send + Sync + 'static>() {}

const _: () = {
    shared::<Section>();
    shared::<SectionOptions<'_>>();
    shared::<View>();
    shared::<ViewOptions<'_>>();
    shared::<Name>();
    shared::<Shared<AtomicU32>>();
    shared::<SharedReader<AtomicU32>>();
    shared::<ReadOnly<AtomicU32>>();
    shared::<Racy<u64>>();
    shared::<SeqLock<u64>>();
    shared::<SeqWriter<u64>>();
    shared::<Mutex>();
    shared::<MutexOptions>();
    shared::<Event>();
    shared::<EventOptions>();
    shared::<Semaphore>();
    shared::<SemaphoreOptions>();
    shared::<SharedMutex<u64>>();
    shared::<SharedMutex<[u8]>>();
    shared::<SharedRwLock<u64>>();
    shared::<channel::Options>();
    shared::<inventory::Listing>();

    moved::<spsc::Sender<u64>>();
    moved::<spsc::Receiver<u64>>();

    value::<Access>();
    value::<Protection>();
    value::<Sharing>();
    value::<Kind>();
    value::<Namespace>();
    value::<ErrorKind>();
    value::<Reset>();
    value::<channel::Waiting>();
    value::<SendError>();
    value::<RecvError>();

    error::<Error>();
    error::<SendError>();
    error::<RecvError>();
};

#[test]
fn an_error_is_as_small_as_a_pointer() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<pagemate::Result<()>>(), size_of::<usize>());
}
