#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Times pyMeterBus for the bench `decode`, which asks for one round after the other.

The first argument is a file with a frame a line, in hexadecimal digits. A line of input names frames by their
numbers, and each is answered with one line: `which` with the numbers of those that pyMeterBus reads, `round N N ...` with
how many of these a second it takes apart, all of their records' values asked for.
"""

import sys
import time

import meterbus

FRAMES = [bytes.fromhex(line) for line in open(sys.argv[1], encoding="ascii")]
ROUND_S = 0.3


def decode(frame):
    """All values of a frame; an exception where it cannot be read."""
    telegram = meterbus.load(frame)
    return [record.interpreted for record in telegram.records]


def reads(frame):
    try:
        return bool(decode(frame))
    except Exception:  # pylint: disable=broad-except
        return False


for line in sys.stdin:
    command, *numbers = line.split()
    if command == "which":
        print(*(n for n, frame in enumerate(FRAMES) if reads(frame)), flush=True)
        continue
    chosen = [FRAMES[int(n)] for n in numbers]
    begun, cpu, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begun < ROUND_S:
        for frame in chosen:
            decode(frame)
        done += len(chosen)
    print(done / (time.process_time() - cpu), flush=True)
