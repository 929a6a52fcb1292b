"""Sections that cross processes: by name, by pickle and by descriptor."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading

import pytest

import pagemate
from conftest import TIME

METHODS = multiprocessing.get_all_start_methods()
unix = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are a feature of Unix")


def add_one(section: pagemate.Section) -> None:
    with section.map() as view:
        view[0] = view[0] + 1


def add_one_by_name(name: str) -> None:
    add_one(pagemate.open(name))


def join(process: multiprocessing.process.BaseProcess) -> None:
    process.join(TIME)
    assert process.exitcode == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_section_crosses_every_start_method(name, method):
    section = pagemate.create(name, 4096)
    start = multiprocessing.get_context(method)
    for target, argument in [(add_one, section), (add_one_by_name, name)]:
        process = start.Process(target=target, args=(argument,))
        process.start()
        join(process)
    # A child that exits takes neither the memory nor the name away.
    assert section.map()[0] == 2
    pagemate.open(name).close()


@unix
@pytest.mark.parametrize("method", METHODS)
def test_an_unnamed_section_crosses_every_start_method(method):
    section = pagemate.create_unnamed(4096)
    process = multiprocessing.get_context(method).Process(target=add_one, args=(section,))
    process.start()
    join(process)
    assert section.map()[0] == 1


@unix
def test_a_child_inherits_a_descriptor():
    section = pagemate.create_unnamed(4096)
    code = "import pagemate, sys; pagemate.from_fd(int(sys.argv[1])).map()[:2] = b'ok'"
    fd = section.fileno()
    subprocess.run([sys.executable, "-c", code, str(fd)], pass_fds=[fd], check=True, timeout=TIME)
    assert section.map()[:2] == b"ok"


@unix
def test_from_fd_leaves_the_descriptor_open(tmp_path):
    with open(tmp_path / "file", "w+b") as file:
        file.truncate(4096)
        with pagemate.from_fd(file.fileno()) as section:
            section.map()[:2] = b"ok"
        assert file.read(2) == b"ok"
    for fd in (-1, -(2**31), 2**31 - 1):
        with pytest.raises((ValueError, OSError)):
            pagemate.from_fd(fd)


@unix
def test_a_forked_child_holds_the_objects_of_its_parent(name):
    section = pagemate.create(name, 4096)
    ready, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        os.read(ready, 1)
        os._exit(0)
    section.close()
    pagemate.open(name).close()
    os.close(end)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(ready)
    with pytest.raises(pagemate.NotFoundError):
        pagemate.open(name)


def test_a_closed_section_cannot_be_pickled(name):
    section = pagemate.create(name, 4096)
    section.close()
    with pytest.raises(ValueError, match="closed"):
        section.__reduce__()


def test_open_waits_for_a_name_that_a_thread_creates(name):
    opened = []
    thread = threading.Thread(target=lambda: opened.append(pagemate.open(name, timeout=TIME)))
    thread.start()
    with pagemate.create(name, 4096):
        thread.join(TIME)
        assert opened[0].size == 4096
    with pytest.raises(pagemate.NotFoundError):
        pagemate.open(name + "x", timeout=0.1)


@unix
def test_ctrl_c_ends_a_wait(name, run):
    code = (
        "import pagemate, signal, sys\n"
        # A shell may have started the tests in the background, where it ignores Ctrl-C.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    pagemate.open(sys.argv[1], timeout=None)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
    )
    process = run(code, name)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(2)
    assert process.stdout.readline() == "interrupted\n"


def test_threads_close_and_read_the_same_view():
    for _ in range(50):
        section = pagemate.create_unnamed(4096)
        view = section.map()
        errors = []

        def read(view: pagemate.View = view) -> None:
            try:
                while True:
                    memoryview(view)[:10].tobytes()
                    view[:10]
            except (ValueError, BufferError) as error:
                errors.append(str(error))

        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        view.close()
        section.close()
        for thread in threads:
            thread.join(TIME)
        assert errors == ["the view is closed"] * 2
