//! pagemate for C: the functions and types that `include/pagemate.h` declares.
//!
//! The header, including its documentation, is generated from this module, so the comments on public items
//! are written for C programmers. Each function translates one call of the Rust interface. It returns a
//! [`Status`](status::Status) and stores its results through pointers.
//!
//! # Safety
//!
//! The documentation at the top of the header states the obligations of every caller: each pointer
//! is NULL or points to a valid object of its type during the whole call, a string ends in a NUL,
//! and a handle is not used after it was closed. Most arguments are therefore optional references,
//! and only strings, buffers and descriptors need `unsafe` code here.
#![allow(unsafe_code, reason = "functions with C names and pointers of C")]
#![allow(clippy::missing_safety_doc, reason = "stated above, once for all functions")]
#![allow(clippy::doc_markdown, reason = "in the header, names without backticks become links")]

pub mod access;
mod any_receiver;
mod any_sender;
mod argument;
pub mod channel_options;
mod descriptor;
pub mod entry;
pub mod event;
pub mod inventory;
pub mod layout;
pub mod memory_wait;
pub mod mutex;
pub mod options;
pub mod receiver;
pub mod receiver_info;
pub mod receiver_sample;
pub mod section;
pub mod section_descriptor;
pub mod semaphore;
pub mod sender;
pub mod sender_batch;
pub mod sender_info;
pub mod sender_loan;
pub mod seqlock;
pub mod shared;
mod slot;
pub mod status;
pub mod sync_descriptor;
pub mod timeout;
pub mod typed;
pub mod view;
pub mod wait;
pub mod watch_info;
pub mod watch_loan;
pub mod watch_reader;
pub mod watch_writer;
mod word;
mod writing;

/// Checks at compile time that several threads may use handles, as the header documents.
const _: fn() = || {
    fn any_thread<T: Send + Sync>() {}
    any_thread::<section::Section>();
    any_thread::<view::View>();
    any_thread::<mutex::Mutex>();
    any_thread::<event::Event>();
    any_thread::<semaphore::Semaphore>();
    any_thread::<shared::SharedMutex>();
    any_thread::<typed::Shared>();
    any_thread::<seqlock::SeqlockWriter>();
    any_thread::<sender::Sender>();
    any_thread::<receiver::Receiver>();
    any_thread::<watch_writer::WatchWriter>();
    any_thread::<watch_reader::WatchReader>();
};
