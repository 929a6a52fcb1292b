import os
from types import TracebackType
from typing import Literal, Optional, Protocol, Union, final, overload

from typing_extensions import Buffer, Self, TypeAlias

class _HasFileno(Protocol):
    def fileno(self) -> int: ...

_File: TypeAlias = Union[str, os.PathLike[str], _HasFileno]
_Sharing: TypeAlias = Literal[
    "owner", "group-read", "group-read-write", "everyone-read", "everyone-read-write"
]

@final
class Section:
    @property
    def name(self) -> Optional[str]: ...
    @property
    def size(self) -> int: ...
    @property
    def requested_size(self) -> int: ...
    @property
    def was_created(self) -> bool: ...
    @property
    def writable(self) -> bool: ...
    @property
    def protection(self) -> Literal["read-only", "read-write"]: ...
    @property
    def closed(self) -> bool: ...
    def map(
        self,
        offset: int = 0,
        size: Optional[int] = None,
        *,
        writable: Optional[bool] = None,
        copy_on_write: bool = False,
        prefault: bool = False,
        huge_pages: bool = False,
    ) -> View: ...
    def check_name(self) -> None: ...
    def close(self) -> None: ...
    def fileno(self) -> int: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
        /,
    ) -> None: ...

@final
class View(Buffer):
    @property
    def size(self) -> int: ...
    @property
    def writable(self) -> bool: ...
    @property
    def closed(self) -> bool: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: int, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> bytes: ...
    @overload
    def __setitem__(self, key: int, value: int, /) -> None: ...
    @overload
    def __setitem__(self, key: slice, value: Buffer, /) -> None: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
        /,
    ) -> None: ...

def create(
    name: str,
    size: int,
    *,
    sharing: _Sharing = "owner",
    file: Optional[_File] = None,
    read_only: bool = False,
    sparse: bool = False,
    huge_pages: bool = False,
    initial: Optional[bytes] = None,
) -> Section: ...
def open(
    name: str, *, writable: bool = True, min_size: int = 0, timeout: Optional[float] = 0
) -> Section: ...
def open_or_create(
    name: str,
    size: int,
    *,
    sharing: _Sharing = "owner",
    file: Optional[_File] = None,
    read_only: bool = False,
    sparse: bool = False,
    huge_pages: bool = False,
    initial: Optional[bytes] = None,
) -> Section: ...
def create_unnamed(
    size: int,
    *,
    file: Optional[_File] = None,
    read_only: bool = False,
    sparse: bool = False,
    huge_pages: bool = False,
) -> Section: ...
def open_posix(name: str, *, writable: bool = True) -> Section: ...
def from_fd(fd: int) -> Section: ...
