//! Handles that child processes inherit.
//!
//! On Linux a child process inherits the descriptors that are not close-on-exec, and nothing else.
//! So an inheritable handle owns two such descriptors. The first one is a descriptor of the object,
//! which also keeps the object's name alive. The second one is a *manifest*: a memfd that contains
//! the handle's value, its rights and the identity of the object. A child recognizes manifests by
//! their links in `/proc/self/fd`, and restores the handles that they describe.

pub(super) mod make_inheritable;
pub(super) mod manifest;
pub(super) mod restore;
