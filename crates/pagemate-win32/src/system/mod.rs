//! The environment of a program: clock, variables, console, message boxes, messages of the system.

pub mod clock;
pub mod console;
pub mod environment;
pub mod info;
pub mod message;
pub mod message_box;
pub mod sddl;
