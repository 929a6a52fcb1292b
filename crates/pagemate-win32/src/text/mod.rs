//! Object names, code pages, and strings that end in a NUL.

pub mod c_string;
pub mod codepage;
pub(crate) mod name;
pub(crate) mod os_string;
