use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Quoted, Result};

/// The longest name in UTF-16 code units, without prefixes.
const MAX_UNITS: usize = 1024;

/// The scope of a name: the processes that see the same object under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Namespace {
    /// The processes of one user; on Windows, of one logon session.
    Local,
    /// All processes of the machine.
    Global,
}

/// A validated object name that is legal on every platform.
///
/// `x` and `Local\x` name the same object. `Global\x` names an object of the whole machine. Prefixes
/// and names are case-sensitive. Every character except the backslash and NUL is legal. The rules are
/// those of Win32's [kernel object namespaces][1].
///
/// The functions that take a name accept text too: see [`ToName`]. A program needs this type to parse a
/// name once, or to take names apart.
///
/// [1]: https://learn.microsoft.com/windows/win32/termserv/kernel-object-namespaces
///
/// ```
/// use pagemate::{Name, Namespace};
///
/// let name: Name = r"Global\frames".parse()?;
/// assert_eq!((name.namespace(), name.bare()), (Namespace::Global, "frames"));
/// assert_eq!(r"Local\frames".parse::<Name>()?, "frames".parse()?);
/// # pagemate::Result::Ok(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    namespace: Namespace,
    bare: Bare,
}

/// A name without its prefix. A short name is stored inline, so that opening an object by a short
/// name allocates no memory for it.
#[derive(Clone)]
enum Bare {
    Short { len: u8, bytes: [u8; 54] },
    Long(Box<str>),
}

impl Bare {
    fn new(text: &str) -> Bare {
        let mut bytes = [0; 54];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(room), Ok(len)) => {
                room.copy_from_slice(text.as_bytes());
                Bare::Short { len, bytes }
            }
            _ => Bare::Long(text.into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Bare::Short { len, bytes } => &bytes[..usize::from(*len)],
            Bare::Long(text) => text.as_bytes(),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Bare::Short { .. } => {
                str::from_utf8(self.as_bytes()).expect("the bytes were copied from a str")
            }
            Bare::Long(text) => text,
        }
    }
}

impl fmt::Debug for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq for Bare {
    fn eq(&self, other: &Bare) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Bare {}

impl PartialOrd for Bare {
    fn partial_cmp(&self, other: &Bare) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bare {
    fn cmp(&self, other: &Bare) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Bare {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Name {
    /// Parses a name with its optional prefix.
    ///
    /// # Errors
    ///
    /// - [`InvalidName`](ErrorKind::InvalidName): the name is empty, is longer than 1,024 UTF-16 code
    ///   units without its prefix, contains NUL, or contains a backslash outside a `Local\` or
    ///   `Global\` prefix.
    /// - [`WrongKind`](ErrorKind::WrongKind): the name is `Local`, `Global` or `Session`. Windows
    ///   reserves these names for its namespace directories.
    pub fn new(text: &str) -> Result<Name> {
        Name::parse(text).map_err(|error| error.during("use name", Quoted(text)))
    }

    fn parse(text: &str) -> Result<Name> {
        let mut namespace = Namespace::Local;
        let mut bare = text;
        loop {
            // Windows resolves each prefix as a symbolic link, so prefixes can be repeated. `Local`
            // links to its own directory, `Global` to the directory of the machine.
            if let Some(rest) = bare.strip_prefix(r"Local\") {
                bare = rest;
            } else if let Some(rest) = bare.strip_prefix(r"Global\") {
                (namespace, bare) = (Namespace::Global, rest);
            } else {
                break;
            }
        }
        let invalid = |cause: &'static str| Err(Error::new(ErrorKind::InvalidName, cause));
        if text.is_empty() {
            return invalid("a name must have at least one character");
        }
        if bare.is_empty() {
            return invalid("no name follows the prefix");
        }
        if matches!(bare, "Local" | "Global" | "Session") {
            let cause =
                "Local, Global and Session are reserved for namespaces; choose another name";
            return Err(Error::new(ErrorKind::WrongKind, cause));
        }
        if bare.contains('\0') {
            return invalid("a name must not contain a NUL character");
        }
        if bare.starts_with('\\') {
            return invalid("a name must not begin with a backslash");
        }
        if bare.contains('\\') {
            return invalid(
                r"a backslash is legal only in the prefixes Local\ and Global\, which are case-sensitive",
            );
        }
        // The UTF-8 length is never smaller than the UTF-16 length, and is cheaper to get.
        if bare.len() > MAX_UNITS && bare.encode_utf16().count() > MAX_UNITS {
            return invalid("a name must have at most 1024 UTF-16 code units");
        }
        Ok(Name { namespace, bare: Bare::new(bare) })
    }

    /// Validates the name that an object stores. A stored name has no prefix.
    pub(crate) fn from_parts(namespace: Namespace, bare: &str) -> Result<Name> {
        let mut name = Name::parse(bare)?;
        if name.bare() != bare {
            return Err(Error::new(ErrorKind::InvalidName, "a stored name must not have a prefix"));
        }
        name.namespace = namespace;
        Ok(name)
    }

    /// Returns the namespace of this name.
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Returns the name without its prefix. In the namespace `Global` the result alone is the name of
    /// another object, a local one; `Display` writes the name with its prefix.
    pub fn bare(&self) -> &str {
        self.bare.as_str()
    }

    /// Returns the bytes of [`as_str`](Name::as_str). It is faster, because it does not check that
    /// they are UTF-8.
    #[cfg_attr(windows, expect(dead_code, reason = "the kernel takes UTF-16 there"))]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bare.as_bytes()
    }
}

mod sealed {
    pub trait Sealed {}
}

/// The argument of the functions that take the name of an object: text, or a [`Name`].
///
/// Text is parsed by the rules of [`Name`]. This trait is sealed: no other type can implement it.
///
/// # Examples
///
/// ```
/// use pagemate::{Name, Section};
///
/// let name = Name::new(r"Global\frames")?;
/// for result in [Section::open(&name), Section::open(name.to_string()), Section::open(r"Global\frames")] {
///     assert_eq!(result.unwrap_err().to_string(), r#"open section "Global\frames": no process holds it"#);
/// }
/// # pagemate::Result::Ok(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the name of an object",
    label = "expected text or a `Name`",
    note = "pass a `&str`, a `String`, a `Name`, or a reference to one of them"
)]
pub trait ToName: sealed::Sealed {
    /// Returns the name.
    ///
    /// # Errors
    ///
    /// The errors of [`Name::new`], if this is text.
    fn to_name(&self) -> Result<Name>;
}

impl sealed::Sealed for Name {}

impl ToName for Name {
    fn to_name(&self) -> Result<Name> {
        Ok(self.clone())
    }
}

impl<T: ToName + ?Sized> sealed::Sealed for &T {}

impl<T: ToName + ?Sized> ToName for &T {
    fn to_name(&self) -> Result<Name> {
        (**self).to_name()
    }
}

macro_rules! text {
    ($($type:ty)*) => {$(
        impl sealed::Sealed for $type {}

        impl ToName for $type {
            fn to_name(&self) -> Result<Name> {
                Name::new(self)
            }
        }
    )*};
}

text! { str String Box<str> Cow<'_, str> }

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Name> {
        Name::new(text)
    }
}

impl fmt::Display for Name {
    /// Writes the shortest spelling that parses to this name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.namespace {
            Namespace::Local => "",
            Namespace::Global => r"Global\",
        };
        write!(f, "{prefix}{}", self.bare())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<ErrorKind> {
        Name::new(text).err().map(|error| error.kind())
    }

    #[test]
    fn prefixes_are_links_and_case_sensitive() {
        // Rows 24 to 26 of `tests/win32_rows.rs`.
        let plain = Name::new("x").unwrap();
        assert_eq!(Name::new(r"Local\x").unwrap(), plain);
        assert_eq!(Name::new(r"Local\Local\x").unwrap(), plain);
        assert_ne!(Name::new("X").unwrap(), plain);
        assert_eq!(Name::new(r"Global\x").unwrap().to_string(), r"Global\x");
        assert_eq!(Name::new(r"Local\Global\x").unwrap(), Name::new(r"Global\x").unwrap());
        assert_eq!(kind(r"local\x"), Some(ErrorKind::InvalidName));
        assert_eq!(kind("Local"), Some(ErrorKind::WrongKind));
        assert_eq!(kind(r"Global\Session"), Some(ErrorKind::WrongKind));
    }

    #[test]
    fn stray_backslashes_empty_names_and_nul_are_refused() {
        // Rows 28 to 30 of `tests/win32_rows.rs`.
        for text in ["", r"a\b", r"\b", r"Local\", r"Global\", r"Local\a\b", r"Session\1\x", "a\0"]
        {
            assert_eq!(kind(text), Some(ErrorKind::InvalidName), "{text:?}");
        }
    }

    #[test]
    fn all_other_characters_and_long_names_are_legal() {
        // Rows 22 and 28 of `tests/win32_rows.rs`.
        let long = "ü".repeat(1000);
        for text in ["/", "..", ".", "$pcars2$", "a b:*?\"<>|", "日本", "-n", "%2F", &long] {
            assert_eq!(Name::new(text).unwrap().bare(), text);
        }
        assert_eq!(kind(&"x".repeat(MAX_UNITS + 1)), Some(ErrorKind::InvalidName));
        assert_eq!(kind(&"𝄞".repeat(MAX_UNITS / 2 + 1)), Some(ErrorKind::InvalidName));
    }
}
