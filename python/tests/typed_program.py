"""A program that mypy and pyright accept in strict mode: `cargo xtask python` checks it."""

from __future__ import annotations

import sys
from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

import pagemate


def sections() -> bytes:
    with pagemate.open_or_create("typed", 4096, sharing="owner") as section:
        name: Optional[str] = section.name
        with section.map(0, 100, writable=True) as view:
            view[0] = 1
            view[1:3] = b"ab"
            first: int = view[0]
            memory: memoryview = memoryview(view)
            print(name, first, len(memory), section.size, section.was_created)
            return view[:3]


def arrays() -> list[NDArray[Any]]:
    made = pagemate.array("frames", (2, 3), np.float32, "F", exist_ok=True)
    return [made, pagemate.open_array("frames", writable=False, timeout=1.5)]


def inventory() -> list[int]:
    listing = pagemate.list()
    for error in listing.damaged:
        print(error.errno)
    objects, size = pagemate.prune()
    return [entry.size for entry in listing] + [objects, size, pagemate.info("typed").size]


def unnamed() -> Optional[pagemate.Section]:
    if sys.platform != "win32":
        return pagemate.from_fd(pagemate.create_unnamed(4096).fileno())
    return None


def errors() -> None:
    try:
        pagemate.open("missing")
    except pagemate.NotFoundError as error:
        missing: FileNotFoundError = error
        print(missing)
