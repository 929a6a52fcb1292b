//! The `PAGE_` protections and their modifiers.

use rustix::mm::ProtFlags;

use crate::error::{INVALID_PARAMETER, NOT_SUPPORTED, Result};

/// The protections. At most one of them may be set.
pub(crate) const NOACCESS: u32 = 0x01;
pub(crate) const READONLY: u32 = 0x02;
pub(crate) const READWRITE: u32 = 0x04;
pub(crate) const WRITECOPY: u32 = 0x08;
/// The executable protections.
const EXECUTABLE: u32 = 0xF0;

/// Modifiers that `VirtualQuery` reports. They have no other effect: the memory is cached in any
/// case.
pub(crate) const NOCACHE: u32 = 0x200;
pub(crate) const WRITECOMBINE: u32 = 0x400;
/// Not supported. On Windows the first access to a guard page raises an exception, which the
/// program handles.
const GUARD: u32 = 0x100;
const MODIFIERS: u32 = GUARD | NOCACHE | WRITECOMBINE;

/// Returns the protection without its modifiers.
pub(crate) fn without_modifiers(protection: u32) -> u32 {
    protection & !MODIFIERS
}

/// Refuses invalid and unsupported protections. At most one modifier may be set, and none together
/// with `NOACCESS`.
pub(crate) fn check_protection(protection: u32) -> Result<()> {
    let (base, modifiers) = (without_modifiers(protection), protection & MODIFIERS);
    let is_known = base.is_power_of_two() && base <= EXECUTABLE;
    let may_be_modified = base != NOACCESS && modifiers.is_power_of_two();
    if !is_known || modifiers != 0 && !may_be_modified {
        return Err(INVALID_PARAMETER);
    }
    if base & EXECUTABLE != 0 || modifiers == GUARD { Err(NOT_SUPPORTED) } else { Ok(()) }
}

/// Returns the page protection for `mmap` and `mprotect`.
pub(crate) fn prot(protection: u32) -> ProtFlags {
    match without_modifiers(protection) {
        READONLY => ProtFlags::READ,
        READWRITE | WRITECOPY => ProtFlags::READ | ProtFlags::WRITE,
        _ => ProtFlags::empty(),
    }
}
