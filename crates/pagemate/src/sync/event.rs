use std::time::{Duration, Instant};

use super::{Identity, open_before, with_name};
use crate::access::Sharing;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::sys::object::Existing;
use crate::sys::sync::{self, Spec};

pub use crate::sys::sync::Reset;

const KIND: &str = "event";

/// Options to create an event.
///
/// Set the options that differ from the defaults, then call [`create_new`](EventOptions::create_new),
/// [`open_or_create`](EventOptions::open_or_create) or
/// [`create_unnamed`](EventOptions::create_unnamed).
#[derive(Clone, Debug)]
pub struct EventOptions {
    sharing: Sharing,
    reset: Reset,
    signaled: bool,
}

impl EventOptions {
    /// Returns the default options: an event that is not signaled, for the owner alone.
    pub fn new(reset: Reset) -> EventOptions {
        EventOptions { sharing: Sharing::Owner, reset, signaled: false }
    }

    /// Sets whether a new event is signaled from the start. The default is `false`.
    pub fn signaled(&mut self, signaled: bool) -> &mut EventOptions {
        self.signaled = signaled;
        self
    }

    /// Sets which other users may use a new event: see
    /// [`MutexOptions::sharing`](super::MutexOptions::sharing).
    pub fn sharing(&mut self, sharing: Sharing) -> &mut EventOptions {
        self.sharing = sharing;
        self
    }

    /// Creates the event `name`.
    ///
    /// # Errors
    ///
    /// The errors of [`MutexOptions::create_new`](super::MutexOptions::create_new).
    #[doc(alias("CreateEvent"))]
    pub fn create_new(&self, name: impl ToName) -> Result<Event> {
        self.create("create", name.to_name(), Existing::Refuse)
    }

    /// Opens the event `name` if some process holds it, and creates it otherwise.
    ///
    /// [`Event::was_created`] returns whether this call created the event. An opened event keeps
    /// its state and its reset mode.
    ///
    /// # Errors
    ///
    /// The errors of [`Event::open`] and [`create_new`](EventOptions::create_new), except `NotFound`
    /// and `AlreadyExists`.
    #[doc(alias("CreateEvent"))]
    pub fn open_or_create(&self, name: impl ToName) -> Result<Event> {
        self.create("open or create", name.to_name(), Existing::Open)
    }

    fn create(&self, call: &'static str, name: Result<Name>, existing: Existing) -> Result<Event> {
        let (object, identity) =
            with_name(call, KIND, name, |name| sync::Event::create(name, &self.spec(), existing))?;
        Ok(Event { object, identity })
    }

    /// Creates an event without a name. Pass it to another process as a descriptor or handle: see
    /// [`os`](crate::os).
    ///
    /// # Errors
    ///
    /// The error of the operating system if it refuses memory or a handle.
    pub fn create_unnamed(&self) -> Result<Event> {
        let identity = Identity::unnamed(KIND);
        match sync::Event::unnamed(&self.spec()) {
            Ok(object) => Ok(Event { object, identity }),
            Err(error) => Err(identity.context("create", error)),
        }
    }

    fn spec(&self) -> Spec {
        Spec::Event { sharing: self.sharing, reset: self.reset, signaled: self.signaled }
    }
}

/// A signal that threads of all processes can wait for.
///
/// An event is either signaled or not. [`set`](Event::set) signals it, and [`wait`](Event::wait) blocks
/// until it is signaled. The [`Reset`] mode, fixed at creation, decides how many waiters a signal
/// releases: with [`Manual`](Reset::Manual) all of them, until [`reset`](Event::reset); with
/// [`Auto`](Reset::Auto) one, and the event resets itself.
///
/// Writes before a `set` happen before the return of a `wait` that it releases.
///
/// An event keeps its state when a process is killed. If a process is killed after its wait consumed
/// an auto-reset signal, that signal is lost.
///
/// # Examples
///
/// ```
/// use pagemate::sync::{EventOptions, Reset};
/// use std::time::Duration;
///
/// # fn main() -> pagemate::Result<()> {
/// let event = EventOptions::new(Reset::Auto).create_unnamed()?;
/// event.set()?;
/// assert!(event.wait_for(Duration::from_secs(1))?);
/// // The wait reset the event.
/// assert!(!event.try_wait()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[doc(alias("CreateEvent", "pthread_cond_t", "eventfd"))]
pub struct Event {
    pub(super) object: sync::Event,
    identity: Identity,
}

impl Event {
    /// Opens the event named `name`. Its creator chose the reset mode.
    ///
    /// # Errors
    ///
    /// The errors of [`Mutex::open`](super::Mutex::open).
    #[doc(alias("OpenEvent"))]
    pub fn open(name: impl ToName) -> Result<Event> {
        Event::open_before(name.to_name(), Deadline::Now)
    }

    /// Opens the event named `name`, blocking for at most `time` until some process creates it: see
    /// [`Section::open_within`](crate::Section::open_within).
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Event::open).
    pub fn open_within(name: impl ToName, time: Duration) -> Result<Event> {
        Event::open_before(name.to_name(), Deadline::after(time))
    }

    fn open_before(name: Result<Name>, deadline: Deadline) -> Result<Event> {
        let (object, identity) = open_before(KIND, name, deadline, sync::Event::open)?;
        Ok(Event { object, identity })
    }

    /// Wraps an event that another process sent to this one.
    pub(crate) fn from_received(object: sync::Event) -> Event {
        let identity = Identity { created: false, ..Identity::unnamed(KIND) };
        Event { object, identity }
    }

    pub(crate) fn object(&self) -> &sync::Event {
        &self.object
    }

    /// Checks that the event still has its name. A wait that has to sleep checks that too.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that other
    /// processes do not find this event. On Windows no program can do that.
    pub fn check_name(&self) -> Result<()> {
        self.object.check_name().map_err(|error| self.identity.context("check name of", error))
    }

    /// Returns the name that this event was created or opened with.
    pub fn name(&self) -> Option<&Name> {
        self.identity.name.as_ref()
    }

    /// Returns whether this handle created the event; `false` if it opened an existing event.
    pub fn was_created(&self) -> bool {
        self.identity.created
    }

    /// Signals the event.
    ///
    /// - [`Manual`](Reset::Manual): all waiters return, and so does every later wait, until
    ///   [`reset`](Event::reset).
    /// - [`Auto`](Reset::Auto): each call releases one thread that waits at that moment. If no thread
    ///   waits, the event stays signaled until the next wait. Signaling an event that is signaled
    ///   already has no effect.
    ///
    /// # Errors
    ///
    /// None on Unix. On Windows, [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the
    /// event's descriptor lets this user only wait, or another error of the operating system.
    #[doc(alias("SetEvent"))]
    pub fn set(&self) -> Result<()> {
        self.object.set().map_err(|error| self.identity.context("set", error))
    }

    /// Makes the event not signaled.
    ///
    /// # Errors
    ///
    /// The errors of [`set`](Event::set).
    #[doc(alias("ResetEvent"))]
    pub fn reset(&self) -> Result<()> {
        self.object.clear().map_err(|error| self.identity.context("reset", error))
    }

    /// Releases the threads that wait at this moment (all of them, or one with auto reset), and leaves
    /// the event not signaled.
    ///
    /// A thread that is about to wait may miss the pulse. Prefer [`set`](Event::set).
    ///
    /// # Errors
    ///
    /// The errors of [`set`](Event::set).
    #[doc(alias("PulseEvent"))]
    pub fn pulse(&self) -> Result<()> {
        self.object.pulse().map_err(|error| self.identity.context("pulse", error))
    }

    /// Blocks until the event is signaled. With auto reset, this resets the event.
    ///
    /// # Errors
    ///
    /// The error of the operating system if it refuses the wait.
    #[doc(alias("WaitForSingleObject"))]
    pub fn wait(&self) -> Result<()> {
        self.wait_before(Deadline::Never).map(drop)
    }

    /// Returns whether the event is signaled, without blocking. With auto reset, this resets the event.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](Event::wait).
    pub fn try_wait(&self) -> Result<bool> {
        self.wait_before(Deadline::Now)
    }

    /// Blocks until the event is signaled, for at most `time`. Returns `false` after a timeout.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](Event::wait).
    pub fn wait_for(&self, time: Duration) -> Result<bool> {
        self.wait_before(Deadline::after(time))
    }

    /// Blocks until the event is signaled, and at the latest until `end`. Returns `false` after that.
    ///
    /// # Errors
    ///
    /// The errors of [`wait`](Event::wait).
    pub fn wait_until(&self, end: Instant) -> Result<bool> {
        self.wait_before(Deadline::At(end))
    }

    fn wait_before(&self, deadline: Deadline) -> Result<bool> {
        self.object.wait(deadline).map_err(|error| self.identity.context("wait for", error))
    }
}
