//! Security attributes. Two kinds of access lists are supported: access for the owner of the object
//! alone, and access for every user.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;

use pagemate::{Access, Sharing};

use crate::error::{Code, INVALID_PARAMETER, NOT_SUPPORTED, Result, done};
use crate::pointer::{read_unless_null, write_unless_null};

/// `ERROR_UNKNOWN_REVISION`, `ERROR_INVALID_SECURITY_DESCR`.
pub(crate) const UNKNOWN_REVISION: Code = Code(1305);
const INVALID_SECURITY_DESCR: Code = Code(1338);

/// The only revision of security descriptors.
const REVISION: u8 = 1;
/// Bits of a descriptor's `Control`: it has an access list; the list is a default; it stores
/// offsets instead of pointers.
const DACL_PRESENT: u16 = 0x0004;
const DACL_DEFAULTED: u16 = 0x0008;
const SELF_RELATIVE: u16 = 0x8000;

/// `SECURITY_ATTRIBUTES`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct SecurityAttributes {
    length: u32,
    descriptor: *const SecurityDescriptor,
    inherit: i32,
}

/// `SECURITY_DESCRIPTOR`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct SecurityDescriptor {
    revision: u8,
    reserved: u8,
    control: u16,
    owner: *const c_void,
    group: *const c_void,
    sacl: *const c_void,
    dacl: *const c_void,
}

/// Returns the contents of `SECURITY_ATTRIBUTES`: whether the handle is inheritable, and the users
/// that may access the object.
///
/// # Safety
///
/// `attributes` is null, or valid for reads and initialized. Its descriptor is null, or valid for
/// reads and initialized. Both may be unaligned.
pub(crate) unsafe fn wanted(attributes: *const SecurityAttributes) -> Result<(bool, Sharing)> {
    if attributes.is_null() {
        return Ok((false, Sharing::Owner));
    }
    // SAFETY: `attributes` is not null, so the caller guarantees that it is valid for reads and
    // initialized. It may be unaligned in a packed struct.
    let attributes = unsafe { attributes.read_unaligned() };
    if attributes.descriptor.is_null() {
        return Ok((attributes.inherit != 0, Sharing::Owner));
    }
    // SAFETY: the descriptor is not null, so the caller guarantees that it is valid for reads and
    // initialized. It may be unaligned too.
    let descriptor = unsafe { attributes.descriptor.read_unaligned() };
    if descriptor.revision != REVISION {
        return Err(UNKNOWN_REVISION);
    }
    let sharing = match descriptor.control & (DACL_PRESENT | SELF_RELATIVE) {
        0 => Sharing::Owner,
        // A null list grants all access to everyone.
        DACL_PRESENT if descriptor.dacl.is_null() => Sharing::Everyone(Access::ReadWrite),
        _ => return Err(NOT_SUPPORTED),
    };
    Ok((attributes.inherit != 0, sharing))
}

impl SecurityDescriptor {
    /// Returns a descriptor that shares an object with everyone, or one without an access list.
    pub(crate) fn sharing(everyone: bool) -> SecurityDescriptor {
        let nothing = std::ptr::null();
        SecurityDescriptor {
            revision: REVISION,
            reserved: 0,
            control: if everyone { DACL_PRESENT } else { 0 },
            owner: nothing,
            group: nothing,
            sacl: nothing,
            dacl: nothing,
        }
    }
}

/// Initializes a security descriptor without an access list.
///
/// # Safety
///
/// `descriptor` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeSecurityDescriptor(
    descriptor: *mut SecurityDescriptor,
    revision: u32,
) -> i32 {
    let initialized = (|| {
        if revision != u32::from(REVISION) {
            return Err(UNKNOWN_REVISION);
        }
        // SAFETY: the caller guarantees that `descriptor` is null or valid for writes.
        let written = unsafe { write_unless_null(descriptor, SecurityDescriptor::sharing(false)) };
        if written { Ok(()) } else { Err(INVALID_PARAMETER) }
    })();
    done("InitializeSecurityDescriptor", initialized)
}

/// Sets the access list of a security descriptor. A null list grants all access to everyone.
///
/// # Safety
///
/// `target` is null or points to an initialized descriptor, which no other thread uses meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SetSecurityDescriptorDacl(
    target: *mut SecurityDescriptor,
    present: i32,
    dacl: *const c_void,
    defaulted: i32,
) -> i32 {
    let set = (|| {
        // SAFETY: the caller guarantees that `target` is null or points to an initialized descriptor.
        let mut descriptor = unsafe { read_unless_null(target) }.ok_or(INVALID_PARAMETER)?;
        if descriptor.revision != REVISION {
            return Err(UNKNOWN_REVISION);
        }
        if descriptor.control & SELF_RELATIVE != 0 {
            return Err(INVALID_SECURITY_DESCR);
        }
        descriptor.control &= !(DACL_PRESENT | DACL_DEFAULTED);
        if present != 0 {
            descriptor.control |= DACL_PRESENT;
            descriptor.control |= if defaulted != 0 { DACL_DEFAULTED } else { 0 };
            descriptor.dacl = dacl;
        }
        // SAFETY: the caller guarantees that `target`, which is not null, is valid for writes.
        unsafe { write_unless_null(target, descriptor) };
        Ok(())
    })();
    done("SetSecurityDescriptorDacl", set)
}
