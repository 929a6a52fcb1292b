"""Lists live objects."""

from __future__ import annotations

from typing import List

from ._errors import Error
from ._pagemate import Info, _list

__all__ = ["Listing", "list"]


class Listing(List[Info]):
    """The live objects that this user may inspect, in the order of their names."""

    damaged: tuple[Error, ...]
    """An error for each live object that cannot be described."""

    unreachable: tuple[Error, ...]
    """An error for each directory of objects that cannot be read."""


def list() -> Listing:
    """Returns the live objects, and removes those that killed processes left."""
    entries, damaged, unreachable = _list()
    listing = Listing(entries)
    listing.damaged, listing.unreachable = damaged, unreachable
    return listing
