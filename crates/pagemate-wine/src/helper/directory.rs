//! The two directories of names that Windows programs of one logon session use.

use pagemate_wine::protocol::Key;

use crate::native::{self, Handle, NO_MORE_ENTRIES, Status};

/// The directories of the names in `Local\` and in `Global\`.
#[derive(Debug)]
pub(crate) struct Directories {
    local: Handle,
    global: Handle,
}

impl Directories {
    pub(crate) fn open() -> Result<Directories, Status> {
        let session = native::session();
        let local = format!(r"\Sessions\{session}\BaseNamedObjects");
        Ok(Directories {
            local: native::open_directory(&local)?,
            global: native::open_directory(r"\BaseNamedObjects")?,
        })
    }

    /// Returns the directory of a name.
    pub(crate) fn of(&self, key: &Key) -> &Handle {
        if key.global { &self.global } else { &self.local }
    }

    /// Returns the names of all sections. Leaves out names that are not valid UTF-16, because the
    /// bridge cannot spell them.
    pub(crate) fn sections(&self) -> Result<Vec<Key>, Status> {
        let mut found = Vec::new();
        let mut buffer = vec![0; native::ENTRY_LEN];
        for (global, directory) in [(false, &self.local), (true, &self.global)] {
            let mut context = 0;
            loop {
                match native::next_entry(directory, &mut context, &mut buffer) {
                    Ok((name, kind)) if String::from_utf16_lossy(&kind) == "Section" => {
                        found.extend(
                            String::from_utf16(&name).ok().map(|bare| Key { global, bare }),
                        );
                    }
                    Ok(_) => {}
                    Err(NO_MORE_ENTRIES) => break,
                    Err(status) => return Err(status),
                }
            }
        }
        Ok(found)
    }

    /// Returns numbers that change with the number of names in each directory.
    pub(crate) fn counts(&self) -> Result<[u32; 2], Status> {
        Ok([native::counts(&self.local)?.1, native::counts(&self.global)?.1])
    }
}

/// Returns the name as the native calls take it.
pub(crate) fn units(key: &Key) -> Vec<u16> {
    key.bare.encode_utf16().collect()
}
