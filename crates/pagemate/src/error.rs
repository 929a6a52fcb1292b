use std::borrow::Cow;
use std::fmt::Write as _;
use std::{fmt, io};

/// What pagemate's calls return.
pub type Result<T> = std::result::Result<T, Error>;

/// What sort of thing went wrong, to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No process holds an object of this name.
    NotFound,
    /// Some process already holds an object of this name.
    AlreadyExists,
    /// The system, the object's protection or the handle's access forbids it.
    PermissionDenied,
    /// The name is not one that an object can have.
    InvalidName,
    /// An argument makes no sense, whatever the state of the system.
    InvalidInput,
    /// A range reaches past the end of the object or the view.
    OutOfRange,
    /// There is not enough memory to back the object.
    NoSpace,
    /// The name belongs to an object of another kind.
    WrongKind,
    /// The object was made by an incompatible release.
    WrongVersion,
    /// What stands under this name is not a whole object.
    Corrupted,
    /// Another process kept the object busy for too long.
    TimedOut,
    /// The mutex is not this thread's to free.
    NotOwner,
    /// This system cannot do it.
    Unsupported,
    /// Any other refusal of the system; see [`Error::raw_os_error`].
    Os,
}

/// Why a call failed: the call, the object, the cause and the system's own code.
///
/// It reads as a sentence: `open section "frames": no process holds it`.
pub struct Error {
    repr: Box<Repr>,
}

struct Repr {
    kind: ErrorKind,
    call: Option<&'static str>,
    object: Option<String>,
    cause: Cow<'static, str>,
    source: Option<io::Error>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, cause: impl Into<Cow<'static, str>>) -> Error {
        let repr = Repr { kind, call: None, object: None, cause: cause.into(), source: None };
        Error { repr: Box::new(repr) }
    }

    /// The system's refusal of `what`.
    pub(crate) fn os(what: impl Into<Cow<'static, str>>, source: io::Error) -> Error {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            io::ErrorKind::StorageFull | io::ErrorKind::OutOfMemory => ErrorKind::NoSpace,
            io::ErrorKind::Unsupported => ErrorKind::Unsupported,
            _ => ErrorKind::Os,
        };
        Error::os_as(kind, what, source)
    }

    /// The same, where the code alone would mislead about the kind.
    pub(crate) fn os_as(
        kind: ErrorKind,
        what: impl Into<Cow<'static, str>>,
        source: io::Error,
    ) -> Error {
        let mut error = Error::new(kind, what);
        error.repr.source = Some(source);
        error
    }

    /// The same error, told as what `call` met on `object`. The first teller is the one kept.
    #[must_use]
    pub(crate) fn during(mut self, call: &'static str, object: impl fmt::Display) -> Error {
        if self.repr.call.is_none() {
            self.repr.call = Some(call);
            self.repr.object = Some(object.to_string());
        }
        self
    }

    /// What sort of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.repr.kind
    }

    /// The system's code, where the system was the one that refused.
    pub fn raw_os_error(&self) -> Option<i32> {
        self.repr.source.as_ref().and_then(io::Error::raw_os_error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &*self.repr;
        match (repr.call, &repr.object) {
            (Some(call), Some(object)) if !object.is_empty() => write!(f, "{call} {object}: ")?,
            (Some(call), _) => write!(f, "{call}: ")?,
            (None, _) => {}
        }
        f.write_str(&repr.cause)?;
        match &repr.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

/// As a sentence too: it is what a program prints whose `main` returns it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.kind())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.repr.source {
            Some(source) => Some(source),
            None => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match error.kind() {
            ErrorKind::NotFound => io::ErrorKind::NotFound,
            ErrorKind::AlreadyExists => io::ErrorKind::AlreadyExists,
            ErrorKind::PermissionDenied => io::ErrorKind::PermissionDenied,
            ErrorKind::InvalidName | ErrorKind::InvalidInput | ErrorKind::OutOfRange => {
                io::ErrorKind::InvalidInput
            }
            ErrorKind::NoSpace => io::ErrorKind::StorageFull,
            ErrorKind::WrongVersion | ErrorKind::Corrupted => io::ErrorKind::InvalidData,
            ErrorKind::TimedOut => io::ErrorKind::TimedOut,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::WrongKind | ErrorKind::NotOwner | ErrorKind::Os => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// How many characters of a name an error shows.
const LONGEST_SHOWN: usize = 100;

/// A name as errors show it: in quotes, its backslashes plain, nothing in it that would break the
/// line, and cut where it goes on for too long.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for (i, c) in self.0.chars().enumerate() {
            match c {
                _ if i == LONGEST_SHOWN => {
                    f.write_char('…')?;
                    break;
                }
                '\\' | '\'' => f.write_char(c)?,
                c => c.escape_debug().try_for_each(|c| f.write_char(c))?,
            }
        }
        f.write_char('"')
    }
}
