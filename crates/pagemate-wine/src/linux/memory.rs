//! From an address in the helper to the file that is mapped there, and to the wineserver's descriptor of it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use rustix::fs::OFlags;

use super::error::{Error, Result};
use super::prefix::Server;
use super::process;

/// A file that is mapped at some address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) inode: u64,
    /// The path of the file as the kernel shows it. A file without a path has one too.
    path: Vec<u8>,
    offset: u64,
}

/// The mappings of a process.
#[derive(Debug, Default)]
pub(super) struct Maps(HashMap<u64, Mapped>);

impl Maps {
    /// Reads the mappings of a process. Empty if they cannot be read.
    pub(super) fn of(pid: u32) -> Maps {
        let text = fs::read(process::path(pid, "maps")).unwrap_or_default();
        Maps(text.split(|byte| *byte == b'\n').filter_map(parse).collect())
    }

    /// Returns the file whose mapping begins at `address`.
    pub(super) fn at(&self, address: u64) -> Option<&Mapped> {
        self.0.get(&address)
    }
}

/// Parses a line of `/proc/PID/maps`. `None` if it is not the mapping of a file.
fn parse(line: &[u8]) -> Option<(u64, Mapped)> {
    let mut rest = line;
    let mut word = || {
        let end = rest.iter().position(|byte| *byte == b' ')?;
        let (word, after) = rest.split_at(end);
        rest = &after[1..];
        str::from_utf8(word).ok()
    };
    let (begin, _) = word()?.split_once('-')?;
    let begin = u64::from_str_radix(begin, 16).ok()?;
    let _permissions = word()?;
    let offset = u64::from_str_radix(word()?, 16).ok()?;
    let _device = word()?;
    let inode: u64 = word()?.parse().ok()?;
    let path = rest.trim_ascii_start().to_vec();
    (inode != 0).then_some((begin, Mapped { inode, path, offset }))
}

/// A file of the wineserver that was opened anew.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) writable: bool,
    /// The number of the wineserver's descriptor.
    pub(super) descriptor: u32,
}

/// The descriptors of the wineserver, each with the path that the kernel shows.
#[derive(Debug)]
pub(super) struct Descriptors {
    server: Server,
    by_path: HashMap<Vec<u8>, Vec<u32>>,
}

impl Descriptors {
    pub(super) fn of(server: Server) -> Descriptors {
        let dir = process::path(server.pid, "fd");
        let mut by_path: HashMap<Vec<u8>, Vec<u32>> = HashMap::new();
        for number in process::numbers(&dir) {
            if let Ok(path) = fs::read_link(dir.join(number.to_string())) {
                by_path.entry(path.as_os_str().as_bytes().to_vec()).or_default().push(number);
            }
        }
        Descriptors { server, by_path }
    }

    /// Returns whether the wineserver has a descriptor of a mapped file.
    pub(super) fn contain(&self, mapped: &Mapped) -> bool {
        let mut candidates = self.by_path.get(&mapped.path).into_iter().flatten();
        candidates.any(|descriptor| inode_of(self.server, *descriptor) == Some(mapped.inode))
    }

    /// Opens the wineserver's descriptor of a mapped file anew, for reading and writing if possible. `None`
    /// if the wineserver has closed it meanwhile.
    pub(super) fn open(&self, mapped: &Mapped) -> Result<Option<Opened>> {
        if mapped.offset != 0 {
            return Err(Error::new("its memory does not begin at the beginning of a file"));
        }
        let candidates = self.by_path.get(&mapped.path).into_iter().flatten();
        for descriptor in candidates.copied() {
            if inode_of(self.server, descriptor) != Some(mapped.inode) {
                continue;
            }
            let path = process::path(self.server.pid, &format!("fd/{descriptor}"));
            // The number may belong to another file by now. Without these flags the open of a pipe or of
            // a device could block or have an effect.
            let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
            let open =
                |write| File::options().read(true).write(write).custom_flags(flags).open(&path);
            let (file, writable) = match open(true) {
                Ok(file) => (file, true),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(_) => match open(false) {
                    Ok(file) => (file, false),
                    Err(error) => {
                        return Err(Error::os(
                            "the wineserver's descriptor cannot be opened",
                            error,
                        ));
                    }
                },
            };
            let metadata =
                file.metadata().map_err(|e| Error::os("its memory cannot be inspected", e))?;
            if metadata.ino() == mapped.inode && metadata.is_file() {
                return Ok(Some(Opened { file, writable, descriptor }));
            }
        }
        Ok(None)
    }
}

/// Returns the inode of the file behind a descriptor of the wineserver, if it is open.
pub(super) fn inode_of(server: Server, descriptor: u32) -> Option<u64> {
    let path = process::path(server.pid, &format!("fd/{descriptor}"));
    fs::metadata(path).ok().map(|metadata| metadata.ino())
}

/// Returns the number of descriptors of the wineserver. 0 on kernels before 6.2, which do not count them.
pub(super) fn descriptor_count(server: Server) -> u64 {
    fs::metadata(process::path(server.pid, "fd")).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_of_files_are_parsed() {
        let line =
            b"010a0000-010a2000 rw-s 00000000 fe:00 10013334      /tmp/wine-x/tmpmap-4 (deleted)";
        let mapped = Mapped {
            inode: 10_013_334,
            path: b"/tmp/wine-x/tmpmap-4 (deleted)".to_vec(),
            offset: 0,
        };
        assert_eq!(parse(line), Some((0x010a_0000, mapped)));
        assert_eq!(parse(b"7ffd-7ffe rw-p 00000000 00:00 0        [stack]"), None);
        assert_eq!(parse(b"7ffd-7ffe rw-p 00000000 00:00 0 "), None);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"nonsense"), None);
    }
}
