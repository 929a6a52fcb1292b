//! One step of a script: a call, and the answers of both sides.

use super::answer::Answer;
use super::object_kind::SyncKind;

/// A call and the answers of both sides.
pub(super) struct Step<'a> {
    /// The words of the line.
    pub(super) call: &'a [&'a str],
    pub(super) ours: &'a Answer,
    pub(super) wine: &'a Answer,
}

impl Step<'_> {
    /// The name in the call, if it has one.
    pub(super) fn name(&self) -> Option<&str> {
        let named = matches!(self.call[0], "create" | "open");
        let named = named || SyncKind::made_by(self.call[0]).is_some();
        self.call.last().copied().filter(|_| named)
    }

    /// Returns the rights that the call requests, if it opens or creates an object.
    pub(super) fn rights(&self) -> Option<&str> {
        let call = self.call[0];
        if call.starts_with("open") {
            return self.call.get(3).copied();
        }
        // In these calls, the rights are the word before the name.
        if call.ends_with("ex") && SyncKind::made_by(call).is_some() {
            return self.call.len().checked_sub(2).map(|at| self.call[at]);
        }
        None
    }
}
