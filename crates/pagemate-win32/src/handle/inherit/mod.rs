//! Handles that child processes inherit.
//!
//! A program that is started inherits the descriptors of its parent that are not close-on-exec, and
//! nothing else. So an inheritable handle owns two descriptors without close-on-exec: one of the
//! object, which holds the object's name, and a note. The note is a memfd that records the handle's
//! value, its rights and the object. The child recognizes notes by their links in `/proc/self/fd`.

pub(super) mod adopt;
pub(super) mod bequeath;
pub(super) mod note;
