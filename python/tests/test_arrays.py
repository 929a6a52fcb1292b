"""Arrays by name."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import pagemate

np = pytest.importorskip("numpy")

STRUCTURE = np.dtype([("time", "<f8"), ("größe", "<u2", (2, 3)), ("label", "S5")], align=True)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3, 4), (5,), (), (2, 0, 3), 7])
@pytest.mark.parametrize("dtype", ["u1", ">i4", "c16", "M8[us]", "?", "U3", "f2", STRUCTURE])
def test_an_opener_needs_the_name_only(name, shape, dtype, order):
    made = pagemate.array(name, shape, dtype, order)
    expected = np.zeros(shape, dtype, order)
    assert (made.shape, made.dtype) == (expected.shape, expected.dtype)
    assert made.strides == expected.strides or made.size == 0
    opened = pagemate.open_array(name)
    assert (opened.shape, opened.dtype, opened.strides) == (made.shape, made.dtype, made.strides)
    assert opened.flags.aligned and opened.flags.writeable
    made[...] = np.ones(shape, "i1").astype(dtype)
    assert made.tobytes() == opened.tobytes()
    assert pagemate.array(name, shape, dtype, order).tobytes() == made.tobytes()


def test_a_slice_holds_the_name_and_the_last_one_frees_it(name):
    part = pagemate.array(name, (4, 4), "i4")[1:3, ::2]
    part[...] = 7
    assert pagemate.open_array(name).sum() == 28
    del part
    with pytest.raises(FileNotFoundError):
        pagemate.open_array(name)


def test_a_different_array_is_refused(name):
    made = pagemate.array(name, (2, 3), "f4")
    for shape, dtype, order in [((3, 2), "f4", "C"), ((2, 3), "f8", "C"), ((2, 3), "f4", "F")]:
        with pytest.raises(pagemate.WrongKindError, match=r"it has shape \(2, 3\) and dtype float32"):
            pagemate.array(name, shape, dtype, order)
    with pytest.raises(FileExistsError):
        pagemate.array(name, (2, 3), "f4", exist_ok=False)
    assert not made.any()


def test_a_read_only_array_stays_read_only(name):
    made = pagemate.array(name, 3, "i8")
    reader = pagemate.open_array(name, writable=False)
    made[1] = 5
    assert reader.tolist() == [0, 5, 0]
    with pytest.raises(ValueError, match="read-only"):
        reader[0] = 1
    with pytest.raises(ValueError):
        reader.flags.writeable = True


def test_numpy_loads_the_file_of_an_array(name):
    made = pagemate.array(name, (3, 5), "i2", "F")
    made[...] = np.arange(15).reshape(3, 5)
    with pagemate.open(name) as section:
        path = f"/proc/self/fd/{section.fileno()}"
        loaded = np.load(path)
        assert (loaded == made).all() and loaded.flags.f_contiguous
        mapped = np.load(path, mmap_mode="r")
    made[2, 4] = 99
    assert mapped[2, 4] == 99


@pytest.mark.parametrize("dtype", ["<f4", STRUCTURE])
def test_an_array_over_a_file_of_numpy(name, dtype, tmp_path: Path):
    path = tmp_path / "saved.npy"
    saved = np.arange(6).reshape(2, 3).astype("f4").astype(dtype) if dtype == "<f4" else np.ones(4, dtype)
    np.save(path, saved)
    with pagemate.create(name, 0, file=path) as section:
        array = pagemate.open_array(name)
        assert (array == saved).all()
        assert (pagemate.open_array(section) == saved).all()


def test_headers_are_those_of_numpy():
    from pagemate._arrays import _new_layout

    for shape, dtype, order in [((2, 3), "<f4", "F"), ((1000,), STRUCTURE, "C"), ((), ">c8", "C")]:
        _, header = _new_layout(shape, dtype, order)
        assert len(header) % 64 == 0
        file = io.BytesIO(header + b"\0" * (np.dtype(dtype).itemsize * 1000))
        loaded = np.load(file)
        assert (loaded.shape, loaded.dtype) == (shape, np.dtype(dtype))


@pytest.mark.parametrize("dtype", ["O", [("a", "O")]])
def test_objects_are_refused(name, dtype):
    with pytest.raises(TypeError, match="references to objects"):
        pagemate.array(name, 3, dtype)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\x93NUMPY\x09\x00\x46\x00{}",
        b"\x93NUMPY\x01\x00\xff\xff{}",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
        b"\x93NUMPY\x03\x00\x02\x00\x00\x00\xff\xfe",
        b"\x93NUMPY\x01\x00\x02\x00{}",
        b"\x93NUMPY\x01\x00\x40\x00" + b"(" * 64,
        b"\x93NUMPY\x01\x00\x40\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}".ljust(64),
        b"\x93NUMPY\x01\x00\x40\x00" + b"{'descr': 'zz', 'fortran_order': False, 'shape': (1,)}".ljust(64),
        b"\x93NUMPY\x01\x00\x40\x00" + b"{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}".ljust(64),
        b"\x93NUMPY\x01\x00\x40\x00" + b"{'descr': '<f4', 'fortran_order': True, 'shape': (-1,)}".ljust(64),
        b"\x93NUMPY\x01\x00\x50\x00"
        + b"{'descr': '<f4', 'fortran_order': True, 'shape': (9223372036854775807, 4)}".ljust(80),
    ],
)
def test_rubbish_is_an_error(name, header):
    with pagemate.create(name, 4096, initial=header):
        with pytest.raises(pagemate.CorruptedError, match="open array"):
            pagemate.open_array(name)


def test_a_deeply_nested_header_is_an_error(name):
    text = b"[" * 60_000
    header = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    with pagemate.create(name, 1 << 16, initial=header):
        with pytest.raises(pagemate.CorruptedError):
            pagemate.open_array(name)


def test_an_array_of_another_process(name, run):
    code = (
        "import sys, pagemate, numpy as np; a = pagemate.array(sys.argv[1], (2, 2), 'i4'); a[...] = 3;"
        "print('ready', flush=True); input(); print(int(a[0, 0]), flush=True); input()"
    )
    process = run(code, name)
    assert process.stdout.readline() == "ready\n"
    array = pagemate.open_array(name)
    array[0, 0] = 8
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "8\n"
    process.kill()
    process.wait()
    # The name lives on with this process.
    assert pagemate.open_array(name).sum() == 17
    del array
    with pytest.raises(FileNotFoundError):
        pagemate.open_array(name)


def test_each_array_has_a_dtype_of_its_own(name):
    kind = [("a", "i4"), ("b", "i4")]
    with_names = pagemate.array(name, 3, kind)
    renamed = pagemate.open_array(name)
    renamed.dtype.names = ("p", "q")
    assert pagemate.open_array(name).dtype.names == with_names.dtype.names == ("a", "b")
