//! The directories of objects, and the files in them.

pub(crate) mod default_dirs;
pub(crate) mod directory;
pub(crate) mod file_id;
pub(crate) mod file_location;
mod file_name;
pub(crate) mod inspect;
mod parent_directory;
pub(crate) mod resolve;
mod user_directory;
pub(crate) mod user_namespace;
