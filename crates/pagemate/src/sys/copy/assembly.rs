//! Accesses to shared memory in assembly.
#![allow(unsafe_code, reason = "racing accesses exist only in assembly")]

use std::arch::asm;

use super::word::Word;

unsafe extern "C" {
    fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8;
}

/// The longest copy that `memcpy` does with vector instructions on every x86 processor, in bytes.
const PIECE: usize = 1024;

/// A vector register of 16 bytes.
#[cfg(target_arch = "x86_64")]
pub(super) type Vector = std::arch::x86_64::__m128i;
#[cfg(target_arch = "aarch64")]
pub(super) type Vector = std::arch::aarch64::uint8x16_t;

/// The bytes of two and of four vector registers.
pub(super) type Pair = [Vector; 2];
pub(super) type Quad = [Vector; 4];

/// Implements [`Word`] by one load and one store instruction. Neither needs an aligned address.
macro_rules! word {
    ($type:ty, $class:ident, $load:literal, $store:literal) => {
        impl Word for $type {
            #[inline]
            unsafe fn load(from: *const $type) -> $type {
                let word;
                // SAFETY: the caller promised a readable word at `from`. The instruction changes
                // nothing but the register.
                unsafe {
                    asm!($load, from = in(reg) from, word = lateout($class) word,
                        options(nostack, preserves_flags));
                }
                word
            }

            #[inline]
            unsafe fn store(self, to: *mut $type) {
                // SAFETY: the caller promised a writable word at `to`. The instruction changes
                // nothing else.
                unsafe {
                    asm!($store, to = in(reg) to, word = in($class) self,
                        options(nostack, preserves_flags));
                }
            }
        }
    };
}

/// Implements [`Word`] for several vector registers. The stores begin at the last byte: see [`copy_in`](super::copy_in).
macro_rules! vectors {
    ($type:ty, $class:ident, [$($name:ident),+], [$($load:literal),+], [$($store:literal),+]) => {
        impl Word for $type {
            #[inline]
            unsafe fn load(from: *const $type) -> $type {
                $(let $name;)+
                // SAFETY: the caller promised readable vectors at `from`. The instructions change
                // nothing but the registers.
                unsafe {
                    asm!($($load,)+ from = in(reg) from, $($name = lateout($class) $name,)+
                        options(nostack, preserves_flags));
                }
                [$($name),+]
            }

            #[inline]
            unsafe fn store(self, to: *mut $type) {
                let [$($name),+] = self;
                // SAFETY: the caller promised writable vectors at `to`. The instructions change
                // nothing else.
                unsafe {
                    asm!($($store,)+ to = in(reg) to, $($name = in($class) $name,)+
                        options(nostack, preserves_flags));
                }
            }
        }
    };
}

cfg_select! {
    target_arch = "x86_64" => {
        word!(u8, reg_byte, "mov {word}, byte ptr [{from}]", "mov byte ptr [{to}], {word}");
        word!(u16, reg, "movzx {word:e}, word ptr [{from}]", "mov word ptr [{to}], {word:x}");
        word!(u32, reg, "mov {word:e}, dword ptr [{from}]", "mov dword ptr [{to}], {word:e}");
        word!(u64, reg, "mov {word}, qword ptr [{from}]", "mov qword ptr [{to}], {word}");
        word!(Vector, xmm_reg, "movups {word}, [{from}]", "movups [{to}], {word}");
        vectors!(
            Pair, xmm_reg, [a, b],
            ["movups {a}, [{from}]", "movups {b}, [{from} + 16]"],
            ["movups [{to} + 16], {b}", "movups [{to}], {a}"]
        );
        vectors!(
            Quad, xmm_reg, [a, b, c, d],
            ["movups {a}, [{from}]", "movups {b}, [{from} + 16]",
             "movups {c}, [{from} + 32]", "movups {d}, [{from} + 48]"],
            ["movups [{to} + 48], {d}", "movups [{to} + 32], {c}",
             "movups [{to} + 16], {b}", "movups [{to}], {a}"]
        );
    }
    target_arch = "aarch64" => {
        // There is no register class for bytes.
        impl Word for u8 {
            #[inline]
            unsafe fn load(from: *const u8) -> u8 {
                let word: u32;
                // SAFETY: the caller promised a readable byte at `from`. The instruction changes
                // nothing but the register.
                unsafe {
                    asm!("ldrb {word:w}, [{from}]", from = in(reg) from, word = lateout(reg) word,
                        options(nostack, preserves_flags));
                }
                word.to_le_bytes()[0]
            }

            #[inline]
            unsafe fn store(self, to: *mut u8) {
                // SAFETY: the caller promised a writable byte at `to`. The instruction changes
                // nothing else.
                unsafe {
                    asm!("strb {word:w}, [{to}]", to = in(reg) to, word = in(reg) u32::from(self),
                        options(nostack, preserves_flags));
                }
            }
        }
        word!(u16, reg, "ldrh {word:w}, [{from}]", "strh {word:w}, [{to}]");
        word!(u32, reg, "ldr {word:w}, [{from}]", "str {word:w}, [{to}]");
        word!(u64, reg, "ldr {word:x}, [{from}]", "str {word:x}, [{to}]");
        word!(Vector, vreg, "ldr {word:q}, [{from}]", "str {word:q}, [{to}]");
        vectors!(
            Pair, vreg, [a, b], ["ldp {a:q}, {b:q}, [{from}]"], ["stp {a:q}, {b:q}, [{to}]"]
        );
        vectors!(
            Quad, vreg, [a, b, c, d],
            ["ldp {a:q}, {b:q}, [{from}]", "ldp {c:q}, {d:q}, [{from}, #32]"],
            ["stp {c:q}, {d:q}, [{to}, #32]", "stp {a:q}, {b:q}, [{to}]"]
        );
    }
}

/// Copies with `memcpy`.
///
/// # Safety
///
/// The ranges must be readable and writable, and must not overlap.
#[inline]
pub(super) unsafe fn copy_long(
    _: unsafe fn(*const u8, *mut u8),
    from: *const u8,
    to: *mut u8,
    len: usize,
) {
    if len > PIECE && is_aliased(from, to) {
        // SAFETY: the safety section of this function demands the same of `from`, `to` and `len`.
        return unsafe { copy_in_pieces(from, to, len) };
    }
    // SAFETY: the safety section of this function demands the same of `from`, `to` and `len`.
    unsafe { call_memcpy(from, to, len) };
}

/// Returns whether 4K aliasing would slow one long `memcpy` down.
///
/// x86 processors compare the low twelve bits of addresses first. If these bits of `to` exceed
/// those of `from` by less than the length of a vector register, each load appears to depend on the
/// store just before it. `rep movsb`, with which `memcpy` copies long ranges, is then 2 to 25 times
/// slower. The case is common: a view begins at a page boundary, and a buffer of the allocator
/// often begins 16 bytes after one.
#[inline]
fn is_aliased(from: *const u8, to: *const u8) -> bool {
    const VECTOR: usize = 32;
    let distance = to.addr().wrapping_sub(from.addr()) % 4096;
    cfg!(target_arch = "x86_64") && (1..VECTOR).contains(&distance)
}

/// Copies in pieces that avoid 4K aliasing.
///
/// # Safety
///
/// The ranges must be readable and writable, and must not overlap.
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
/// The ranges must be readable and writable, and must not overlap.
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
