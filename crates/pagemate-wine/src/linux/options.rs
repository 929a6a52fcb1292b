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
    /// `None` if no native section is offered, so that the bridge need not list them.
    pub(super) to_wine: Option<Filter>,
    pub(super) events: Vec<Name>,
}

impl Options {
    /// Returns options that bridge all sections of the Wine prefix in the directory `prefix`. `helper` is the
    /// path of `pagemate-wine-helper.exe`.
    pub fn new(prefix: impl Into<PathBuf>, helper: impl Into<PathBuf>) -> Options {
        Options {
            prefix: prefix.into(),
            helper: helper.into(),
            names: Box::new(|_| true),
            to_wine: None,
            events: Vec::new(),
        }
    }

    /// Sets which sections of Windows programs get a native name. The default is all.
    #[must_use]
    pub fn names(mut self, filter: impl Fn(&Name) -> bool + Send + 'static) -> Options {
        self.names = Box::new(filter);
        self
    }

    /// Sets which native sections get a name for Windows programs. The default is none.
    ///
    /// While Windows programs hold such a section, the bridge holds its native name.
    #[must_use]
    pub fn to_wine(mut self, filter: impl Fn(&Name) -> bool + Send + 'static) -> Options {
        self.to_wine = Some(Box::new(filter));
        self
    }

    /// Adds an event of Windows programs that gets a native event with the same name. A signal of the Windows
    /// event sets the native one. The native event sets nothing in Windows.
    ///
    /// The bridge waits for the Windows event like any other waiter, so that it consumes signals of an event
    /// with auto reset.
    #[must_use]
    pub fn event(mut self, name: Name) -> Options {
        self.events.push(name);
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = f.debug_struct("Options");
        options.field("prefix", &self.prefix).field("helper", &self.helper).finish_non_exhaustive()
    }
}
