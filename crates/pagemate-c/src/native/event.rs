//! What has happened, or not yet, for all processes.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use pagemate::sync;

use super::argument::{ResetWord, SharingWord, given, hand_out, spelled, take_back, tell, text};
use super::options::{only, shared_for, unknown};
use super::status::{Outcome, Status, call};
use super::wait::{late, time};

/// How an event that has happened comes to be one that has not.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Letting one go who waits resets it.
    Auto = 0,
    /// It stays set, for all who wait and will wait, until it is reset.
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

/// For a new event: it has happened already.
pub const PAGEMATE_SIGNALED: u32 = 32;

/// How to make an event. A zeroed one, `{0}`, has all defaults, and NULL stands for it. It grows as
/// pagemate_section_options does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct EventOptions {
    /// Which other users may use a new event. They meet under a `Global\` name.
    pub sharing: SharingWord,
    /// How a new event resets.
    pub reset: ResetWord,
    /// PAGEMATE_SIGNALED, or 0.
    pub flags: u32,
    /// 0.
    pub reserved: [u64; 4],
}

impl EventOptions {
    /// What these options say.
    fn read(options: Option<&EventOptions>, call: &str) -> Outcome<sync::EventOptions> {
        const AUTO: u32 = Reset::Auto as u32;
        const MANUAL: u32 = Reset::Manual as u32;
        let Some(options) = options else { return Ok(sync::EventOptions::new(sync::Reset::Auto)) };
        only(call, options.flags, PAGEMATE_SIGNALED, options.reserved)?;
        let mut set = sync::EventOptions::new(match options.reset {
            AUTO => sync::Reset::Auto,
            MANUAL => sync::Reset::Manual,
            word => return Err(unknown(call, "reset", word)),
        });
        set.sharing(shared_for(call, options.sharing, pagemate::Access::ReadWrite)?);
        set.signaled(options.flags & PAGEMATE_SIGNALED != 0);
        Ok(set)
    }
}

/// A handle to something that has happened, or not yet, for all processes. Its name lives as a section's
/// does.
///
/// Threads may use one handle at the same time; only to close it one has to be alone with it.
#[derive(Debug)]
pub struct Event {
    pub(super) event: sync::Event,
    name: Option<CString>,
}

impl Event {
    pub(super) fn new(event: sync::Event) -> Event {
        Event { name: spelled(event.name()), event }
    }
}

/// Makes the event `name`, which must not exist.
///
/// @param name     What it is called: see pagemate_section_create_new().
/// @param options  What to make. NULL is one that resets by itself, has not happened, and is for the owner
///                 alone.
/// @param event    Gets the handle, to be closed by pagemate_event_close(); NULL on failure.
/// @return As pagemate_mutex_create_new().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_create_new(
    name: *const c_char,
    options: Option<&EventOptions>,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let words = "create event";
    hand_out(words, "event", event, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Event::new(EventOptions::read(options, words)?.create_new(name)?))
    })
}

/// Opens the event `name` if some process holds it, and makes it otherwise; pagemate_event_was_created()
/// tells which.
///
/// @param name     What it is called.
/// @param options  What to make. An event that exists stays as it is.
/// @param event    Gets the handle; NULL on failure.
/// @return As pagemate_mutex_open_or_create().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_open_or_create(
    name: *const c_char,
    options: Option<&EventOptions>,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let words = "open or create event";
    hand_out(words, "event", event, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Event::new(EventOptions::read(options, words)?.open_or_create(name)?))
    })
}

/// Opens the event `name`, which some process has to hold. It resets as its maker said.
///
/// @param name   What it is called.
/// @param event  Gets the handle; NULL on failure.
/// @return As pagemate_mutex_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_open(
    name: *const c_char,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let words = "open event";
    hand_out(words, "event", event, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Event::new(sync::Event::open(name)?))
    })
}

/// Makes an event without a name, to be handed to another process as a descriptor or a handle.
///
/// @param options  What to make.
/// @param event    Gets the handle; NULL on failure.
/// @return As pagemate_mutex_create_new().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_create_unnamed(
    options: Option<&EventOptions>,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let words = "create unnamed event";
    hand_out(words, "event", event, || {
        Ok(Event::new(EventOptions::read(options, words)?.create_unnamed()?))
    })
}

/// Closes a handle, and lets go of the name.
///
/// It always succeeds. NULL is nothing to close, as for free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_close(event: Option<Box<Event>>) -> Status {
    take_back(event)
}

/// Says that it has happened.
///
/// PAGEMATE_RESET_MANUAL: all who wait go on, and so does who waits later, until it is reset.
/// PAGEMATE_RESET_AUTO: each call lets one thread go on that waits at that moment; if none waits, the
/// next one that does goes on, and to set it again before that changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_set(event: Option<&Event>) -> Status {
    call(|| Ok(given("set event", "event", event)?.event.set()?))
}

/// Says that it has not happened.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_reset(event: Option<&Event>) -> Status {
    call(|| Ok(given("reset event", "event", event)?.event.reset()?))
}

/// Lets those go on who wait at this moment, all or one, and leaves it not set. Who is about to wait, and
/// has not yet begun, may miss it: use it only where that is all right.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_pulse(event: Option<&Event>) -> Status {
    call(|| Ok(given("pulse event", "event", event)?.event.pulse()?))
}

/// Waits until it has happened.
///
/// @return PAGEMATE_OS: the system's refusal to let us wait.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_wait(event: Option<&Event>) -> Status {
    call(|| Ok(given("wait for event", "event", event)?.event.wait()?))
}

/// Waits for so long at most until it has happened.
///
/// @param event        What to wait for.
/// @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to ask only.
/// @return PAGEMATE_TIMED_OUT: it did not happen. Otherwise as pagemate_event_wait().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_wait_for(event: Option<&Event>, nanoseconds: u64) -> Status {
    let words = "wait for event";
    call(|| {
        let event = &given(words, "event", event)?.event;
        let happened = event.wait_timeout(time(nanoseconds))?;
        if happened { Ok(()) } else { Err(late(words, event.name(), "it did not happen in time")) }
    })
}

/// Tells whether this handle made the object, and did not find it.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_was_created(
    event: Option<&Event>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    tell("ask who created", ("event", event), ("created", created), |event| {
        event.event.was_created()
    })
}

/// Tells the name, in its shortest spelling: valid until the handle is closed. NULL if it has none.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_name(
    event: Option<&Event>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    tell("ask for name", ("event", event), ("name", name), |event| {
        event.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
    })
}
