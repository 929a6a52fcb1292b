//! The directories of objects, and the files in them.

pub(crate) mod default_dirs;
pub(crate) mod directory;
pub(crate) mod file_location;
mod file_name;
pub(crate) mod inspect;
pub(crate) mod user_directory;
pub(crate) mod user_namespace;
