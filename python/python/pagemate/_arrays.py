"""NumPy arrays by name.

The memory of an array begins with the header of a ``.npy`` file, so that its dtype, shape and order travel
with it. Any program that reads ``.npy`` files can read the memory, and ``numpy.load`` reads the object's file.
"""

from __future__ import annotations

import ast
import copy
import math
import operator
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Optional, Union

from ._errors import CorruptedError, WrongKindError
from ._pagemate import Section, View, create, open, open_or_create

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import DTypeLike, NDArray

    from ._pagemate import _Sharing

__all__ = ["array", "open_array"]

MAGIC = b"\x93NUMPY"
ALIGNMENT = 64
"""The header ends at a multiple of this number of bytes, as in the files of ``numpy.save``."""
LONGEST = 1 << 16
"""Headers that are longer are refused. That of a dtype with a thousand fields is about half as long."""


class Layout(NamedTuple):
    """The content of a header."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    start: int
    """The offset of the data."""
    size: int
    """The bytes of the header and the data."""

    @classmethod
    def of(cls, dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool, start: int) -> Layout:
        # An array with one dimension is stored in the same way in both orders.
        size = start + math.prod(shape) * dtype.itemsize
        return cls(dtype, shape, fortran and len(shape) > 1, start, size)

    def describes_same(self, other: Layout) -> bool:
        return self[:3] == other[:3]

    def __str__(self) -> str:
        order = ", Fortran order" if self.fortran else ""
        return f"shape {self.shape} and dtype {self.dtype}{order}"


def array(
    name: str,
    shape: Union[int, Sequence[int]],
    dtype: DTypeLike = float,
    order: Literal["C", "F"] = "C",
    *,
    exist_ok: bool = True,
    sharing: _Sharing = "owner",
    sparse: bool = False,
    huge_pages: bool = False,
) -> NDArray[Any]:
    """Creates the array `name`, or opens it if some process holds it.

    A new array is zero. An array that exists must have the same shape, dtype and order, or else the call
    raises `WrongKindError`; with ``exist_ok=False`` it raises `AlreadyExistsError`. The name lives as long as
    any process has the array or a view of it, such as a slice.
    """
    wanted, header = _new_layout(shape, dtype, order)
    make = open_or_create if exist_ok else create
    section = make(
        name, wanted.size, sharing=sharing, sparse=sparse, huge_pages=huge_pages, initial=header
    )
    view = section.map()
    if not section.was_created:
        found = _read(view, name)
        if not found.describes_same(wanted):
            raise WrongKindError(
                f"open array {name!r}: it has {found}, and the call asks for {wanted}; "
                "open_array opens it as it is"
            )
        wanted = found
    return _over(view, wanted)


def open_array(
    source: Union[str, Section], *, writable: bool = True, timeout: Optional[float] = 0
) -> NDArray[Any]:
    """Opens the array in a section, which is named or given itself.

    The section may be any that begins with a ``.npy`` header, for example one over a file of ``numpy.save``.
    Raises `NotFoundError` if no process holds the name; with a `timeout` in seconds, waits that long for
    another process to create it.
    """
    if isinstance(source, Section):
        section, name = source, source.name
        writable = writable and source.writable
    else:
        section, name = open(source, writable=writable, timeout=timeout), source
    view = section.map(writable=writable)
    return _over(view, _read(view, name))


def _over(view: View, layout: Layout) -> NDArray[Any]:
    """Returns the array in a view. The array holds the view, and so the memory and its name."""
    import numpy as np

    order: Literal["C", "F"] = "F" if layout.fortran else "C"
    memory = memoryview(view)
    # The fields of a structured dtype can be renamed in place, so each array has a dtype of its own.
    dtype = layout.dtype if layout.dtype.names is None else copy.deepcopy(layout.dtype)
    return np.ndarray(layout.shape, dtype, memory, layout.start, order=order)


def _new_layout(
    shape: Union[int, Sequence[int]], dtype: DTypeLike, order: str
) -> tuple[Layout, bytes]:
    """Returns the layout of a new array, and its header."""
    import numpy as np

    if order not in ("C", "F"):
        raise ValueError(f"order is {order!r}, but must be 'C' or 'F'")
    dtype = np.dtype(dtype)
    if isinstance(shape, Sequence):
        sizes = tuple(operator.index(size) for size in shape)
    else:
        sizes = (operator.index(shape),)
    if any(size < 0 for size in sizes):
        raise ValueError(f"shape is {shape}, but no dimension can be negative")
    if dtype.subdtype is not None:
        dtype, inner = dtype.subdtype
        sizes += inner
    if dtype.hasobject:
        raise TypeError(f"dtype {dtype} has references to objects, which other processes cannot use")
    descr = np.lib.format.dtype_to_descr(dtype)
    if np.lib.format.descr_to_dtype(descr) != dtype:
        raise TypeError(f"dtype {dtype} cannot be described in a .npy header")
    fortran = order == "F" and len(sizes) > 1
    header = _header(f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {sizes!r}, }}")
    return Layout.of(dtype, sizes, fortran, len(header)), header


def _header(text: str) -> bytes:
    """Returns a ``.npy`` header: the magic bytes, the version, the length, and padded text."""
    encoded = text.encode("utf-8")
    version, width = (1, 2) if text.isascii() else (3, 4)
    prefix = len(MAGIC) + 2 + width
    length = -(-(prefix + len(encoded) + 1) // ALIGNMENT) * ALIGNMENT - prefix
    if length >= LONGEST:
        raise ValueError(f"the description of the dtype has {length} bytes; the limit is {LONGEST}")
    padded = encoded.ljust(length - 1) + b"\n"
    return MAGIC + bytes([version, 0]) + length.to_bytes(width, "little") + padded


def _read(view: View, name: Optional[str]) -> Layout:
    """Reads the header in a view, and checks that the data lies in the view."""
    start = view[:512]
    width = 2 if start[6:7] == b"\x01" else 4
    end = len(MAGIC) + 2 + width + int.from_bytes(start[8 : 8 + width], "little")
    try:
        if not start.startswith(MAGIC) or start[6:7] not in (b"\x01", b"\x02", b"\x03"):
            raise ValueError("it does not begin with the header of a .npy file")
        if end > min(LONGEST, view.size):
            raise ValueError("its header is too long")
        layout = _parse(start[:end] if end <= len(start) else view[:end])
        if layout.size > view.size:
            raise ValueError(f"it has {view.size} bytes, too few for {layout}")
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        what = "array" if name is None else f"array {name!r}"
        raise CorruptedError(f"open {what}: {error}") from error
    return layout


@lru_cache(maxsize=256)
def _parse(header: bytes) -> Layout:
    """Parses a header. `header` has its exact length."""
    import numpy as np

    version = header[6]
    text = header[10 if version == 1 else 12 :].decode("latin-1" if version < 3 else "utf-8")
    fields = ast.literal_eval(text)
    if not isinstance(fields, dict) or fields.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError("its header does not have descr, fortran_order and shape")
    shape, fortran = fields["shape"], fields["fortran_order"]
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"its header has the invalid shape {shape!r}")
    if not isinstance(fortran, bool):
        raise ValueError(f"its header has the invalid fortran_order {fortran!r}")
    try:
        dtype = np.lib.format.descr_to_dtype(fields["descr"])
    except (TypeError, ValueError) as error:
        raise ValueError(f"its header has the invalid descr {fields['descr']!r}") from error
    if dtype.hasobject or dtype.subdtype is not None:
        raise ValueError(f"its header has the dtype {dtype}, which cannot be shared")
    return Layout.of(dtype, shape, fortran, len(header))
