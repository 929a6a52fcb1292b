use std::borrow::Cow;
use std::fmt::Write as _;
use std::{fmt, io};

/// The result of a pagemate call.
pub type Result<T> = std::result::Result<T, Error>;

/// The kind of an [`Error`]: the part that a program can match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No process holds an object of this name.
    NotFound,
    /// Some process already holds an object of this name.
    AlreadyExists,
    /// The system's permissions, the object's [protection](crate::Protection) or the access of the
    /// handle does not allow the operation.
    PermissionDenied,
    /// The name breaks the rules of [`Name`](crate::Name).
    InvalidName,
    /// An argument is invalid, independently of the state of any object.
    InvalidInput,
    /// A range reaches past the end of the object or of the view, or a count past its limit.
    OutOfRange,
    /// There is not enough memory to back the object.
    NoSpace,
    /// The name belongs to an object of another kind, or a value has another type.
    WrongKind,
    /// An incompatible release of pagemate created the object.
    WrongVersion,
    /// The stored bytes are not a valid object. Another program changed them, or removed the file.
    Corrupted,
    /// Another program removed the object's name: `rm`, a cleaner of temporary files, or logind
    /// with `RemoveIPC=yes`. The present holders can continue to use the object, but a process that
    /// opens the name does not find it, and a process that creates the name makes another object.
    /// Close every handle and create the object again.
    Orphaned,
    /// Another process kept the object busy for more than two seconds. Try again.
    TimedOut,
    /// This thread does not hold the mutex through this handle.
    NotOwner,
    /// This platform does not support the operation.
    Unsupported,
    /// Any other error of the operating system: see [`Error::raw_os_error`].
    Os,
}

/// The error of a pagemate call: the call, the object, the cause and the system's error code.
///
/// Its `Display` form names the call, the object and the cause: `open section "frames": no process holds
/// it`. If the operating system reported the error, [`source`](std::error::Error::source) returns its
/// error, and the alternate form `{:#}` appends it. Match on [`kind`](Error::kind), never on the text.
///
/// # Examples
///
/// ```
/// use pagemate::{ErrorKind, Section};
///
/// let error = Section::open("doc-missing").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert_eq!(error.to_string(), "open section \"doc-missing\": no process holds it");
/// eprintln!("{error:#}");
/// ```
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
    // The functions that build errors are `#[cold]`, so that the compiler moves the error branches
    // of their callers out of the hot path.
    #[cold]
    pub(crate) fn new(kind: ErrorKind, cause: impl Into<Cow<'static, str>>) -> Error {
        let repr = Repr { kind, call: None, object: None, cause: cause.into(), source: None };
        Error { repr: Box::new(repr) }
    }

    /// Wraps an error of the operating system; `what` names the operation that failed.
    #[cold]
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

    /// Wraps an error of the operating system as an error of the kind `kind`, for system error
    /// codes from which [`Error::os`] would derive another kind.
    #[cold]
    pub(crate) fn os_as(
        kind: ErrorKind,
        what: impl Into<Cow<'static, str>>,
        source: io::Error,
    ) -> Error {
        let mut error = Error::new(kind, what);
        error.repr.source = Some(source);
        error
    }

    /// Adds the call and the object to the error, unless an inner call has added its own.
    #[cold]
    #[must_use]
    pub(crate) fn during(mut self, call: &'static str, object: impl fmt::Display) -> Error {
        if self.repr.call.is_none() {
            self.repr.call = Some(call);
            self.repr.object = Some(object.to_string());
        }
        self
    }

    /// Returns the kind of this error.
    pub fn kind(&self) -> ErrorKind {
        self.repr.kind
    }

    /// Returns the operating system's error code, if the operating system reported the error: an
    /// `errno` value on Unix, a `GetLastError` code on Windows.
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
            Some(source) if f.alternate() => write!(f, ": {source}"),
            _ => Ok(()),
        }
    }
}

/// Writes the alternate `Display` form and the kind: a program prints this form when its `main` returns
/// the error.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#} ({:?})", self.kind())
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

/// Converts an error of input or output, so that `?` works in functions that initialise memory. An error that
/// was made from an [`Error`] becomes that error again.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => Error::os("reading or writing failed", error),
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
            ErrorKind::WrongVersion | ErrorKind::Corrupted | ErrorKind::Orphaned => {
                io::ErrorKind::InvalidData
            }
            ErrorKind::TimedOut => io::ErrorKind::TimedOut,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::WrongKind | ErrorKind::NotOwner | ErrorKind::Os => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// The number of characters of a name that an error message shows.
const MAX_SHOWN: usize = 100;

/// Formats a name for an error message: in quotes, with control characters escaped, and truncated if
/// it is long. Backslashes are not escaped, because they are part of the prefixes.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for (i, c) in self.0.chars().enumerate() {
            match c {
                _ if i == MAX_SHOWN => {
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
