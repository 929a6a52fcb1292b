"""Sections over files, read-only ones, and POSIX objects."""

from __future__ import annotations

import os
import sys

import pytest

import pagemate


@pytest.mark.parametrize("as_object", [False, True])
def test_a_section_over_a_file(name, tmp_path, as_object):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    file = open(path, "r+b") if as_object else path
    with pagemate.create(name, 0, file=file) as section, pagemate.open(name).map() as view:
        assert section.size == view.size == 10
        view[3] = ord("x")
        view.flush()
        assert path.read_bytes() == b"012x456789"
        assert pagemate.info(name).file == path.resolve()
    assert path.read_bytes() == b"012x456789"


def test_a_read_only_section_over_a_file(name, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with pagemate.create(name, 0, file=path, read_only=True) as section:
        assert (section.writable, section.protection) == (False, "read-only")
        with section.map() as view:
            assert not view.writable and memoryview(view).readonly
            with pytest.raises(PermissionError):
                view[0] = 1
        with section.map(copy_on_write=True) as private:
            private[0] = ord("x")
            assert private[:2] == b"x1"
        with pytest.raises(PermissionError):
            section.map(writable=True)
    assert path.read_bytes() == b"0123456789"


def test_files_that_do_not_fit(name, tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(FileNotFoundError):
        pagemate.create(name, 0, file=tmp_path / "missing")
    for bad in (tmp_path, tmp_path / "empty"):
        with pytest.raises((OSError, ValueError)):
            pagemate.create(name, 0, file=bad)
    with pytest.raises(TypeError):
        pagemate.create(name, 0, file=3)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_a_named_pipe_is_refused_at_once(name, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(pagemate.Error):
        pagemate.create(name, 4096, file=path, read_only=True)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_a_posix_object(name):
    from multiprocessing.shared_memory import SharedMemory

    memory = SharedMemory(name, create=True, size=4096)
    try:
        with pagemate.open_posix(f"/{name}") as section, section.map() as view:
            view[:2] = b"ok"
            assert bytes(memory.buf[:2]) == b"ok"
    finally:
        memory.close()
        memory.unlink()
    with pytest.raises(FileNotFoundError):
        pagemate.open_posix(f"/{name}")
