//! Counts the allocations of calls that poll a channel.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "an allocator that counts, and functions of C")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;

use pagemate_c::native::receiver::{
    pagemate_receiver_close, pagemate_receiver_create_new, pagemate_receiver_try_recv,
};
use pagemate_c::native::status::{Status, pagemate_last_error_message};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator with a count of the allocations of each thread.
struct Counting;

// SAFETY: every call is passed to `System` unchanged, and `System` implements the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: by the contract of `alloc`, the caller passes a layout of non-zero size, as
        // `System.alloc` requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: by the contract of `dealloc`, `at` was allocated by this allocator, so by `System`,
        // with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn polling_an_empty_channel_allocates_nothing() {
    let name = CString::new(format!("pagemate-c-allocations-{}", std::process::id())).unwrap();
    let mut receiver = MaybeUninit::uninit();
    // SAFETY: the name ends in a NUL.
    let opened = unsafe { pagemate_receiver_create_new(name.as_ptr(), None, Some(&mut receiver)) };
    assert_eq!(opened, Status::PAGEMATE_OK);
    // SAFETY: the call has succeeded and has stored the handle.
    let receiver = unsafe { receiver.assume_init() }.unwrap();
    // SAFETY: the memory of handles is never freed.
    let receiver = unsafe { receiver.as_ref() };
    let poll = || {
        let (mut bytes, mut len) = ([0_u8; 8], MaybeUninit::uninit());
        let bytes = bytes.as_mut_ptr().cast();
        // SAFETY: the buffer has 8 bytes that nothing else accesses.
        unsafe { pagemate_receiver_try_recv(Some(receiver), bytes, 8, Some(&mut len)) }
    };
    assert_eq!(poll(), Status::PAGEMATE_TIMED_OUT);
    let before = COUNT.with(Cell::get);
    for _ in 0..1000 {
        assert_eq!(poll(), Status::PAGEMATE_TIMED_OUT);
    }
    assert_eq!(COUNT.with(Cell::get) - before, 0);
    // SAFETY: the text ends in a NUL, and is valid until the next failure in this thread.
    let message = unsafe { CStr::from_ptr(pagemate_last_error_message()) }.to_str().unwrap();
    assert!(message.ends_with("\": the channel is empty"), "{message}");
    assert_eq!(pagemate_receiver_close(Some(receiver)), Status::PAGEMATE_OK);
}
