//! Who else may open an object, as far as sharing needs it: the owner alone, or everyone.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;

use pagemate::{Access, Sharing};

use crate::error::{Code, INVALID_PARAMETER, NOT_SUPPORTED, Result, done};

/// `ERROR_UNKNOWN_REVISION`, `ERROR_INVALID_SECURITY_DESCR`.
pub(crate) const UNKNOWN_REVISION: Code = Code(1305);
const INVALID_SECURITY_DESCR: Code = Code(1338);

/// The only revision of a security descriptor there is.
const REVISION: u8 = 1;
/// A descriptor's `Control`: it says something about access; that was made up by default; the
/// descriptor has offsets in the place of pointers.
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

/// What a program asks for with `SECURITY_ATTRIBUTES`: whether the handle is inherited, and who
/// may open the object.
///
/// # Safety
///
/// `attributes` is null or points to whole ones, and so does what they point to.
pub(crate) unsafe fn wanted(attributes: *const SecurityAttributes) -> Result<(bool, Sharing)> {
    if attributes.is_null() {
        return Ok((false, Sharing::Owner));
    }
    // SAFETY: not null, and the caller says that they are whole; a packed struct's may stand anywhere.
    let attributes = unsafe { attributes.read_unaligned() };
    if attributes.descriptor.is_null() {
        return Ok((attributes.inherit != 0, Sharing::Owner));
    }
    // SAFETY: not null, and the caller says that it is whole; it too may stand anywhere.
    let descriptor = unsafe { attributes.descriptor.read_unaligned() };
    if descriptor.revision != REVISION {
        return Err(UNKNOWN_REVISION);
    }
    let sharing = match descriptor.control & (DACL_PRESENT | SELF_RELATIVE) {
        0 => Sharing::Owner,
        // No list at all refuses nobody.
        DACL_PRESENT if descriptor.dacl.is_null() => Sharing::Everyone(Access::ReadWrite),
        _ => return Err(NOT_SUPPORTED),
    };
    Ok((attributes.inherit != 0, sharing))
}

impl SecurityDescriptor {
    /// A descriptor that shares an object with everyone, or says nothing.
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

/// Makes a security descriptor that says nothing.
///
/// # Safety
///
/// `descriptor` is null or has room for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeSecurityDescriptor(
    descriptor: *mut SecurityDescriptor,
    revision: u32,
) -> i32 {
    done((|| {
        if revision != u32::from(REVISION) {
            return Err(UNKNOWN_REVISION);
        }
        if descriptor.is_null() {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: not null, and the caller says that there is room.
        unsafe { descriptor.write(SecurityDescriptor::sharing(false)) };
        Ok(())
    })())
}

/// Says in a security descriptor who may open the object: with a null list everyone.
///
/// # Safety
///
/// `descriptor` is null or points to one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SetSecurityDescriptorDacl(
    descriptor: *mut SecurityDescriptor,
    present: i32,
    dacl: *const c_void,
    defaulted: i32,
) -> i32 {
    done((|| {
        // SAFETY: the caller says that it points to one, unless it is null.
        let descriptor = unsafe { descriptor.as_mut() }.ok_or(INVALID_PARAMETER)?;
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
        Ok(())
    })())
}
