//! Files, as far as mappings need them.

/// What a handle to a file may do: `FILE_READ_DATA`, `FILE_WRITE_DATA`.
pub(super) const READ_DATA: u32 = 0x1;
pub(super) const WRITE_DATA: u32 = 0x2;

/// What handles to an open file share.
#[derive(Debug)]
pub(super) struct File {
    file: std::fs::File,
}

impl File {
    pub(super) fn new(file: std::fs::File) -> File {
        File { file }
    }

    pub(super) fn inner(&self) -> &std::fs::File {
        &self.file
    }
}

/// The rights to a file that `access` asks for, generic ones spelled out.
pub(super) fn specific(access: u32) -> u32 {
    const GENERIC: [(u32, u32); 4] = [
        (0x8000_0000, 0x12_0089),
        (0x4000_0000, 0x12_0116),
        (0x2000_0000, 0x12_00A0),
        (0x1000_0000, 0x1F_01FF),
    ];
    GENERIC.iter().fold(access & 0x0FFF_FFFF, |rights, (generic, meaning)| {
        if access & generic == 0 { rights } else { rights | meaning }
    })
}
