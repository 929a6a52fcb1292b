//! pagemate for C: what `include/pagemate.h` declares, which is generated from this module.
//!
//! Each function is a translation of one call of the Rust interface. It returns a
//! [`Status`](status::Status) and gives its results through pointers. The documentation here is
//! written for those who read it in the header.
//!
//! # Safety
//!
//! What C promises is said once, at the top of the header: a pointer is NULL or good for what its
//! type says, a text ends in a NUL, and a handle is not used after it was closed. So the arguments
//! are references, optional ones, and little is left that is unsafe.
#![allow(unsafe_code, reason = "exported under C's names")]
#![allow(clippy::missing_safety_doc, reason = "said above, once for all of them")]
#![allow(clippy::doc_markdown, reason = "in the header, names that stand bare become links")]

mod argument;
pub mod event;
pub mod handed;
pub mod inventory;
pub mod mutex;
pub mod options;
pub mod os;
pub mod section;
pub mod semaphore;
pub mod shared;
pub mod status;
pub mod view;
pub mod wait;
