"""Named shared memory whose names live exactly as long as some process holds them.

>>> import pagemate
>>> with pagemate.create("doc-frames", 4096) as section, section.map() as view:
...     view[:5] = b"hello"
...     bytes(view[:5])
b'hello'

A ``Section`` is a handle to memory, a ``View`` is mapped memory with the buffer protocol. Each of them, and
each array or memoryview of a view, holds the name. When the last holder in any process lets go, exits or is
killed, the name is free. There is nothing to unlink.
"""

import sys

from ._arrays import array, open_array
from ._errors import (
    AlreadyExistsError,
    CorruptedError,
    Error,
    InvalidInputError,
    InvalidNameError,
    NoSpaceError,
    NotFoundError,
    NotOwnerError,
    OrphanedError,
    OutOfRangeError,
    PermissionDeniedError,
    TimedOutError,
    UnsupportedError,
    WrongKindError,
    WrongVersionError,
)
from ._inventory import Listing, list
from ._pagemate import (
    Info,
    Section,
    View,
    create,
    create_unnamed,
    info,
    open,
    open_or_create,
    prune,
)

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
    "Info",
    "Listing",
    "Section",
    "View",
    "array",
    "create",
    "create_unnamed",
    "info",
    "list",
    "open",
    "open_array",
    "open_or_create",
    "prune",
]

if sys.platform == "win32":
    from ._pagemate import from_handle

    __all__ += ["from_handle"]
else:
    from ._pagemate import from_fd, open_posix

    __all__ += ["from_fd", "open_posix"]
