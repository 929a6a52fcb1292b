//! The directories that objects are in, and the files in them.

pub(crate) mod default_dirs;
pub(crate) mod directory;
pub(crate) mod file_location;
pub(crate) mod inspect;
pub(crate) mod user_directory;
