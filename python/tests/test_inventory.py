"""Lists, and the memory that killed processes leave."""

from __future__ import annotations

import os
import pickle
import sys
import time

import pytest

import pagemate


def test_a_list_has_the_live_objects(name):
    before = time.time()
    with pagemate.create(name, 5000, sharing="group-read") as section:
        found = pagemate.list()
        (entry,) = (entry for entry in found if entry.name == name)
        assert repr(entry) == repr(pagemate.info(name))
        assert (entry.kind, entry.size, entry.protection) == ("section", section.size, "read-write")
        assert entry.sharing == "group-read" and entry.state is None and entry.file is None
        if sys.platform == "linux":
            assert entry.holders == [os.getpid()] and entry.creator == os.getpid()
            assert abs(entry.created - before) < 60
        assert isinstance(found.damaged, tuple) and isinstance(found.unreachable, tuple)
    with pytest.raises(FileNotFoundError):
        pagemate.info(name)


def test_prune_frees_the_memory_of_a_killed_process(name, run):
    code = "import pagemate, sys; s = pagemate.create(sys.argv[1], 1 << 20); print(flush=True); input()"
    process = run(code, name)
    process.stdout.readline()
    process.kill()
    process.wait()
    # Another program may remove the object first, so the numbers are not exact.
    objects, size = pagemate.prune()
    assert objects >= 0 and size >= 0
    assert name not in [entry.name for entry in pagemate.list()]


def test_errors_are_those_of_the_standard_library(name):
    with pytest.raises(pagemate.Error) as caught:
        pagemate.open(name)
    error = caught.value
    assert isinstance(error, OSError) and isinstance(error, FileNotFoundError)
    assert str(error) == f'open section "{name}": no process holds it'
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)
    for bad in ["", "a\\b", "x" * 2000]:
        with pytest.raises(ValueError) as refused:
            pagemate.open(bad)
        assert isinstance(refused.value, pagemate.InvalidNameError)
    with pytest.raises(MemoryError, match="bytes") as full:
        pagemate.create(name, 1 << 60)
    assert isinstance(full.value, pagemate.NoSpaceError)
