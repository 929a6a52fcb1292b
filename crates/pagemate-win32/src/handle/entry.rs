//! The objects that handles refer to, by kind, and the rights of a handle.

use std::sync::Arc;

use pagemate::sync::{Event, Semaphore};

use crate::handle::rights::{self, Rights};
use crate::object::file::File;
use crate::object::mapping::Mapping;
use crate::object::mutex::Mutex;
use crate::object::process::Process;
use crate::object::thread::Thread;

/// The object of a handle.
///
/// An object lives until its last handle is closed and the last call that uses it has returned.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    Mapping(Arc<Mapping>),
    File(Arc<File>),
    Mutex(Arc<Mutex>),
    Event(Arc<Event>),
    Semaphore(Arc<Semaphore>),
    Thread(Arc<Thread>),
    Process(Arc<Process>),
    /// The first thread of a child process. Only its process is known.
    MainThread(Arc<Process>),
}

impl Object {
    /// Returns whether this is a mutex, an event or a semaphore.
    pub(crate) fn is_sync(&self) -> bool {
        matches!(self, Object::Mutex(_) | Object::Event(_) | Object::Semaphore(_))
    }

    /// Returns the rights of this kind of object.
    pub(crate) fn rights(&self) -> &'static Rights {
        match self {
            Object::Mapping(_) => &rights::MAPPING,
            Object::File(_) => &rights::FILE,
            Object::Mutex(_) => &rights::MUTEX,
            Object::Event(_) | Object::Semaphore(_) => &rights::STATE,
            Object::Thread(_) | Object::MainThread(_) => &rights::THREAD,
            Object::Process(_) => &rights::PROCESS,
        }
    }
}

/// An object, and the rights of one handle to it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) object: Object,
    /// The granted rights. All of them are rights of the object's kind.
    pub(crate) access: u32,
}
