//! Waiting until a word in shared memory changes.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

use pagemate::Shareable;
use pagemate::typed::{WaitWord as _, WakeWord as _};

use super::argument::required;
use super::status::{Failure, Outcome, Status, run};
use super::timeout::{duration, timed_out};

/// A word that is only read, so that it may lie in memory that is mapped for reading.
type ReadWord = <AtomicU32 as Shareable>::Reader;

/// Returns the address of a word that C passes, as the address of a `T`, which has the size and the
/// alignment of a `u32`.
fn address<T>(call: &str, word: *const c_void) -> Outcome<NonNull<T>> {
    const { assert!(size_of::<T>() == 4 && align_of::<T>() == 4) };
    let word: NonNull<T> = required(call, "word", NonNull::new(word.cast_mut()))?.cast();
    if word.is_aligned() {
        return Ok(word);
    }
    Err(Failure::invalid(call, "word is not at a multiple of 4"))
}

/// Waits by `wait`, which returns nothing after a timeout.
///
/// # Safety
///
/// `word` is NULL, or not at a multiple of 4, or the address of four readable bytes that are accessed
/// only by atomics of this size until this function returns.
unsafe fn wait_while(
    word: *const c_void,
    seen: Option<&mut MaybeUninit<u32>>,
    wait: impl FnOnce(&ReadWord) -> Option<u32>,
) -> Status {
    let call = "wait for word";
    run(|| {
        let word = address::<ReadWord>(call, word)?;
        // SAFETY: `address` checked NULL and the alignment, so the caller guarantees four readable bytes.
        // `ReadWord` only loads them, by an atomic of this size.
        let word = unsafe { word.as_ref() };
        let value = wait(word).ok_or_else(|| timed_out(call, None, "it did not change in time"))?;
        if let Some(seen) = seen {
            seen.write(value);
        }
        Ok(())
    })
}

/// Blocks while a word of shared memory has this value. Thread-safe.
///
/// A thread of any process that changes the word calls pagemate_word_wake_one() or
/// pagemate_word_wake_all() afterwards. If it is killed before that, the waiters notice the change within
/// half a second. The word may lie in a view that is mapped for reading.
///
/// On Linux a waiter sleeps in futex(2), on macOS in os_sync_wait_on_address(3). On Windows it polls, with
/// pauses of up to 16 milliseconds; use a pagemate_event where that is too slow.
///
/// ```c
/// #include <stdatomic.h>
///
/// pagemate_section_options options = {.len = 4096};
/// pagemate_section *section = NULL;
/// pagemate_view *view = NULL;
/// void *memory = NULL;
/// if (pagemate_section_open_or_create("frames", &options, &section) == PAGEMATE_OK &&
///     pagemate_section_map(section, NULL, &view) == PAGEMATE_OK &&
///     pagemate_view_pointer(view, &memory) == PAGEMATE_OK) {
///     _Atomic uint32_t *frame = memory;
///     atomic_fetch_add(frame, 1);
///     pagemate_word_wake_all(frame);
///     uint32_t seen = 0;
///     pagemate_word_wait_while(frame, 0, &seen);
///     printf("frame %u\n", (unsigned)seen);
/// }
/// pagemate_view_unmap(view);
/// pagemate_section_close(section);
/// ```
///
/// @param word   An atomic number of 32 bits in shared memory, at a multiple of 4: `_Atomic uint32_t *`. The
///               program and all others access it only by atomics of 32 bits.
/// @param value  The value during which the call blocks.
/// @param seen   Receives the first other value, which the call loaded with acquire order. NULL if it is not
///               needed.
/// @return PAGEMATE_INVALID_INPUT: `word` is not at a multiple of 4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_word_wait_while(
    word: *const c_void,
    value: u32,
    seen: Option<&mut MaybeUninit<u32>>,
) -> Status {
    // SAFETY: the caller passes NULL or a word that is accessed by atomics of 32 bits only.
    unsafe { wait_while(word, seen, |word| Some(word.wait_while(value))) }
}

/// Blocks while a word of shared memory has this value, or until the timeout expires. Thread-safe.
///
/// @param word         As for pagemate_word_wait_while().
/// @param value        As for pagemate_word_wait_while().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
/// @param seen         As for pagemate_word_wait_while().
/// @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as for pagemate_word_wait_while().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_word_wait_while_for(
    word: *const c_void,
    value: u32,
    nanoseconds: u64,
    seen: Option<&mut MaybeUninit<u32>>,
) -> Status {
    // SAFETY: the caller passes NULL or a word that is accessed by atomics of 32 bits only.
    unsafe { wait_while(word, seen, |word| word.wait_while_for(value, duration(nanoseconds))) }
}

/// Checks the address `word`, and calls `wake` with the word there. `wake` wakes its waiters.
///
/// # Safety
///
/// As for [`wait_while`], and the bytes are writable.
unsafe fn wake(word: *const c_void, wake: impl FnOnce(&AtomicU32)) -> Status {
    run(|| {
        let word = address::<AtomicU32>("wake waiters of word", word)?;
        // SAFETY: `address` checked NULL and the alignment, so the caller guarantees four writable bytes
        // that are accessed by atomics of this size only.
        wake(unsafe { word.as_ref() });
        Ok(())
    })
}

/// Wakes at least one thread of any process that waits for the word, if there is one. Change the word
/// first. Thread-safe.
///
/// @param word  As for pagemate_word_wait_while(), in memory that is mapped for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_word_wake_one(word: *const c_void) -> Status {
    // SAFETY: the caller passes NULL or a writable word that is accessed by atomics of 32 bits only.
    unsafe { wake(word, AtomicU32::wake_one) }
}

/// Wakes all threads of all processes that wait for the word. Change the word first. Thread-safe.
///
/// @param word  As for pagemate_word_wait_while(), in memory that is mapped for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_word_wake_all(word: *const c_void) -> Status {
    // SAFETY: the caller passes NULL or a writable word that is accessed by atomics of 32 bits only.
    unsafe { wake(word, AtomicU32::wake_all) }
}
