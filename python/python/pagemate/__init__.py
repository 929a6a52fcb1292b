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

from ._errors import *
from ._errors import __all__ as _errors
from ._pagemate import (
    Section,
    View,
    create,
    create_unnamed,
    open,
    open_or_create,
)

if sys.platform != "win32":
    from ._pagemate import from_fd, open_posix

__all__ = [
    *_errors,
    "Section",
    "View",
    "create",
    "create_unnamed",
    "open",
    "open_or_create",
]

if sys.platform != "win32":
    __all__ += ["from_fd", "open_posix"]
