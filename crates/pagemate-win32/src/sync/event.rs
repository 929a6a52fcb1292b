//! Events: creates, opens, sets and resets them.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;

use pagemate::Sharing;
use pagemate::sync::{Event, EventOptions, Reset};

use crate::error::{Result, answer, done};
use crate::handle::entry::Object;
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::{self, MODIFY_STATE};
use crate::security::SecurityAttributes;
use crate::sync::named::{create, open};
use crate::text::name;

/// `CREATE_EVENT_MANUAL_RESET`, `CREATE_EVENT_INITIAL_SET`.
const MANUAL_RESET: u32 = 1;
const INITIAL_SET: u32 = 2;

fn event(
    name: Option<&str>,
    sharing: Sharing,
    manual: bool,
    signaled: bool,
) -> Result<(Object, bool)> {
    let reset = if manual { Reset::Manual } else { Reset::Auto };
    let mut options = EventOptions::new(reset);
    options.sharing(sharing).signaled(signaled);
    let event = match name {
        Some(name) => options.open_or_create(name)?,
        None => options.create_unnamed()?,
    };
    let made = event.was_created();
    Ok((Object::Event(Arc::new(event)), made))
}

/// # Safety
///
/// `attributes` is null or points to valid attributes.
unsafe fn create_event(
    attributes: *const SecurityAttributes,
    name: Result<Option<String>>,
    manual: bool,
    signaled: bool,
    access: u32,
) -> Result<Handle> {
    let make = |name: Option<&str>, sharing| event(name, sharing, manual, signaled);
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    unsafe { create(access, attributes, name?, make) }
}

macro_rules! calls {
    ($unit:ty, $text:ident: $create_event:ident $create_event_ex:ident $open_event:ident) => {
        /// Creates an event, or opens the existing one with its name.
        ///
        /// # Safety
        ///
        /// `attributes` is null or points to valid attributes; `name` is null or points to a string
        /// that ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $create_event(
            attributes: *const SecurityAttributes,
            manual: i32,
            signaled: i32,
            name: *const $unit,
        ) -> Handle {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            let (manual, signaled) = (manual != 0, signaled != 0);
            let made =
                // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
                unsafe { create_event(attributes, name, manual, signaled, rights::STATE.all) };
            answer(stringify!($create_event), made, std::ptr::null_mut())
        }

        /// Does the same as `CreateEvent`, and gives the handle the rights in `access`.
        ///
        /// # Safety
        ///
        /// As for `CreateEvent`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $create_event_ex(
            attributes: *const SecurityAttributes,
            name: *const $unit,
            flags: u32,
            access: u32,
        ) -> Handle {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            let (manual, signaled) = (flags & MANUAL_RESET != 0, flags & INITIAL_SET != 0);
            // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
            let made = unsafe { create_event(attributes, name, manual, signaled, access) };
            answer(stringify!($create_event_ex), made, std::ptr::null_mut())
        }

        /// Opens an event that exists because some process has a handle to it.
        ///
        /// # Safety
        ///
        /// `name` is null or points to a string that ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $open_event(
            access: u32,
            inherit: i32,
            name: *const $unit,
        ) -> Handle {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            let opened =
                open(access, inherit, name, |name| Ok(Object::Event(Arc::new(Event::open(name)?))));
            answer(stringify!($open_event), opened, std::ptr::null_mut())
        }
    };
}

calls! { u8, narrow: CreateEventA CreateEventExA OpenEventA }
calls! { u16, wide: CreateEventW CreateEventExW OpenEventW }

/// Returns the event of a handle that has the right to change it.
pub(crate) fn modifiable_event(handle: Handle) -> Result<Arc<Event>> {
    Ok(handle::with_right(handle::event(handle)?, MODIFY_STATE)?.0)
}

/// Sets an event.
#[unsafe(no_mangle)]
pub extern "C" fn SetEvent(handle: Handle) -> i32 {
    done("SetEvent", modifiable_event(handle).and_then(|event| Ok(event.set()?)))
}

/// Resets an event.
#[unsafe(no_mangle)]
pub extern "C" fn ResetEvent(handle: Handle) -> i32 {
    done("ResetEvent", modifiable_event(handle).and_then(|event| Ok(event.reset()?)))
}

/// Wakes the threads that wait for an event at this moment: one of them if the event resets
/// automatically, otherwise all. The event is not set afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn PulseEvent(handle: Handle) -> i32 {
    done("PulseEvent", modifiable_event(handle).and_then(|event| Ok(event.pulse()?)))
}
