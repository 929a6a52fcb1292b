use std::time::Duration;

use super::{Identity, named};
use crate::access::Sharing;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::Name;
use crate::sys::object::Existing;
use crate::sys::sync::{self, Spec};

pub use crate::sys::sync::Reset;

const KIND: &str = "event";

/// How to make an event: set what matters, then call one of the verbs.
#[derive(Clone, Debug)]
pub struct EventOptions {
    sharing: Sharing,
    reset: Reset,
    signaled: bool,
}

impl EventOptions {
    /// An event that resets so, for the owner alone, that has not happened yet.
    pub fn new(reset: Reset) -> EventOptions {
        EventOptions { sharing: Sharing::Owner, reset, signaled: false }
    }

    /// Whether a new event has happened already.
    pub fn signaled(&mut self, signaled: bool) -> &mut EventOptions {
        self.signaled = signaled;
        self
    }

    /// Which other users may use a new event: see
    /// [`MutexOptions::sharing`](super::MutexOptions::sharing).
    pub fn sharing(&mut self, sharing: Sharing) -> &mut EventOptions {
        self.sharing = sharing;
        self
    }

    /// Makes the event `name`, which must not exist.
    ///
    /// # Errors
    ///
    /// As [`MutexOptions::create_new`](super::MutexOptions::create_new).
    #[doc(alias("CreateEvent"))]
    pub fn create_new(&self, name: impl AsRef<str>) -> Result<Event> {
        self.create("create", name.as_ref(), Existing::Refuse)
    }

    /// Opens the event `name` if some process holds it, as it is, and makes it otherwise;
    /// [`Event::was_created`] tells which.
    ///
    /// # Errors
    ///
    /// Those of [`Event::open`] and [`create_new`](EventOptions::create_new), except that it is
    /// missing or exists.
    #[doc(alias("CreateEvent"))]
    pub fn open_or_create(&self, name: impl AsRef<str>) -> Result<Event> {
        self.create("open or create", name.as_ref(), Existing::Open)
    }

    fn create(&self, call: &'static str, name: &str, existing: Existing) -> Result<Event> {
        let (object, identity) =
            named(call, KIND, name, |name| sync::Event::create(name, &self.spec(), existing))?;
        Ok(Event { object, identity })
    }

    /// Makes an event without a name, to be handed on as a descriptor or handle.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn create_unnamed(&self) -> Result<Event> {
        let identity = Identity::unnamed(KIND);
        match sync::Event::unnamed(&self.spec()) {
            Ok(object) => Ok(Event { object, identity }),
            Err(error) => Err(identity.tell("create", error)),
        }
    }

    fn spec(&self) -> Spec {
        Spec::Event { sharing: self.sharing, reset: self.reset, signaled: self.signaled }
    }
}

/// Something that has happened, or not yet, for all processes.
#[derive(Debug)]
#[doc(alias("CreateEvent", "pthread_cond_t", "eventfd"))]
pub struct Event {
    pub(super) object: sync::Event,
    identity: Identity,
}

impl Event {
    /// Opens the event named `name`. It resets as its maker said.
    ///
    /// # Errors
    ///
    /// As [`Mutex::open`](super::Mutex::open).
    #[doc(alias("OpenEvent"))]
    pub fn open(name: impl AsRef<str>) -> Result<Event> {
        let (object, identity) =
            named("open", KIND, name.as_ref(), |name| Ok((sync::Event::open(name)?, false)))?;
        Ok(Event { object, identity })
    }

    /// One that somebody handed us.
    pub(crate) fn handed_on(object: sync::Event) -> Event {
        let identity = Identity { created: false, ..Identity::unnamed(KIND) };
        Event { object, identity }
    }

    pub(crate) fn object(&self) -> &sync::Event {
        &self.object
    }

    /// The name it was made or opened by.
    pub fn name(&self) -> Option<&Name> {
        self.identity.name.as_ref()
    }

    /// Whether this handle made the object, and did not find it.
    pub fn was_created(&self) -> bool {
        self.identity.created
    }

    /// Says that it has happened.
    ///
    /// [`Manual`](Reset::Manual): all who wait go on, and so does who waits later, until it is
    /// [reset](Event::reset). [`Auto`](Reset::Auto): one who waits goes on, now or later; to set it
    /// again before that changes nothing.
    ///
    /// # Errors
    ///
    /// None on Unix; on Windows the system's.
    #[doc(alias("SetEvent"))]
    pub fn set(&self) -> Result<()> {
        self.object.set().map_err(|error| self.identity.tell("set", error))
    }

    /// Says that it has not happened.
    ///
    /// # Errors
    ///
    /// As [`set`](Event::set).
    #[doc(alias("ResetEvent"))]
    pub fn reset(&self) -> Result<()> {
        self.object.clear().map_err(|error| self.identity.tell("reset", error))
    }

    /// Lets those go on who wait at this moment, all or one, and leaves it not set. Who is about to
    /// wait, and has not yet begun, may miss it: use it only where that is all right.
    ///
    /// # Errors
    ///
    /// As [`set`](Event::set).
    #[doc(alias("PulseEvent"))]
    pub fn pulse(&self) -> Result<()> {
        self.object.pulse().map_err(|error| self.identity.tell("pulse", error))
    }

    /// Waits until it has happened.
    ///
    /// # Errors
    ///
    /// The system's refusal to let us wait.
    #[doc(alias("WaitForSingleObject"))]
    pub fn wait(&self) -> Result<()> {
        self.wait_until(Deadline::Never).map(drop)
    }

    /// Waits for this long at most; false if it did not happen.
    ///
    /// # Errors
    ///
    /// As [`wait`](Event::wait).
    pub fn wait_timeout(&self, time: Duration) -> Result<bool> {
        self.wait_until(Deadline::after(time))
    }

    fn wait_until(&self, deadline: Deadline) -> Result<bool> {
        self.object.wait(deadline).map_err(|error| self.identity.tell("wait for", error))
    }
}
