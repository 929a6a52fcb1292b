//! Events that processes share.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use pagemate::sync;

use super::access::sharing;
use super::argument::{c_name, close, create_handle, query, required, text, unknown};
use super::options::check_unused;
use super::status::{Outcome, Status, run};
use super::timeout::{duration, timed_out};
use super::word::{ResetWord, SharingWord};

/// The way an event is reset.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Each set wakes one waiter, which resets the event.
    Auto = 0,
    /// The event stays set, and wakes all current and later waiters, until it is reset.
    Manual = 1,
}

impl From<sync::Reset> for Reset {
    fn from(reset: sync::Reset) -> Reset {
        match reset {
            sync::Reset::Auto => Reset::Auto,
            sync::Reset::Manual => Reset::Manual,
        }
    }
}

/// A flag for a new event: it is set from the start.
pub const PAGEMATE_SIGNALED: u32 = 32;

/// Options to create an event. NULL and a zeroed struct, `{0}`, stand for the defaults. Later releases add
/// fields as for pagemate_section_options.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct EventOptions {
    /// The users who may open a new event. For users other than the owner it needs a `Global\` name.
    pub sharing: SharingWord,
    /// The way a new event is reset.
    pub reset: ResetWord,
    /// 0 or PAGEMATE_SIGNALED.
    pub flags: u32,
    /// Must be 0.
    pub reserved: [u64; 4],
}

impl EventOptions {
    /// Converts the options.
    fn convert(options: Option<&EventOptions>, call: &str) -> Outcome<sync::EventOptions> {
        const AUTO: u32 = Reset::Auto as u32;
        const MANUAL: u32 = Reset::Manual as u32;
        let Some(options) = options else { return Ok(sync::EventOptions::new(sync::Reset::Auto)) };
        check_unused(call, options.flags, PAGEMATE_SIGNALED, options.reserved)?;
        let mut set = sync::EventOptions::new(match options.reset {
            AUTO => sync::Reset::Auto,
            MANUAL => sync::Reset::Manual,
            word => return Err(unknown(call, "reset", word)),
        });
        set.sharing(sharing(call, options.sharing, pagemate::Access::ReadWrite)?);
        set.signaled(options.flags & PAGEMATE_SIGNALED != 0);
        Ok(set)
    }
}

/// A handle to an event, which is set or not set, for all processes alike.
///
/// Its name exists as long as that of a section. The death of a holder changes nothing else: the
/// event stays set or not set. Several threads may use one handle at the same time. No thread may
/// use it during or after a call that closes it.
#[derive(Debug)]
pub struct Event {
    pub(super) event: sync::Event,
    name: Option<CString>,
}

impl Event {
    pub(super) fn new(event: sync::Event) -> Event {
        Event { name: c_name(event.name()), event }
    }
}

/// Creates the event `name`. Fails if a process holds an object of this name.
///
/// If the process is killed during the call, the name is free again. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The event to create. NULL stands for one of the owner alone that is reset automatically
///                 and is not set.
/// @param event    Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
/// @return As for pagemate_mutex_create_new().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_create_new(
    name: *const c_char,
    options: Option<&EventOptions>,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let call = "create event";
    create_handle(call, "event", event, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Event::new(EventOptions::convert(options, call)?.create_new(name)?))
    })
}

/// Opens the event `name` if a process holds it, and creates it otherwise.
///
/// pagemate_event_was_created() returns whether this call created it. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The event to create. An existing event stays as it is.
/// @param event    Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
/// @return As for pagemate_mutex_open_or_create().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_open_or_create(
    name: *const c_char,
    options: Option<&EventOptions>,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let call = "open or create event";
    create_handle(call, "event", event, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Event::new(EventOptions::convert(options, call)?.open_or_create(name)?))
    })
}

/// Opens the event `name`. Fails if no process holds it. Thread-safe.
///
/// @param name   The name: see pagemate_section_create_new().
/// @param event  Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
/// @return As for pagemate_mutex_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_open(
    name: *const c_char,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let call = "open event";
    create_handle(call, "event", event, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Event::new(sync::Event::open(name)?))
    })
}

/// Opens the event `name` like pagemate_event_open(), and blocks until a process creates it or the timeout
/// expires. Thread-safe.
///
/// @param name         The name: see pagemate_section_create_new().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param event        Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_event_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_open_within(
    name: *const c_char,
    nanoseconds: u64,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let call = "open event";
    create_handle(call, "event", event, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Event::new(sync::Event::open_within(name, duration(nanoseconds))?))
    })
}

/// Creates an event without a name, which other processes receive as a descriptor or a handle. Thread-safe.
///
/// @param options  The event to create. NULL stands for one that is reset automatically and is not set.
/// @param event    Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
/// @return As for pagemate_mutex_create_new(), except those about names.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_create_unnamed(
    options: Option<&EventOptions>,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let call = "create unnamed event";
    create_handle(call, "event", event, || {
        Ok(Event::new(EventOptions::convert(options, call)?.create_unnamed()?))
    })
}

/// Closes a handle. If it is the last one of all processes, the name ends.
///
/// No thread may use the handle during or after the call. The call always succeeds. NULL is
/// ignored, as by free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_close(event: Option<Box<Event>>) -> Status {
    close(event)
}

/// Sets the event. Thread-safe.
///
/// With PAGEMATE_RESET_MANUAL all waiters continue, and later ones do not block, until the event is reset.
/// With PAGEMATE_RESET_AUTO each call releases one thread that waits at that moment. If no thread waits, the
/// event stays set until the next one does, and setting it again before that has no effect.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_set(event: Option<&Event>) -> Status {
    run(|| Ok(required("set event", "event", event)?.event.set()?))
}

/// Resets the event: later waiters block. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_reset(event: Option<&Event>) -> Status {
    run(|| Ok(required("reset event", "event", event)?.event.reset()?))
}

/// Wakes the current waiters, all of them or one as for pagemate_event_set(), and leaves the event not set.
/// Thread-safe.
///
/// A thread that is about to wait, but has not begun, misses the pulse. Use it only where that is harmless.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_pulse(event: Option<&Event>) -> Status {
    run(|| Ok(required("pulse event", "event", event)?.event.pulse()?))
}

/// Blocks until the event is set. Thread-safe.
///
/// @return PAGEMATE_ORPHANED: another program removed the event's name; a wait that has to sleep checks this.
///         PAGEMATE_OS: the system refused to wait.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_wait(event: Option<&Event>) -> Status {
    run(|| Ok(required("wait for event", "event", event)?.event.wait()?))
}

/// Blocks until the event is set or the timeout expires. Thread-safe.
///
/// @param event        The event.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
/// @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as for pagemate_event_wait().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_wait_for(event: Option<&Event>, nanoseconds: u64) -> Status {
    let call = "wait for event";
    run(|| {
        let event = &required(call, "event", event)?.event;
        let set = event.wait_for(duration(nanoseconds))?;
        if set { Ok(()) } else { Err(timed_out(call, event.name(), "it was not set in time")) }
    })
}

/// Checks that the event still has its name. A wait that has to sleep checks that too. Thread-safe.
///
/// @return PAGEMATE_ORPHANED: another program removed the name, so that other processes do not find this
///         event. On Windows no program can do that.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_check_name(event: Option<&Event>) -> Status {
    run(|| Ok(required("check name", "event", event)?.event.check_name()?))
}

/// Returns whether this handle created the object rather than opened it. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_was_created(
    event: Option<&Event>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get creator", ("event", event), ("created", created), |event| event.event.was_created())
}

/// Returns the name in its shortest spelling, or NULL if it has none. Thread-safe.
///
/// The text belongs to the handle and is valid until the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_name(
    event: Option<&Event>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    query("get name", ("event", event), ("name", name), |event| {
        event.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
    })
}
