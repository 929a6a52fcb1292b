//! Boost.Interprocess: its message queues.

use std::ffi::{CString, c_char, c_void};

use super::byte_queue::{ByteQueue, Queues};
use super::{Setting, Waiting};

unsafe extern "C" {
    fn boost_queue_open(name: *const c_char, depth: usize, size: usize) -> *mut c_void;
    fn boost_queue_send(queue: *mut c_void, bytes: *const c_void, size: usize, wait: bool) -> bool;
    fn boost_queue_receive(queue: *mut c_void, bytes: *mut c_void, size: usize, wait: bool)
    -> bool;
    fn boost_queue_close(queue: *mut c_void);
    fn boost_queue_remove(name: *const c_char);
}

pub(crate) type Boost = Queues<Queue>;

/// One end of a queue. It removes the name when it is dropped.
pub(crate) struct Queue {
    queue: *mut c_void,
    name: CString,
    wait: bool,
}

impl Queue {
    pub(crate) fn open(name: &str, depth: usize, bytes: usize, wait: bool) -> Queue {
        let name = CString::new(name).expect("a name");
        // SAFETY: the name ends with a zero.
        let queue = unsafe { boost_queue_open(name.as_ptr(), depth, bytes) };
        assert!(!queue.is_null(), "a message queue of Boost");
        Queue { queue, name, wait }
    }

    /// Returns `false` if the queue is full and this end does not wait.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        // SAFETY: the queue is open, and the pointer and the length are those of a slice.
        unsafe { boost_queue_send(self.queue, bytes.as_ptr().cast(), bytes.len(), self.wait) }
    }

    /// Returns `false` if the queue is empty and this end does not wait.
    pub(crate) fn receive(&mut self, bytes: &mut [u8]) -> bool {
        let (to, len) = (bytes.as_mut_ptr().cast(), bytes.len());
        // SAFETY: the queue is open, and the pointer and the length are those of a slice.
        unsafe { boost_queue_receive(self.queue, to, len, self.wait) }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the queue is open, and nothing uses it afterwards. The name ends with a zero.
        unsafe {
            boost_queue_close(self.queue);
            boost_queue_remove(self.name.as_ptr());
        }
    }
}

impl ByteQueue for Queue {
    fn open(setting: &Setting, name: &str, bytes: usize) -> Queue {
        Queue::open(name, setting.depth, bytes, setting.waiting != Waiting::Polling)
    }

    fn send(&mut self, bytes: &[u8]) -> bool {
        Queue::send(self, bytes)
    }

    fn receive(&mut self, bytes: &mut [u8]) -> bool {
        Queue::receive(self, bytes)
    }
}
