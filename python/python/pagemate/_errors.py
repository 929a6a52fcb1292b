"""The exceptions of pagemate."""

from __future__ import annotations

from typing import Optional

__all__ = [
    "AlreadyExistsError",
    "CorruptedError",
    "Error",
    "InvalidInputError",
    "InvalidNameError",
    "NoSpaceError",
    "NotFoundError",
    "NotOwnerError",
    "OrphanedError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "TimedOutError",
    "UnsupportedError",
    "WrongKindError",
    "WrongVersionError",
]


class Error(OSError):
    """A call of pagemate failed. The text names the call, the object and the cause.

    ``errno`` is the error code if the operating system reported the error on Linux or macOS, or ``None``.
    """

    def __init__(self, message: str = "", errno: Optional[int] = None) -> None:
        super().__init__(message)
        self.errno = errno

    def __reduce__(self) -> tuple[type[Error], tuple[str, Optional[int]]]:
        return type(self), (str(self), self.errno)


class NotFoundError(Error, FileNotFoundError):
    """No process holds an object of this name."""


class AlreadyExistsError(Error, FileExistsError):
    """Some process already holds an object of this name."""


class PermissionDeniedError(Error, PermissionError):
    """The system, the object or the handle does not allow the operation."""


class InvalidNameError(Error, ValueError):
    """The name breaks the rules: it is empty, too long, or has a backslash in a wrong place."""


class InvalidInputError(Error, ValueError):
    """An argument is invalid, independently of the state of any object."""


class OutOfRangeError(Error, ValueError):
    """A range reaches past the end of the memory, or a count past its limit."""


class NoSpaceError(Error, MemoryError):
    """There is not enough memory for the object."""


class WrongKindError(Error):
    """The name belongs to an object of another kind."""


class WrongVersionError(Error):
    """An incompatible release of pagemate created the object."""


class CorruptedError(Error):
    """The stored bytes are not a valid object: another program changed them, or removed the file."""


class OrphanedError(Error):
    """Another program removed the name. Close every handle and create the object again."""


class TimedOutError(Error, TimeoutError):
    """Another process kept the object busy for more than two seconds. Try again."""


class NotOwnerError(Error):
    """This thread does not hold the lock through this object."""


class UnsupportedError(Error):
    """This platform does not support the operation."""
