//! The environment of a program: clock, variables, console, message boxes, security attributes.

pub mod clock;
pub mod console;
pub mod environment;
pub mod info;
pub mod message_box;
pub mod sddl;
pub mod security;
