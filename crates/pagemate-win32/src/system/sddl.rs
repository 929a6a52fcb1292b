//! Security descriptors as strings (SDDL). Only two meanings are supported: an object is shared
//! with its owner alone, or with everyone.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::OsString;

use crate::error::{Code, INVALID_PARAMETER, NOT_ENOUGH_MEMORY, NOT_SUPPORTED, Result, done};
use crate::memory::heap::LocalAlloc;
use crate::pointer::write_unless_null;
use crate::security::{SecurityDescriptor, UNKNOWN_REVISION};
use crate::text::os_string::{narrow, wide};

/// `ERROR_INVALID_ACL`.
const INVALID_ACL: Code = Code(1336);

/// `SDDL_REVISION_1`.
const REVISION: u32 = 1;

/// The identifiers of everyone, of authenticated users, of interactive users and of the group of
/// users.
const EVERYONE: [&str; 8] =
    ["WD", "AU", "IU", "BU", "S-1-1-0", "S-1-5-11", "S-1-5-4", "S-1-5-32-545"];
/// The identifiers of the owner, the system and the administrators, which have all access here.
const OWNERS: [&str; 7] = ["OW", "CO", "SY", "BA", "S-1-3-4", "S-1-5-18", "S-1-5-32-544"];

/// The rights that include writing, as letters and as bits.
const WRITING: [&str; 6] = ["GA", "GW", "FA", "FW", "KA", "KW"];
const WRITING_BITS: u32 = 0x1000_0000 | 0x4000_0000 | 0x2;

/// Returns whether a descriptor shares an object with everyone.
fn shares(text: &str) -> Result<bool> {
    let Some(list) = component(text, "D:")? else { return Ok(false) };
    let (flags, entries) = list.split_at(list.find('(').unwrap_or(list.len()));
    if flags == "NO_ACCESS_CONTROL" {
        return Ok(true);
    }
    if entries.is_empty() {
        // An empty list denies access to all users, including the owner.
        return Err(NOT_SUPPORTED);
    }
    let mut everyone = false;
    for entry in entries.strip_suffix(')').ok_or(INVALID_ACL)?[1..].split(")(") {
        everyone |= grants_everyone(entry)?;
    }
    Ok(everyone)
}

/// Returns the part of a descriptor that begins with `start`, up to the next part.
fn component<'a>(text: &'a str, start: &str) -> Result<Option<&'a str>> {
    let mut found = None;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (part, tail) = rest.split_at_checked(2).ok_or(INVALID_ACL)?;
        if !["O:", "G:", "D:", "S:"].contains(&part) {
            return Err(INVALID_ACL);
        }
        let end = ["O:", "G:", "D:", "S:"].iter().filter_map(|next| tail.find(next)).min();
        let (value, next) = tail.split_at(end.unwrap_or(tail.len()));
        if part == start {
            found = Some(value.trim());
        }
        rest = next;
    }
    Ok(found)
}

/// Returns whether an entry of a list lets everyone read and write.
fn grants_everyone(entry: &str) -> Result<bool> {
    let fields: Vec<_> = entry.split(';').map(str::trim).collect();
    let [kind, _, rights, _, _, trustee] = fields[..] else { return Err(INVALID_ACL) };
    let everyone = EVERYONE.contains(&trustee);
    if kind != "A" || !everyone && !OWNERS.contains(&trustee) || everyone && !writes(rights)? {
        return Err(NOT_SUPPORTED);
    }
    Ok(everyone)
}

fn writes(rights: &str) -> Result<bool> {
    if let Some(digits) = rights.strip_prefix("0x") {
        let bits = u32::from_str_radix(digits, 16).map_err(|_| INVALID_ACL)?;
        return Ok(bits & WRITING_BITS != 0);
    }
    let letters = rights.as_bytes().chunks(2);
    let mut letters = letters.map(|right| str::from_utf8(right).unwrap_or_default());
    Ok(letters.any(|right| WRITING.contains(&right)))
}

/// # Safety
///
/// `made` and `size` are null or valid for writes.
unsafe fn convert(
    text: Result<Option<OsString>>,
    revision: u32,
    made: *mut *mut SecurityDescriptor,
    size: *mut u32,
) -> Result<()> {
    let text = text?.ok_or(INVALID_PARAMETER)?;
    if made.is_null() {
        return Err(INVALID_PARAMETER);
    }
    if revision != REVISION {
        return Err(UNKNOWN_REVISION);
    }
    let everyone = shares(text.to_str().ok_or(INVALID_ACL)?)?;
    let len = size_of::<SecurityDescriptor>();
    let descriptor = LocalAlloc(0, len).cast::<SecurityDescriptor>();
    if descriptor.is_null() {
        return Err(NOT_ENOUGH_MEMORY);
    }
    // SAFETY: the block was just allocated with the length of a descriptor, and `malloc` aligns it
    // for any type.
    unsafe { descriptor.write(SecurityDescriptor::sharing(everyone)) };
    // SAFETY: the caller guarantees that `made` is null or valid for writes.
    unsafe { write_unless_null(made, descriptor) };
    // SAFETY: the caller guarantees that `size` is null or valid for writes.
    unsafe { write_unless_null(size, u32::try_from(len).unwrap_or(u32::MAX)) };
    Ok(())
}

macro_rules! calls {
    ($unit:ty, $text:ident: $convert:ident) => {
        /// Allocates a security descriptor from a string. The caller frees it by `LocalFree`.
        ///
        /// # Safety
        ///
        /// `text` is null or points to a string that ends in a NUL; `made` and `size` are null or
        /// valid for writes.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $convert(
            text: *const $unit,
            revision: u32,
            made: *mut *mut SecurityDescriptor,
            size: *mut u32,
        ) -> i32 {
            // SAFETY: the caller guarantees that `text` is null or points to a string that ends in
            // a NUL.
            let text = unsafe { $text(text) };
            // SAFETY: the caller guarantees that `made` and `size` are null or valid for writes.
            done(stringify!($convert), unsafe { convert(text, revision, made, size) })
        }
    };
}

calls!(u8, narrow: ConvertStringSecurityDescriptorToSecurityDescriptorA);
calls!(u16, wide: ConvertStringSecurityDescriptorToSecurityDescriptorW);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_means_the_owner_or_everyone() {
        for (text, meaning) in [
            ("D:(A;;GA;;;WD)", Ok(true)),
            ("D:P(A;OICI;GA;;;SY)(A;OICI;GA;;;BA)(A;OICI;GA;;;WD)", Ok(true)),
            ("D:(A;;GRGWGX;;;BU)", Ok(true)),
            ("D:(A;;0x1F0003;;;S-1-1-0)S:(ML;;NW;;;LW)", Ok(true)),
            ("O:BAG:SYD:NO_ACCESS_CONTROL", Ok(true)),
            ("D:(A;;GA;;;OW)(A;;GA;;;SY)", Ok(false)),
            ("S:(ML;;NW;;;LW)", Ok(false)),
            ("O:BA", Ok(false)),
            ("", Ok(false)),
            // Unsupported: read-only for everyone, an empty list, a denial, a particular user.
            ("D:(A;;GR;;;WD)", Err(NOT_SUPPORTED)),
            ("D:P", Err(NOT_SUPPORTED)),
            ("D:(D;;GA;;;WD)", Err(NOT_SUPPORTED)),
            ("D:(A;;GA;;;S-1-5-21-1-2-3-1001)", Err(NOT_SUPPORTED)),
            ("D:(A;;GA;;WD)", Err(INVALID_ACL)),
            ("D:(A;;GA;;;WD", Err(INVALID_ACL)),
            ("nonsense", Err(INVALID_ACL)),
        ] {
            assert_eq!(shares(text), meaning, "{text}");
        }
    }
}
