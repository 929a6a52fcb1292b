"""Pickles objects: named ones by their name, unnamed ones by a descriptor that another process receives."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from ._pagemate import Section


def reduce_section(section: Section) -> tuple[Callable[..., Section], tuple[Any, ...]]:
    """Returns the function and the arguments that make the section again."""
    if section.closed:
        raise ValueError("the section is closed")
    if section.name is not None:
        return open_section, (section.name, section.writable)
    if sys.platform == "win32":
        raise TypeError("an unnamed section cannot be pickled on Windows: give it a name")
    from multiprocessing.reduction import DupFd

    return receive_section, (DupFd(section.fileno()),)


def open_section(name: str, writable: bool) -> Section:
    """Opens a section that was pickled by its name. Some process must hold it meanwhile."""
    from . import open

    return open(name, writable=writable)


if sys.platform != "win32":

    def receive_section(duplicate: Any) -> Section:
        """Makes a section from a descriptor that `multiprocessing` passes to this process."""
        from . import from_fd

        fd: int = duplicate.detach()
        try:
            return from_fd(fd)
        finally:
            os.close(fd)
