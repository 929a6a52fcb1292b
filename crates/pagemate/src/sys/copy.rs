//! Copies to and from memory that another process may write at the same time.
//!
//! In Rust an ordinary copy of such bytes is a data race, which is undefined behaviour. Overlapping
//! atomic accesses of different sizes are undefined too. The processor defines both cases: each
//! byte that it reads is a byte that some thread wrote. The copy is therefore written in assembly,
//! which the compiler does not analyse. A copy of the size of an integer takes two instructions.
//! Copies of up to 64 bytes use vector registers. Longer copies call the C library's `memcpy`.
#![allow(unsafe_code, reason = "racing copies exist only in assembly")]

#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
unsafe extern "C" {
    fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8;
}

/// The longest copy that `memcpy` does with vector instructions on every x86 processor, in bytes.
const PIECE: usize = 1024;

/// Copies `len` bytes of shared memory at `from` to memory of the caller at `to`.
///
/// A byte that another thread or process writes during the copy arrives with its old or its new
/// value, independently of all other bytes. The copy orders no memory access.
///
/// # Safety
///
/// `from` must be readable and `to` must be writable for `len` bytes, and the two ranges must not
/// overlap. Other threads and processes may access the bytes at `from` at the same time by the functions
/// of this module or by code that is not Rust, and read them by atomics of one byte. No other code
/// accesses the bytes at `to`.
#[inline]
pub(crate) unsafe fn copy_out(from: *const u8, to: *mut u8, len: usize) {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    // SAFETY: the caller promises the same.
    unsafe {
        copy(from, to, len);
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    for i in 0..len {
        // SAFETY: `i < len`, and the caller promised `len` readable bytes at `from`, which other threads
        // access by atomics of one byte. A byte is always aligned.
        let from = unsafe { AtomicU8::from_ptr(from.add(i).cast_mut()) };
        // SAFETY: `i < len`, and the caller promised `len` writable bytes at `to`.
        unsafe { to.add(i).write(from.load(Relaxed)) };
    }
}

/// Copies `len` bytes of the caller's memory at `from` to shared memory at `to`, as [`copy_out`] does.
///
/// # Safety
///
/// `from` must be readable and `to` must be writable for `len` bytes, and the two ranges must not
/// overlap. Other threads and processes may access the bytes at `to` at the same time as those of
/// [`copy_out`]. No other code writes to the bytes at `from`.
#[inline]
pub(crate) unsafe fn copy_in(from: *const u8, to: *mut u8, len: usize) {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    // SAFETY: the caller promises the same.
    unsafe {
        copy(from, to, len);
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    for i in 0..len {
        // SAFETY: `i < len`, and the caller promised `len` writable bytes at `to`, which other threads
        // access by atomics of one byte. A byte is always aligned.
        let to = unsafe { AtomicU8::from_ptr(to.add(i)) };
        // SAFETY: `i < len`, and the caller promised `len` readable bytes at `from`.
        to.store(unsafe { from.add(i).read() }, Relaxed);
    }
}

/// Returns whether 4K aliasing would slow one long `memcpy` down.
///
/// x86 processors compare the low twelve bits of addresses first. If these bits of `to` exceed
/// those of `from` by less than the length of a vector register, each load appears to depend on the
/// store just before it. `rep movsb`, with which `memcpy` copies long ranges, is then 2 to 25 times
/// slower. The case is common: a view begins at a page boundary, and a buffer of the allocator
/// often begins 16 bytes after one.
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
#[inline]
fn is_aliased(from: *const u8, to: *const u8) -> bool {
    const VECTOR: usize = 32;
    let distance = to.addr().wrapping_sub(from.addr()) % 4096;
    cfg!(target_arch = "x86_64") && (1..VECTOR).contains(&distance)
}

/// The longest copy that uses vector registers, in bytes. Up to about this length a call of
/// `memcpy` costs more than the copy itself. For longer ranges `memcpy` is faster, because it uses
/// wider registers.
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
const LONGEST_IN_VECTORS: usize = 64;

/// Copies `len` bytes through registers, or with `memcpy`. The common lengths are tested first.
///
/// # Safety
///
/// The ranges are readable and writable, and do not overlap.
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
#[inline]
unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    /// Copies through one register. Neither address has to be aligned.
    macro_rules! word {
        ($load:literal, $store:literal) => {{
            // SAFETY: `len` is the size of this load and this store, and the caller promised `len`
            // bytes at both addresses. The instructions change the register and `to` only.
            unsafe {
                std::arch::asm!($load, $store, from = in(reg) from, to = in(reg) to,
                    word = out(reg) _, options(nostack, preserves_flags));
            }
            return;
        }};
    }
    #[cfg(target_arch = "x86_64")]
    match len {
        1 => word!("movzx {word:e}, byte ptr [{from}]", "mov byte ptr [{to}], {word:l}"),
        2 => word!("movzx {word:e}, word ptr [{from}]", "mov word ptr [{to}], {word:x}"),
        4 => word!("mov {word:e}, dword ptr [{from}]", "mov dword ptr [{to}], {word:e}"),
        8 => word!("mov {word}, qword ptr [{from}]", "mov qword ptr [{to}], {word}"),
        _ => {}
    }
    #[cfg(target_arch = "aarch64")]
    match len {
        1 => word!("ldrb {word:w}, [{from}]", "strb {word:w}, [{to}]"),
        2 => word!("ldrh {word:w}, [{from}]", "strh {word:w}, [{to}]"),
        4 => word!("ldr {word:w}, [{from}]", "str {word:w}, [{to}]"),
        8 => word!("ldr {word:x}, [{from}]", "str {word:x}, [{to}]"),
        _ => {}
    }
    if (16..=LONGEST_IN_VECTORS).contains(&len) {
        // SAFETY: `len` is in the range that `copy_in_vectors` demands, and the caller promised the
        // rest of its conditions.
        return unsafe { copy_in_vectors(from, to, len) };
    }
    if len > PIECE && is_aliased(from, to) {
        // SAFETY: the safety section of `copy` demands the same of `from`, `to` and `len`.
        return unsafe { copy_in_pieces(from, to, len) };
    }
    // SAFETY: the safety section of `copy` demands the same of `from`, `to` and `len`.
    unsafe { call_memcpy(from, to, len) };
}

/// Copies in pieces that avoid 4K aliasing.
///
/// # Safety
///
/// The conditions are those of [`copy`].
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
#[inline(never)]
unsafe fn copy_in_pieces(from: *const u8, to: *mut u8, len: usize) {
    for at in (0..len).step_by(PIECE) {
        // SAFETY: `at < len`, and the caller promised `len` readable bytes at `from`.
        let from = unsafe { from.add(at) };
        // SAFETY: `at < len`, and the caller promised `len` writable bytes at `to`.
        let to = unsafe { to.add(at) };
        // SAFETY: `at + min(PIECE, len - at) <= len`, so the piece lies in the caller's two ranges.
        unsafe { call_memcpy(from, to, PIECE.min(len - at)) };
    }
}

/// Calls `memcpy` from assembly.
///
/// # Safety
///
/// The conditions are those of [`copy`].
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
#[inline]
unsafe fn call_memcpy(from: *const u8, to: *mut u8, len: usize) {
    #[cfg(all(target_arch = "x86_64", not(windows)))]
    // SAFETY: the caller promised `len` readable bytes at `from` and `len` writable bytes at `to`
    // that do not overlap, which is all that memcpy demands. The operands follow the System V
    // calling convention, `clobber_abi` names the registers that it may change, and asm! aligns the
    // stack.
    unsafe {
        std::arch::asm!("call {memcpy}", memcpy = sym memcpy,
            inout("rdi") to => _, inout("rsi") from => _, inout("rdx") len => _,
            clobber_abi("C"));
    }
    #[cfg(all(target_arch = "x86_64", windows))]
    // SAFETY: the caller promised `len` readable bytes at `from` and `len` writable bytes at `to`
    // that do not overlap, which is all that memcpy demands. The operands follow the Windows
    // calling convention, and the callee gets the 32 bytes of home space that this convention
    // demands.
    unsafe {
        std::arch::asm!("sub rsp, 32", "call {memcpy}", "add rsp, 32", memcpy = sym memcpy,
            inout("rcx") to => _, inout("rdx") from => _, inout("r8") len => _,
            clobber_abi("C"));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller promised `len` readable bytes at `from` and `len` writable bytes at `to`
    // that do not overlap, which is all that memcpy demands. The operands follow AAPCS64, and
    // `clobber_abi` names the registers that the call may change.
    unsafe {
        std::arch::asm!("bl {memcpy}", memcpy = sym memcpy,
            inout("x0") to => _, inout("x1") from => _, inout("x2") len => _,
            clobber_abi("C"));
    }
}

/// Copies 16 to [`LONGEST_IN_VECTORS`] bytes in two blocks. The second block ends at the last byte, and may
/// overlap the first: these bytes are then copied twice.
///
/// # Safety
///
/// `len` must be in that range, and the conditions of [`copy`] apply.
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
#[inline]
unsafe fn copy_in_vectors(from: *const u8, to: *mut u8, len: usize) {
    if len < 32 {
        // SAFETY: the caller promised `len` bytes at both addresses, and at least 16.
        unsafe { vectors::copy_16(from, to) };
        if len > 16 {
            let last = len - 16;
            // SAFETY: the 16 bytes from `last` on end at the end of the caller's `len` bytes.
            unsafe { vectors::copy_16(from.wrapping_add(last), to.wrapping_add(last)) };
        }
        return;
    }
    // SAFETY: the caller promised `len` bytes at both addresses, and these are at least 32.
    unsafe { vectors::copy_32(from, to) };
    if len > 32 {
        let last = len - 32;
        // SAFETY: the 32 bytes from `last` on end at the end of the caller's `len` bytes.
        unsafe { vectors::copy_32(from.wrapping_add(last), to.wrapping_add(last)) };
    }
}

/// Copies of fixed sizes. The addresses do not have to be aligned.
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
mod vectors {
    /// Defines a function that copies as many bytes as its instructions load and store.
    macro_rules! define {
        ($name:ident, $bytes:literal, $class:ident, [$($register:ident),+], [$($line:literal),+]) => {
            #[doc = concat!("Copies ", $bytes, " bytes. The conditions are those of [`copy`](super::copy).")]
            #[inline]
            pub(super) unsafe fn $name(from: *const u8, to: *mut u8) {
                // SAFETY: the instructions load and store exactly the bytes that the name states, which
                // the caller promised at both addresses. They change these registers and `to` only.
                unsafe {
                    std::arch::asm!($($line),+, from = in(reg) from, to = in(reg) to,
                        $($register = out($class) _),+, options(nostack, preserves_flags));
                }
            }
        };
    }

    #[cfg(target_arch = "x86_64")]
    define!(copy_16, 16, xmm_reg, [a], ["movups {a}, [{from}]", "movups [{to}], {a}"]);
    #[cfg(target_arch = "x86_64")]
    define!(
        copy_32,
        32,
        xmm_reg,
        [a, b],
        [
            "movups {a}, [{from}]",
            "movups {b}, [{from} + 16]",
            "movups [{to}], {a}",
            "movups [{to} + 16], {b}"
        ]
    );

    #[cfg(target_arch = "aarch64")]
    define!(copy_16, 16, vreg, [a], ["ldr {a:q}, [{from}]", "str {a:q}, [{to}]"]);
    #[cfg(target_arch = "aarch64")]
    define!(copy_32, 32, vreg, [a, b], ["ldp {a:q}, {b:q}, [{from}]", "stp {a:q}, {b:q}, [{to}]"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    const LONGEST_IN_VECTORS: usize = 64;

    #[test]
    fn long_copies_move_every_byte_at_every_distance_of_low_address_bits() {
        let from: Vec<u8> =
            (0..12_000_u32).map(|i| i.to_le_bytes()[0] ^ i.to_le_bytes()[1]).collect();
        for len in [PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE - 1, 5000] {
            for distance in [0, 1, 15, 16, 31, 32, 4095] {
                let mut to = vec![0; 12_000];
                let skip =
                    (distance + from.as_ptr().addr()).wrapping_sub(to.as_ptr().addr()) % 4096;
                // SAFETY: `skip < 4096` and `len <= 5000`, and both vectors have 12,000 bytes.
                unsafe { copy_in(from.as_ptr(), to[skip..].as_mut_ptr(), len) };
                assert_eq!(to[skip..skip + len], from[..len], "{len} at {distance}");
                let around = to[..skip].iter().chain(&to[skip + len..]);
                assert_eq!(around.filter(|byte| **byte != 0).count(), 0);
            }
        }
    }

    #[test]
    fn every_size_and_alignment_moves_these_bytes_and_no_other() {
        let from: Vec<u8> = (1..=255).chain(1..=255).collect();
        for len in 0..=LONGEST_IN_VECTORS + 3 {
            for (skip, at) in (0..8).flat_map(|skip| (0..8).map(move |at| (skip, at))) {
                let mut to = [0; 300];
                // SAFETY: `skip` and `at` are below 8 and `len` is below 260, so both ranges lie in
                // the 510 bytes of `from` and the 300 bytes of `to`.
                unsafe { copy_in(from[skip..].as_ptr(), to[at..].as_mut_ptr(), len) };
                assert_eq!(to[at..at + len], from[skip..skip + len]);
                assert!(to[..at].iter().chain(&to[at + len..]).all(|byte| *byte == 0));
            }
        }
    }
}
