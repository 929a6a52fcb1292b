/// The kind of a named object.
///
/// All kinds share one name space: two live objects of different kinds never have the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Named memory: a [`Section`](crate::Section).
    Section,
    /// A [`Mutex`](crate::sync::Mutex).
    Mutex,
    /// An [`Event`](crate::sync::Event).
    Event,
    /// A [`Semaphore`](crate::sync::Semaphore).
    Semaphore,
    /// A [`channel`](crate::channel).
    Channel,
}
