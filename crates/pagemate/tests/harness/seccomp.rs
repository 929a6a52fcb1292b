//! Sandboxes that refuse system calls, by a filter of `seccomp(2)`.
#![allow(unsafe_code, reason = "prctl(2)")]

use std::ffi::{c_int, c_long};
use std::io;

use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter, sock_fprog};

/// The number of fcntl(2) that takes 64-bit offsets.
#[cfg(target_pointer_width = "64")]
pub(crate) const FCNTL: c_long = libc::SYS_fcntl;
#[cfg(target_pointer_width = "32")]
pub(crate) const FCNTL: c_long = libc::SYS_fcntl64;

/// The offset of the first argument in `seccomp_data`, after the number of the call, the architecture
/// and the address of the instruction. Each argument has 64 bits.
const ARGUMENTS: u32 = 16;

/// Makes the system call `call` fail with `errno` from now on, in this process and its children, if the
/// argument `index` has one of these values.
pub(crate) fn refuse(call: c_long, (index, values): (u32, &[c_int]), errno: c_int) {
    let low_half = if cfg!(target_endian = "big") { 4 } else { 0 };
    let count = u8::try_from(values.len()).unwrap();
    let refused = libc::SECCOMP_RET_ERRNO | errno.unsigned_abs();
    let mut filter = vec![
        load(0),
        skip_unless(call.try_into().unwrap(), count + 1),
        load(ARGUMENTS + 8 * index + low_half),
    ];
    for (tested, value) in (0..).zip(values) {
        filter.push(skip_if(value.cast_unsigned(), count - tested));
    }
    filter.extend([answer(libc::SECCOMP_RET_ALLOW), answer(refused)]);
    install(&filter);
}

/// Makes the system call `call` fail with `errno` from now on, in this process and its children.
pub(crate) fn refuse_all(call: c_long, errno: c_int) {
    let refused = libc::SECCOMP_RET_ERRNO | errno.unsigned_abs();
    let number = call.try_into().unwrap();
    install(&[load(0), skip_if(number, 1), answer(libc::SECCOMP_RET_ALLOW), answer(refused)]);
}

/// Makes the kernel kill this process at its next system call, unless that call ends it.
pub(crate) fn allow_only_exit() {
    let exit = libc::SYS_exit_group.try_into().unwrap();
    let kill = answer(libc::SECCOMP_RET_KILL_PROCESS);
    install(&[load(0), skip_if(exit, 1), kill, answer(libc::SECCOMP_RET_ALLOW)]);
}

fn load(offset: u32) -> sock_filter {
    sock_filter { code: code(BPF_LD | BPF_W | BPF_ABS), jt: 0, jf: 0, k: offset }
}

fn skip_if(value: u32, jt: u8) -> sock_filter {
    sock_filter { code: code(BPF_JMP | BPF_JEQ | BPF_K), jt, jf: 0, k: value }
}

fn skip_unless(value: u32, jf: u8) -> sock_filter {
    sock_filter { code: code(BPF_JMP | BPF_JEQ | BPF_K), jt: 0, jf, k: value }
}

fn answer(answer: u32) -> sock_filter {
    sock_filter { code: code(BPF_RET | BPF_K), jt: 0, jf: 0, k: answer }
}

fn code(code: u32) -> u16 {
    code.try_into().unwrap()
}

fn install(filter: &[sock_filter]) {
    let len = filter.len().try_into().unwrap();
    let program = sock_fprog { len, filter: filter.as_ptr().cast_mut() };
    let check = |result| assert_eq!(result, 0, "{}", io::Error::last_os_error());
    // SAFETY: this prctl(2) operation takes numbers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) });
    let filters = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the operation reads a `sock_fprog` and the filter that it points to, which outlive the call.
    check(unsafe { libc::prctl(libc::PR_SET_SECCOMP, filters, &raw const program) });
}
