//! The options of a bridge.

use std::fmt;
use std::path::PathBuf;

use pagemate::Name;

/// Decides whether a name is bridged.
pub(super) type Filter = Box<dyn Fn(&Name) -> bool + Send>;

/// The options of a [`Bridge`](super::Bridge).
pub struct Options {
    pub(super) prefix: PathBuf,
    pub(super) helper: PathBuf,
    pub(super) names: Filter,
}

impl Options {
    /// Returns options that bridge all sections of the Wine prefix in the directory `prefix`. `helper` is the
    /// path of `pagemate-wine-helper.exe`.
    pub fn new(prefix: impl Into<PathBuf>, helper: impl Into<PathBuf>) -> Options {
        Options { prefix: prefix.into(), helper: helper.into(), names: Box::new(|_| true) }
    }

    /// Sets which sections of Windows programs get a native name. The default is all.
    #[must_use]
    pub fn names(mut self, filter: impl Fn(&Name) -> bool + Send + 'static) -> Options {
        self.names = Box::new(filter);
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = f.debug_struct("Options");
        options.field("prefix", &self.prefix).field("helper", &self.helper).finish_non_exhaustive()
    }
}
