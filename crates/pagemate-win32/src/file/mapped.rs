//! Files that this process has mapped, which Windows does not shorten or delete.

use std::os::unix::fs::MetadataExt;

use pagemate::os::unix::SectionExt;

use crate::error::{Result, USER_MAPPED_FILE};
use crate::handle::process_table as handle;
use crate::memory::region::regions;
use crate::object::file::File;

/// Returns whether this process has a mapping or a view of a file.
pub(super) fn is_mapped(data: &std::fs::Metadata) -> bool {
    let id = (data.dev(), data.ino());
    let over_it = handle::any_mapping(|mapping| {
        mapping.over_file()
            && rustix::fs::fstat(mapping.section().memory())
                .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == id)
    });
    over_it || regions().has_view_of(id)
}

/// Sets the length of a file. Refuses to shorten a file that this process has mapped.
pub(super) fn set_len(file: &File, len: u64) -> Result<()> {
    let data = file.inner().metadata()?;
    if len < data.len() && is_mapped(&data) {
        return Err(USER_MAPPED_FILE);
    }
    Ok(file.inner().set_len(len)?)
}
