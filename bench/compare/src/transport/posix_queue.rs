//! POSIX message queues.

use std::ffi::CString;
use std::io;

use super::byte_queue::{ByteQueue, Queues};
use super::{Setting, Waiting};

pub(crate) type PosixQueue = Queues<Queue>;

/// The deepest queue that an ordinary user may create.
const DEPTH: i64 = 10;

/// One end of a queue. The creator removes the name when it closes its end.
pub(crate) struct Queue {
    descriptor: libc::mqd_t,
    name: CString,
}

impl Queue {
    pub(crate) fn open(name: &str, bytes: usize, polling: bool) -> Queue {
        let name = CString::new(format!("/{name}")).expect("a name");
        let flags = libc::O_RDWR | libc::O_CREAT | if polling { libc::O_NONBLOCK } else { 0 };
        // SAFETY: `mq_attr` is plain data, for which zero is a valid value.
        let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
        attributes.mq_maxmsg = DEPTH;
        attributes.mq_msgsize = i64::try_from(bytes).expect("a small message");
        // SAFETY: the name ends with a zero, and the attributes are a local.
        let descriptor = unsafe { libc::mq_open(name.as_ptr(), flags, 0o600, &raw mut attributes) };
        assert!(descriptor >= 0, "mq_open: {}", io::Error::last_os_error());
        Queue { descriptor, name }
    }

    /// Returns `false` if the queue is full and does not block.
    pub(crate) fn send(&self, bytes: &[u8]) -> bool {
        // SAFETY: the pointer and the length are those of a slice.
        let sent = unsafe { libc::mq_send(self.descriptor, bytes.as_ptr().cast(), bytes.len(), 0) };
        done(sent as isize)
    }

    /// Returns `false` if the queue is empty and does not block.
    pub(crate) fn receive(&self, bytes: &mut [u8]) -> bool {
        let (to, len) = (bytes.as_mut_ptr().cast(), bytes.len());
        // SAFETY: the pointer and the length are those of a slice.
        done(unsafe { libc::mq_receive(self.descriptor, to, len, std::ptr::null_mut()) })
    }
}

fn done(result: isize) -> bool {
    if result >= 0 {
        return true;
    }
    let error = io::Error::last_os_error();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
    false
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the descriptor is open, and the name ends with a zero.
        unsafe {
            libc::mq_close(self.descriptor);
            libc::mq_unlink(self.name.as_ptr());
        }
    }
}

impl ByteQueue for Queue {
    fn open(setting: &Setting, name: &str, bytes: usize) -> Queue {
        Queue::open(name, bytes, setting.waiting == Waiting::Polling)
    }

    fn send(&mut self, bytes: &[u8]) -> bool {
        Queue::send(self, bytes)
    }

    fn receive(&mut self, bytes: &mut [u8]) -> bool {
        Queue::receive(self, bytes)
    }
}
