"""Fixtures: unique names, and processes that run a piece of Python."""

from __future__ import annotations

import faulthandler
import os
import subprocess
import sys
import uuid
from typing import Callable, Iterator

import pytest

TIME = 60.0
"""The limit in seconds for waits of the tests. No test depends on its value."""


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """Ends the run, with the stack of each thread, if one test takes ten times the limit of a wait."""
    faulthandler.dump_traceback_later(10 * TIME, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"py-{os.getpid()}-{uuid.uuid4().hex}"


Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts processes that run Python code, and kills those that are alive after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,  # type: ignore[call-overload]
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
