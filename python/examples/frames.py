"""An array by name: run `frames.py write` in one terminal, and `frames.py` in another."""

import sys
import time

import pagemate

if sys.argv[1:] == ["write"]:
    frames = pagemate.array("frames", (8, 480, 640, 3), "u1")
    number = 0
    while True:
        frames[number % 8] = number % 256
        number += 1
        time.sleep(0.04)
else:
    frames = pagemate.open_array("frames", writable=False, timeout=None)
    while True:
        print(frames.shape, frames.dtype, frames[:, 0, 0, 0])
        time.sleep(1)
