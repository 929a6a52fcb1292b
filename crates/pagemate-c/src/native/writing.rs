//! The writer of a watch channel, with the loan of a buffer.

use std::ptr::NonNull;

use pagemate::channel::SendError;
use pagemate::channel::watch::{Loan, Writer};

/// A writer and the loan that borrows it.
#[derive(Debug)]
pub(super) struct Writing {
    loan: Option<Loan<'static, [u8]>>,
    /// The address of a box. The loan, if there is one, borrows the writer mutably.
    writer: NonNull<Writer<[u8]>>,
}

// SAFETY: the writer belongs to this value, as if in a box, and the loan consists of a reference to it and of a
// number.
unsafe impl Send for Writing where Writer<[u8]>: Send {}

impl Writing {
    pub(super) fn new(writer: Writer<[u8]>) -> Writing {
        Writing { loan: None, writer: NonNull::from(Box::leak(Box::new(writer))) }
    }

    /// Returns the writer, which must not have a loan.
    pub(super) fn writer(&mut self) -> &mut Writer<[u8]> {
        assert!(self.loan.is_none(), "the caller checks that there is no loan");
        // SAFETY: the box lives as long as `self`. No loan borrows it, and the reference borrows `self`.
        unsafe { self.writer.as_mut() }
    }

    pub(super) fn has_loan(&self) -> bool {
        self.loan.is_some()
    }

    /// Lends the buffer of the next value, and returns its address.
    pub(super) fn loan(&mut self) -> Result<*mut u8, SendError> {
        assert!(self.loan.is_none(), "the caller checks that there is no loan");
        // SAFETY: the box lives until `drop`, which drops the loan before. No other reference to the writer
        // exists while there is a loan, because `writer` refuses to make one.
        let writer: &'static mut Writer<[u8]> = unsafe { &mut *self.writer.as_ptr() };
        Ok(self.loan.insert(writer.loan()?).as_mut_ptr())
    }

    /// Replaces the value by the first `len` bytes of the loan.
    pub(super) fn publish(&mut self, len: usize) -> Result<(), SendError> {
        self.loan.take().expect("the caller checks that there is a loan").publish(len)
    }

    /// Ends the loan. The value does not change.
    pub(super) fn discard(&mut self) {
        self.loan = None;
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.loan = None;
        // SAFETY: `new` leaked this box, this is the only place that drops it, and no loan borrows it.
        drop(unsafe { Box::from_raw(self.writer.as_ptr()) });
    }
}
