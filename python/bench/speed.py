"""Compares pagemate with the standard library. State results as ratios of one run: `python bench/speed.py`."""

from __future__ import annotations

import statistics
import sys
import time
from multiprocessing.shared_memory import SharedMemory
from typing import Callable

import numpy as np

import pagemate

ROUNDS = 15
SIZE = 4096


def seconds(call: Callable[[], object], repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - start) / repeat


def compare(title: str, ours: Callable[[], object], theirs: Callable[[], object], repeat: int) -> None:
    """Measures both in turn, so that a slow moment of the machine affects both."""
    ratios, times = [], []
    for _ in range(ROUNDS):
        mine, other = seconds(ours, repeat), seconds(theirs, repeat)
        ratios.append(other / mine)
        times.append(mine)
    ratios.sort()
    median, low, high = statistics.median(ratios), ratios[2], ratios[-3]
    micros = statistics.median(times) * 1e6
    print(f"{title:44} {median:6.2f} times as fast ({low:.2f} to {high:.2f}); {micros:9.2f} us", flush=True)


def create_ours() -> None:
    with pagemate.create("bench-create", SIZE) as section:
        section.map().close()


def create_theirs() -> None:
    memory = SharedMemory(create=True, size=SIZE)
    memory.close()
    memory.unlink()


def sections(repeat: int) -> None:
    compare("create, map and close", create_ours, create_theirs, repeat)
    held, memory = pagemate.create("bench-open", SIZE), SharedMemory(create=True, size=SIZE)

    def open_ours() -> None:
        with pagemate.open("bench-open") as section:
            section.map().close()

    def open_theirs() -> None:
        SharedMemory(memory.name).close()

    compare("open, map and close", open_ours, open_theirs, repeat)
    held.close()
    memory.close()
    memory.unlink()


def arrays(repeat: int) -> None:
    shared = pagemate.array("bench-array", (1000, 1000), "f8")
    private = np.zeros((1000, 1000))
    shared[...] = private[...] = np.arange(1e6).reshape(1000, 1000)
    times = sorted(seconds(lambda: pagemate.open_array("bench-array"), repeat) for _ in range(ROUNDS))
    print(f"{'attach an array':44} {statistics.median(times) * 1e6:6.2f} us", flush=True)

    def elements(array: np.ndarray) -> Callable[[], object]:
        def visit() -> float:
            total = 0.0
            for i in range(1000):
                array[i, i] = total
                total += array[i, 999 - i]
            return total

        return visit

    compare("read and write elements, private array = 1", elements(shared), elements(private), repeat // 10)
    compare("sum of a million elements, private = 1", shared.sum, private.sum, repeat // 10)


def main() -> None:
    repeat = 20 if sys.argv[1:] == ["quick"] else 500
    print(f"Python {sys.version.split()[0]}; ratios to the standard library, or to a private array")
    sections(repeat)
    arrays(repeat)


if __name__ == "__main__":
    main()
