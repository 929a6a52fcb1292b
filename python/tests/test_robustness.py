"""No call crashes the interpreter, in any order and with any argument, and no call leaks."""

from __future__ import annotations

import gc
import os
import random
import sys

import pytest

import pagemate
from conftest import TIME

FUZZ = r"""
import faulthandler, gc, os, random, sys, pagemate
faulthandler.enable()
random = random.Random(int(sys.argv[1]))
prefix = sys.argv[2]
try:
    import numpy as np
except ImportError:
    np = None

class Index:
    def __index__(self): return random.choice([0, 1, -1, 4096, 2**63])

class Bad:
    def __index__(self): raise RuntimeError("bad index")
    def fileno(self): raise RuntimeError("bad fileno")
    def __fspath__(self): raise RuntimeError("bad path")

EDGES = [0, 1, -1, 7, 4095, 4096, 4097, 8192, 2**31, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -2**63, 10**30]
NAMES = [prefix + "a", prefix + "b", "Local\\" + prefix + "c", "", "\0", "a\\b", "\ud800", "x" * 5000, "nul\0"]
OTHERS = [None, True, 1.5, float("nan"), float("inf"), b"", b"bytes", bytearray(9), "text", [], (), {}, object(),
          Index(), Bad(), slice(None), slice(5, 1, -1), slice(None, None, 0), slice(2**70), Ellipsis, memoryview(b"ab"),
          memoryview(bytearray(64))[::2], int, pagemate, pagemate.View, pagemate.Section]
KEYWORDS = ["name", "size", "sharing", "file", "read_only", "sparse", "huge_pages", "initial", "writable", "min_size",
            "timeout", "offset", "copy_on_write", "prefault", "exist_ok", "shape", "dtype", "order", "fd", "nonsense"]
SHAPES = [(2, 3), 5, (), (0,), (-1,), (2**40, 2**40), [1, 2], "f4", "O", [("a", "i4")], "F", "owner", "everyone-read"]
kept = []

def argument():
    kind = random.randrange(6)
    if kind == 0: return random.choice(EDGES)
    if kind == 1: return random.choice(NAMES)
    if kind == 2 and kept: return random.choice(kept)
    if kind == 3: return random.choice(SHAPES)
    if kind == 4: return random.randrange(9000)
    return random.choice(OTHERS)

FUNCTIONS = [getattr(pagemate, name) for name in pagemate.__all__ if not name.endswith("Error")]

def usual():
    name = random.choice(NAMES[:3])
    return random.choice([
        lambda: pagemate.open_or_create(name, random.randrange(1, 20000)),
        lambda: pagemate.create_unnamed(random.randrange(1, 20000)),
        lambda: random.choice(kept).map(),
        lambda: memoryview(random.choice(kept)),
        lambda: np.ndarray(16, "u1", random.choice(kept)),
        lambda: np.frombuffer(random.choice(kept), "u1"),
        lambda: pagemate.array(name, (3, 4), "i4"),
        lambda: random.choice(kept).close(),
        lambda: random.choice(kept)[:].tobytes(),
        lambda: random.choice(kept).__setitem__(slice(None), argument()),
        lambda: kept.pop(random.randrange(len(kept))) and None,
    ])()

def hostile():
    arguments = [argument() for _ in range(random.randrange(5))]
    keywords = {random.choice(KEYWORDS): argument() for _ in range(random.randrange(3))}
    keywords.pop("timeout", None)
    if random.random() < 0.4:
        return random.choice(FUNCTIONS)(*arguments, **keywords)
    target = random.choice(kept or [None])
    names = [name for name in dir(target) if name not in ("__class__", "__reduce_ex__", "__init_subclass__")]
    method = getattr(target, random.choice(names))
    return method(*arguments, **keywords) if callable(method) else method

for step in range(int(sys.argv[3])):
    try:
        made = (usual if random.random() < 0.5 else hostile)()
        if isinstance(made, (pagemate.Section, pagemate.View, memoryview)) or np and isinstance(made, np.ndarray):
            kept.append(made)
    except (Exception, GeneratorExit) as error:
        if "panic" in type(error).__name__.lower():
            raise
    if len(kept) > 30:
        del kept[random.randrange(len(kept))]
kept.clear()
gc.collect()
print("end")
"""


@pytest.mark.parametrize("seed", range(4))
def test_no_call_crashes_the_interpreter(name, run, seed, tmp_path):
    process = run(FUZZ, str(seed), name, "5000", cwd=tmp_path)
    output, _ = process.communicate(timeout=TIME * 5)
    assert (output, process.returncode) == ("end\n", 0)
    assert [entry.name for entry in pagemate.list() if name in entry.name] == []


def counts() -> tuple[int, int, int]:
    """The descriptors, the mappings and the blocks of memory of this process."""
    gc.collect()
    with open("/proc/self/maps") as maps:
        mappings = len(maps.readlines())
    return len(os.listdir("/proc/self/fd")), mappings, sys.getallocatedblocks()


def section_cycle(name: str) -> None:
    with pagemate.create(name, 64) as section, section.map() as view:
        view[:2] = b"ab"
        assert memoryview(view)[:2] == b"ab"
        with pagemate.open(name, writable=False) as other:
            other.map()[0]
    try:
        pagemate.open("missing-" + name)
    except FileNotFoundError:
        pass
    try:
        memoryview(view)
    except BufferError:
        pass


def array_cycle(name: str) -> None:
    made = pagemate.array(name, (2, 3), "f4", "F")
    assert pagemate.open_array(name, writable=False)[0, 0] == 0
    made[0, 0] = 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("cycle", [section_cycle, array_cycle])
def test_cycles_leak_nothing(name, cycle):
    if cycle is array_cycle:
        pytest.importorskip("numpy")
    cycles = int(os.environ.get("PAGEMATE_LEAK_CYCLES", "3000"))
    for _ in range(200):
        cycle(name)
    references = [sys.getrefcount(item) for item in (None, pagemate.View, pagemate.Section, name)]
    before = counts()
    for _ in range(cycles):
        cycle(name)
    after = counts()
    assert after[0] == before[0]
    # The interpreter itself adds a few blocks and mappings; a leak adds one for each cycle.
    assert abs(after[1] - before[1]) < 20 and abs(after[2] - before[2]) < 200
    for item, count in zip((None, pagemate.View, pagemate.Section, name), references):
        assert abs(sys.getrefcount(item) - count) < 100


def test_arrays_that_keep_an_address_stay_valid_after_close():
    np = pytest.importorskip("numpy")
    section = pagemate.create_unnamed(1 << 20)
    view = section.map()
    array = np.ndarray(1 << 20, "u1", view)
    view.close()
    section.close()
    del view, section
    array[:] = 3
    assert int(array[-1]) == 3
