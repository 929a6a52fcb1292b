//! Object names, code pages, strings that end in a NUL, and messages.

pub mod c_string;
pub mod codepage;
pub mod message;
pub(crate) mod name;
