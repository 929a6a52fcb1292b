//! Named shared memory that lives exactly as long as some process holds it.
//!
//! One process creates a [`Section`] under a name, others open it by that name, and [`View`]s put
//! the same physical pages into all their address spaces. When the last holder lets go, by drop,
//! exit, panic or SIGKILL, the name is gone, and what comes next under it is new: nothing to unlink, no
//! daemon, nothing stale. That is how Windows' named file mappings have always lived; here it holds on
//! every system.
//!
//! ```
//! use pagemate::SectionOptions;
//!
//! # fn main() -> pagemate::Result<()> {
//! # let name = &format!("doc-{}", std::process::id());
//! let section = SectionOptions::new().len(4096).open_or_create(name)?;
//! let view = section.map()?;
//! if section.was_created() {
//!     view.write_at(0, b"This is common data!")?;
//! }
//! let mut text = [0; 20];
//! view.read_at(0, &mut text)?;
//! assert_eq!(&text, b"This is common data!");
//! # Ok(())
//! # }
//! ```

mod access;
mod deadline;
mod error;
pub mod inventory;
mod name;
pub mod os;
mod primitive;
mod section;
pub mod sync;
mod sys;

pub use access::{Access, Kind, Protection, Sharing};
pub use error::{Error, ErrorKind, Result};
pub use name::{Name, Namespace};
pub use section::{Atomic, Section, SectionOptions, View, ViewOptions};
